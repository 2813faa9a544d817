"""The lease under which an engine holds its executions, and the thread that keeps it alive.

In a store that a fleet shares the lease is renewed by a thread of its own, over a connection of its own: an engine
that is busy is not dead. Whether the lease may have run out is known without asking: it is as long as the
monotonic clock says since the renewal was *asked for*, which is never longer than the store measures it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ..store.base import Store, StoreError
from .clock import Clock

log = logging.getLogger(__name__)

#: How long what an engine holds stays its own without a sign of life, in seconds.
LEASE_SECONDS = 15.0
#: What gives another length to servers; workers have an option of this name.
VARIABLE = "DETENT_LEASE_SECONDS"
#: How many signs of life a lease is long, so that some may go missing.
RENEWALS = 4


class Lease:
    """``beside`` makes the store anew for the thread; None where one engine has the store to itself.

    ``info`` is what others are told about the owner. ``lost`` is awaited after the lease had run out: what was held
    under it may be somebody else's. ``adjust`` is told how far the clock of the store is ahead of the machine's,
    in milliseconds.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        owner: str,
        *,
        seconds: float = LEASE_SECONDS,
        beside: Callable[[], Store] | None = None,
        info: bytes | None = None,
        lost: Callable[[], Awaitable[None]],
        adjust: Callable[[int], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner
        self._seconds = seconds
        self._beside = beside
        self._info = info
        self._lost = lost
        self._adjust = adjust
        #: The monotonic instant up to which the lease surely lives.
        self._until = float("-inf")
        self._sure = asyncio.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._settling: set[asyncio.Task[None]] = set()

    @property
    def milliseconds(self) -> int:
        """How long the lease is."""
        return round(self._seconds * 1000)

    async def open(self) -> None:
        """Begin the lease. Raises StoreError."""
        await self._renew(self._store)
        self._sure.set()
        if self._beside is not None:
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._keep(loop)), name="detent-lease", daemon=True
            )
            self._thread.start()

    async def close(self) -> None:
        """Renew it no more."""
        self._ending.set()
        for task in self._settling:
            task.cancel()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def is_sure(self) -> bool:
        """Whether the lease lives, whatever has happened since somebody last looked."""
        return self._clock.monotonic() < self._until and self._sure.is_set()

    async def sure(self) -> None:
        """Wait until it lives, and what was lost with an earlier one is settled."""
        while not self.is_sure():
            if self._clock.monotonic() >= self._until:
                self._sure.clear()
            await self._sure.wait()

    async def keep(self) -> None:
        """Renew it if that is due and no thread does. Raises StoreError."""
        due = self._until - self._seconds * (1 - 1 / RENEWALS)
        if self._thread is None and self._clock.monotonic() >= due:
            if not await self._renew(self._store):
                await self._lost()
            self._sure.set()

    async def _renew(self, store: Store) -> bool:
        begun = self._clock.monotonic()
        alive = await store.renew(self._owner, now=self._clock.now(), lease=self.milliseconds)
        # It lives, but perhaps only since a renewal whose answer was lost, and that answer was that it had run out.
        alive = alive and begun < self._until
        until = begun + self._seconds
        if self._info is not None and not alive:
            await store.enrol(self._owner, self._info)
        if self._adjust is not None:
            await self._compare(store, self._adjust)
        self._until = until
        return alive

    async def _compare(self, store: Store, adjust: Callable[[int], None]) -> None:
        before = self._clock.now()
        theirs = await store.now()
        if theirs is not None:
            adjust(theirs - (before + self._clock.now()) // 2)

    # In the thread

    async def _keep(self, loop: asyncio.AbstractEventLoop) -> None:
        assert self._beside is not None
        while not self._ending.is_set():
            store = self._beside()
            try:
                await store.open(engine=True)
                while not await asyncio.to_thread(self._ending.wait, self._seconds / RENEWALS):
                    async with asyncio.timeout(self._seconds):
                        alive = await self._renew(store)
                    with suppress(RuntimeError):  # the engine's loop is closed
                        loop.call_soon_threadsafe(self._renewed, alive)
            except (StoreError, TimeoutError) as error:
                log.warning("the lease could not be renewed, trying again: %s", error)
                await asyncio.to_thread(self._ending.wait, self._seconds / RENEWALS)
            finally:
                with suppress(StoreError):
                    await store.close()

    def _renewed(self, alive: bool) -> None:
        if alive:
            if not self._settling:
                self._sure.set()
            return
        self._sure.clear()
        task = asyncio.get_running_loop().create_task(self._settle())
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _settle(self) -> None:
        await self._lost()
        self._sure.set()
