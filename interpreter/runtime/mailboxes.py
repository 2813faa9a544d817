"""Signals on their way to live executions, and which executions are ready to be decided."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from ..core.signals import Signal
from .actor import Actor, Actors
from .clock import Clock


class Mailboxes:
    """``actors`` are the live executions: a signal to any other is dropped."""

    def __init__(self, actors: Actors, clock: Clock) -> None:
        self._actors = actors
        self._clock = clock
        self._ready: dict[str, None] = {}
        self._slow: dict[str, None] = {}
        self._quick_first = False
        self._wake = asyncio.Event()

    def post(self, execution: str, signal: Signal, *, at: int | None = None, message: int = 0) -> None:
        """Bring a signal; ``at`` is the instant it counts from, ``message`` its number in the inbox."""
        if self.leave(execution, signal, at=at, message=message):
            self.make_ready(execution)

    def leave(self, execution: str, signal: Signal, *, at: int | None = None, message: int = 0) -> bool:
        """Put a signal where it is found when the execution is decided next. False if it is not live."""
        actor = self._actors.get(execution)
        if actor is None:
            return False
        actor.receive(signal, self._clock.now() if at is None else at, message)
        return True

    def make_ready(self, execution: str) -> None:
        """Have an execution decided."""
        if self.empty:
            self._wake.set()
        actor = self._actors.get(execution)
        if actor is not None and actor.slow:
            self._slow[execution] = None
        else:
            self._ready[execution] = None

    def wake(self) -> None:
        """Tell who sleeps that there is something new to await."""
        self._wake.set()

    @property
    def empty(self) -> bool:
        """Whether nothing is ready."""
        return not self._ready and not self._slow

    @property
    def ready(self) -> int:
        """How many executions are ready."""
        return len(self._ready) + len(self._slow)

    def take(self, limit: int) -> Iterator[Actor]:
        """At most ``limit`` executions to decide, first come first served. What is being written is passed over:
        its commit makes it ready again.

        Those whose last decision took long are taken apart from the others, in turns with them.
        """
        is_quick = not self._slow or (self._quick_first and bool(self._ready))
        self._quick_first = not is_quick
        queue = self._ready if is_quick else self._slow
        for id in list(islice(queue, limit)):
            del queue[id]
            actor = self._actors.get(id)
            if actor is not None and not actor.committing:
                yield actor

    async def sleep(self, seconds: float | None) -> None:
        """Wait until something is ready, or new to await, at most for so long; None: without end."""
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
