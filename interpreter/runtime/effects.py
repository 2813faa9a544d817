"""What follows once a batch is durable: tasks run, timers are armed, who waits is told.

A crash needs no special path: performing what a recalled execution waits for is the same as performing it
after the commit that announced it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from ..core.codec import Step
from ..core.execution import RUNNING, Execution, Pending
from ..core.machine import OTHERS_ANSWER
from ..core.signals import Began, Failed, Paused, Redriven, Resumed, Signal, Submitted, Succeeded
from .activities import Activities
from .actor import Actor, Actors, Decided, is_closing, is_work
from .deadlines import Deadlines
from .dispatch import Dispatcher
from .errors import EngineError, ExecutionStuck
from .handover import HandOvers
from .intake import Intake
from .letters import pauses_for_items
from .log_facts import about, states_of
from .mailboxes import Mailboxes
from .spawning import Spawning
from .waiting import Waiting

log = logging.getLogger(__name__)

#: How long the beginning of a task may wait to be written together with its end, in seconds.
BEGAN_DELAY_SECONDS = 0.02

#: Signals after which an attempt is not called again.
_ANSWERS = (Submitted, Succeeded, Failed)

#: Signals from which something follows beside what they open and close.
_ASIDE = frozenset({Began, Paused, Resumed})

#: Told after each commit of an execution: its state and the steps that were written.
Observer = Callable[[Execution, Sequence[Step]], None]


class Effects:
    """Acts on the world for live executions: announces, withdraws, tells."""

    def __init__(
        self,
        actors: Actors,
        mailboxes: Mailboxes,
        deadlines: Deadlines,
        dispatcher: Dispatcher,
        activities: Activities,
        waiting: Waiting,
        intake: Intake,
        spawning: Spawning,
        hand_overs: HandOvers,
    ) -> None:
        self._spawning = spawning
        self._actors = actors
        self._mailboxes = mailboxes
        self._deadlines = deadlines
        self._dispatcher = dispatcher
        self._activities = activities
        self._waiting = waiting
        self._intake = intake
        self._hand_overs = hand_overs
        self._observers: list[Observer] = []
        #: Executions with tasks that have begun, but whose logs do not say so yet.
        self._begun: dict[str, None] = {}

    def observe(self, observer: Observer) -> None:
        """Tell an observer of everything that becomes durable."""
        self._observers.append(observer)

    # After a commit

    def perform(self, actor: Actor, offer: Decided) -> None:
        """Do what was announced, now that it is durable, or need not be."""
        actor.committing = False
        execution, id, batch = actor.execution, actor.record.id, offer.batch
        received = {step.signal.__class__ for step in offer.steps}
        if not actor.created or Redriven in received:
            self._acknowledge(actor)
        for closed in offer.closed:
            self._dispatcher.cancel(id, closed)
        for pending in offer.opened:
            self._perform_pending(execution, pending, offer)
        if not _ASIDE.isdisjoint(received):
            self._perform_aside(execution, offer, received)
        if batch is not None and batch.offers:
            self._activities.offered({resource for _, resource in batch.offers})
        if batch is not None and batch.letters:
            self._intake.written()
        if execution.run is not None and is_closing(execution, offer.steps):
            for pending in execution.pending.values():
                if pending.child is not None:
                    self._spawning.stop(pending)
        if offer.closed:
            self._intake.progressed(id)
        if self._observers:
            self.tell(execution, offer.steps)
        if execution.status != RUNNING:
            self.end(actor)
        elif actor.mailbox:
            self._mailboxes.make_ready(id)
        else:
            self._hand_overs.consider(actor)

    def _perform_aside(self, execution: Execution, offer: Decided, received: set[type[Signal]]) -> None:
        """What follows from signals that neither open nor close anything."""
        if Began in received:
            self._arm_begun(execution, offer.steps)
        if Resumed in received:
            self._arm_held(execution)
        for pause in pauses_for_items(execution, offer.steps):
            self._spawning.share(execution, pause)

    def go_on(self, actor: Actor) -> None:
        """Perform what a state from the log waits for: all there is to recovery."""
        actor.committing = False
        state = actor.execution
        if state.status != RUNNING and any(isinstance(signal, Redriven) for signal, _, _ in actor.mailbox):
            self._mailboxes.make_ready(state.id)
            return
        self._waiting.begun(actor.record.id, actor.execution)
        if state.status != RUNNING:
            self.end(actor)
            return
        self._deadlines.arm_execution(state)
        answers = [signal for signal, _, _ in actor.mailbox if isinstance(signal, _ANSWERS)]
        answered = {answer.pending for answer in answers}
        for pending in state.pending.values():
            if pending.id not in answered:
                self._perform_pending(state, pending)
            else:
                self._deadlines.arm_begun(state.id, pending)
        self._intake.follow(actor.children)
        # Also where no signal is left: the loop may sleep for longer than the new timers allow.
        self._mailboxes.make_ready(state.id)
        self._hand_overs.consider(actor)

    def _acknowledge(self, actor: Actor) -> None:
        actor.created = True
        self._deadlines.arm_execution(actor.execution)
        self._waiting.begun(actor.record.id, actor.execution)

    def tell(self, execution: Execution, steps: Sequence[Step]) -> None:
        """Tell the observers of steps."""
        for observer in self._observers:
            try:
                observer(execution, steps)
            except Exception:
                facts = about(execution.id, states_of(execution))
                log.exception("an observer failed; nothing depends on it", extra=facts)

    def _perform_pending(self, execution: Execution, pending: Pending, offer: Decided | None = None) -> None:
        """Do what a pending announces. Doing it again after a crash is all there is to recovery.

        ``offer`` is what opened it, unless it comes from the log.
        """
        if not is_work(pending):
            opening = None if offer is None else offer.step_of(pending.id)
            self._deadlines.arm_begun(execution.id, pending, None if opening is None else opening.now)
            execution.frames[pending.frame].input.rest()  # it may be long until somebody needs the value
            if pending.mode in OTHERS_ANSWER:
                self._dispatcher.mock(execution, pending)
        elif pending.kind == "child":
            self._spawning.perform(execution, pending)
        elif self._hand_overs.wants(execution, pending):
            if pending.mode != "request":
                self._deadlines.arm(execution.id, pending)
        elif self._dispatcher.start(execution, pending):
            if pending.mode != "request":  # the time of a task that runs again begins anew, when it does
                self._deadlines.arm(execution.id, pending)
        else:
            self._deadlines.arm_begun(execution.id, pending)  # it runs already, and will not begin once more

    def _arm_begun(self, execution: Execution, steps: Sequence[Step]) -> None:
        for step in steps:
            if isinstance(step.signal, Began) and step.signal.pending in execution.pending:
                self._deadlines.arm_begun(execution.id, execution.pending[step.signal.pending])

    def _arm_held(self, execution: Execution) -> None:
        """Timers that came due while a pause held them back have fired into nothing."""
        for pending in execution.pending.values():
            if pending.kind != "task":
                self._deadlines.arm(execution.id, pending)

    # What tasks report

    def report(self, execution: str, signal: Signal, at: int | None = None) -> None:
        """A task begins or ends. A beginning alone is worth no transaction: quick tasks write it with their end."""
        if not isinstance(signal, Began):
            self._mailboxes.post(execution, signal, at=at)
            return
        pending = self._actors.pending(execution, signal.pending)
        if pending is not None and pending.started and pending.mode != "request":
            # A call that is made again, after a crash: its heart beats from now on, its time goes on.
            self._deadlines.beat(execution, pending.id)
            self._deadlines.arm_heartbeat(execution, pending)
        elif self._mailboxes.leave(execution, signal, at=at):
            if not self._begun:
                asyncio.get_running_loop().call_later(BEGAN_DELAY_SECONDS, self._write_begun)
            self._begun[execution] = None

    def _write_begun(self) -> None:
        """Beginnings whose ends let wait for them are written alone."""
        begun, self._begun = self._begun, {}
        for execution in begun:
            actor = self._actors.get(execution)
            if actor is not None and actor.mailbox:
                self._mailboxes.make_ready(execution)

    # The end of the work here

    def end(self, actor: Actor) -> None:
        """The execution has ended, and nothing changes that."""
        self.forget(actor)
        self._waiting.begun(actor.record.id, actor.execution)
        self._waiting.ended(actor.record.id, actor.execution)

    def forget(self, actor: Actor) -> None:
        """Nobody works on an execution here any more."""
        self._actors.pop(actor.record.id, None)
        self._intake.forget(actor.record.id)
        self._hand_overs.forget(actor.record.id)

    def give_up(self, actor: Actor, error: BaseException) -> None:
        """An execution that cannot be decided harms nobody else: it is left as the log has it."""
        facts = about(actor.record.id, states_of(actor.execution))
        log.error("the execution %s cannot go on", actor.record.id, exc_info=error, extra=facts)
        self.let_go(actor, ExecutionStuck(f"the execution {actor.record.id} cannot go on: {error}"))

    def let_go(self, actor: Actor, reason: EngineError) -> None:
        """Work on an execution no longer: its tasks are cancelled, and who waits for it is told why."""
        self.forget(actor)
        for pending in actor.execution.pending:
            self._dispatcher.cancel(actor.record.id, pending)
        self._waiting.failed(actor.record.id, reason)
