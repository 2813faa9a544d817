"""Fold the events of distributed Maps into the state, as :mod:`detent.core.evolve` folds the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .execution import ROOT, SUCCEEDED, Execution, Frame, Pending, RunOf
from .run_events import (
    ChildClosed,
    ChildOf,
    ChildOpened,
    ChildReopened,
    ItemsRead,
    MapRunEnded,
    MapRunRedriven,
    MapRunStarted,
    ResultsGathered,
    RunBegan,
    RunClosing,
    RunRedriveNoted,
    RunResumed,
    RunUpdated,
    RunYielded,
)
from .runs import Ended, Item, MapRun


def _map_run_started(execution: Execution, event: MapRunStarted) -> None:
    frame = execution.frames[event.frame]
    frame.last = execution.shown = event.shown
    frame.pending = Pending(
        execution.seq, "child", frame.id, arguments=event.arguments, child=event.run, began_at=execution.now
    )
    frame.run = RunOf(event.run, execution.seq, 0)
    execution.open(frame.pending)


def _map_run_redriven(execution: Execution, event: MapRunRedriven) -> None:
    frame = execution.frames[event.frame]
    frame.last = execution.shown = event.shown
    frame.run = RunOf(event.run, event.pending, event.count)
    frame.pending = Pending(
        event.pending, "child", frame.id, child=event.run, redrives=event.count, again=True
    )
    execution.open(frame.pending)


def _map_run_ended(execution: Execution, event: MapRunEnded) -> None:
    frame = execution.frames[event.frame]
    execution.shown = event.shown
    if event.status != SUCCEEDED:
        # The history of a state whose run has succeeded goes on from where the run began.
        frame.last = event.shown
    frame.pending = None
    execution.close(event.pending)


def _run_began(execution: Execution, event: RunBegan) -> None:
    execution.id = event.execution
    execution.name = event.name
    execution.machine_name = event.machine_name
    execution.digest = event.digest
    execution.profile = event.profile
    execution.role = event.role
    execution.input = event.input
    execution.started_at = execution.now = event.started_at
    frame = Frame(ROOT, None, 0, event.scope, event.input, 0, event.state, "Map")
    frame.entered, frame.entered_at = event.entered, event.started_at
    execution.frames[ROOT] = frame
    execution.next_frame = ROOT + 1
    execution.run = MapRun(
        event.items,
        event.express,
        event.settings,
        event.concurrency,
        event.tolerated_count,
        event.tolerated_percentage,
        read=event.width or 0,
        exhausted=event.width is not None,
    )


def _items_read(execution: Execution, event: ItemsRead) -> None:
    run = _run(execution)
    keys = event.keys or (None,) * len(event.items)
    for key, (index, value) in zip(keys, event.items.items(), strict=True):
        run.queue.append(Item(int(index), key, value))
    run.read += len(event.items)
    run.cursor = event.cursor
    run.exhausted = event.cursor is None
    run.source = event.source
    execution.frames[ROOT].pending = None
    execution.close(event.pending)


def _child_opened(execution: Execution, event: ChildOpened) -> None:
    run = _run(execution)
    run.taken += event.count
    for _ in range(event.count if run.items is None else 0):
        run.queue.popleft()
    run.opened = event.number + 1
    run.item_counts.running += event.count
    run.child_counts.running += 1
    execution.open(
        Pending(
            execution.seq,
            "child",
            ROOT,
            arguments=event.input,
            child=event.child,
            number=event.number,
            count=event.count,
            began_at=event.at,
        ),
    )


def _child_closed(execution: Execution, event: ChildClosed) -> None:
    run = _run(execution)
    pending = execution.pending[event.pending]
    run.item_counts.end(event.status, pending.count)
    run.child_counts.end(event.status, 1)
    if event.status != SUCCEEDED:
        assert pending.child is not None
        assert pending.arguments is not None
        run.unsuccessful.append(
            Ended(
                pending.id,
                pending.child,
                pending.number,
                pending.count,
                event.redrives,
                pending.arguments,
            )
        )
    execution.close(event.pending)


def _child_reopened(execution: Execution, event: ChildReopened) -> None:
    run = _run(execution)
    ended = run.again.popleft()
    run.item_counts.running += ended.count
    run.child_counts.running += 1
    goes_on = event.child == ended.child
    if not goes_on:
        run.renamed[ended.number] = event.child
    pending = Pending(event.pending, "child", ROOT, arguments=ended.input, child=event.child)
    pending.number, pending.count, pending.began_at = ended.number, ended.count, event.at
    pending.redrives, pending.again = (ended.redrives + 1, True) if goes_on else (0, False)
    execution.open(pending)


def _run_redrive_noted(execution: Execution, event: RunRedriveNoted) -> None:
    _run(execution).reopens = True


def _run_updated(execution: Execution, event: RunUpdated) -> None:
    run = _run(execution)
    run.concurrency = event.concurrency
    run.tolerated_count = event.tolerated_count
    run.tolerated_percentage = event.tolerated_percentage


def _run_yielded(execution: Execution, event: RunYielded) -> None:
    execution.open(Pending(execution.seq, "more", ROOT, event.due))


def _run_resumed(execution: Execution, event: RunResumed) -> None:
    execution.close(event.pending)


def _run_closing(execution: Execution, event: RunClosing) -> None:
    _run(execution).closing = (event.status, event.error, event.cause)


def _results_gathered(execution: Execution, event: ResultsGathered) -> None:
    run = _run(execution)
    run.results, run.written = event.output, event.written
    execution.frames[ROOT].pending = None
    execution.close(event.pending)


def _child_of(execution: Execution, event: ChildOf) -> None:
    execution.child_of = event


def _run(execution: Execution) -> MapRun:
    assert execution.run is not None
    return execution.run


FILE: Mapping[type, Callable[[Execution, Any], None]] = {
    MapRunStarted: _map_run_started,
    MapRunEnded: _map_run_ended,
    MapRunRedriven: _map_run_redriven,
    RunBegan: _run_began,
    ItemsRead: _items_read,
    ChildOpened: _child_opened,
    ChildClosed: _child_closed,
    ChildReopened: _child_reopened,
    RunRedriveNoted: _run_redrive_noted,
    RunUpdated: _run_updated,
    RunYielded: _run_yielded,
    RunResumed: _run_resumed,
    RunClosing: _run_closing,
    ResultsGathered: _results_gathered,
    ChildOf: _child_of,
}
