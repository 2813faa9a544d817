"""What an engine does by itself while it is open: it drives its executions, asks the store, forgets what is old."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from ..store.base import Store, StoreError
from .activities import Activities
from .actor import Actors
from .clock import Clock
from .effects import Effects
from .intake import POLL_SECONDS, Intake
from .jumps import Jumps
from .keeping import EVERY_SECONDS, Retention, forget_old
from .parking import Parking
from .rounds import Rounds

log = logging.getLogger(__name__)


class Upkeep:
    """The tasks of an open engine. Where there is a ``retention``, what need not be kept is forgotten by it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        jumps: Jumps,
        actors: Actors,
        rounds: Rounds,
        intake: Intake,
        activities: Activities,
        effects: Effects,
        parking: Parking | None,
        retention: Retention | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._jumps = jumps
        self._actors = actors
        self._rounds = rounds
        self._intake = intake
        self._activities = activities
        self._effects = effects
        self._parking = parking
        self._retention = retention
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Go on until the end."""
        loop = asyncio.get_running_loop()
        work = [self._rounds.drive(), self._poll(), self._watch()]
        if self._retention:
            work.append(self._keep(self._retention))
        self._tasks = [loop.create_task(each) for each in work]
        for task in self._tasks:
            task.add_done_callback(self._broke_down)

    async def end(self) -> None:
        """Do nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _broke_down(self, task: asyncio.Task[None]) -> None:
        """The loop itself failed, which is a defect: nobody may wait for it for ever."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("the engine has broken down", exc_info=error)
            for actor in list(self._actors.values()):
                self._effects.give_up(actor, error)

    @property
    def is_running(self) -> bool:
        """Whether it has begun, and works."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    async def poll(self) -> None:
        """Look for executions that need attention and for messages. Raises StoreError."""
        self._jumps.look()
        self._activities.look()
        await self._intake.poll()
        if self._parking is not None:
            await self._parking.park()

    async def _poll(self) -> None:
        while True:
            try:
                await self.poll()
                await self._intake.pause()
            except StoreError as error:
                log.warning("the store cannot be asked, trying again: %s", error)
                await asyncio.sleep(POLL_SECONDS)

    async def _keep(self, retention: Retention) -> None:
        """Forget what need not be kept, again and again."""
        while True:
            try:
                await forget_old(self._store, self._clock, retention)
            except StoreError as error:
                log.warning("what is old could not be forgotten, trying again: %s", error)
            await asyncio.sleep(EVERY_SECONDS)

    async def _watch(self) -> None:
        """Hear hints, as long as there are any: the poll is the truth."""
        with suppress(StoreError):
            await self._store.watch(self._intake.hear)
        await asyncio.Event().wait()
