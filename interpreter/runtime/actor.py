"""One live execution: its state, its mailbox, and the batch it is about to write.

An actor is the only owner of its execution's state. It decides what its mailbox holds, offers the result
as a batch, and waits: nothing more is decided, and no effect takes place, until the batch is durable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from time import perf_counter

from ..core.codec import Encoded, Step, encode_segment
from ..core.decide import advance
from ..core.evaluation import BrokenOff
from ..core.evolve import evolve
from ..core.execution import RUNNING, Execution, Pending
from ..core.limits import PROFILES
from ..core.machine import OTHERS_ANSWER, Machine
from ..core.resting import Resting, rest
from ..core.rows import Record
from ..core.run_events import RunClosing
from ..core.signals import ChildEnded, Redriven, Signal, Succeeded
from ..core.turn import NOTHING
from ..store.base import Batch, ExecutionRecord, Head, Letter
from .attributes import NONE, attributes_of
from .evaluations import DECISION_SECONDS, Evaluations
from .letters import (
    letter_of_pause,
    letter_of_stop,
    letter_of_withdrawal,
    letters_at_end,
    pauses_for_items,
)
from .nested import child_of
from .seeds import draw_seed

#: An execution that has to wait for less is not put to rest, in milliseconds.
REST_FOR = 1_000
#: The segment of a batch that only drains.
_NOTHING = Encoded(b"", b"[]", {})


class Decided(Record):
    """What an actor wants written, and what follows once it is; at once where there is no batch.

    ``after`` is the number of the last event before the steps.
    """

    after: int
    batch: Batch | None
    steps: list[Step]
    opened: list[Pending]
    closed: list[int]

    def step_of(self, id: int) -> Step | None:
        """The step that decided an event; None for an event of another batch."""
        last = self.after
        for step in self.steps:
            last += len(step.events)
            if last >= id > self.after:
                return step
        return None


@dataclass(slots=True)
class _Broken:
    """What is left of a round that was broken off.

    Where the log ended, the seeds, and what the signal at that place of the round evaluated.
    """

    after: int
    seeds: list[str]
    place: int
    evaluations: Evaluations


@dataclass(slots=True)
class _Kept:
    """What an EXPRESS execution has decided since its start was written: all of it is written with its end."""

    steps: list[Step] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    drained: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Actor:
    """``fence`` is that of the claim the execution is worked on under.

    There may be a hundred thousand of them, which only wait: what few need is made when it is needed.
    """

    record: ExecutionRecord
    machine: Machine
    _execution: Execution | Resting
    fence: int
    created: bool
    #: Signals, the instants they count from, and their numbers in the inbox.
    mailbox: list[tuple[Signal, int, int]] | tuple[()] = ()
    committing: bool = False
    #: Whether its last decision took long: others are decided before it.
    slow: bool = False
    #: The activities that do not exist, looked up for the decision to come; None if they were not.
    missing: Set[str] | None = None
    _broken: _Broken | None = None
    #: The executions that were started from here and are waited for, by pending. Those of distributed Maps with how
    #: often they were redriven when they were last waited for.
    _children: dict[int, tuple[str, int | None]] | None = None
    #: The tasks that anybody may take, with the seeds of the steps that scheduled them where these are known.
    _offered: dict[int, str | None] | None = None
    #: Of EXPRESS executions only.
    _kept: _Kept | None = None

    def __post_init__(self) -> None:
        if PROFILES[self.record.profile].type == "EXPRESS":
            self._kept = _Kept()
        self._note(self.execution.pending.values())

    @property
    def execution(self) -> Execution:
        """The state, which wakes up if it is at rest."""
        state = self._execution
        if type(state) is Resting:
            state = self._execution = state.wake()
        return state  # type: ignore[return-value]  # narrowed faster than by isinstance

    def rest(self) -> None:
        """Take little memory until somebody asks for the state, if all there is to do is to wait, for long enough."""
        state = self.execution
        if self.committing or self.mailbox or not self.created or any(map(is_work, state.pending.values())):
            return
        due = state.due()
        if state.status == RUNNING and (due is None or due >= state.now + REST_FOR):
            self._execution = rest(state) or state

    def waits_for(self, id: int) -> bool:
        """Whether the execution waits for something of that id."""
        state = self._execution
        return id == state.pending if isinstance(state, Resting) else id in state.pending

    def receive(self, signal: Signal, at: int, message: int) -> None:
        """Have a signal decided next."""
        if self.mailbox:
            self.mailbox.append((signal, at, message))
        else:
            self.mailbox = [(signal, at, message)]

    @property
    def children(self) -> list[str]:
        """The executions that were started from here and are waited for."""
        return [child for child, _ in self._children.values()] if self._children else []

    @property
    def kept(self) -> list[Step]:
        """What was decided and is not to be written yet."""
        return self._kept.steps if self._kept else []

    def take_kept(self) -> list[Step]:
        """What was decided and not written, to be decided again."""
        kept = self.kept
        if self._kept is not None:
            self._kept.steps = []
        return kept

    def seed_of_offer(self, pending: int) -> str | None:
        """The seed of the step that scheduled a task which anybody may take, where it is known."""
        return self._offered.get(pending) if self._offered else None

    def begin_anew(self) -> None:
        """Forget what was decided: nothing of it was written, nor of what came before it."""
        self._execution = Execution()

    def replace(self, execution: Execution) -> None:
        """Go on from another state: the one that the log tells, and what was kept beside it.

        Signs of life that were heard here count, also those that could not be written.
        """
        for step in self.kept:
            for event in step.events:
                evolve(execution, event)
        execution.take_journal()
        for id, heard in self.execution.pending.items():
            pending = execution.pending.get(id)
            if pending is not None and heard.beat_due is not None:
                pending.beat_due = max(pending.beat_due or 0, heard.beat_due)
        self._execution = execution
        self._children = self._offered = None
        self._note(execution.pending.values())

    def decide(self, owner: str, release: str, *, hurried: bool = False) -> Decided | None:
        """Decide what is in the mailbox; None if it changed nothing.

        ``hurried``, what is left after a while stays there, and it raises BrokenOff where an evaluation takes long. The
        state is void then, the mailbox as it was: with the state as the log has it, and with the answer learnt, the
        round is decided again.
        """
        execution = self.execution
        after = execution.seq
        steps: list[Step] = []
        drained: list[int] = []
        taken, self.mailbox = self.mailbox, ()
        seeds = [] if self._broken is None else self._seeds_known(after)
        begun = perf_counter()
        for place, (signal, at, message) in enumerate(taken):
            if place == len(seeds):
                seeds.append(draw_seed())
            seed = seeds[place]
            evaluations = self._evaluations(place) if hurried else None
            try:
                events = advance(
                    self.machine,
                    execution,
                    signal,
                    now=at,
                    seed=seed,
                    evaluator=evaluations,
                    missing=self.missing or NOTHING,
                )
            except BrokenOff:
                if evaluations is not None:
                    self._broken = _Broken(after, seeds, place, evaluations)
                self.mailbox = taken
                raise
            if events:
                steps.append(Step(signal, at, seed, events))
            if message:
                drained.append(message)
            if hurried and perf_counter() - begun > DECISION_SECONDS:
                self.mailbox = [*taken[place + 1 :]]
                break
        self._broken = self.missing = None
        if not steps and not drained:
            return None
        opened, closed = execution.take_journal()
        decided = Decided(after, None, steps, opened, closed)
        withdrawn = self._withdraw(closed) if self._offered else []
        self._note(opened)
        offers = self._offer(decided) if self._offered else []
        if self._kept is not None and self._keep(self._kept, decided, drained):
            return decided
        decided.batch = self._batch(decided, drained, offers, withdrawn, owner, release)
        return decided

    def _keep(self, kept: _Kept, decided: Decided, drained: list[int]) -> bool:
        """Whether what was decided is kept, to be written with the end."""
        if not self.created or self.execution.status != RUNNING:
            return False
        kept.steps += decided.steps
        kept.closed += decided.closed
        kept.drained += drained
        return True

    def _batch(
        self,
        decided: Decided,
        drained: list[int],
        offers: list[tuple[int, str]],
        withdrawn: list[int],
        owner: str,
        release: str,
    ) -> Batch:
        """What is to be written of what was decided, and was kept before."""
        execution, record = self.execution, self.record
        after, steps, closed = decided.after, decided.steps, decided.closed
        if self._kept is not None:
            kept = self._kept
            after -= sum(len(step.events) for step in kept.steps)
            steps, closed, drained = kept.steps + steps, kept.closed + closed, kept.drained + drained
        encoded = encode_segment(after, release, steps) if steps else _NOTHING
        alone = record.parent is None and not self._children
        runs_on = self.created and execution.status == RUNNING and execution.redriven_at is None
        return Batch(
            record.id,
            after,
            execution.seq,
            encoded.control,
            encoded.payloads,
            head_of(execution),
            None if self.created else record,
            encoded.blobs,
            drained,
            closed,
            [] if alone else self._letters(decided.steps, decided.closed),
            offers,
            withdrawn,
            self.fence,
            owner,
            NONE if runs_on else self._attributes(decided.steps),
        )

    def _seeds_known(self, after: int) -> list[str]:
        """The seeds of the round that was broken off, if the log still ends where it did."""
        if self._broken is None or after != self._broken.after:
            self._broken = None
            return []
        return self._broken.seeds

    def _attributes(self, steps: list[Step]) -> Mapping[str, bytes]:
        """What the execution is found by once the batch is written that begins, redrives or ends it."""
        execution = self.execution
        redriven = execution.redriven_at is not None and any(
            isinstance(step.signal, Redriven) for step in steps
        )
        if self.created and execution.status == RUNNING and not redriven:
            return NONE
        return attributes_of(self.record, execution, begins=not self.created, redriven=redriven)

    @property
    def outcome_words(self) -> int:
        """Words of memory that the outcomes hold which are known to the round that was broken off."""
        return 0 if self._broken is None else self._broken.evaluations.words

    def forget_outcomes(self) -> None:
        """Have the round that was broken off evaluate from its beginning."""
        if self._broken is not None:
            self._broken.evaluations = Evaluations()

    def learn(self, answer: bytes) -> None:
        """What came out of the evaluation over which the round was broken off."""
        if self._broken is not None:
            self._broken.evaluations.learn(answer)

    def _evaluations(self, place: int) -> Evaluations:
        """Those of the signal at a place of the round: known ones where it was broken off."""
        if self._broken is None or self._broken.place != place:
            return Evaluations()
        self._broken.evaluations.begin()
        return self._broken.evaluations

    def _withdraw(self, closed: list[int]) -> list[int]:
        """Those of the closed pendings that nobody may take any more."""
        offered = self._offered or {}
        withdrawn = [id for id in closed if id in offered]
        for id in withdrawn:
            del offered[id]
        return withdrawn

    def _offer(self, decided: Decided) -> list[tuple[int, str]]:
        """What anybody may take from now on."""
        if not self._offered:
            return []
        offers = offers_of(decided.opened)
        for id, _ in offers:
            opening = decided.step_of(id)
            self._offered[id] = None if opening is None else opening.seed
        return offers

    def _letters(self, steps: list[Step], closed: list[int]) -> list[Letter]:
        """What the executions around this one must hear of what was decided."""
        letters: list[Letter] = []
        children = self._children
        if children and closed:
            ends = (step.signal for step in steps)
            over = {end.pending for end in ends if isinstance(end, (ChildEnded, Succeeded))}
            left = {id: children.pop(id) for id in closed if id in children}
            letters += [_letter_to_child(*child) for id, child in left.items() if id not in over]
        if children and is_closing(self.execution, steps):
            letters += [_letter_to_child(*child) for child in children.values()]
        if children:
            for pause in pauses_for_items(self.execution, steps):
                letters += [
                    letter_of_pause(child, pause)
                    for child, redrives in children.values()
                    if redrives is not None
                ]
        if self.record.parent is not None and self.execution.status != RUNNING:
            letters += letters_at_end(self.record, self.execution)
        return letters

    def _note(self, pendings: Iterable[Pending]) -> None:
        for pending in pendings:
            if pending.mode == "activity":
                self._offered = self._offered or {}
                self._offered[pending.id] = None
            elif pending.child is not None or pending.mode == "sync":
                child = pending.child or child_of(self.execution.id, pending)
                if child is not None:
                    self._children = self._children or {}
                    self._children[pending.id] = child, None if pending.child is None else pending.redrives


def _letter_to_child(child: str, redrives: int | None) -> Letter:
    """What an execution that was waited for hears when nobody waits any more."""
    return letter_of_stop(child) if redrives is None else letter_of_withdrawal(child, redrives)


class Actors(dict[str, Actor]):
    """The live executions of one engine, by id."""

    def pending(self, execution: str, id: int) -> Pending | None:
        """What an execution waits for under an id; None if it does not, or is not live here."""
        actor = self.get(execution)
        return None if actor is None else actor.execution.pending.get(id)


def head_of(execution: Execution) -> Head:
    """What must be findable without reading the log."""
    if execution.status != RUNNING:
        return Head(execution.status, None, False, execution.ended_at)
    ready = any(map(is_work, execution.pending.values()))
    return Head(execution.status, execution.due(), ready, paused=execution.paused)


def is_closing(execution: Execution, steps: Iterable[Step]) -> bool:
    """Whether a Map Run has begun to close."""
    return execution.run is not None and any(
        isinstance(event, RunClosing) for step in steps for event in step.events
    )


def is_work(pending: Pending) -> bool:
    """Whether somebody here must do something: whoever called, or takes, sends word by themselves."""
    if pending.kind != "task" or pending.submitted:
        return pending.kind == "child"
    return pending.mode not in OTHERS_ANSWER


def offers_of(pendings: Iterable[Pending]) -> list[tuple[int, str]]:
    """Those that wait for a worker of an activity, as a batch offers them."""
    return [
        (pending.id, pending.resource)
        for pending in pendings
        if pending.mode == "activity" and not pending.started and pending.resource is not None
    ]
