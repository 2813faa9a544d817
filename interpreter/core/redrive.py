"""Redrive: an execution that failed, was stopped or ran out of time goes on where it stood (api, section 8).

When nobody handled the error its frames were halted and kept. Now the innermost ones are executed again with the
input they had, whatever succeeded beside them stays, and joins that are open are filled up. Owns the rules of
what may be redriven, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from . import joins, unwind
from .errors import DATA_LIMIT_EXCEEDED, StateFailure
from .events import ExecutionRedriven, FrameAborted
from .execution import ABORTED, FAILED, ROOT, RUNNING, TIMED_OUT, Execution, Frame
from .leaving import finish
from .limits import PROFILES, REDRIVE_TOKEN_SECONDS_MAX
from .machine import DistributedMap
from .map_runs import redrive_run
from .signals import Redriven
from .turn import Turn

_DAY = 24 * 60 * 60 * 1000
#: Types of state that are entered once more; the others only do their work again.
_ENTERED_AGAIN = frozenset({"Pass", "Choice", "Succeed", "Fail"})


class RedriveStatus(NamedTuple):
    """``status`` and ``reason`` as DescribeExecution shows them; no reason for what can be redriven."""

    status: str
    reason: str | None


def redrive_status(execution: Execution, now: int) -> RedriveStatus:
    """Whether an execution can be redriven at ``now``, in milliseconds (api, section 8)."""
    reason = refusal(execution, now)
    return RedriveStatus("REDRIVABLE" if reason is None else "NOT_REDRIVABLE", reason)


def refusal(execution: Execution, now: int) -> str | None:
    """Why an execution cannot be redriven at ``now``, in the service's words; None if it can."""
    limits = PROFILES[execution.profile]
    if limits.type == "EXPRESS":
        return "Execution is of type EXPRESS and cannot be redriven"
    if execution.status not in (FAILED, ABORTED, TIMED_OUT):
        return f"Execution is {execution.status} and cannot be redriven"
    ended_at = execution.ended_at or 0
    if limits.redrive_days is not None and now - ended_at > limits.redrive_days * _DAY:
        return "Execution redrivable period exceeded"
    if limits.history_events is not None and execution.shown >= limits.history_events - 1:
        return "Execution history event limit exceeded"
    if limits.execution_seconds is not None and execution.open_for >= limits.execution_seconds * 1000:
        return "Execution has exceeded the max execution time"
    return None


def token_instant(execution: Execution, token: str | None, now: int) -> int | None:
    """When a request with this token redrove the execution; None if none did, or it is long ago."""
    at = None if token is None else execution.redrive_tokens.get(token)
    return at if at is not None and now - at < REDRIVE_TOKEN_SECONDS_MAX * 1000 else None


def go_on(turn: Turn, signal: Redriven, execute: Callable[[Frame], None]) -> None:
    """Redrive, unless the rules or the request's token forbid it; ``execute`` does the work of a frame's state."""
    execution = turn.execution
    if refusal(execution, turn.now) is not None:
        return
    if token_instant(execution, signal.token, turn.now) is not None:
        return
    # Results that were too large together are no use: everything that led to them is done again.
    all_again = execution.error == DATA_LIMIT_EXCEEDED
    turn.show(
        ExecutionRedriven(
            signal.token, turn.now, turn.ends_at(), turn.execution.shown + 1, previous=execution.shown
        )
    )
    root = execution.frames[ROOT]
    if all_again and root.join is not None:
        _drop_below(turn, root)
        execute(root)
    else:
        _go_on(turn, root, execute)


def _go_on(turn: Turn, frame: Frame, execute: Callable[[Frame], None]) -> None:
    """Go on with a frame and everything below it; what another one's failure has ended meanwhile stays so."""
    if not _stands(turn, frame):
        return
    join = frame.join
    if frame.state is None:
        turn.ready.append((frame.id, frame.next or turn.machine.scopes[frame.scope].start))
    elif frame.kind in _ENTERED_AGAIN:
        turn.ready.append((frame.id, frame.state))
    elif isinstance(turn.state(frame), DistributedMap):
        _redrive_run(turn, frame, execute)
    elif join is None:
        execute(frame)
    else:
        for child in turn.execution.children(frame):
            _go_on(turn, child, execute)
        if _stands(turn, frame) and frame.join is join:
            _fill_up(turn, frame)


def _redrive_run(turn: Turn, frame: Frame, execute: Callable[[Frame], None]) -> None:
    """Have the Map Run that a frame waited for go on; a new one begins where none did, or it had succeeded."""
    if frame.join is None or frame.run is None:
        execute(frame)
    else:
        run = frame.run
        unwind.guarded(turn, frame, lambda: redrive_run(turn, frame, run))


def _stands(turn: Turn, frame: Frame) -> bool:
    execution = turn.execution
    return execution.status == RUNNING and execution.frames.get(frame.id) is frame and not frame.halted


def _fill_up(turn: Turn, frame: Frame) -> None:
    try:
        result = joins.further(turn, frame, frame.last)
        if result is not None:
            finish(turn, frame, result)
    except StateFailure as failure:
        unwind.fail(turn, frame, failure)


def _drop_below(turn: Turn, frame: Frame) -> None:
    """Forget the branches or iterations of a frame; the history has shown their ends."""
    for child in turn.execution.children(frame):
        _drop_below(turn, child)
        turn.emit(FrameAborted(child.id, None, None, 0, 0))
