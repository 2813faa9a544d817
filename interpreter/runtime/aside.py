"""Decisions that no round waits for: something that takes long must be known first, and then they are made again.

A few that hold much are at work at a time. Whatever is evaluated for them stays in memory until the decision is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress

from .actor import Actor, Actors
from .evaluations import DECISION_SECONDS, OUTCOME_WORDS
from .helpers import Helpers

#: Words of memory that the outcomes of a decision may hold, whatever the others hold: a megabyte.
FREE_WORDS = OUTCOME_WORDS // 24
#: Decisions that may hold more, at a time. One of two helpers stays for all the others.
LARGE_MAX = 1
#: After how many seconds those that wait for their turn look whether it has come unnoticed.
LOOK_SECONDS = 1.0


class Aside:
    """``take_up`` has a decision made again, with what is known by then."""

    def __init__(self, actors: Actors, take_up: Callable[[Actor], Awaitable[None]]) -> None:
        self._actors = actors
        self._take_up = take_up
        self._helpers = Helpers()
        self._one_by_one = asyncio.Lock()
        self._large: dict[str, Actor] = {}
        self._room = asyncio.Semaphore(LARGE_MAX)
        self._tasks: set[asyncio.Task[None]] = set()

    def do(self, work: Coroutine[None, None, None]) -> None:
        """Have something done that a decision waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def put_off(self, actor: Actor, request: bytes | None) -> None:
        """Make a decision that was broken off again: once a helper has evaluated what was requested, or a little
        later."""
        self.do(self._evaluated(actor, request))

    def is_made(self, execution: str) -> None:
        """A decision was made: what it held is free."""
        if self._large and self._large.pop(execution, None) is not None:
            self._room.release()

    async def close(self) -> None:
        """End everything; what was being evaluated is lost."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._helpers.close()

    async def _evaluated(self, actor: Actor, request: bytes | None) -> None:
        if actor.outcome_words > FREE_WORDS and actor.record.id not in self._large:
            if self._room.locked():
                actor.forget_outcomes()
                request = None
            await self._large_enough(actor)
        if request is not None:
            actor.learn(await self._helpers.evaluate(request))
            await self._take_up(actor)
            return
        # One after the other: half of the time is for all that do not take long.
        async with self._one_by_one:
            await asyncio.sleep(DECISION_SECONDS)
            await self._take_up(actor)

    async def _large_enough(self, actor: Actor) -> None:
        """Wait until the decision may hold much."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._room.acquire()
                    self._large[actor.record.id] = actor
                    return
            for id, large in list(self._large.items()):
                if self._actors.get(id) is not large:
                    self.is_made(id)  # nobody works on it here any more
