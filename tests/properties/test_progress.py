"""What the command line shows of an execution: whatever the machine and the signals, it can be drawn and it is true."""

from __future__ import annotations

from core.building import Play
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from detent.cli.marks import UNICODE
from detent.cli.picture import Picture, fit
from detent.cli.progress import Progress, Track
from detent.core.codec import Step
from detent.core.execution import ROOT, RUNNING, SUCCEEDED
from detent.core.machine import Machine
from detent.visits import Status

from .driving import signals
from .machines import machines


@settings(max_examples=3 * settings().max_examples)
@given(machines(), st.integers(0, 2**20), st.integers(10, 120), st.integers(3, 40))
def test_every_execution_can_be_followed(machine: Machine, seed: int, width: int, height: int) -> None:
    play = Play(machine)
    progress = Progress(machine)
    for signal in signals(play, seed):
        events = play.send(signal)
        if not events:
            continue
        changes = progress.fold([Step(signal, play.now, "seed", events)])
        assert all(change.text for change in changes)
        picture = Picture(UNICODE, width, play.now)
        drawn = fit(picture.execution(progress), height, UNICODE)
        assert len(drawn) <= height
        assert all(cell_len(text.plain) <= width for text in drawn)
        agree(progress, play)


def agree(progress: Progress, play: Play) -> None:
    """The rows say what the frames say."""
    execution = play.execution
    assert progress.status == execution.status
    if execution.status == RUNNING:
        frame, row = execution.frames[ROOT], progress.root.rows[-1]
        assert frame.state in (row.name, None)
        assert count(progress.root) == len(execution.frames)
    else:
        assert count(progress.root) <= 1
        if execution.status == SUCCEEDED:
            assert progress.root.status is Status.SUCCEEDED


def count(track: Track) -> int:
    """The tracks that live, this one included."""
    fans = [row.fan for row in track.rows if row.fan is not None and row.status.live]
    return track.status.live + sum(count(inner) for fan in fans for inner in fan.tracks.values())
