"""One line per change, for logs, pipes and terminals that can do no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click

from .progress import Change, Progress
from .view import View

#: Places are filled up to this width, so that what happened stands in a column.
PLACE_WIDTH = 24


class PlainView(View):
    """Writes lines to stderr. With several executions each line begins with the execution's name."""

    def __init__(self) -> None:
        self._watched = 0

    def watch(self, progress: Progress) -> None:
        self._watched += 1

    def changed(self, progress: Progress, changes: Sequence[Change]) -> None:
        name = f"{progress.name}  " if self._watched > 1 else ""
        for change in changes:
            click.echo(line(change, name), err=True)


def line(change: Change, name: str = "") -> str:
    """``12:00:01.123  Charge  entered``, in local time; what a cause brings along stays on the line."""
    moment = datetime.fromtimestamp(change.at / 1000).astimezone()
    place = f"{change.place:{PLACE_WIDTH}}  " if change.place else ""
    text = " ".join(change.text.split())
    return f"{moment:%H:%M:%S}.{change.at % 1000:03}  {name}{place}{text}"
