"""The state that starts a Map Run and waits for it: a Map whose items are executions of their own."""

from __future__ import annotations

from .bindings import Bindings, Evaluate
from .errors import RUNTIME, TASK_FAILED, StateFailure
from .events import Forked, Joined
from .execution import SUCCEEDED, Execution, Frame, Pending, RunOf
from .leaving import finish
from .limits import REDRIVES_OF_RUN_MAX
from .machine import DistributedMap
from .run_events import MapRunEnded, MapRunRedriven, MapRunStarted
from .runs import machine_label, run_arn
from .signals import ChildEnded, StartedRun
from .turn import Turn, written
from .values import JSON, Payload


def start_run(turn: Turn, frame: Frame, state: DistributedMap) -> None:
    """Start a Map Run with what the state's fields say. Raises StateFailure."""
    bindings = turn.bindings(frame)
    concurrency = _value(state.concurrency, bindings) or 0
    items = _value(state.items, bindings)
    width = 0 if items is None else len(items)
    turn.show(Forked(frame.id, width, 0, (state.body.path,), None, turn.execution.shown + 1, frame.last))
    told: dict[str, JSON] = {
        "concurrency": concurrency,
        "toleratedCount": _value(state.tolerated_count, bindings),
        "toleratedPercentage": _value(state.tolerated_percentage, bindings),
        "express": state.express,
    }
    for name, field in (("reader", state.reader), ("batcher", state.batcher), ("writer", state.writer)):
        if field is not None:
            told[name] = _value(field, bindings)
    if items is not None:
        told["items"] = items
    if state.selector is not None:
        told["context"] = bindings.context
        told["variables"] = dict(bindings.variables)
    run = run_arn(turn.execution.machine_name, state.label, turn.execution.id, turn.execution.seq + 1)
    turn.show(MapRunStarted(frame.id, run, written(told), turn.execution.shown + 1, frame.last))


def start_of_run(execution: Execution, pending: Pending, label: str) -> StartedRun:
    """The first signal of the Map Run that a pending waits for; ``label`` is its state's."""
    assert pending.child is not None
    assert pending.arguments is not None
    frame = execution.frames[pending.frame]
    selects = "context" in pending.arguments.value
    return StartedRun(
        pending.child,
        pending.child.rpartition(":")[2],
        machine_label(execution.machine_name, label),
        execution.digest,
        execution.profile,
        execution.role,
        frame.scope,
        frame.state or "",
        frame.entered,
        Payload(text=frame.input.text) if selects else Payload(None),
        Payload(text=pending.arguments.text),
    )


def redrive_run(turn: Turn, frame: Frame, run: RunOf) -> None:
    """Have the Map Run that failed a state go on. Raises StateFailure if it has done so as often as it may."""
    if run.redrives >= REDRIVES_OF_RUN_MAX:
        raise StateFailure(
            RUNTIME, f"The Map Run has been redriven {run.redrives} times, which is as often as it may be."
        )
    turn.show(
        MapRunRedriven(frame.id, run.pending, run.arn, run.redrives + 1, turn.execution.shown + 1, frame.last)
    )


def end_run(turn: Turn, frame: Frame, pending: Pending, signal: ChildEnded) -> None:
    """The Map Run has ended: leave the state with its results. Raises StateFailure if it did not succeed."""
    description = signal.description.value
    status, error, cause = description["Status"], description.get("Error"), description.get("Cause")
    turn.show(MapRunEnded(frame.id, pending.id, status, error, cause, turn.execution.shown + 1, frame.last))
    if status != SUCCEEDED:
        failure = StateFailure(error or TASK_FAILED, cause, prefixed=False)
        failure.of_run = True
        raise failure
    turn.show(Joined(frame.id, turn.execution.shown + 1, turn.execution.shown))
    finish(turn, frame, Payload(description["Output"]))


def _value(field: Evaluate | None, bindings: Bindings) -> JSON:
    return None if field is None else field(bindings.input, bindings)
