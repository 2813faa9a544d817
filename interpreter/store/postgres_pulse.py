"""Whether a Postgres server answers at all: one that says nothing is told from one that is slow.

A server that is gone ends its connections. One that is frozen, or that the network no longer leads to, says nothing
for as long as anybody waits. So when a call has waited for a while, the server is asked for the least that it can
answer, over a new connection. If not even that comes, the calls that wait are given up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager

log = logging.getLogger("detent.store")

#: How long a call waits before the server is asked whether it is there, and how long it has for that, in seconds. Both
#: together are less than those who call a server of ours are made to wait.
SLOW_SECONDS = 3.0
PROBE_SECONDS = 3.0


class Pulse:
    """``probe`` asks the server for the least that it can answer. It raises OSError where nothing answers."""

    def __init__(self, name: str, probe: Callable[[], Awaitable[None]]) -> None:
        self._name = name
        self._probe = probe
        #: The calls under way and when they began, the oldest first.
        self._calls: dict[asyncio.Timeout, float] = {}
        self._look: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        #: When the server was last asked, and whether it was silent then.
        self._asked = float("-inf")
        self._silent = False

    @contextmanager
    def felt(self, call: asyncio.Timeout) -> Iterator[None]:
        """While a call is under way: its time is over once the server has been silent for too long."""
        self._calls[call] = asyncio.get_running_loop().time()
        self._wait()
        try:
            yield
            self._silent = False
        finally:
            del self._calls[call]
            if not self._calls:
                self._rest()

    def _wait(self) -> None:
        """Have a look when the oldest call has waited for long enough; at once while the server is silent."""
        if self._calls and self._look is None and self._looking is None:
            since = max(self._asked, next(iter(self._calls.values())))
            due = since if self._silent else since + SLOW_SECONDS
            self._look = asyncio.get_running_loop().call_at(due, self._begin)

    def _rest(self) -> None:
        for waiting in (self._look, self._looking):
            if waiting is not None:
                waiting.cancel()
        self._look = None

    def _begin(self) -> None:
        self._look = None
        self._looking = asyncio.get_running_loop().create_task(self._ask())

    async def _ask(self) -> None:
        waiting = list(self._calls)
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self._probe()
            self._silent = False
        except OSError:
            log.warning("%s does not answer: %d calls are given up", self._name, len(waiting))
            self._silent = True
            self._give_up(waiting)
        finally:
            self._asked = asyncio.get_running_loop().time()
            self._looking = None
            self._wait()

    def _give_up(self, waiting: Iterable[asyncio.Timeout]) -> None:
        for call in waiting:
            if call in self._calls and not call.expired():
                call.reschedule(0)
