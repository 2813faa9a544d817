"""The engine: executions in, signals through, batches to the store, effects after the commit.

One loop drives all executions. In each round it decides everything that is ready, writes all of it in
one transaction, and only then performs what was announced: runs tasks, arms timers, answers who waits.
While one round is being written the next is decided.

A crash needs no special path: an execution that is recalled is folded from its log, and what it waits
for is performed, as after any commit.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from time import monotonic

from ..core.codec import Step, unstored
from ..core.errors import DetentError
from ..core.evaluation import BrokenOff
from ..core.execution import RUNNING, Execution, Pending
from ..core.signals import Began, Failed, Signal, Started, Stopped, Submitted, Succeeded
from ..core.values import Payload
from ..store.base import ExecutionRecord, Outcome, Store, StoreError, StoreUnavailable
from .activities import Activities
from .actor import Actor, Actors, Decided, is_work
from .answers import Answers, Live
from .clock import Clock, SystemClock
from .deadlines import Deadlines
from .dispatch import Dispatcher, Resolve
from .errors import EngineError, ExecutionExists, ExecutionStuck, ExecutionTaken
from .evaluations import Helpers
from .intake import POLL_SECONDS, Intake
from .machines import Machines
from .nested import Parents, StartExecution
from .patience import Patience
from .recall import recall
from .waiting import Waiting

log = logging.getLogger(__name__)

#: Executions that one transaction may carry.
GROUP_MAX = 256
#: How long one round may decide before it is written, and others get their turn, in seconds.
ROUND_SECONDS = 0.05
#: How long the beginning of a task may wait to be written together with its end, in seconds.
BEGAN_DELAY_SECONDS = 0.02

#: Signals after which an attempt is not called again.
_ANSWERS = (Submitted, Succeeded, Failed)

#: Told after each commit of an execution: its state and the steps that were written.
Observer = Callable[[Execution, Sequence[Step]], None]


class Engine:
    """Runs executions of one store. Open it, use it, close it; one engine belongs to one event loop.

    ``resolve`` finds handlers for resources, ``release`` is written into the log, ``task_limit`` bounds
    the tasks that run at once. ``takes_over`` makes it look for executions that nobody works on; without
    it the engine works on what it is asked to and nothing else.

    Those outside answer tasks through ``answers``, workers take the tasks of activities from ``activities``.
    """

    def __init__(
        self,
        store: Store,
        machines: Machines,
        resolve: Resolve,
        *,
        release: str,
        clock: Clock | None = None,
        task_limit: int = 1000,
        takes_over: bool = False,
    ) -> None:
        self.store = store
        self.machines = machines
        self.owner = secrets.token_hex(8)
        self._release = release
        self._clock = clock or SystemClock()
        self._actors = Actors()
        self._ready: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._intake = Intake(
            store, self._clock, self.owner, self._actors, self._adopt, self._post, takes_over=takes_over
        )
        self._helpers = Helpers()
        self._waiting = Waiting()
        self._patience = Patience(store)
        self._deadlines = Deadlines(
            self._clock,
            self._actors,
            self._post,
            self._intake.note,
            lambda execution: self._patience.insist(lambda: self._intake.catch_up(execution)),
            self._wake.set,
        )
        live = Live(self._actors.pending, self._intake.written, self._deadlines.beat)
        self.answers = Answers(store, self._clock, live)
        self._parents = Parents(store)
        self.activities = Activities(store, self._actors.pending, self._post)
        children = StartExecution(
            store,
            self._clock,
            self.start,
            self._patience,
            profile_of=lambda execution: self._actors[execution].record.profile,
            stop=self.stop,
        )
        self._dispatcher = Dispatcher(
            children.beside(resolve),
            self._post_began_lazily,
            self._beat,
            worker=self.owner,
            clock=self._clock,
            limit=task_limit,
        )
        self._observers: list[Observer] = []
        self._committing: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []

    # Life

    async def open(self) -> None:
        """Open the store and begin to run. Raises StoreInUse, StoreTooNew and other StoreErrors."""
        self._loop = asyncio.get_running_loop()
        await self.store.open(engine=True)
        await self._intake.open()
        self._tasks = [self._loop.create_task(self._drive()), self._loop.create_task(self._poll())]
        for task in self._tasks:
            task.add_done_callback(self._broke_down)

    async def close(self) -> None:
        """Stop running: finish the write that is under way, cancel tasks, give the store back.

        Executions that have not ended stay as they are and go on where they are resumed.
        """
        self._patience.end()
        self.activities.close()
        self._deadlines.close()
        await self._dispatcher.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._helpers.close()
        if self._committing is not None:
            await asyncio.gather(self._committing, return_exceptions=True)
        with suppress(StoreError):
            await self._intake.close()
        self._waiting.cancel()
        await self.store.close()

    def _broke_down(self, task: asyncio.Task[None]) -> None:
        """The loop itself failed, which is a defect: nobody may wait for it for ever."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("the engine has broken down", exc_info=error)
            for actor in list(self._actors.values()):
                self._give_up(actor, error)

    def observe(self, observer: Observer) -> None:
        """Be told of everything that becomes durable. Observers are quick and do not fail."""
        self._observers.append(observer)

    # What one asks of it

    async def start(
        self, record: ExecutionRecord, input: Payload, *, role: str = "", spelling: Payload | None = None
    ) -> None:
        """Begin an execution; when this returns the start is durable.

        The machine of ``record.digest`` must have been published. ``spelling`` is the input as its caller
        spelled it (a JSON string), where that is not its compact text. Raises ExecutionExists, StoreUnavailable.
        """
        machine = await self.machines.get(record.digest)
        if self._patience.ended:
            raise EngineError("the engine is closed: open another one")
        if record.id in self._actors or self._waiting.is_beginning(record.id):
            raise _exists(record)
        input = Payload(text=input.text)  # the caller may start another execution with the same payload
        started = Started(
            record.id, record.name, record.machine, record.digest, record.profile, role, input, spelling
        )
        begun = self._waiting.begin(record.id)
        self._actors[record.id] = Actor(record, machine, Execution(), 1, created=False)
        self._post(record.id, started)
        await begun

    async def run(self, record: ExecutionRecord, input: Payload, *, role: str = "") -> Execution:
        """Begin an execution and wait until it has ended. Raises what :meth:`start` and :meth:`result` raise."""
        ended = self._waiting.end(record.id)
        try:
            await self.start(record, input, role=role)
        except BaseException:
            if not ended.cancel():
                ended.exception()  # it is the one that is raised
            raise
        return await ended

    async def result(self, execution: str) -> Execution:
        """Wait until an execution has ended, and answer how. Raises NotFound, ExecutionStuck."""
        if execution not in self._actors:
            state = (await recall(self.store, execution))[1]
            if state.status != RUNNING or execution not in self._actors:
                return state
        return await self._waiting.end(execution)

    async def resume(self, execution: str) -> Execution:
        """Go on with an execution that is not running here; its state as the log has it.

        Raises NotFound, LogError, StoreUnavailable and what compiling its machine raises.
        """
        if execution not in self._actors:
            await self._intake.claim(execution)
        # Not the live state: what that decided last may not be durable yet.
        return (await recall(self.store, execution))[1]

    def stop(self, execution: str, error: str | None = None, cause: str | None = None) -> None:
        """Ask a running execution to end as ABORTED."""
        self._post(execution, Stopped(error, cause))

    def running(self) -> list[str]:
        """The executions at work here."""
        return list(self._actors)

    # Signals

    def _post(self, execution: str, signal: Signal, *, at: int | None = None, message: int = 0) -> None:
        actor = self._actors.get(execution)
        if actor is not None:
            actor.mailbox.append((signal, self._clock.now() if at is None else at, message))
            self._make_ready(execution)

    def _make_ready(self, execution: str) -> None:
        self._ready[execution] = None
        self._wake.set()

    def _post_began_lazily(self, execution: str, signal: Signal) -> None:
        """A task's beginning alone is worth no transaction: quick tasks write it together with their end."""
        actor = self._actors.get(execution)
        if actor is None:
            return
        if not isinstance(signal, Began):
            self._post(execution, signal)
            return
        pending = actor.execution.pending.get(signal.pending)
        if pending is not None and pending.started and pending.mode != "request":
            # A call that is made again, after a crash: its heart beats from now on, its time goes on.
            self._deadlines.beat(execution, pending.id)
            self._deadlines.arm_heartbeat(execution, pending)
            return
        actor.mailbox.append((signal, self._clock.now(), 0))
        asyncio.get_running_loop().call_later(BEGAN_DELAY_SECONDS, self._make_ready, execution)

    def _beat(self, execution: str, pending: int) -> None:
        """A sign of life of a task, from any thread."""
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._deadlines.beat, execution, pending)

    # The loop

    async def _drive(self) -> None:
        while True:
            self._deadlines.fire()
            decided = self._decide()
            if self._committing is not None:
                await asyncio.shield(self._committing)
                self._committing = None
            if decided:
                self._committing = asyncio.get_running_loop().create_task(self._commit(decided))
                # Let the write begin: the next round is decided while it is under way.
                await asyncio.sleep(0)
            elif not self._ready:
                await self._sleep()
            else:
                await asyncio.sleep(0)

    async def _sleep(self) -> None:
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._deadlines.wait()):
                await self._wake.wait()

    def _decide(self) -> list[tuple[Actor, Decided]]:
        """Decide what is ready, at most one group of it. What is being written waits for its commit."""
        decided: list[tuple[Actor, Decided]] = []
        until = monotonic() + ROUND_SECONDS
        for id in list(islice(self._ready, GROUP_MAX)):
            if monotonic() > until:
                break
            del self._ready[id]
            actor = self._actors.get(id)
            if actor is None or actor.committing:
                continue  # what is being written becomes ready again by its commit
            try:
                offer = actor.decide(self.owner, self._release, hurried=True)
            except BrokenOff as broken:
                actor.committing = True
                self._helpers.hand_over(broken.request, actor.learn, partial(self._take_up, actor))
                continue
            except Exception as error:
                self._give_up(actor, error)
                continue
            if offer is not None:
                actor.committing = True
                decided.append((actor, offer))
        return decided

    async def _commit(self, decided: list[tuple[Actor, Decided]]) -> None:
        batches = [offer.batch for _, offer in decided]
        outcomes = await self._patience.append(
            batches, lambda place, error: self._refuse_start(decided[place][0], error)
        )
        for (actor, offer), outcome in zip(decided, outcomes, strict=True):
            if outcome is Outcome.DONE:
                self._perform(actor, offer)
            elif outcome is Outcome.EXISTS:
                await self._exists_already(actor)
            elif outcome is not None:
                await self._try_again(actor, offer)

    def _refuse_start(self, actor: Actor, error: StoreUnavailable) -> bool:
        """A start that the store cannot take is refused: whoever asks can ask again."""
        if actor.created or not self._waiting.is_beginning(actor.record.id):
            return False
        self._forget(actor)
        self._intake.doubt(actor.record.id)
        self._waiting.failed(actor.record.id, error)
        return True

    # After the commit

    def _perform(self, actor: Actor, offer: Decided) -> None:
        actor.committing = False
        if not actor.created:
            self._acknowledge(actor)
        id = actor.record.id
        for closed in offer.closed:
            self._withdraw(id, closed)
        for pending in offer.opened:
            self._perform_pending(actor.execution, pending, offer)
        for step in offer.steps:
            if isinstance(step.signal, Began) and step.signal.pending in actor.execution.pending:
                self._deadlines.arm_begun(id, actor.execution.pending[step.signal.pending])
                self.activities.begun(id, step.signal.pending)
        if offer.batch.letters:
            self._intake.written()
        self._tell(actor.execution, offer.steps)
        if actor.execution.status != RUNNING:
            self._end(actor)
        elif actor.mailbox:
            self._make_ready(id)

    def _tell(self, execution: Execution, steps: Sequence[Step]) -> None:
        for observer in self._observers:
            try:
                observer(execution, steps)
            except Exception:
                log.exception("an observer failed; nothing depends on it")

    def _acknowledge(self, actor: Actor) -> None:
        actor.created = True
        self._deadlines.arm_execution(actor.execution)
        self._waiting.begun(actor.record.id)

    def _perform_pending(self, execution: Execution, pending: Pending, offer: Decided | None = None) -> None:
        """Do what a pending announces. Doing it again after a crash is all there is to recovery."""
        if not is_work(pending):
            self._deadlines.arm_begun(execution.id, pending)
        elif pending.mode == "activity":
            self._deadlines.arm(execution.id, pending)
            self.activities.offer(execution.id, pending, offer.seed_of(pending.id) if offer else None)
        elif self._dispatcher.start(execution, pending):
            if pending.mode != "request":  # the time of a task that runs again begins anew, when it does
                self._deadlines.arm(execution.id, pending)
        else:
            self._deadlines.arm_begun(execution.id, pending)  # it runs already, and will not begin once more

    def _withdraw(self, execution: str, pending: int) -> None:
        """Nobody waits for this any more."""
        self._dispatcher.cancel(execution, pending)
        self.activities.withdraw(execution, pending)

    def _end(self, actor: Actor) -> None:
        self._forget(actor)
        self._waiting.ended(actor.record.id, actor.execution)

    def _forget(self, actor: Actor) -> None:
        self._actors.pop(actor.record.id, None)
        self._intake.forget(actor.record.id)

    def _give_up(self, actor: Actor, error: BaseException) -> None:
        """An execution that cannot be decided harms nobody else: it is left as the log has it."""
        log.error("the execution %s cannot go on", actor.record.id, exc_info=error)
        self._let_go(actor, ExecutionStuck(f"the execution {actor.record.id} cannot go on: {error}"))

    def _let_go(self, actor: Actor, reason: EngineError) -> None:
        """Work on an execution no longer: its tasks are cancelled, and who waits for it is told why."""
        self._forget(actor)
        for pending in actor.execution.pending:
            self._withdraw(actor.record.id, pending)
        self._waiting.failed(actor.record.id, reason)

    # Doubt: throw the state away and fold again

    async def _exists_already(self, actor: Actor) -> None:
        """The id is taken: by ourselves if the store took the start but its answer was lost."""
        record = actor.record
        try:
            stored = await self._patience.insist(lambda: self.store.load(record.id, limit=0))
        except DetentError as error:
            self._give_up(actor, error)
            return
        if stored.record == record:
            await self._reload(actor)
        else:
            # The one that has the name may be ours to run: its claim stays.
            del self._actors[record.id]
            self._waiting.failed(record.id, _exists(record))

    async def _try_again(self, actor: Actor, offer: Decided) -> None:
        """The log has moved on without us: the signals are decided once more where it ends now.

        If that was because somebody else has taken the execution over, it is theirs.
        """
        id = actor.record.id
        try:
            fence = await self._patience.insist(lambda: self._intake.fence_of(id))
        except DetentError as error:
            self._give_up(actor, error)
            return
        if fence is None and not await self._has_ended(id):
            self._let_go(actor, ExecutionTaken(f"another process works on the execution {id} now"))
            return
        actor.fence = fence or actor.fence
        again = [(unstored(step.signal), step.now, 0) for step in offer.steps]
        actor.mailbox.extendleft(reversed(again))
        await self._reload(actor)

    async def _has_ended(self, execution: str) -> bool:
        stored = await self._patience.insist(lambda: self.store.load(execution, limit=0))
        return stored.head.ended_at is not None

    async def _take_up(self, actor: Actor) -> None:
        """Make a decision again that was broken off: nothing of it has been written."""
        if self._actors.get(actor.record.id) is not actor:
            return  # given up, or let go to somebody else
        if actor.created:
            await self._reload(actor)
        else:
            actor.execution = Execution()
            actor.committing = False
            self._make_ready(actor.record.id)

    async def _reload(self, actor: Actor) -> None:
        """Replace an actor's state by what the log says. Signals that arrive meanwhile wait in its mailbox."""
        try:
            _, state = await self._patience.insist(lambda: recall(self.store, actor.record.id))
        except DetentError as error:
            self._give_up(actor, error)
            return
        actor.replace(state)
        actor.created = True
        self._go_on(actor)

    async def _adopt(self, execution: str, fence: int) -> None:
        """Make a stored execution live. Raises NotFound, LogError, StoreUnavailable and what compiling raises."""
        record, state = await recall(self.store, execution)
        machine = await self.machines.get(record.digest)
        orphaned = await self._parents.have_given_up(record)
        live = self._actors.get(execution)
        if live is not None:
            live.fence = fence
            return
        actor = self._actors[execution] = Actor(record, machine, state, fence, created=True)
        if orphaned:
            self._post(execution, Stopped())
        self._go_on(actor)

    def _go_on(self, actor: Actor) -> None:
        """Perform what a state from the log waits for: all there is to recovery."""
        actor.committing = False
        state = actor.execution
        self._waiting.begun(actor.record.id)
        self.activities.recalled(state)
        if state.status != RUNNING:
            self._end(actor)
            return
        self._deadlines.arm_execution(state)
        answers = [signal for signal, _, _ in actor.mailbox if isinstance(signal, _ANSWERS)]
        answered = {answer.pending for answer in answers}
        for pending in state.pending.values():
            if pending.id not in answered:
                self._perform_pending(state, pending)
            else:
                self._deadlines.arm_begun(state.id, pending)
        self._intake.follow(actor.children.values())
        # Also where no signal is left: the loop may sleep for longer than the new timers allow.
        self._make_ready(state.id)

    async def _poll(self) -> None:
        while True:
            try:
                await self.poll()
                await self._intake.pause()
            except StoreError as error:
                log.warning("the store cannot be asked, trying again: %s", error)
                await asyncio.sleep(POLL_SECONDS)

    async def poll(self) -> None:
        """Look for executions that need attention and for messages. Raises StoreError."""
        await self._intake.poll()


def _exists(record: ExecutionRecord) -> ExecutionExists:
    return ExecutionExists(f"there is an execution named {record.name!r} already: choose another name")
