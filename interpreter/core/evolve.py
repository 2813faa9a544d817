"""Fold an event into the state. It only files what was decided: no evaluation, no clock, no choice.

One function per kind of event, found by the event's class; :func:`evolve` has no other ``if``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import evolve_runs
from .events import (
    ActivityMissing,
    EvaluationFailed,
    Event,
    ExecutionEnded,
    ExecutionPaused,
    ExecutionRedriven,
    ExecutionResumed,
    ExecutionStarted,
    Forked,
    FrameAborted,
    FrameClosed,
    FrameOpened,
    Halted,
    Joined,
    JoinFailed,
    RetryScheduled,
    SignalReceived,
    StateAmended,
    StateEntered,
    StateExited,
    TaskFailed,
    TaskOffered,
    TaskScheduled,
    TaskStarted,
    TaskSubmitted,
    TaskSucceeded,
    TimerFired,
    WaitStarted,
    Yielded,
)
from .execution import ROOT, RUNNING, Execution, Frame, Join, Pending, size_of
from .limits import REDRIVE_TOKENS_MAX
from .resources import signal_name


def evolve(execution: Execution, event: Event) -> None:
    """Change the execution by one event, in place."""
    execution.seq += 1
    FILE[event.__class__](execution, event)


def fold(events: Iterable[Event]) -> Execution:
    """The state that a log of events amounts to."""
    execution = Execution()
    for event in events:
        evolve(execution, event)
    execution.take_journal()
    return execution


def _execution_started(execution: Execution, event: ExecutionStarted) -> None:
    execution.id = event.execution
    execution.name = event.name
    execution.machine_name = event.machine_name
    execution.digest = event.digest
    execution.profile = event.profile
    execution.role = event.role
    execution.input = event.input
    execution.spelling = event.spelling
    execution.started_at = execution.now = event.started_at
    execution.ends_at = event.ends_at
    execution.shown = event.shown
    execution.frames[ROOT] = Frame(ROOT, None, 0, event.scope, event.input, 0)
    execution.next_frame = ROOT + 1


def _state_entered(execution: Execution, event: StateEntered) -> None:
    frame = execution.frames[event.frame]
    frame.state = event.state
    frame.kind = event.kind
    frame.input = event.input
    frame.entered_at = execution.now = event.at
    frame.entered = frame.last = execution.shown = event.shown
    frame.before = event.previous
    frame.attempt = 0
    frame.retries = None
    frame.run = None


def _state_exited(execution: Execution, event: StateExited) -> None:
    frame = execution.frames[event.frame]
    frame.input = event.output
    frame.state = None
    frame.next = event.next
    frame.join = None
    frame.last = execution.shown = event.shown
    if event.assigned:
        before = frame.variables
        frame.variables = {**before, **event.assigned} if before else dict(event.assigned)
        if execution.variable_bytes is not None:
            execution.variable_bytes += size_of(frame.variables) - size_of(before)


def _task_scheduled(execution: Execution, event: TaskScheduled) -> None:
    frame = execution.frames[event.frame]
    frame.last = execution.shown = event.shown
    frame.attempt = event.attempt
    # By position: so many keywords would take twice the time of all the rest.
    pending = Pending(
        execution.seq,
        "task",
        frame.id,
        None,
        False,
        None,
        None,
        event.resource,
        event.mode,
        event.arguments,
        event.credentials,
        event.timeout,
        event.heartbeat,
        event.token,
        event.attempt,
    )
    frame.pending = pending
    execution.open(pending)


def _activity_missing(execution: Execution, event: ActivityMissing) -> None:
    """Nothing was opened: the failure that follows says the rest."""


def _task_offered(execution: Execution, event: TaskOffered) -> None:
    pending = execution.pending[event.pending]
    execution.set_clocks(pending, event.due, pending.beat_due)


def _task_started(execution: Execution, event: TaskStarted) -> None:
    if event.shown:
        execution.frames[event.frame].last = execution.shown = event.shown
    pending = execution.pending[event.pending]
    pending.started = True
    pending.worker = event.worker
    if event.due is not None or event.beat_due is not None:
        beat_due = pending.beat_due
        if event.beat_due is not None:
            # Signs of life may have been heard before the beginning could be written.
            beat_due = max(event.beat_due, beat_due or 0)
        execution.set_clocks(pending, event.due, beat_due)
    else:
        pending.due = None


def _task_submitted(execution: Execution, event: TaskSubmitted) -> None:
    execution.frames[event.frame].last = execution.shown = event.shown
    execution.pending[event.pending].submitted = True


def _task_succeeded(execution: Execution, event: TaskSucceeded) -> None:
    pending = execution.pending[event.pending]
    if pending.mode == "signal":
        _take_signal(execution, signal_name(pending.resource or "") or "")
    frame = execution.frames[event.frame]
    frame.last = execution.shown = event.shown
    frame.pending = None
    execution.close(event.pending)


def _remember(execution: Execution, key: str) -> None:
    """A key counts once."""
    if isinstance(execution.keys, set):
        execution.keys.add(key)
    else:
        execution.keys = {key}


def _take_signal(execution: Execution, name: str) -> None:
    rest = execution.signals[name][1:]
    others = {other: kept for other, kept in execution.signals.items() if other != name}
    execution.signals = {**execution.signals, name: rest} if rest else others


def _task_failed(execution: Execution, event: TaskFailed) -> None:
    frame = execution.frames[event.frame]
    frame.last = execution.shown = event.shown
    _close(execution, frame)


def _signal_received(execution: Execution, event: SignalReceived) -> None:
    _remember(execution, event.key)
    kept = execution.signals.get(event.name, ())
    execution.signals = {**execution.signals, event.name: (*kept, event.output)}


def _state_amended(execution: Execution, event: StateAmended) -> None:
    frame = execution.frames[event.frame]
    if event.shown:
        frame.last = execution.shown = event.shown
    _close(execution, frame)


def _wait_started(execution: Execution, event: WaitStarted) -> None:
    frame = execution.frames[event.frame]
    _open(execution, frame, Pending(execution.seq, "timer", frame.id, event.due, event.absolute))


def _retry_scheduled(execution: Execution, event: RetryScheduled) -> None:
    frame = execution.frames[event.frame]
    frame.last = event.last
    frame.join = None
    retries = frame.retries or {}
    frame.retries = {**retries, event.retrier: retries.get(event.retrier, 0) + 1}
    _open(execution, frame, Pending(execution.seq, "retry", frame.id, event.due))


def _yielded(execution: Execution, event: Yielded) -> None:
    frame = execution.frames[event.frame]
    _open(execution, frame, Pending(execution.seq, "more", frame.id, event.due, state=event.state))


def _timer_fired(execution: Execution, event: TimerFired) -> None:
    _close(execution, execution.frames[event.frame])


def _forked(execution: Execution, event: Forked) -> None:
    frame = execution.frames[event.frame]
    frame.last = execution.shown = event.shown
    frame.run = None
    frame.join = Join(
        frame.kind or "", event.width, event.limit, event.scopes, event.items, [None] * event.width
    )


def _frame_opened(execution: Execution, event: FrameOpened) -> None:
    parent = execution.frames[event.frame]
    join = parent.join
    assert join is not None
    child = execution.next_frame
    execution.next_frame = child + 1
    if event.shown:
        execution.shown = event.shown
    execution.frames[child] = Frame(
        child, parent.id, event.index, join.scope(event.index), event.input, event.shown or parent.last
    )
    join.live[child] = None
    join.cursor = event.index + 1


def _frame_closed(execution: Execution, event: FrameClosed) -> None:
    frame = _remove(execution, event.frame)
    assert frame.parent is not None
    parent = execution.frames[frame.parent]
    join = parent.join
    assert join is not None
    if event.shown:
        execution.shown = event.shown
    parent.last = event.last
    del join.live[frame.id]
    join.results[frame.index] = event.output
    join.done += 1


def _frame_aborted(execution: Execution, event: FrameAborted) -> None:
    frame = _remove(execution, event.frame)
    _show(execution, event)
    _close(execution, frame)
    assert frame.parent is not None
    join = execution.frames[frame.parent].join
    if join is not None:
        del join.live[frame.id]


def _halted(execution: Execution, event: Halted) -> None:
    frame = execution.frames[event.frame]
    _show(execution, event)
    _close(execution, frame)
    frame.halted = True


def _joined(execution: Execution, event: Joined) -> None:
    execution.shown = event.shown
    execution.frames[event.frame].join = None


def _join_failed(execution: Execution, event: JoinFailed) -> None:
    execution.frames[event.frame].last = execution.shown = event.shown


def _evaluation_failed(execution: Execution, event: EvaluationFailed) -> None:
    execution.frames[event.frame].last = execution.shown = event.shown


def _execution_paused(execution: Execution, event: ExecutionPaused) -> None:
    _remember(execution, event.key)
    execution.paused = True
    execution.now = event.at


def _execution_resumed(execution: Execution, event: ExecutionResumed) -> None:
    _remember(execution, event.key)
    execution.paused = False
    execution.now = event.at


def _execution_ended(execution: Execution, event: ExecutionEnded) -> None:
    execution.status = event.status
    execution.paused = False
    execution.output = event.output
    execution.error = event.error
    execution.cause = event.cause
    execution.ended_at = execution.now = event.at
    execution.open_for += event.at - (execution.redriven_at or execution.started_at)
    execution.shown = event.shown


def _execution_redriven(execution: Execution, event: ExecutionRedriven) -> None:
    execution.status = RUNNING
    execution.error = execution.cause = execution.ended_at = None
    execution.ends_at = event.ends_at
    execution.redrive_count += 1
    execution.redriven_at = execution.now = event.at
    execution.shown = event.shown
    if event.token is not None:
        known = [known for known in execution.redrive_tokens.items() if known[0] != event.token]
        execution.redrive_tokens = dict([*known, (event.token, event.at)][-REDRIVE_TOKENS_MAX:])
    if execution.run is not None:
        execution.run.reopen()
    for frame in execution.frames.values():
        frame.halted = False
        frame.retries = None
        frame.attempt = 0
        frame.last = frame.before = event.shown


def _show(execution: Execution, event: FrameAborted | Halted) -> None:
    """Advance the shown history by as many ids as the event shows as."""
    if event.shown:
        execution.shown = event.shown + (event.iteration is not None and event.state is not None)


def _remove(execution: Execution, id: int) -> Frame:
    """A frame ends, and its variables with it."""
    frame = execution.frames.pop(id)
    if frame.variables and execution.variable_bytes is not None:
        execution.variable_bytes -= size_of(frame.variables)
    return frame


def _open(execution: Execution, frame: Frame, pending: Pending) -> None:
    frame.pending = pending
    execution.open(pending)


def _close(execution: Execution, frame: Frame) -> None:
    if frame.pending is not None:
        execution.close(frame.pending.id)
        frame.pending = None


#: How each kind of event is filed, by its class.
FILE: dict[type, Callable[[Execution, Any], None]] = {
    ExecutionStarted: _execution_started,
    StateEntered: _state_entered,
    StateExited: _state_exited,
    TaskScheduled: _task_scheduled,
    ActivityMissing: _activity_missing,
    TaskOffered: _task_offered,
    TaskStarted: _task_started,
    TaskSubmitted: _task_submitted,
    TaskSucceeded: _task_succeeded,
    TaskFailed: _task_failed,
    SignalReceived: _signal_received,
    StateAmended: _state_amended,
    WaitStarted: _wait_started,
    RetryScheduled: _retry_scheduled,
    Yielded: _yielded,
    TimerFired: _timer_fired,
    Forked: _forked,
    FrameOpened: _frame_opened,
    FrameClosed: _frame_closed,
    FrameAborted: _frame_aborted,
    Halted: _halted,
    Joined: _joined,
    JoinFailed: _join_failed,
    EvaluationFailed: _evaluation_failed,
    ExecutionPaused: _execution_paused,
    ExecutionResumed: _execution_resumed,
    ExecutionEnded: _execution_ended,
    ExecutionRedriven: _execution_redriven,
    **evolve_runs.FILE,
}
