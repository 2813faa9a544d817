"""The picture of what runs, drawn over and over at the bottom of a terminal."""

from __future__ import annotations

import os
import time
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from .marks import marks_for
from .picture import Line, Picture, fit
from .progress import Progress
from .view import View

#: With more executions than this, each has one line.
TREES_MAX = 3


def able() -> bool:
    """Whether the terminal behind stderr can move its cursor."""
    return os.environ.get("TERM", "") not in ("", "dumb", "unknown")


class LiveView(View):
    """Draws on stderr while it is entered; what it drew last stays. What handlers print appears above it."""

    interval = 0.1

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._marks = marks_for(self._console.encoding)
        self._watched: list[Progress] = []
        self._drawn: list[Text] | None = None
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            redirect_stdout=True,
            redirect_stderr=True,
            vertical_overflow="crop",
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        lines = [line.text for line in self._lines(_now())]
        self._live.update(Group(*lines, *([Text()] if lines else [])), refresh=True)
        self._live.stop()

    def watch(self, progress: Progress) -> None:
        self._watched.append(progress)

    def refresh(self, now: int) -> None:
        height = max(4, self._console.height - 1)
        drawn = fit(self._lines(now), height, self._marks)
        if drawn != self._drawn:
            self._drawn = drawn
            self._live.update(Group(*drawn), refresh=True)

    def restore(self) -> None:
        self._console.show_cursor(True)

    def _lines(self, now: int) -> list[Line]:
        picture = Picture(self._marks, self._console.width, now)
        begun = [progress for progress in self._watched if progress.started_at]
        if len(begun) > TREES_MAX:
            return [Line(picture.heading(progress), progress.ended_at is not None) for progress in begun]
        return [line for progress in begun for line in picture.execution(progress)]


def _now() -> int:
    return time.time_ns() // 1_000_000
