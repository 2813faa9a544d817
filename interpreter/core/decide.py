"""Decide: a signal comes in, events come out.

Here a signal is received, and everything that is ready is moved on. States, tasks, joins, unwinding and
steering have modules of their own. Everything that evaluates, draws or reads the time happens on this side
and is recorded by its result; ``evolve`` only files it.

The public function is :func:`advance`, which changes the execution in place, and :func:`transition`,
which leaves it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

from . import decide_runs, joins, states, steering, tasks, unwind
from .errors import StateFailure
from .evaluation import Evaluator
from .events import (
    ActivityMissing,
    Event,
    ExecutionStarted,
    Yielded,
)
from .execution import RUNNING, Execution, Frame, Pending
from .leaving import finish
from .limits import PROFILES
from .machine import Machine
from .run_events import ChildOf
from .signals import (
    STARTS,
    Amended,
    Began,
    ChildEnded,
    Failed,
    Fired,
    Paused,
    Quarantined,
    Redriven,
    Resumed,
    Signal,
    Signalled,
    Started,
    StartedChild,
    StartedRun,
    Stopped,
    Submitted,
    Succeeded,
    TimedOut,
    Withdrawn,
)
from .turn import NOTHING, HistoryFull, Turn
from .values import JSON, Payload


@dataclass(frozen=True, slots=True)
class Transition:
    """What one signal led to. ``opened`` are pendings that still wait, ``closed`` ids that no longer do."""

    execution: Execution
    events: list[Event]
    opened: list[Pending]
    closed: list[int]


def transition(machine: Machine, execution: Execution, signal: Signal, *, now: int, seed: str) -> Transition:
    """What a signal would lead to; ``execution`` itself is not changed."""
    after = deepcopy(execution)
    after.take_journal()
    events = advance(machine, after, signal, now=now, seed=seed)
    opened, closed = after.take_journal()
    return Transition(after, events, opened, closed)


def advance(
    machine: Machine,
    execution: Execution,
    signal: Signal,
    *,
    now: int,
    seed: str,
    evaluator: Evaluator | None = None,
    context: JSON = None,
    missing: Set[str] = NOTHING,
) -> list[Event]:
    """Decide a signal and fold the events into ``execution``; no events if it answers nothing.

    ``now`` is milliseconds since the epoch, ``seed`` the only source of chance: the same arguments decide
    the same events. ``missing`` are the activities that do not exist, of those that the machine names; which of
    them mattered stands in the events (:func:`missing_in`). ``context`` is shown in place of the execution's own
    context object. Raises what ``evaluator`` raises to break off; ``execution`` is then of no more use.
    """
    # The first signal is a start, no later one is; what has ended receives nothing but a redrive.
    kind = signal.__class__
    if (kind in STARTS) != (execution.seq == 0):
        return []
    limits = PROFILES[execution.profile if execution.seq else cast(Started, signal).profile]
    if now < execution.now:
        now = execution.now
    turn = Turn(machine, execution, now, seed, limits, evaluator, context, missing, [], [], [])
    if execution.run is not None or kind is StartedRun:
        decide_runs.receive(turn, signal)
    elif (kind is Redriven) == (execution.status != RUNNING):
        try:
            _RECEIVE[kind](turn, signal)
            _run(turn)
        except HistoryFull:
            unwind.end_by_full_history(turn)
    return turn.events


def missing_in(events: Iterable[Event]) -> Set[str]:
    """What has to be told of missing activities to have the same events decided again."""
    return {event.resource for event in events if isinstance(event, ActivityMissing)} or NOTHING


# The first signal


def _started(turn: Turn, signal: Started) -> None:
    turn.emit(
        ExecutionStarted(
            signal.execution,
            signal.name,
            signal.machine_name,
            signal.digest,
            signal.profile,
            signal.role,
            signal.input,
            signal.spelling,
            turn.now,
            turn.ends_at(),
            turn.machine.root.path,
            shown=1,
            previous=0,
        )
    )
    turn.ready.append((0, turn.machine.root.start))


def _started_child(turn: Turn, signal: StartedChild) -> None:
    scope = turn.machine.scopes[signal.scope]
    turn.emit(
        ExecutionStarted(
            signal.execution,
            signal.name,
            signal.machine_name,
            signal.digest,
            signal.profile,
            signal.role,
            signal.input,
            None,
            turn.now,
            turn.ends_at(child=True),
            scope.path,
            shown=1,
            previous=0,
        )
    )
    turn.emit(ChildOf(signal.run, signal.pending, signal.count))
    turn.ready.append((0, scope.start))


_RECEIVE: dict[type, Callable[[Turn, Any], None]] = {
    Started: _started,
    StartedChild: _started_child,
    Began: tasks.began,
    Submitted: tasks.submitted,
    Succeeded: tasks.succeeded,
    Failed: tasks.failed,
    ChildEnded: tasks.child_ended,
    TimedOut: tasks.timed_out,
    Fired: states.fired,
    Stopped: steering.stopped,
    Withdrawn: steering.withdrawn,
    Redriven: steering.redriven,
    Signalled: steering.signalled,
    Paused: steering.paused,
    Resumed: steering.resumed,
    Amended: steering.amended,
    Quarantined: steering.quarantined,
}


# The turn


def _run(turn: Turn) -> None:
    """Move every ready frame on until all wait.

    A turn that enters too many states, or makes too much, leaves the rest to another, a paused execution to when it is
    resumed.
    """
    execution, ready, closing, limits = turn.execution, turn.ready, turn.closing, turn.limits
    frames, steps = execution.frames, 0
    while True:
        while closing:
            id, output = closing.pop(0)
            _close(turn, frames[id], output)
        if not ready:
            return
        id, state = ready.pop(0)
        frame = frames.get(id)
        if frame is None or frame.halted or execution.status != RUNNING:
            continue
        if steps >= limits.steps_per_turn or turn.made_bytes >= limits.bytes_per_turn or execution.paused:
            turn.emit(Yielded(id, state, turn.now))
            continue
        steps += 1
        states.enter(turn, frame, state)


def _close(turn: Turn, frame: Frame, output: Payload) -> None:
    assert frame.parent is not None
    parent = turn.execution.frames[frame.parent]
    try:
        result = joins.close(turn, frame, output)
        if result is not None:
            finish(turn, parent, result)
    except StateFailure as failure:
        unwind.fail(turn, parent, failure)
