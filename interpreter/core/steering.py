"""An execution steered from outside: stopped, redriven, paused and resumed, signalled, given a value."""

from __future__ import annotations

from . import redrive, states, tasks, unwind
from .events import (
    ExecutionPaused,
    ExecutionResumed,
    SignalReceived,
    StateAmended,
)
from .execution import ABORTED, FAILED
from .leaving import finish
from .resources import signal_name
from .signals import (
    Amended,
    Paused,
    Quarantined,
    Redriven,
    Resumed,
    Signalled,
    Stopped,
    Withdrawn,
)
from .turn import Turn


def stopped(turn: Turn, signal: Stopped) -> None:
    unwind.end_from_outside(turn, ABORTED, *unwind.within_limits(signal.error, signal.cause))


def withdrawn(turn: Turn, signal: Withdrawn) -> None:
    if turn.execution.redrive_count <= signal.redrives:
        unwind.end_from_outside(turn, ABORTED, None, None)


def quarantined(turn: Turn, signal: Quarantined) -> None:
    unwind.end_from_outside(turn, FAILED, *unwind.within_limits(signal.error, signal.cause))


def redriven(turn: Turn, signal: Redriven) -> None:
    redrive.go_on(
        turn, signal, lambda frame: unwind.guarded(turn, frame, lambda: states.execute(turn, frame))
    )


def signalled(turn: Turn, signal: Signalled) -> None:
    execution = turn.execution
    if signal.key in execution.keys or tasks.is_too_large(turn, signal.output):
        return
    turn.emit(SignalReceived(signal.key, signal.name, signal.output))
    for pending in execution.pending.values():
        if pending.mode == "signal" and signal_name(pending.resource or "") == signal.name:
            tasks.take_signal(turn, pending, execution.frames[pending.frame])
            return


def paused(turn: Turn, signal: Paused) -> None:
    # Recorded even if it changes nothing: the same key must not count later on.
    if signal.key not in turn.execution.keys:
        turn.emit(ExecutionPaused(signal.key, turn.now))


def resumed(turn: Turn, signal: Resumed) -> None:
    execution = turn.execution
    if signal.key in execution.keys:
        return
    held = [pending for pending in execution.pending.values() if execution.holds(pending)]
    turn.emit(ExecutionResumed(signal.key, turn.now))
    for pending in held:
        # What has failed meanwhile may have taken others with it.
        if pending.id in execution.pending:
            states.fire(turn, pending)


def amended(turn: Turn, signal: Amended) -> None:
    pending = turn.execution.pending.get(signal.pending)
    # A Map Run has children at work, and ends with them.
    if pending is None or pending.kind in ("more", "child") or tasks.is_too_large(turn, signal.output):
        return
    frame = turn.execution.frames[pending.frame]
    if pending.kind == "task" and not pending.started:
        tasks.begin(turn, pending, frame, None)
    if pending.kind == "task":
        shown = turn.execution.shown + 1
        turn.show(StateAmended(frame.id, pending.id, signal.output, shown, frame.last))
    else:
        turn.emit(StateAmended(frame.id, pending.id, signal.output, 0, 0))
    unwind.guarded(turn, frame, lambda: finish(turn, frame, signal.output))
