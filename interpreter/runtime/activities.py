"""Activities: tasks that wait in a queue until a worker takes them (resources, section 5).

Owns the queues, in memory: what waits in them is what the live executions wait for, and is offered again
where an execution is resumed. A task is handed out once the log says that it began, and only then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, NamedTuple

from ..core.codec import decode_log
from ..core.execution import Execution, Pending
from ..core.signals import Began, Signal
from ..core.tokens import make_token
from ..core.values import JSON, decode
from ..store.base import Store
from .errors import EngineError

#: How long a worker waits for a task unless it says otherwise, in seconds (api, section 10).
POLL_SECONDS_DEFAULT = 60.0

Place = tuple[str, int]


class ActivityTask(NamedTuple):
    """A task for a worker; ``token`` is what it answers with (:class:`~detent.runtime.answers.Answers`)."""

    token: str
    input: JSON


class Offered(NamedTuple):
    """A task on its way to a worker. ``begun`` tells whether the log says that it has begun; False: it will not."""

    token: str
    input: JSON
    activity: str
    place: Place
    seed: str
    begun: asyncio.Future[bool]


class Activities:
    """``pending`` finds what a live execution waits for, ``post`` brings it signals."""

    def __init__(
        self,
        store: Store,
        pending: Callable[[str, int], Pending | None],
        post: Callable[[str, Signal], None],
    ) -> None:
        self._store = store
        self._pending = pending
        self._post = post
        self._queues: dict[str, deque[Place]] = {}
        self._pollers: dict[str, deque[asyncio.Future[None]]] = {}
        #: What waits in a queue, with the seed of the step that scheduled it if that is known.
        self._offered: dict[Place, str | None] = {}
        #: What was taken, and waits for the log to say so. False: it will not.
        self._taken: dict[Place, asyncio.Future[bool]] = {}

    # For workers

    async def get_activity_task(
        self, arn: str, worker: str | None = None, wait_seconds: float = POLL_SECONDS_DEFAULT
    ) -> ActivityTask | None:
        """Take the task that has waited longest for this activity, or wait for one; None if none came in time.

        ``worker`` is shown in the history. Tasks are known to the engine that runs their executions.
        Raises StoreUnavailable, and EngineError if the engine is closed meanwhile.
        """
        deadline = asyncio.get_running_loop().time() + wait_seconds
        while True:
            offered = await self.take(arn, deadline - asyncio.get_running_loop().time())
            if offered is None:
                return None
            self.begin(offered, worker)
            if await asyncio.shield(offered.begun):
                return ActivityTask(offered.token, offered.input)

    async def take(self, arn: str, wait_seconds: float = POLL_SECONDS_DEFAULT) -> Offered | None:
        """The task that has waited longest, or the first that comes, kept for this worker; None if none comes.

        Nothing is written yet: :meth:`begin` once the worker has it, or :meth:`put_back`.
        Raises StoreUnavailable, and EngineError if the engine is closed meanwhile.
        """
        deadline = asyncio.get_running_loop().time() + wait_seconds
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    place, seed = await self._next(arn)
            except TimeoutError:
                return None
            offered = await self._keep(place, seed)
            if offered is not None:
                return offered

    def begin(self, offered: Offered, worker: str | None = None) -> None:
        """The worker has the task: have it written that it has begun."""
        execution, id = offered.place
        self._post(execution, Began(id, worker))

    def put_back(self, offered: Offered) -> None:
        """The worker has not got the task: the next one shall."""
        self._offer_again(offered.place, offered.activity, offered.seed, offered.begun)

    async def _next(self, arn: str) -> tuple[Place, str | None]:
        """Take the first place of a queue, waiting in the line of its pollers while it is empty."""
        line = self._pollers.setdefault(arn, deque())
        queue = self._queues.setdefault(arn, deque())
        while True:
            while queue:
                place = queue.popleft()
                if place in self._offered:
                    return place, self._offered.pop(place)
            ready = asyncio.get_running_loop().create_future()
            line.append(ready)
            try:
                await ready
            except asyncio.CancelledError:
                if ready.done() and not ready.cancelled():
                    self._wake(arn)  # what it was woken for is the next one's
                raise
            finally:
                if ready in line:
                    line.remove(ready)

    async def _keep(self, place: Place, seed: str | None) -> Offered | None:
        """Keep a task for a worker. None if nobody waits for it any more."""
        execution, id = place
        pending = self._pending(execution, id)
        if pending is None or pending.started or pending.arguments is None or pending.resource is None:
            return None
        task_input, activity = decode(pending.arguments.text), pending.resource
        begun = self._taken[place] = asyncio.get_running_loop().create_future()
        begun.add_done_callback(lambda future: self._settled(place, future))
        if seed is None:
            try:
                seed = await self._seed(execution, id)
            except BaseException:
                self._offer_again(place, activity, None, begun)
                raise
        return Offered(make_token(seed, execution, id), task_input, activity, place, seed, begun)

    def _settled(self, place: Place, begun: asyncio.Future[bool]) -> None:
        if self._taken.get(place) is begun:
            del self._taken[place]
        if not begun.cancelled():
            begun.exception()  # it is for those who wait, and nobody may

    def _offer_again(
        self, place: Place, activity: str, seed: str | None, begun: asyncio.Future[bool]
    ) -> None:
        """What nobody has got is the next one's, unless nobody waits for it any more."""
        if begun.done():
            return
        del self._taken[place]
        begun.cancel()
        self._offered[place] = seed
        self._queues.setdefault(activity, deque()).appendleft(place)
        self._wake(activity)

    async def _seed(self, execution: str, id: int) -> str:
        """The seed of the step that scheduled a task, from the log."""
        log = await self._store.load(execution)
        last = 0
        for step in decode_log((segment.after, segment.control) for segment in log.segments):
            last += len(step.events)
            if last >= id:
                return step.seed
        raise AssertionError("what is pending stands in the log")

    # For the engine

    def offer(self, execution: str, pending: Pending, seed: str | None = None) -> None:
        """Let workers have a task. ``seed`` is that of the step that scheduled it, None to look it up."""
        place = execution, pending.id
        if place in self._offered or place in self._taken or pending.resource is None:
            return
        self._offered[place] = seed
        self._queues.setdefault(pending.resource, deque()).append(place)
        self._wake(pending.resource)

    def begun(self, execution: str, id: int) -> None:
        """The log says that the task has begun."""
        self._settle((execution, id), True)

    def withdraw(self, execution: str, id: int) -> None:
        """Nobody waits for the task any more."""
        self._offered.pop((execution, id), None)
        self._settle((execution, id), False)

    def recalled(self, state: Execution) -> None:
        """A state was read from the log again: what was taken has begun there, or is gone, or waits on."""
        known: Mapping[int, Pending] = state.pending
        for execution, id in [place for place in self._taken if place[0] == state.id]:
            if id not in known:
                self.withdraw(execution, id)
            elif known[id].started:
                self.begun(execution, id)

    def close(self) -> None:
        """Nothing will be handed out any more: whoever waits is told so."""
        waiting: list[asyncio.Future[Any]] = [*self._taken.values(), *chain(*self._pollers.values())]
        for future in waiting:
            if not future.done():
                future.set_exception(EngineError("the engine is closed"))

    def _settle(self, place: Place, begun: bool) -> None:
        future = self._taken.get(place)
        if future is not None and not future.done():
            future.set_result(begun)

    def _wake(self, arn: str) -> None:
        """Tell the first poller in line that there may be something."""
        line = self._pollers.get(arn)
        while line:
            poller = line.popleft()
            if not poller.done():
                poller.set_result(None)
                return
