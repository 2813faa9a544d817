"""Decide a Map Run: which children are opened, when it has failed, what it asks to be read and gathered.

A run opens children while it has items and room, reads ahead a bounded number of items, and ends when every
item is in a child and every child has ended. When too many have failed, or somebody stops it, it is *closing*:
it opens nothing more and its children are stopped, but it still hears of their ends before it ends itself.
So what it says of them is true. While it is *paused* it opens, reads and gathers nothing, and counts those that end.

What the run is told by the state that starts it is one object: ``concurrency``, ``toleratedCount``,
``toleratedPercentage``, ``express``; ``items`` or ``reader``; ``batcher`` and ``writer`` where the state has
them; ``context`` and ``variables`` where an ItemSelector reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from .bindings import Bindings, Given
from .errors import EXCEED_TOLERATED_FAILURE_THRESHOLD, StateFailure
from .events import (
    ExecutionEnded,
    ExecutionPaused,
    ExecutionRedriven,
    ExecutionResumed,
    Halted,
    TaskFailed,
    TaskScheduled,
)
from .execution import ABORTED, FAILED, ROOT, RUNNING, SUCCEEDED, Execution, Pending
from .limits import REDRIVES_OF_RUN_MAX, profile_for
from .machine import DistributedMap
from .run_events import (
    ChildClosed,
    ChildOpened,
    ChildReopened,
    ItemsRead,
    ResultsGathered,
    RunBegan,
    RunClosing,
    RunRedriveNoted,
    RunResumed,
    RunUpdated,
    RunYielded,
)
from .runs import GATHERING, READING, Item, MapRun, child_arn, child_name
from .signals import (
    Began,
    ChildEnded,
    Failed,
    Fired,
    Paused,
    Redriven,
    Resumed,
    Signal,
    StartedChild,
    StartedRun,
    Stopped,
    Succeeded,
    UpdatedRun,
    Withdrawn,
)
from .turn import Turn, written
from .unwind import explain, within_limits
from .values import JSON, Payload

#: Items that are read at once, and how few may be left before more are read.
PAGE_ITEMS = 500
_EXCEEDED = "The specified tolerated failure threshold was exceeded"


def start_of_child(execution: Execution, pending: Pending, scope: str) -> StartedChild:
    """The first signal of a Map Run's child; ``scope`` is that of the Map's body."""
    assert execution.run is not None
    assert pending.child is not None
    assert pending.arguments is not None
    return StartedChild(
        pending.child,
        name_of_child(pending.child, express=execution.run.express),
        execution.machine_name,
        execution.digest,
        profile_for(execution.profile, "EXPRESS" if execution.run.express else "STANDARD"),
        execution.role,
        Payload(text=pending.arguments.text),
        scope,
        execution.id,
        pending.id,
        pending.count,
    )


def name_of_child(arn: str, *, express: bool) -> str:
    """The name that a child's ARN ends with."""
    return arn.split(":")[-2 if express else -1]


def describe_run_end(execution: Execution) -> JSON:
    """How a Map Run has ended, as it tells the state that waits for it. What it does not have is absent."""
    members = {
        "Status": execution.status,
        "Error": execution.error,
        "Cause": execution.cause,
        "RedriveCount": execution.redrive_count or None,
        "Output": None if execution.output is None else execution.output.value,
    }
    return {name: value for name, value in members.items() if value is not None or name == "Output"}


# Signals


def _started(turn: Turn, signal: StartedRun) -> None:
    told: Mapping[str, Any] = signal.arguments.value
    items = told.get("items")
    settings = {name: value for name, value in told.items() if name != "items"}
    turn.emit(
        RunBegan(
            signal.execution,
            signal.name,
            signal.machine_name,
            signal.digest,
            signal.profile,
            signal.role,
            signal.scope,
            signal.state,
            signal.entered,
            signal.input,
            None if items is None else Payload(items),
            None if items is None else len(items),
            told["express"],
            Payload(settings),
            told["concurrency"],
            told["toleratedCount"],
            told["toleratedPercentage"],
            turn.now,
        )
    )
    _go_on(turn)


def _succeeded(turn: Turn, signal: Succeeded) -> None:
    pending = turn.execution.pending.get(signal.pending)
    answer: Mapping[str, Any] = signal.output.value
    if pending is None or pending.kind != "task":
        return
    if pending.resource == READING:
        first = _run(turn).read
        items = {str(first + place): Payload(item) for place, item in enumerate(answer["items"])}
        cursor = None if answer["cursor"] is None else Payload(answer["cursor"])
        turn.emit(ItemsRead(pending.id, items, tuple(answer.get("keys", ())), cursor, answer["source"]))
    else:
        turn.emit(ResultsGathered(pending.id, Payload(answer["output"]), answer["written"]))
    _go_on(turn)


def _failed(turn: Turn, signal: Failed) -> None:
    pending = turn.execution.pending.get(signal.pending)
    if pending is None or pending.kind != "task":
        return
    error, cause = within_limits(signal.error, signal.cause)
    turn.emit(TaskFailed(ROOT, pending.id, error, cause, None, 0, 0))
    closing = _run(turn).closing
    if pending.resource == GATHERING:
        # A run that has failed before has failed for its first reason.
        _end(turn, *(closing or (FAILED, error, cause)))
    elif closing is None:
        _close(turn, FAILED, error, cause)
    else:
        _go_on(turn)


def _child_ended(turn: Turn, signal: ChildEnded) -> None:
    pending = turn.execution.pending.get(signal.pending)
    if pending is None or pending.kind != "child":
        return
    description = signal.description.value
    redrives = description.get("RedriveCount", 0)
    if redrives >= pending.redrives:  # an end before the redrive may be told of late
        turn.emit(ChildClosed(pending.id, description["Status"], redrives))
        _go_on(turn)


def _updated(turn: Turn, signal: UpdatedRun) -> None:
    run = _run(turn)
    if run.closing is None:
        count, share = signal.tolerated_count, signal.tolerated_percentage
        turn.emit(
            RunUpdated(
                run.concurrency if signal.concurrency is None else signal.concurrency,
                run.tolerated_count if count is None else count,
                run.tolerated_percentage if share is None else share,
            )
        )
        _go_on(turn)


def _fired(turn: Turn, signal: Fired) -> None:
    pending = turn.execution.pending.get(signal.pending)
    if pending is not None and pending.kind == "more" and not turn.execution.paused:
        turn.emit(RunResumed(pending.id))
        _go_on(turn)


def _paused(turn: Turn, signal: Paused) -> None:
    if signal.key not in turn.execution.keys:
        turn.emit(ExecutionPaused(signal.key, turn.now))


def _resumed(turn: Turn, signal: Resumed) -> None:
    if signal.key not in turn.execution.keys:
        turn.emit(ExecutionResumed(signal.key, turn.now))
        _go_on(turn)


def _stopped(turn: Turn, signal: Stopped) -> None:
    if _run(turn).closing is None:
        _close(turn, ABORTED, *within_limits(signal.error, signal.cause))


def _began(turn: Turn, signal: Began) -> None:
    """That something is being read or gathered is not worth an event."""


def _withdrawn(turn: Turn, signal: Withdrawn) -> None:
    if turn.execution.redrive_count <= signal.redrives:
        _stopped(turn, Stopped())


def _redriven(turn: Turn, signal: Redriven) -> None:
    execution = turn.execution
    if execution.status == RUNNING:
        if _run(turn).closing is not None and not _run(turn).reopens:
            turn.emit(RunRedriveNoted(turn.now))
    elif execution.status != SUCCEEDED and execution.redrive_count < REDRIVES_OF_RUN_MAX:
        _reopen(turn)


def _reopen(turn: Turn) -> None:
    turn.emit(ExecutionRedriven(None, turn.now, None, 0, 0))
    # What was asked for may have come after the end, when nobody heard it: it is asked for anew.
    if turn.execution.frames[ROOT].pending is not None:
        turn.emit(Halted(ROOT, None, None, 0, 0))
    for pending in [one for one in turn.execution.pending.values() if one.kind == "more"]:
        turn.emit(RunResumed(pending.id))
    _go_on(turn)


def receive(turn: Turn, signal: Signal) -> None:
    """Decide a signal to a Map Run, or the one that begins it. What has ended receives nothing but a redrive."""
    if turn.execution.status == RUNNING or isinstance(signal, Redriven):
        answer = _RECEIVE.get(signal.__class__)
        if answer is not None:
            answer(turn, signal)


_RECEIVE: Mapping[type[Signal], Callable[[Turn, Any], None]] = {
    StartedRun: _started,
    Began: _began,
    Succeeded: _succeeded,
    Failed: _failed,
    ChildEnded: _child_ended,
    UpdatedRun: _updated,
    Fired: _fired,
    Paused: _paused,
    Resumed: _resumed,
    Stopped: _stopped,
    Withdrawn: _withdrawn,
    Redriven: _redriven,
}


# What follows


def _go_on(turn: Turn) -> None:
    run = _run(turn)
    if run.closing is None and run.is_beyond_tolerance():
        turn.emit(RunClosing(FAILED, EXCEED_TOLERATED_FAILURE_THRESHOLD, _EXCEEDED))
    if run.closing is None and turn.execution.paused:
        return
    if run.closing is None:
        try:
            _open_children(turn, run)
        except StateFailure as failure:
            cause = explain(turn.execution.frames[ROOT], failure)
            turn.emit(RunClosing(FAILED, *within_limits(failure.error, cause)))
    if run.child_counts.running or (run.closing is None and not run.all_taken):
        return
    if run.reopens:
        _end(turn, *(run.closing or (FAILED, None, None)))
        _reopen(turn)
        return
    if run.results is None and _wants_results(run):
        _ask(
            turn,
            GATHERING,
            {
                "children": run.opened,
                "express": run.express,
                "renamed": {str(number): child for number, child in run.renamed.items()},
                "limit": turn.limits.payload_bytes,
                "waiting": [item.value.value for item in _waiting(run)],
            },
        )
    else:
        _end(turn, *(run.closing or (SUCCEEDED, None, None)))


def _close(turn: Turn, status: str, error: str | None, cause: str | None) -> None:
    turn.emit(RunClosing(status, error, cause))
    _go_on(turn)


def _wants_results(run: MapRun) -> bool:
    """A run that fails gathers its results only to write them elsewhere."""
    writer = run.settings.value.get("writer")
    exports = writer is not None and writer["resource"] is not None
    return exports or run.closing is None


def _end(turn: Turn, status: str, error: str | None, cause: str | None) -> None:
    run = _run(turn)
    output = run.results if status == SUCCEEDED else None
    turn.emit(ExecutionEnded(status, output, error, cause, turn.now, 0, 0))


def _ask(turn: Turn, resource: str, more: Mapping[str, JSON]) -> None:
    """Have something read or gathered, unless that is being done."""
    if turn.execution.frames[ROOT].pending is not None:
        return
    run = _run(turn)
    arguments = written({"state": _reader_or_writer(run, resource), **more})
    turn.emit(TaskScheduled(ROOT, resource, "request", arguments, None, None, None, None, 1, 0, 0))


def _reader_or_writer(run: MapRun, resource: str) -> JSON:
    return run.settings.value.get("reader" if resource == READING else "writer")


# Children


def _open_children(turn: Turn, run: MapRun) -> None:
    """Open children while there are items and room, a bounded number of them in one turn."""
    settings = run.settings.value
    most = turn.limits.map_run_concurrency
    room = min(run.concurrency or most, most) - run.child_counts.running
    starved = False
    for opened in range(room):
        if opened == turn.limits.steps_per_turn:
            if not any(pending.kind == "more" for pending in turn.execution.pending.values()):
                turn.emit(RunYielded(turn.now))
            break
        if run.again:
            _reopen_child(turn, run)
            continue
        taken = _take(turn, run, settings.get("batcher"))
        if taken is None:
            starved = True
            break
        count, input = taken
        name = child_name(turn.execution.id, run.opened)
        arn = child_arn(turn.execution.machine_name, name, express=run.express)
        turn.emit(ChildOpened(arn, run.opened, count, input, turn.now))
    if not run.exhausted and (starved or len(run.queue) < PAGE_ITEMS):
        cursor = None if run.cursor is None else run.cursor.value
        # A batch of very many items is filled in few steps: as many again as are known.
        items = max(PAGE_ITEMS, len(run.queue))
        _ask(turn, READING, {"cursor": cursor, "items": items, "read": run.read})


def _reopen_child(turn: Turn, run: MapRun) -> None:
    """A child that did not succeed goes on; an Express one begins anew."""
    execution, ended = turn.execution, run.again[0]
    if not run.express:
        turn.emit(ChildReopened(ended.pending, ended.child, turn.now))
        return
    name = child_name(execution.id, ended.number, execution.redrive_count)
    arn = child_arn(execution.machine_name, name, express=True)
    turn.emit(ChildReopened(execution.seq + 1, arn, turn.now))


def _take(turn: Turn, run: MapRun, batcher: Mapping[str, Any] | None) -> tuple[int, Payload] | None:
    """The next child's number of items and its input; None if there are no items, or too few are known yet."""
    if batcher is not None:
        return _take_batch(turn, run, batcher)
    item = next(_waiting(run), None)
    return None if item is None else (1, _made(turn, run, item))


def _take_batch(turn: Turn, run: MapRun, batcher: Mapping[str, Any]) -> tuple[int, Payload] | None:
    """A batch has as many items as it may have, or as fit its bytes; none is larger than an input may be."""
    most, limit = batcher["items"], turn.limits.payload_bytes
    bytes_most = min(batcher["bytes"] or limit, limit)
    more = not run.exhausted and (most is None or len(run.queue) < most)
    if more and sum(len(item.value.text) for item in run.queue) < bytes_most:
        return None
    head = {} if batcher["input"] is None else {"BatchInput": batcher["input"]}
    size = len(Payload({**head, "Items": []}).text)
    batch: list[JSON] = []
    for item in _waiting(run):
        made = _made(turn, run, item)
        size += len(made.text) + bool(batch)
        if len(batch) == most or (batch and size > bytes_most):
            return len(batch), turn.payload({**head, "Items": batch}, turn.execution.frames[ROOT])
        batch.append(made.value)
    if not batch or not (run.exhausted or len(batch) == most):
        return None
    return len(batch), turn.payload({**head, "Items": batch}, turn.execution.frames[ROOT])


def _waiting(run: MapRun) -> Iterator[Item]:
    """The items that no child has yet and that are known, in order."""
    if run.items is None:
        yield from run.queue
        return
    items = run.items.value
    keys = list(items) if isinstance(items, dict) else None
    for index in range(run.taken, run.read):
        key = None if keys is None else keys[index]
        yield Item(index, key, Payload(items[index] if key is None else items[key]))


def _made(turn: Turn, run: MapRun, item: Item) -> Payload:
    """The input that an item is made into. Raises StateFailure."""
    frame = turn.execution.frames[ROOT]
    state = turn.state(frame)
    assert isinstance(state, DistributedMap)
    value = item.value.value
    if state.selector is None:
        if item.key is None:
            return turn.payload(value, frame, item.value)
        return turn.payload({"Key": item.key, "Value": value}, frame)
    settings = run.settings.value
    told: dict[str, JSON] = {"Index": item.index, "Value": value, "Source": run.source}
    if item.key is not None:
        told["Key"] = item.key
    bindings = Bindings(
        frame.input.value,
        settings["variables"],
        Given(
            lambda: {**settings["context"], "Map": {"Item": told}},
            lambda: Random(f"{turn.seed}/{turn.execution.id}/{turn.execution.seq}/{item.index}"),
        ),
        now=turn.now,
        evaluator=turn.evaluator,
    )
    return turn.payload(state.selector(bindings.input, bindings), frame)


def _run(turn: Turn) -> MapRun:
    assert turn.execution.run is not None
    return turn.execution.run
