"""Look back at a log: does it obey the laws, and would the same decisions be taken again?

*Verify* folds the log and checks the laws that any log must obey, whoever wrote it and whenever: it never
decides anything. *Replay* decides again from the recorded signals, instants and seeds, with the same
definition or another one, and finds the first place where something else would happen. Both are pure: a
log in, findings out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from .core import run_events as r
from .core.codec import LogError, Step
from .core.decide import advance, missing_in
from .core.events import (
    Event,
    ExecutionRedriven,
    ExecutionStarted,
    FrameAborted,
    Halted,
    RetryScheduled,
    StateAmended,
    TaskFailed,
    TaskScheduled,
    TaskStarted,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
    WaitStarted,
    Yielded,
)
from .core.evolve import evolve
from .core.execution import RUNNING, SUCCEEDED, Execution
from .core.machine import Machine
from .recording import Recording

_STARTING = (ExecutionStarted, r.RunBegan)
_OPENING = (
    TaskScheduled,
    WaitStarted,
    RetryScheduled,
    Yielded,
    r.MapRunStarted,
    r.ChildOpened,
    r.RunYielded,
)
_ANSWERING = (
    TaskStarted,
    TaskSubmitted,
    TaskSucceeded,
    TaskFailed,
    StateAmended,
    TimerFired,
    r.MapRunEnded,
    r.ItemsRead,
    r.ChildClosed,
    r.RunResumed,
    r.ResultsGathered,
)


@dataclass(frozen=True, slots=True)
class Breach:
    """A law that a log breaks. ``event`` is the number of the event that shows it, 0 for the log as a whole."""

    law: str
    event: int
    message: str

    def __str__(self) -> str:
        where = f"event {self.event}" if self.event else "the log"
        return f"{where}: {self.message}, but {self.law}"


def verify(steps: Iterable[Step]) -> list[Breach]:
    """Every breach of a law; an empty list if the log is sound. Payloads need not be loaded."""
    return _audited(steps).breaches


def _audited(steps: Iterable[Step]) -> _Audit:
    audit = _Audit()
    for step in steps:
        for event in step.events:
            audit.read(event, step.now)
    audit.finish()
    return audit


def verify_recording(recording: Recording) -> list[Breach]:
    """Every breach of a law in a log, and between the log and what stands beside it."""
    try:
        steps = recording.steps()
    except LogError as error:
        return [Breach("a log can be read to its end", 0, str(error))]
    audit = _audited(steps)
    breaches = [*_gaps(recording, steps), *audit.breaches]
    facts, state = recording.facts, audit.execution
    for name, beside, folded in (
        ("id", facts.id, state.id),
        ("name", facts.name, state.name),
        ("definition", facts.digest, state.digest),
        ("status", facts.status, state.status),
        ("end", facts.ended_at, state.ended_at),
    ):
        if beside != folded:
            law = "what stands beside a log agrees with it"
            breaches.append(Breach(law, 0, f"the {name} is {folded!r} in it and {beside!r} beside it"))
    return breaches


def _gaps(recording: Recording, steps: Sequence[Step]) -> Iterator[Breach]:
    """Segments that do not follow each other, or do not hold as many events as they say."""
    law = "the events of a log are numbered without a gap"
    last = 0
    for part in recording.parts:
        if part.after != last:
            yield Breach(law, part.after, f"a segment begins after it, the one before ends with {last}")
        last = part.last
    events = sum(len(step.events) for step in steps)
    if events != last:
        yield Breach(law, 0, f"it should end with event {last} and holds {events}")


class _Audit:
    """A log being read, and the state it has led to so far."""

    def __init__(self) -> None:
        self.breaches: list[Breach] = []
        self.execution = Execution()
        self.number = 0
        self.shown = 0

    def read(self, event: Event, now: int) -> None:
        self.number += 1
        self._start_and_end(event)
        self._time(event, now)
        self._shown_ids(event)
        self._answers(event, now)
        try:
            evolve(self.execution, event)
        except (KeyError, AssertionError, AttributeError, TypeError) as error:
            self._breach("every event fits the state before it", f"{event.code} cannot be folded ({error!r})")
            return
        if isinstance(event, _OPENING) and self.number not in self.execution.pending:
            self._breach("what is opened is pending", f"{event.code} has opened nothing")

    def finish(self) -> None:
        self.number = 0
        pending = sorted(self.execution.pending)
        if not self.execution.seq:
            self._breach("a log begins with a start", "there are no events")
        elif self.execution.status == RUNNING and not pending:
            self._breach("a running execution waits for something", "nothing is pending")
        elif self.execution.status != RUNNING and pending:
            self._breach("an execution that has ended waits for nothing", f"{pending} are pending")

    def _start_and_end(self, event: Event) -> None:
        if (self.number == 1) != isinstance(event, _STARTING):
            self._breach("a log has one start, at its beginning", f"{event.code} stands here")
        ended = self.execution.status != RUNNING
        redriven = isinstance(event, ExecutionRedriven)
        if ended and not redriven:
            self._breach("nothing but a redrive follows the end", f"{event.code} does")
        elif redriven and (not ended or self.execution.status == SUCCEEDED):
            status = self.execution.status
            self._breach("what is redriven has ended without success", f"the execution is {status}")

    def _time(self, event: Event, now: int) -> None:
        at = getattr(event, "at", None)
        if at is not None and at < max(now, self.execution.now):
            self._breach("time never goes back", f"{event.code} is of {at}")

    def _shown_ids(self, event: Event) -> None:
        shown = getattr(event, "shown", 0)
        if not shown:
            return
        if shown != self.shown + 1:
            self._breach("the shown history has no gaps", f"id {shown} follows id {self.shown}")
        previous = getattr(event, "previous", 0)
        if not 0 <= previous < shown:
            self._breach("an event is preceded by an earlier one", f"id {shown} is preceded by id {previous}")
        twice = isinstance(event, (FrameAborted, Halted)) and event.iteration and event.state
        self.shown = shown + bool(twice)

    def _answers(self, event: Event, now: int) -> None:
        if not isinstance(event, _ANSWERING):
            return
        pending = self.execution.pending.get(event.pending)
        if pending is None:
            self._breach("an answer belongs to something pending", f"nothing waits under {event.pending}")
            return
        due = pending.due if isinstance(event, TimerFired) else None
        if due is not None and max(now, self.execution.now) < due:
            self._breach("a timer is never early", f"it was due at {due}")

    def _breach(self, law: str, message: str) -> None:
        self.breaches.append(Breach(law, self.number, message))


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where deciding again leads elsewhere.

    ``event`` is the number of the first event that differs; ``recorded`` is what the log has there and
    ``decided`` what would be there now, None where that side has no further event. ``scope`` and ``state``
    are the place in the definition. ``problem`` tells why nothing could be decided, if that is so.
    """

    event: int
    recorded: Event | None
    decided: Event | None
    scope: str
    state: str | None
    problem: str | None = None


def replay(machine: Machine, steps: Sequence[Step]) -> Divergence | None:
    """The first place where ``machine`` would decide something else than the log has; None if nowhere.

    Payloads must be loaded. With another machine than the log was written with this tells whether the
    execution would take another path; that the definition is another one is no difference by itself.
    """
    execution = Execution()
    for step in steps:
        before = execution.seq
        try:
            decided = advance(
                machine,
                execution,
                step.signal,
                now=step.now,
                seed=step.seed,
                missing=missing_in(step.events),
            )
        except (KeyError, AssertionError) as error:
            recorded = next(iter(step.events), None)
            scope, state = _place(execution, recorded)
            return Divergence(before + 1, recorded, None, scope, state, f"the definition has no {error}")
        for number, (old, new) in enumerate(zip_longest(step.events, decided), before + 1):
            if old != new:
                scope, state = _place(_folded(steps, number), old or new)
                return Divergence(number, old, new, scope, state)
    return None


def _folded(steps: Sequence[Step], number: int) -> Execution:
    """The recorded state just before an event."""
    execution = Execution()
    events = (event for step in steps for event in step.events)
    for event, _ in zip(events, range(number - 1), strict=False):
        evolve(execution, event)
    return execution


def _place(execution: Execution, event: Event | None) -> tuple[str, str | None]:
    frame = execution.frames.get(getattr(event, "frame", 0))
    if frame is None:
        return "", None
    return frame.scope, getattr(event, "state", None) or frame.state
