"""How many tasks of a resource run at once in the whole fleet: slots in the store, taken one for each attempt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from random import uniform

from ..core.values import JSON
from ..store.base import Store, StoreError
from .clock import Clock
from .offers import asked_for
from .patience import Patience

log = logging.getLogger(__name__)

#: How long is waited before a slot is asked for again, in seconds, from and to.
AGAIN_SECONDS = (0.1, 0.5)


class Limits:
    """``limits`` gives the most tasks at once, by the text a resource is asked for with (:mod:`.offers`)."""

    def __init__(
        self, store: Store, clock: Clock, owner: str, limits: Mapping[str, int], patience: Patience
    ) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner
        self._limits = limits
        self._patience = patience

    def __bool__(self) -> bool:
        return bool(self._limits)

    @asynccontextmanager
    async def slot(self, resource: str, arguments: JSON) -> AsyncIterator[None]:
        """Have one of the slots of a resource, if it is limited, waiting for it.

        Raises StoreUnavailable when the engine is closing.
        """
        asked = asked_for(resource, arguments) if self._limits else ""
        limit = self._limits.get(asked)
        if limit is None:
            yield
            return
        while True:
            number = await self._patience.insist(
                lambda: self._store.take_slot(self._owner, asked, limit, now=self._clock.now())
            )
            if number is not None:
                break
            await asyncio.sleep(uniform(*AGAIN_SECONDS))
        try:
            yield
        finally:
            await asyncio.shield(self._free(asked, number))

    async def _free(self, asked: str, number: int) -> None:
        try:
            await self._patience.insist(lambda: self._store.free_slots(self._owner, [(asked, number)]))
        except StoreError as error:
            log.warning("a slot of %s is kept until the lease ends: %s", asked, error)
