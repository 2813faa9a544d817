"""States are entered and executed here; joins, tasks and unwinding have modules of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import joins, tasks, unwind
from .errors import RUNTIME, StateFailure
from .events import (
    StateEntered,
    TimerFired,
    WaitStarted,
)
from .execution import Frame, Pending
from .leaving import finish, leave, leave_with
from .machine import Choice, DistributedMap, Fail, Map, Parallel, Pass, Succeed, Task, Wait
from .map_runs import start_run
from .signals import (
    Fired,
)
from .turn import Turn
from .values import JSON, Payload


def enter(turn: Turn, frame: Frame, name: str) -> None:
    state = turn.machine.scopes[frame.scope].states[name]
    turn.show(
        StateEntered(frame.id, name, state.kind, frame.input, turn.now, turn.execution.shown + 1, frame.last)
    )
    try:
        _EXECUTE[state.__class__](turn, frame, state)
    except StateFailure as failure:
        unwind.fail(turn, frame, failure)


def execute(turn: Turn, frame: Frame) -> None:
    state = turn.state(frame)
    _EXECUTE[state.__class__](turn, frame, state)


def _pass(turn: Turn, frame: Frame, state: Pass) -> None:
    if state.flow is None:
        leave(turn, frame, state.next, frame.input, None)
        return
    bindings = turn.bindings(frame)
    bindings.result = state.flow.arguments(bindings)
    output, assigned = state.flow.finish(bindings)
    leave_with(turn, frame, state.next, output, assigned, frame.input)


def _succeed(turn: Turn, frame: Frame, state: Succeed) -> None:
    if state.flow is None:
        leave(turn, frame, None, frame.input, None)
        return
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


def fired(turn: Turn, signal: Fired) -> None:
    pending = turn.execution.pending.get(signal.pending)
    if pending is None or pending.kind in ("task", "child") or turn.execution.holds(pending):
        return
    fire(turn, pending)


def fire(turn: Turn, pending: Pending) -> None:
    # Never early: a timer that is asked to fire before its instant goes on waiting.
    if pending.due is not None and turn.now < pending.due:
        return
    frame = turn.execution.frames[pending.frame]
    turn.emit(TimerFired(frame.id, pending.id))
    if pending.state is not None:
        turn.ready.append((frame.id, pending.state))
    elif pending.kind == "retry":
        unwind.guarded(turn, frame, lambda: execute(turn, frame))
    else:
        unwind.guarded(turn, frame, lambda: _finish_wait(turn, frame))


_EXECUTE: dict[type, Callable[[Turn, Frame, Any], None]] = {
    Pass: _pass,
    Task: tasks.schedule,
    Choice: _choice,
    Wait: _wait,
    Succeed: _succeed,
    Fail: _fail,
    Parallel: joins.fork_branches,
    Map: _map,
    DistributedMap: _distributed_map,
}
