"""Activities: tasks that wait in a queue until a worker takes them (resources, section 5).

The queues are in the store, written with the batches that schedule the tasks, so a worker may ask any engine of a
fleet. A task that was taken is *held* until its worker has it, and only then is it written, as a letter to its
execution, that it has begun. What an engine holds that dies is there to be taken again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..core.codec import decode_log, encode_signal
from ..core.errors import DetentError
from ..core.signals import Began
from ..core.tokens import make_token
from ..core.values import JSON, decode
from ..store.base import Letter, Store, StoreUnavailable
from ..store.fleet import Offer
from .actor import Actors
from .clock import Clock
from .errors import EngineError
from .log_facts import about
from .patience import Patience
from .recall import recall

log = logging.getLogger(__name__)

#: How long a worker waits for a task unless it says otherwise, in seconds (api, section 10).
POLL_SECONDS_DEFAULT = 60.0


class ActivityTask(NamedTuple):
    """A task for a worker; ``token`` is what it answers with (:class:`~detent.runtime.answers.Answers`)."""

    token: str
    input: JSON


class Offered(NamedTuple):
    """A task that is held for a worker: :meth:`Activities.begin` once the worker has it, or ``put_back``."""

    token: str
    input: JSON
    offer: Offer


@dataclass(slots=True)
class Line:
    """Those who wait here for the tasks of one activity. The first of them asks the store."""

    first: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: There may be a task.
    news: asyncio.Event = field(default_factory=asyncio.Event)
    length: int = 0


class Activities:
    """``owner`` is who holds what was taken, ``actors`` are the live executions of its engine; ``written`` is told of
    letters."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        owner: str,
        actors: Actors,
        patience: Patience,
        written: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner
        self._actors = actors
        self._patience = patience
        self._written = written
        self._lines: dict[str, Line] = {}
        #: What is known to be held, and who asks for more now; an answer may have been lost.
        self._held: set[Offer] = set()
        self._asking = asyncio.Lock()
        self._unsure = False
        self._writing: set[asyncio.Task[Any]] = set()
        self._closed = False

    # For workers

    async def get_activity_task(
        self, arn: str, worker: str | None = None, wait_seconds: float = POLL_SECONDS_DEFAULT
    ) -> ActivityTask | None:
        """Take the task that has waited longest for this activity, or wait for one; None if none came in time.

        ``worker`` is shown in the history. That the task has begun is durable when this returns.
        Raises StoreUnavailable, and EngineError if the engine is closed meanwhile.
        """
        offered = await self.take(arn, wait_seconds)
        if offered is None:
            return None
        await self.begin(offered, worker)
        return ActivityTask(offered.token, offered.input)

    async def take(self, arn: str, wait_seconds: float = POLL_SECONDS_DEFAULT) -> Offered | None:
        """The task that has waited longest, or the first that comes, held for this worker; None if none comes.

        Raises StoreUnavailable, and EngineError if the engine is closed meanwhile.
        """
        deadline = asyncio.get_running_loop().time() + wait_seconds
        line = self._lines.setdefault(arn, Line())
        line.length += 1
        try:
            try:
                async with asyncio.timeout_at(deadline):
                    await line.first.acquire()
            except TimeoutError:
                return None
            try:
                return await self._next(arn, line, deadline)
            finally:
                line.first.release()
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[arn]

    async def begin(self, offered: Offered, worker: str | None = None) -> None:
        """The worker has the task: that it has begun is durable when this returns."""
        await asyncio.shield(self._write(self._hand_out(offered.offer, worker)))

    async def put_back(self, offered: Offered) -> None:
        """The worker has not got the task: the next one shall."""
        await asyncio.shield(self._write(self._put_back(offered.offer)))

    async def _next(self, arn: str, line: Line, deadline: float) -> Offered | None:
        """The first task, for the first in line."""
        while not self._closed:
            line.news.clear()
            offered = await self._hold(arn)
            if offered is not None:
                return offered
            try:
                async with asyncio.timeout_at(deadline):
                    await line.news.wait()
            except TimeoutError:
                return None
        raise EngineError("the engine is closed")

    async def _hold(self, arn: str) -> Offered | None:
        """Ask the store. What was taken for somebody who went away meanwhile is put back."""
        holding = self._write(self._first(arn))
        try:
            return await asyncio.shield(holding)
        except asyncio.CancelledError:
            self._write(self._undo(holding))
            raise

    async def _undo(self, holding: asyncio.Task[Offered | None]) -> None:
        offered = await holding
        if offered is not None:
            await self._put_back(offered.offer)

    async def _first(self, arn: str) -> Offered | None:
        while (offer := await self._ask(arn)) is not None:
            try:
                offered = await self._read(offer)
            except StoreUnavailable:
                self._write(self._put_back(offer))
                raise
            except DetentError as error:
                # Held, it does not stand before the others.
                facts = about(offer.execution)
                log.error("a task of %s cannot be handed out: %s", offer.execution, error, extra=facts)
                continue
            if offered is not None:
                return offered
        return None

    async def _ask(self, arn: str) -> Offer | None:
        """Hold the first task. One is asked for at a time: so it is known what the store answered."""
        async with self._asking:
            if self._unsure:
                # What was taken by a call whose answer was lost, nobody would ever hand out.
                for offer in (await self._store.held(self._owner)).offers:
                    if offer not in self._held:
                        await self._store.put_back(self._owner, offer)
            self._unsure = True
            taken = await self._store.take(self._owner, arn, now=self._clock.now())
            self._unsure = False
            if taken is not None:
                self._held.add(taken)
            return taken

    async def _read(self, offer: Offer) -> Offered | None:
        """What a worker gets of a task; None if nobody waits for it any more. Raises NotFound, LogError."""
        actor = self._actors.get(offer.execution)
        if actor is not None and not actor.committing:  # what is being written may come to nothing
            pending, seed = actor.execution.pending.get(offer.pending), actor.seed_of_offer(offer.pending)
        else:
            pending = seed = None
        if pending is None:
            _, state = await recall(self._store, offer.execution)
            pending = state.pending.get(offer.pending)
        if pending is None or pending.arguments is None:
            return None
        seed = seed or await self._seed(offer)
        token = make_token(seed, offer.execution, offer.pending)
        return Offered(token, decode(pending.arguments.text), offer)

    async def _seed(self, offer: Offer) -> str:
        """The seed of the step that scheduled a task, from the log."""
        stored = await self._store.load(offer.execution)
        last = 0
        for step in decode_log((segment.after, segment.control) for segment in stored.segments):
            last += len(step.events)
            if last >= offer.pending:
                return step.seed
        raise AssertionError("what is offered stands in the log")

    async def _hand_out(self, offer: Offer, worker: str | None) -> None:
        letter = Letter(
            offer.execution, f"began-{offer.pending}", encode_signal(Began(offer.pending, worker))
        )
        await self._patience.insist(lambda: self._store.hand_out(offer, letter))
        self._held.discard(offer)
        self._written()

    async def _put_back(self, offer: Offer) -> None:
        self._held.discard(offer)
        await self._patience.insist(lambda: self._give_back(offer))
        self.look()
        self._store.tell()

    async def _give_back(self, offer: Offer) -> None:
        async with self._asking:
            if (
                offer not in self._held
            ):  # else it was put back, the answer was lost, and somebody here has taken it
                await self._store.put_back(self._owner, offer)

    def _write(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Have something done to its end, whoever goes away meanwhile."""
        task = asyncio.get_running_loop().create_task(work)
        self._writing.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._writing.discard(task)
        if not task.cancelled():
            task.exception()  # it is for those who wait, and nobody may

    # For the engine

    def offered(self, resources: Iterable[str]) -> None:
        """Tasks of these activities can be taken now, here and elsewhere."""
        for resource in resources:
            if resource in self._lines:
                self._lines[resource].news.set()
        self._store.tell()

    def look(self) -> None:
        """There may be something new from elsewhere."""
        for line in self._lines.values():
            line.news.set()

    async def close(self) -> None:
        """Nothing will be handed out any more: whoever waits is told so."""
        self._closed = True
        self.look()
        await asyncio.gather(*self._writing, return_exceptions=True)
