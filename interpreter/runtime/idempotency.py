"""Requests that come twice: one effect, and the same answer.

Who sends a request again, because its answer was lost, names it by the same key. The key is reserved in the store
before anything is done, so that it counts in every process on that store, and keeps the answer afterwards. What was
left undone, because the process died between the two, is done again by whoever asks next: it finds what it has done
already by the key, or by the name of what it makes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from ..store.base import Store, StoreError
from ..store.fleet import Reservation
from .clock import Clock
from .errors import KeyReused, RequestAtWork

log = logging.getLogger(__name__)

#: How long a key keeps its answer, in seconds.
KEPT_SECONDS = 86_400.0
#: How many answers one transaction lets go of: others write, too.
FORGOTTEN_AT_ONCE = 500
#: How long is waited for the answer to a request that another process is at work on, and how often is looked for it.
PATIENCE_SECONDS = 5.0
LOOK_SECONDS = 0.1


class Done(NamedTuple):
    """The answer to a request; ``repeated`` if it was given before."""

    answer: bytes
    repeated: bool


class _AtWork(NamedTuple):
    request: str
    task: asyncio.Task[Done]


class Idempotency:
    """``owner`` is the engine of this process: what others see whether this process lives."""

    def __init__(self, store: Store, clock: Clock, owner: str) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner
        self._at_work: dict[str, _AtWork] = {}

    async def once(self, key: str, request: str, do: Callable[[], Awaitable[bytes]]) -> Done:
        """The answer of ``do``, or the one that the same ``request`` has got before under this ``key``.

        What ``do`` raises is not kept: whoever asks again has it done again. It goes on if the caller is cancelled.
        Raises KeyReused if the key stands for another request, RequestAtWork if another process takes long over it,
        StoreError, and what ``do`` raises.
        """
        while (known := self._at_work.get(key)) is not None:
            _check(known.request, request)
            await asyncio.wait({known.task})
            if not known.task.cancelled() and known.task.exception() is None:
                return Done(known.task.result().answer, repeated=True)
        task = asyncio.create_task(self._do(key, request, do))
        self._at_work[key] = _AtWork(request, task)
        task.add_done_callback(lambda task: self._ended(key, task))
        return await asyncio.shield(task)

    def _ended(self, key: str, task: asyncio.Task[Done]) -> None:
        del self._at_work[key]
        if not task.cancelled():
            task.exception()  # whoever asked may be gone

    async def forget(self) -> None:
        """Let go of the answers that were kept long enough. Raises StoreError."""
        now = self._clock.now()
        forgotten = FORGOTTEN_AT_ONCE
        while forgotten == FORGOTTEN_AT_ONCE:
            forgotten = await self._store.forget_reservations(now=now, limit=FORGOTTEN_AT_ONCE)

    async def close(self) -> None:
        """Break off what nobody waits for any more."""
        tasks = [known.task for known in self._at_work.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(self, key: str, request: str, do: Callable[[], Awaitable[bytes]]) -> Done:
        reservation = await self._reserve(key, request)
        if reservation.answer is not None:
            return Done(reservation.answer, repeated=True)
        try:
            answer = await do()
        except BaseException:
            await self._settle(key, None)
            raise
        await self._settle(key, answer)
        return Done(answer, repeated=False)

    async def _reserve(self, key: str, request: str) -> Reservation:
        """A reservation that is new, or answered. Raises KeyReused, RequestAtWork, StoreError."""
        until = self._clock.monotonic() + PATIENCE_SECONDS
        left_by: str | None = None
        while True:
            now = self._clock.now()
            found = await self._store.reserve(
                key, request, self._owner, now=now, until=now + round(KEPT_SECONDS * 1000), instead_of=left_by
            )
            _check(found.request, request)
            if found.new or found.holder is None:
                return found
            if found.holder == self._owner or found.holder not in await self._store.owners():
                left_by = found.holder
            elif self._clock.monotonic() >= until:
                raise RequestAtWork("this request is at work in another process: ask again")
            else:
                await asyncio.sleep(LOOK_SECONDS)

    async def _settle(self, key: str, answer: bytes | None) -> None:
        try:
            await self._store.settle(key, self._owner, answer)
        except StoreError as error:
            log.warning("the answer to a request could not be kept: %s", error)


def _check(known: str, request: str) -> None:
    if known != request:
        raise KeyReused("this idempotency key was used with another request: choose another one")
