"""A task from its scheduling to its answer: arguments and allowances, beginnings, results, failures, deadlines."""

from __future__ import annotations

from . import unwind
from .bindings import Bindings, Evaluate
from .children import outcome_of_child
from .errors import HEARTBEAT_TIMEOUT, RUNTIME, TASK_FAILED, TIMEOUT, StateFailure
from .events import (
    ActivityMissing,
    TaskFailed,
    TaskOffered,
    TaskScheduled,
    TaskStarted,
    TaskSubmitted,
    TaskSucceeded,
)
from .execution import RUNNING, TIMED_OUT, Frame, Pending
from .leaving import finish
from .machine import Allowances, Task
from .map_runs import end_run
from .parameters import refusal
from .resources import producer, signal_name
from .signals import (
    Began,
    ChildEnded,
    Failed,
    Submitted,
    Succeeded,
    TimedOut,
)
from .tokens import hash_token
from .turn import Turn, too_large
from .values import Payload


def schedule(turn: Turn, frame: Frame, state: Task) -> None:
    if state.resource in turn.missing:
        turn.emit(ActivityMissing(frame.id, state.resource))
        raise StateFailure(RUNTIME, f"The activity {state.resource} does not exist.")
    mode = state.mode
    token = None if mode in ("request", "signal") else turn.token()
    credentials = timeout = heartbeat = None
    arguments = frame.input
    if state.flow is not None or state.allowances is not None:
        # An activity's worker gets the token with the task; expressions do not see it.
        bindings = turn.bindings(frame, token=None if mode == "activity" else token)
        if state.flow is not None:
            arguments = turn.payload(state.flow.arguments(bindings), frame, arguments)
    if state.problem is not None and (problem := state.problem(arguments.value)) is not None:
        raise refusal(arguments, problem)
    if state.allowances is not None:
        credentials, timeout, heartbeat = _allowed(state.allowances, bindings)
    turn.show(
        TaskScheduled(
            frame.id,
            state.resource,
            mode,
            arguments,
            timeout,
            heartbeat,
            credentials,
            None if token is None else hash_token(token),
            frame.attempt + 1,
            turn.execution.shown + 1,
            frame.last,
        )
    )
    if mode == "activity":
        if timeout is not None and turn.limits.activity_times_out_untaken:
            turn.emit(TaskOffered(frame.id, turn.execution.seq, turn.now + timeout * 1000))
    elif mode == "signal":
        pending = turn.execution.pending[turn.execution.seq]
        # Nobody has to take it: its time runs from now on.
        begin(turn, pending, frame, None)
        take_signal(turn, pending, frame)


def _allowed(allowances: Allowances, bindings: Bindings) -> tuple[Payload | None, int | None, int | None]:
    """Credentials, and seconds until the task has run out of time and until it is taken for dead."""
    given = allowances.credentials
    credentials = None if given is None else Payload(given(bindings.input, bindings))
    timeout = None if allowances.timeout is None else _seconds(allowances.timeout, bindings)
    heartbeat = None if allowances.heartbeat is None else _seconds(allowances.heartbeat, bindings)
    return credentials, timeout, heartbeat


def _seconds(evaluate: Evaluate, bindings: Bindings) -> int:
    seconds: int = evaluate(bindings.input, bindings)
    return seconds


def _task(turn: Turn, id: int) -> Pending | None:
    """The task a signal answers, if it still waits."""
    pending = turn.execution.pending.get(id)
    return pending if pending is not None and pending.kind == "task" else None


def _called(turn: Turn, id: int) -> Pending | None:
    """The task a signal answers, if it still waits for who works on it."""
    pending = turn.execution.pending.get(id)
    return pending if pending is not None and pending.kind == "task" and pending.mode != "signal" else None


def began(turn: Turn, signal: Began) -> None:
    pending = _called(turn, signal.pending)
    if pending is None:
        return
    frame = turn.execution.frames[pending.frame]
    # A started call that is made again: who began it has died, or had lost it for a while. Its time begins anew.
    again = pending.mode == "request" and (pending.worker != signal.worker or _moves(turn, pending))
    if not pending.started or again:
        begin(turn, pending, frame, signal.worker)


def begin(turn: Turn, pending: Pending, frame: Frame, worker: str | None) -> None:
    """The history shows the first beginning of an attempt only."""
    due = beat_due = None
    if pending.timeout is not None or pending.heartbeat is not None:
        due, beat_due = _clocks(turn, pending)
    if pending.started:
        turn.emit(TaskStarted(frame.id, pending.id, worker, due, beat_due, 0, 0))
    else:
        shown = turn.execution.shown + 1
        turn.show(TaskStarted(frame.id, pending.id, worker, due, beat_due, shown, frame.last))


def _clocks(turn: Turn, pending: Pending) -> tuple[int | None, int | None]:
    """When an attempt that begins now runs out of time, and when it is taken for dead."""
    due = None if pending.timeout is None else turn.now + pending.timeout * 1000
    beat_due = None if pending.heartbeat is None else turn.now + pending.heartbeat * 1000
    return due, beat_due


def _moves(turn: Turn, pending: Pending) -> bool:
    """Whether a clock of a started attempt is set later if it begins now: the same beginning told twice is one."""
    known = pending.due, pending.beat_due
    return any(
        new is not None and old is not None and new > old
        for new, old in zip(_clocks(turn, pending), known, strict=True)
    )


def submitted(turn: Turn, signal: Submitted) -> None:
    pending = _called(turn, signal.pending)
    if pending is not None and not pending.submitted:
        frame = turn.execution.frames[pending.frame]
        if not pending.started:
            begin(turn, pending, frame, None)
        turn.show(TaskSubmitted(frame.id, pending.id, signal.output, turn.execution.shown + 1, frame.last))


def succeeded(turn: Turn, signal: Succeeded) -> None:
    pending = _called(turn, signal.pending)
    if pending is not None:
        frame = turn.execution.frames[pending.frame]
        if not pending.started:
            begin(turn, pending, frame, None)
        _succeed_task(turn, pending, frame, signal.output)


def _succeed_task(turn: Turn, pending: Pending, frame: Frame, output: Payload) -> None:
    if len(output.text) > turn.limits.payload_bytes:
        failure = too_large(producer(pending.resource or ""))
        _fail_task(turn, pending, frame, failure.error, failure.cause)
        return
    turn.show(TaskSucceeded(frame.id, pending.id, output, turn.execution.shown + 1, frame.last))
    try:
        finish(turn, frame, output)
    except StateFailure as failure:
        unwind.fail(turn, frame, failure)


def failed(turn: Turn, signal: Failed) -> None:
    # Also one that waits for a named signal: a mock may have it fail.
    pending = _task(turn, signal.pending)
    if pending is not None:
        frame = turn.execution.frames[pending.frame]
        if not pending.started:
            begin(turn, pending, frame, None)
        _fail_task(turn, pending, frame, signal.error, signal.cause)


def _fail_task(turn: Turn, pending: Pending, frame: Frame, error: str | None, cause: str | None) -> None:
    error, cause = unwind.within_limits(error, cause)
    turn.show(TaskFailed(frame.id, pending.id, error, cause, None, turn.execution.shown + 1, frame.last))
    unwind.fail(turn, frame, StateFailure(error, cause, prefixed=False))


def child_ended(turn: Turn, signal: ChildEnded) -> None:
    run = turn.execution.pending.get(signal.pending)
    if run is not None and run.kind == "child":
        frame = turn.execution.frames[run.frame]
        if signal.description.value.get("RedriveCount", 0) >= run.redrives:
            unwind.guarded(turn, frame, lambda: end_run(turn, frame, run, signal))
        return
    pending = _task(turn, signal.pending)
    if pending is None or pending.mode != "sync":
        return
    frame = turn.execution.frames[pending.frame]
    if not pending.started:
        begin(turn, pending, frame, None)
    output, cause = outcome_of_child(signal.description.value, pending.resource or "")
    if output is not None:
        _succeed_task(turn, pending, frame, output)
    else:
        _fail_task(turn, pending, frame, TASK_FAILED, cause)


def timed_out(turn: Turn, signal: TimedOut) -> None:
    if signal.pending is None:
        ends_at = turn.execution.ends_at
        if ends_at is not None and turn.now >= ends_at:
            unwind.end_from_outside(turn, TIMED_OUT, TIMEOUT, None)
        return
    pending = _task(turn, signal.pending)
    if pending is None:
        return
    frame = turn.execution.frames[pending.frame]
    deadline = pending.beat_due if signal.heartbeat else pending.due
    if deadline is None or turn.now < deadline:
        return
    beside = [late for late in turn.execution.over_at(deadline) if late is not pending]
    # All whose time ran out at one instant are shown first: then one of them may fail what is around them all.
    missed = [(frame, _miss(turn, pending, heartbeat=signal.heartbeat))]
    missed.extend(
        (turn.execution.frames[late.frame], _miss(turn, late, heartbeat=late.due != deadline))
        for late in beside
    )
    for frame, failure in missed:
        if turn.execution.status == RUNNING and turn.execution.frames.get(frame.id) is frame:
            unwind.fail(turn, frame, failure)


def _miss(turn: Turn, pending: Pending, *, heartbeat: bool) -> StateFailure:
    """Show that a task missed a deadline.

    The history calls both clocks States.Timeout; only matching knows a missed heartbeat by its own name.
    """
    frame = turn.execution.frames[pending.frame]
    clock = "heartbeat" if heartbeat else "task"
    turn.show(TaskFailed(frame.id, pending.id, TIMEOUT, None, clock, turn.execution.shown + 1, frame.last))
    return StateFailure(HEARTBEAT_TIMEOUT if heartbeat else TIMEOUT, None, prefixed=False)


def take_signal(turn: Turn, pending: Pending, frame: Frame) -> None:
    """Answer a task with the oldest signal of the name that it waits for, if one is here."""
    kept = turn.execution.signals.get(signal_name(pending.resource or "") or "")
    if kept:
        _succeed_task(turn, pending, frame, kept[0])


def is_too_large(turn: Turn, output: Payload) -> bool:
    """Who sends it is told so; what comes in all the same changes nothing."""
    return len(output.text) > turn.limits.payload_bytes
