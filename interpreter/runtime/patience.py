"""Patience with a store that cannot answer now: what was decided waits until it can be written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain, repeat
from typing import TypeVar

from ..store.base import Batch, Outcome, Store, StoreUnavailable

log = logging.getLogger(__name__)

#: Pauses before the store is asked again, in seconds; the last one stays.
PAUSES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)

T = TypeVar("T")


class Patience:
    """Asks the store again and again, until it answers or :meth:`end` is called."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ended = False

    def end(self) -> None:
        """From now on a store that cannot answer is not asked again."""
        self._ended = True

    @property
    def ended(self) -> bool:
        """Whether :meth:`end` was called."""
        return self._ended

    async def insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to ``ask``. Raises StoreUnavailable only after the end, any other error at once."""
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            try:
                return await ask()
            except StoreUnavailable as error:
                if self._ended:
                    raise
                log.warning("the store cannot answer, asking again: %s", error)
                await asyncio.sleep(pause)
        raise AssertionError("the pauses never end")

    async def append(
        self, batches: Sequence[Batch], keep: Callable[[list[int], StoreUnavailable], list[int]]
    ) -> list[Outcome | None]:
        """Write batches; of those that the store could not take (by their places) ``keep`` says which to insist on.

        What was dropped, or is left after the end, has no outcome.
        """
        outcomes: list[Outcome | None] = [None] * len(batches)
        left = list(range(len(batches)))

        async def write() -> None:
            try:
                answers = await self._store.append([batches[i] for i in left]) if left else []
            except StoreUnavailable as error:
                left[:] = keep(left, error)
                raise
            for i, answer in zip(left, answers, strict=True):
                outcomes[i] = answer

        try:
            await self.insist(write)
        except StoreUnavailable:
            log.warning(
                "closing: %d batches could not be written; they are decided again on resume", len(left)
            )
        return outcomes
