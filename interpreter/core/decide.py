"""Decide: a signal comes in, events come out.

Here a state is entered, executed and left; joins and unwinding have modules of their own. Everything
that evaluates, draws or reads the time happens on this side and is recorded by its result; ``evolve``
only files it.

The public function is :func:`advance`, which changes the execution in place, and :func:`transition`,
which leaves it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from . import decide_runs, joins, redrive, unwind
from .bindings import Bindings, Evaluate
from .children import outcome_of_child
from .errors import HEARTBEAT_TIMEOUT, RUNTIME, TASK_FAILED, TIMEOUT, StateFailure
from .evaluation import Evaluator
from .events import (
    Event,
    ExecutionPaused,
    ExecutionResumed,
    ExecutionStarted,
    SignalReceived,
    StateAmended,
    StateEntered,
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
from .execution import ABORTED, FAILED, RUNNING, TIMED_OUT, Execution, Frame, Pending
from .leaving import finish, leave, leave_with
from .machine import Choice, DistributedMap, Fail, Machine, Map, Parallel, Pass, Succeed, Task, Wait
from .map_runs import end_run, start_run
from .resources import bad_parameter, producer, signal_name
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
from .tokens import hash_token
from .turn import HistoryFull, Turn, too_large
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
) -> list[Event]:
    """Decide a signal and fold the events into ``execution``; no events if it answers nothing.

    ``now`` is milliseconds since the epoch, ``seed`` the only source of chance: the same arguments decide
    the same events. ``context`` is shown in place of the execution's own context object. Raises what
    ``evaluator`` raises to break off; ``execution`` is then of no more use.
    """
    profile = signal.profile if isinstance(signal, STARTS) else execution.profile
    turn = Turn(machine, execution, now, seed, profile, evaluator, context)
    # The first signal is a start, no later one is; what has ended receives nothing but a redrive.
    ended = execution.status != RUNNING
    if isinstance(signal, STARTS) != (execution.seq == 0):
        return turn.events
    if execution.run is not None or isinstance(signal, StartedRun):
        decide_runs.receive(turn, signal)
    elif isinstance(signal, Redriven) == ended:
        try:
            _RECEIVE[signal.__class__](turn, signal)
            _run(turn)
        except HistoryFull:
            unwind.end_by_full_history(turn)
    return turn.events


# Signals


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


def _task(turn: Turn, id: int | None) -> tuple[Pending, Frame] | None:
    """The task a signal answers, if it still waits."""
    pending = turn.execution.pending.get(id) if id is not None else None
    if pending is None or pending.kind != "task":
        return None
    return pending, turn.execution.frames[pending.frame]


def _called(turn: Turn, id: int) -> tuple[Pending, Frame] | None:
    """The task a signal answers, if it still waits for who works on it."""
    found = _task(turn, id)
    return None if found is None or found[0].mode == "signal" else found


def _began(turn: Turn, signal: Began) -> None:
    found = _called(turn, signal.pending)
    if found is None:
        return
    pending, frame = found
    # Somebody else at work on a started call: who began it has died, and its time begins anew.
    if not pending.started or (pending.mode == "request" and pending.worker != signal.worker):
        _begin(turn, pending, frame, signal.worker)


def _begin(turn: Turn, pending: Pending, frame: Frame, worker: str | None) -> None:
    """The history shows the first beginning of an attempt only."""
    due = None if pending.timeout is None else turn.now + pending.timeout * 1000
    beat_due = None if pending.heartbeat is None else turn.now + pending.heartbeat * 1000
    shown, previous = (0, 0) if pending.started else (turn.show(), frame.last)
    turn.emit(TaskStarted(frame.id, pending.id, worker, due, beat_due, shown, previous))


def _submitted(turn: Turn, signal: Submitted) -> None:
    found = _called(turn, signal.pending)
    if found is not None and not found[0].submitted:
        pending, frame = found
        if not pending.started:
            _begin(turn, pending, frame, None)
        turn.emit(TaskSubmitted(frame.id, pending.id, signal.output, turn.show(), frame.last))


def _succeeded(turn: Turn, signal: Succeeded) -> None:
    found = _called(turn, signal.pending)
    if found is not None:
        pending, frame = found
        if not pending.started:
            _begin(turn, pending, frame, None)
        _succeed_task(turn, pending, frame, signal.output)


def _succeed_task(turn: Turn, pending: Pending, frame: Frame, output: Payload) -> None:
    if len(output.text) > turn.limits.payload_bytes:
        failure = too_large(producer(pending.resource or ""))
        _fail_task(turn, pending, frame, failure.error, failure.cause)
        return
    turn.emit(TaskSucceeded(frame.id, pending.id, output, turn.show(), frame.last))
    try:
        finish(turn, frame, output)
    except StateFailure as failure:
        unwind.fail(turn, frame, failure)


def _failed(turn: Turn, signal: Failed) -> None:
    found = _called(turn, signal.pending)
    if found is not None:
        pending, frame = found
        if not pending.started:
            _begin(turn, pending, frame, None)
        _fail_task(turn, pending, frame, signal.error, signal.cause)


def _fail_task(turn: Turn, pending: Pending, frame: Frame, error: str | None, cause: str | None) -> None:
    error, cause = unwind.within_limits(error, cause)
    turn.emit(TaskFailed(frame.id, pending.id, error, cause, None, turn.show(), frame.last))
    unwind.fail(turn, frame, StateFailure(error, cause, prefixed=False))


def _child_ended(turn: Turn, signal: ChildEnded) -> None:
    run = turn.execution.pending.get(signal.pending)
    if run is not None and run.kind == "child":
        frame = turn.execution.frames[run.frame]
        if signal.description.value.get("RedriveCount", 0) >= run.redrives:
            _guarded(turn, frame, lambda: end_run(turn, frame, run, signal))
        return
    found = _task(turn, signal.pending)
    if found is None or found[0].mode != "sync":
        return
    pending, frame = found
    if not pending.started:
        _begin(turn, pending, frame, None)
    output, cause = outcome_of_child(signal.description.value, pending.resource or "")
    if output is not None:
        _succeed_task(turn, pending, frame, output)
    else:
        _fail_task(turn, pending, frame, TASK_FAILED, cause)


def _timed_out(turn: Turn, signal: TimedOut) -> None:
    if signal.pending is None:
        ends_at = turn.execution.ends_at
        if ends_at is not None and turn.now >= ends_at:
            unwind.end_from_outside(turn, TIMED_OUT, TIMEOUT, None)
        return
    found = _task(turn, signal.pending)
    if found is None:
        return
    pending, frame = found
    deadline = pending.beat_due if signal.heartbeat else pending.due
    if deadline is None or turn.now < deadline:
        return
    clock = "heartbeat" if signal.heartbeat else "task"
    # The history calls both States.Timeout; only matching knows a missed heartbeat by its own name.
    turn.emit(TaskFailed(frame.id, pending.id, TIMEOUT, None, clock, turn.show(), frame.last))
    name = HEARTBEAT_TIMEOUT if signal.heartbeat else TIMEOUT
    unwind.fail(turn, frame, StateFailure(name, None, prefixed=False))


def _fired(turn: Turn, signal: Fired) -> None:
    pending = turn.execution.pending.get(signal.pending)
    if pending is None or pending.kind in ("task", "child") or turn.execution.holds(pending):
        return
    _fire(turn, pending)


def _fire(turn: Turn, pending: Pending) -> None:
    # Never early: a timer that is asked to fire before its instant goes on waiting.
    if pending.due is not None and turn.now < pending.due:
        return
    frame = turn.execution.frames[pending.frame]
    turn.emit(TimerFired(frame.id, pending.id))
    if pending.state is not None:
        turn.ready.append((frame.id, pending.state))
    elif pending.kind == "retry":
        _guarded(turn, frame, lambda: _execute(turn, frame))
    else:
        _guarded(turn, frame, lambda: _finish_wait(turn, frame))


def _stopped(turn: Turn, signal: Stopped) -> None:
    unwind.end_from_outside(turn, ABORTED, *unwind.within_limits(signal.error, signal.cause))


def _withdrawn(turn: Turn, signal: Withdrawn) -> None:
    if turn.execution.redrive_count <= signal.redrives:
        unwind.end_from_outside(turn, ABORTED, None, None)


def _quarantined(turn: Turn, signal: Quarantined) -> None:
    unwind.end_from_outside(turn, FAILED, *unwind.within_limits(signal.error, signal.cause))


def _redriven(turn: Turn, signal: Redriven) -> None:
    redrive.go_on(turn, signal, lambda frame: _guarded(turn, frame, lambda: _execute(turn, frame)))


def _signalled(turn: Turn, signal: Signalled) -> None:
    execution = turn.execution
    if signal.key in execution.keys or _is_too_large(turn, signal.output):
        return
    turn.emit(SignalReceived(signal.key, signal.name, signal.output))
    for pending in execution.pending.values():
        if pending.mode == "signal" and signal_name(pending.resource or "") == signal.name:
            _take_signal(turn, pending, execution.frames[pending.frame])
            return


def _is_too_large(turn: Turn, output: Payload) -> bool:
    """Who sends it is told so; what comes in all the same changes nothing."""
    return len(output.text) > turn.limits.payload_bytes


def _take_signal(turn: Turn, pending: Pending, frame: Frame) -> None:
    """Answer a task with the oldest signal of the name that it waits for, if one is here."""
    kept = turn.execution.signals.get(signal_name(pending.resource or "") or "")
    if kept:
        _succeed_task(turn, pending, frame, kept[0])


def _paused(turn: Turn, signal: Paused) -> None:
    # Recorded even if it changes nothing: the same key must not count later on.
    if signal.key not in turn.execution.keys:
        turn.emit(ExecutionPaused(signal.key, turn.now))


def _resumed(turn: Turn, signal: Resumed) -> None:
    execution = turn.execution
    if signal.key in execution.keys:
        return
    held = [pending for pending in execution.pending.values() if execution.holds(pending)]
    turn.emit(ExecutionResumed(signal.key, turn.now))
    for pending in held:
        # What has failed meanwhile may have taken others with it.
        if pending.id in execution.pending:
            _fire(turn, pending)


def _amended(turn: Turn, signal: Amended) -> None:
    pending = turn.execution.pending.get(signal.pending)
    # A Map Run has children at work, and ends with them.
    if pending is None or pending.kind in ("more", "child") or _is_too_large(turn, signal.output):
        return
    frame = turn.execution.frames[pending.frame]
    if pending.kind == "task" and not pending.started:
        _begin(turn, pending, frame, None)
    shown, previous = (turn.show(), frame.last) if pending.kind == "task" else (0, 0)
    turn.emit(StateAmended(frame.id, pending.id, signal.output, shown, previous))
    _guarded(turn, frame, lambda: finish(turn, frame, signal.output))


_RECEIVE: dict[type, Callable[[Turn, Any], None]] = {
    Started: _started,
    StartedChild: _started_child,
    Began: _began,
    Submitted: _submitted,
    Succeeded: _succeeded,
    Failed: _failed,
    ChildEnded: _child_ended,
    TimedOut: _timed_out,
    Fired: _fired,
    Stopped: _stopped,
    Withdrawn: _withdrawn,
    Redriven: _redriven,
    Signalled: _signalled,
    Paused: _paused,
    Resumed: _resumed,
    Amended: _amended,
    Quarantined: _quarantined,
}


# States


def _run(turn: Turn) -> None:
    """Move every ready frame on until all wait.

    A turn that enters too many states leaves the rest to another, a paused execution to when it is resumed.
    """
    frames = turn.execution.frames
    while turn.closing or turn.ready:
        if turn.closing:
            id, output = turn.closing.popleft()
            _close(turn, frames[id], output)
            continue
        id, state = turn.ready.popleft()
        frame = frames.get(id)
        if frame is None or frame.halted or turn.execution.status != RUNNING:
            continue
        if turn.execution.paused or turn.steps >= turn.limits.steps_per_turn:
            turn.emit(Yielded(id, state, turn.now))
            continue
        turn.steps += 1
        _enter(turn, frame, state)


def _close(turn: Turn, frame: Frame, output: Payload) -> None:
    assert frame.parent is not None
    parent = turn.execution.frames[frame.parent]
    try:
        result = joins.close(turn, frame, output)
        if result is not None:
            finish(turn, parent, result)
    except StateFailure as failure:
        unwind.fail(turn, parent, failure)


def _enter(turn: Turn, frame: Frame, name: str) -> None:
    state = turn.machine.scopes[frame.scope].states[name]
    turn.emit(StateEntered(frame.id, name, state.kind, frame.input, turn.now, turn.show(), frame.last))
    try:
        _EXECUTE[state.__class__](turn, frame, state)
    except StateFailure as failure:
        unwind.fail(turn, frame, failure)


def _execute(turn: Turn, frame: Frame) -> None:
    state = turn.state(frame)
    _EXECUTE[state.__class__](turn, frame, state)


def _guarded(turn: Turn, frame: Frame, action: Callable[[], None]) -> None:
    """Do something for a frame's state; what fails fails that state."""
    try:
        action()
    except StateFailure as failure:
        unwind.fail(turn, frame, failure)


def _pass(turn: Turn, frame: Frame, state: Pass) -> None:
    if state.flow is None:
        leave(turn, frame, state.next, frame.input, None)
        return
    bindings = turn.bindings(frame)
    bindings.result = state.flow.arguments(bindings)
    output, assigned = state.flow.finish(bindings)
    leave_with(turn, frame, state.next, output, assigned, frame.input)


def _succeed(turn: Turn, frame: Frame, state: Succeed) -> None:
    output: JSON = frame.input.value
    assigned: Mapping[str, JSON] | None = None
    if state.flow is not None:
        bindings = turn.bindings(frame)
        bindings.result = state.flow.arguments(bindings)
        output, assigned = state.flow.finish(bindings)
    leave_with(turn, frame, None, output, assigned, frame.input)


def _fail(turn: Turn, frame: Frame, state: Fail) -> None:
    bindings = turn.bindings(frame)
    error = None if state.error is None else _text(state.error(bindings.input, bindings))
    cause = None if state.cause is None else _text(state.cause(bindings.input, bindings))
    error, cause = unwind.within_limits(error, cause)
    raise StateFailure(error, cause, prefixed=False)


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else Payload(value).text.decode()


def _wait(turn: Turn, frame: Frame, state: Wait) -> None:
    bindings = turn.bindings(frame)
    document = bindings.input if state.flow is None else state.flow.arguments(bindings)
    due, absolute = state.until(document, bindings, turn.now)
    turn.emit(WaitStarted(frame.id, due, absolute))


def _finish_wait(turn: Turn, frame: Frame) -> None:
    state = turn.state(frame)
    if state.flow is None:
        leave(turn, frame, state.next, frame.input, None)
        return
    bindings = turn.bindings(frame)
    bindings.result = state.flow.arguments(bindings)
    output, assigned = state.flow.finish(bindings)
    leave_with(turn, frame, state.next, output, assigned, frame.input)


def _choice(turn: Turn, frame: Frame, state: Choice) -> None:
    bindings = turn.bindings(frame)
    document = bindings.input if state.flow is None else state.flow.arguments(bindings)
    next, flow = state.next, state.flow
    for rule in state.rules:
        if rule.test(document, bindings):
            next, flow = rule.next, rule.flow
            break
    if next is None:
        raise StateFailure(
            RUNTIME, "Failed to transition out of the state. The state does not point to a next state."
        )
    if flow is None:
        leave(turn, frame, next, frame.input, None)
        return
    bindings.result = document
    output, assigned = flow.finish(bindings)
    leave_with(turn, frame, next, output, assigned, frame.input)


def _schedule(turn: Turn, frame: Frame, state: Task) -> None:
    token = turn.token() if state.mode not in ("request", "signal") else None
    arguments, credentials, timeout, heartbeat = _call(turn, frame, state, token)
    turn.emit(
        TaskScheduled(
            frame.id,
            state.resource,
            state.mode,
            arguments,
            timeout,
            heartbeat,
            credentials,
            None if token is None else hash_token(token),
            frame.attempt + 1,
            turn.show(),
            frame.last,
        )
    )
    if state.mode == "activity" and timeout is not None and turn.limits.activity_times_out_untaken:
        turn.emit(TaskOffered(frame.id, turn.execution.seq, turn.now + timeout * 1000))
    if state.mode == "signal":
        pending = turn.execution.pending[turn.execution.seq]
        # Nobody has to take it: its time runs from now on.
        _begin(turn, pending, frame, None)
        _take_signal(turn, pending, frame)


def _call(
    turn: Turn, frame: Frame, state: Task, token: str | None
) -> tuple[Payload, Payload | None, int | None, int | None]:
    """The arguments of a task, its credentials, and its allowances."""
    if state.flow is None and state.timeout is None and state.heartbeat is None and state.credentials is None:
        return frame.input, None, None, None
    # An activity's worker gets the token with the task; expressions do not see it.
    bindings = turn.bindings(frame, token=None if state.mode == "activity" else token)
    arguments = bindings.input if state.flow is None else state.flow.arguments(bindings)
    payload = turn.payload(arguments, frame, frame.input)
    refused = bad_parameter(state.resource, arguments)
    if refused is not None:
        raise StateFailure(
            RUNTIME,
            f"The Parameters '{payload.text.decode()}' could not be used to start the Task: "
            f"[The value of the field '{refused}' has an invalid format]",
        )
    credentials = None if state.credentials is None else Payload(state.credentials(bindings.input, bindings))
    timeout = _seconds(state.timeout, bindings)
    heartbeat = _seconds(state.heartbeat, bindings)
    return payload, credentials, timeout, heartbeat


def _seconds(evaluate: Evaluate | None, bindings: Bindings) -> int | None:
    if evaluate is None:
        return None
    seconds: int = evaluate(bindings.input, bindings)
    return seconds


def _map(turn: Turn, frame: Frame, state: Map) -> None:
    try:
        result = joins.fork_items(turn, frame, state)
    except StateFailure as failure:
        failure.unstarted = frame.join is None
        raise
    if result is not None:
        finish(turn, frame, result)


def _distributed_map(turn: Turn, frame: Frame, state: DistributedMap) -> None:
    try:
        start_run(turn, frame, state)
    except StateFailure as failure:
        failure.unstarted = frame.join is None
        raise


_EXECUTE: dict[type, Callable[[Turn, Frame, Any], None]] = {
    Pass: _pass,
    Task: _schedule,
    Choice: _choice,
    Wait: _wait,
    Succeed: _succeed,
    Fail: _fail,
    Parallel: joins.fork_branches,
    Map: _map,
    DistributedMap: _distributed_map,
}
