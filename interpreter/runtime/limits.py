"""How many tasks of a resource run at once in the whole fleet: slots in the store, taken one for each attempt.

One attempt of a resource asks at a time, the others wait behind it. Where the answer of the store was lost, what
it says is held here is compared with what is known to be: a slot that nobody knows of would never be given back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import uniform

from ..core.values import JSON
from ..store.base import Store, StoreError
from .clock import Clock
from .offers import asked_for
from .patience import Patience

log = logging.getLogger(__name__)

#: How long is waited before a slot is asked for again, in seconds, from and to.
AGAIN_SECONDS = (0.1, 0.5)


@dataclass(slots=True)
class _Slots:
    """Those of one resource that are had here."""

    had: set[int] = field(default_factory=set)
    #: Whose turn it is to ask for one, until it has one.
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: The store is asked one thing at a time, so that it is known what it answered.
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: An answer was lost.
    unsure: bool = False
    #: One was given back.
    freed: asyncio.Event = field(default_factory=asyncio.Event)


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
        self._slots = {asked: _Slots() for asked in limits}

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
        slots = self._slots[asked]
        async with slots.turn:
            number = await self._wait(asked, limit, slots)
        try:
            yield
        finally:
            await asyncio.shield(self._free(asked, number))

    async def _wait(self, asked: str, limit: int, slots: _Slots) -> int:
        while True:
            slots.freed.clear()
            number = await self._patience.insist(lambda: self._take(asked, limit, slots))
            if number is not None:
                return number
            with suppress(TimeoutError):
                async with asyncio.timeout(uniform(*AGAIN_SECONDS)):
                    await slots.freed.wait()

    async def _take(self, asked: str, limit: int, slots: _Slots) -> int | None:
        async with slots.asking:
            await self._compare(asked, slots)
            slots.unsure = True
            try:
                number = await self._store.take_slot(self._owner, asked, limit, now=self._clock.now())
            except asyncio.CancelledError:
                with suppress(StoreError):
                    await self._compare(asked, slots)  # nobody is left to give back what was taken
                raise
            slots.unsure = False
            if number is not None:
                slots.had.add(number)
            return number

    async def _compare(self, asked: str, slots: _Slots) -> None:
        """After an answer was lost: give back what is not known to be had."""
        if slots.unsure:
            held = (await self._store.held(self._owner)).slots
            lost = [slot for slot in held if slot[0] == asked and slot[1] not in slots.had]
            await self._store.free_slots(self._owner, lost)
            slots.unsure = False

    async def _free(self, asked: str, number: int) -> None:
        slots = self._slots[asked]
        slots.had.discard(number)
        try:
            await self._patience.insist(lambda: self._give_back(asked, number, slots))
        except StoreError as error:
            log.warning("a slot of %s is kept until the lease ends: %s", asked, error)
        slots.freed.set()

    async def _give_back(self, asked: str, number: int, slots: _Slots) -> None:
        async with slots.asking:
            await self._compare(asked, slots)
            if number in slots.had:
                return  # it was given back, the answer was lost, and somebody here has it again
            slots.unsure = True
            await self._store.free_slots(self._owner, [(asked, number)])
            slots.unsure = False
