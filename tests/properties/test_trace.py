"""The trace of an execution: whatever the machine and the signals, it says what the frames say, and can be drawn."""

from __future__ import annotations

from core.building import Play
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from detent.cli.marks import ASCII, UNICODE
from detent.cli.reading import Where
from detent.cli.show_json import as_json
from detent.cli.timeline import Timeline
from detent.cli.tree import Tree
from detent.core.codec import Step
from detent.core.execution import RUNNING
from detent.core.machine import Machine
from detent.core.values import encode
from detent.places import Places
from detent.trace import trace
from detent.visits import Path, Status, Trace, visits

from .driving import signals
from .machines import machines

PLACES = Places({})


@settings(max_examples=3 * settings().max_examples)
@given(machines(), st.integers(0, 2**20), st.integers(60, 120), st.booleans())
def test_every_execution_can_be_looked_at(machine: Machine, seed: int, width: int, full: bool) -> None:
    play = Play(machine)
    steps = []
    for number, signal in enumerate(signals(play, seed)):
        events = play.send(signal)
        if events:
            steps.append(Step(signal, play.now, "seed", events))
            if number % 10 == 0:
                agree(trace(steps, PLACES), play)
    told = trace(steps, PLACES)
    agree(told, play)
    draw(told, width, full)


def agree(told: Trace, play: Play) -> None:
    """The visits say what the frames say."""
    assert told.root is not None
    execution = play.execution
    assert told.execution.status == execution.status
    every = list(visits(told.root))
    waiting = [pending.id for visit in every if (pending := visit.pending) is not None]
    assert sorted(waiting + [held.pending.id for held in told.held]) == sorted(execution.pending)
    open_paths = sum(path.status.live for path in paths(told.root))
    if execution.status == RUNNING:
        assert open_paths == len(execution.frames)
        assert told.failed is None
    else:
        assert open_paths == 0
        assert not any(visit.status.live for visit in every)
        assert all(attempt.ended_at is not None for visit in every for attempt in visit.attempts)
        assert (told.root.status is Status.SUCCEEDED) == (execution.status == "SUCCEEDED")
    assert all(visit.left_at is None or visit.left_at >= visit.entered_at for visit in every)


def draw(told: Trace, width: int, full: bool) -> None:
    where = Where(PLACES)
    for marks in (ASCII, UNICODE):
        now = told.execution.now
        tree = Tree(marks, width, now, where, full)
        lines = [*tree.head(told, None), *tree.waits(told), *tree.states(told)]
        timeline = Timeline(marks, width, now, full).draw(told)
        assert [line.plain for line in timeline if cell_len(line.plain) > width] == []
        assert full or [line.plain for line in lines if cell_len(line.plain) > width] == []
    assert encode(as_json(told, where))


def paths(path: Path) -> list[Path]:
    below = [inner for visit in path.visits for attempt in visit.attempts for inner in attempt.paths]
    return [path, *(one for inner in below for one in paths(inner))]
