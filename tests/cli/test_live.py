"""The live view on a terminal of 80 columns and 40 lines: wide Maps, wide Parallels, no flicker, bounded in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyte
import pytest
from rich.console import Console

from detent.cli.live import LiveView
from detent.cli.plain import PlainView
from detent.cli.progress import Change

from .playing import Play, each, task

COLUMNS, LINES = 80, 40


class Terminal(io.TextIOBase):
    """Interprets what is written; ``frames`` is what stood on the screen after each write."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.screen = pyte.Screen(COLUMNS, LINES)
        self.stream = pyte.Stream(self.screen)
        self.frames: list[list[str]] = []
        self.written = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written += text
        self.stream.feed(text.replace("\n", "\r\n"))
        self.frames.append([line.rstrip() for line in self.screen.display if line.strip()])
        return len(text)


@contextmanager
def watched(play: Play, **console: Any) -> Iterator[tuple[LiveView, Terminal]]:
    terminal = Terminal()
    made = Console(
        file=terminal,
        force_terminal=True,
        width=COLUMNS,
        height=LINES,
        highlight=False,
        legacy_windows=False,
        **console,
    )
    with LiveView(made) as view:
        view.watch(play.progress)
        yield view, terminal


def wide_map(width: int) -> Play:
    return Play({"Copy": each(task(), MaxConcurrency=200)}, list(range(width)))


def test_a_map_of_ten_thousand_has_counts_a_pace_and_the_time_left() -> None:
    play = wide_map(10_000)
    with watched(play) as (view, terminal):
        for index in range(2_500):
            play.answer("Item", index=index)
        play.pass_time(10)
        view.refresh(play.now)
        _, state, crowd = terminal.frames[-1]
    assert "2500 of 10000, 250/s, 30.0 s left" in state
    assert crowd == "└ 200 in Item"


def test_what_is_kept_of_a_wide_map_is_what_lives() -> None:
    play = wide_map(3_000)
    most = 0
    for index in range(3_000):
        play.answer("Item", index=index)
        most = max(most, len(play.progress._frames))
    assert most <= 201
    assert play.progress.root.row.fan is not None
    assert len(play.progress.root.row.fan.tracks) == 0


def fifty() -> Play:
    branches = [
        {"StartAt": f"Step {n}", "States": {f"Step {n}": task(f"Rest {n}"), f"Rest {n}": task()}}
        for n in range(50)
    ]
    return Play({"All": {"Type": "Parallel", "Branches": branches, "End": True}})


@pytest.mark.parametrize("colours", ["truecolor", None])
def test_a_parallel_of_fifty_fits_and_never_flickers(colours: Any) -> None:
    """No write leaves a screen that is emptier than what it showed before: frames are replaced as a whole."""
    play = fifty()
    with watched(play, color_system=colours) as (view, terminal):
        for done in range(50):
            view.refresh(play.now)
            play.pass_time(0.1)
            play.answer(f"Step {done}")
        view.refresh(play.now)
        drawn = [frame for frame in terminal.frames if frame]
        first = next(index for index, frame in enumerate(drawn) if len(frame) > 30)
        assert {len(frame) for frame in drawn[first:]} == {LINES - 1}
        assert all(frame[0].startswith("  one") or "running" in frame[0] for frame in drawn[first:])
        assert max(len(line) for frame in drawn for line in frame) <= COLUMNS
        assert drawn[-1][1].startswith("⋯ ")
    if colours is None:
        assert "\x1b[3" not in terminal.written


def test_nothing_is_written_while_nothing_changes() -> None:
    play = fifty()
    with watched(play) as (view, terminal):
        view.refresh(play.now)
        writes = len(terminal.frames)
        for _ in range(10):
            view.refresh(play.now)
        assert len(terminal.frames) == writes


CHANGES = [Change(1_000_000 + n, f"Copy[{n}] > Item", "failed: Busy: two\nlines") for n in range(20)]


def test_a_log_has_a_line_for_every_transition_and_no_sign_of_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    play = wide_map(20)
    view = PlainView()
    with view:
        view.watch(play.progress)
        view.changed(play.progress, CHANGES)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(CHANGES)
    assert all("\x1b" not in line and "\r" not in line for line in lines)
