"""Where finished lines go: styled and cut to the width on a terminal, plain everywhere else."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from .marks import Marks, marks_for

if TYPE_CHECKING:
    from rich.text import Text

    from detent.core.values import JSON

#: Lines are not made for less: what is narrower breaks them.
WIDTH_MIN = 60
#: Styles of an execution's status.
STATUS_STYLES = {"RUNNING": "cyan", "SUCCEEDED": "green", "PAUSED": "yellow", "INTERRUPTED": "yellow"}
BAD = "bold red"


@dataclass(frozen=True, slots=True)
class Paper:
    """What lines are made for: the width in columns, and the signs that can be shown."""

    width: int
    marks: Marks
    terminal: bool

    def print(self, lines: Iterable[Text]) -> None:
        """Write lines to stdout. On a terminal they keep their styles."""
        if not self.terminal:
            for line in lines:
                click.echo(line.plain.rstrip())
            return
        from rich.console import Console

        console = Console(highlight=False, soft_wrap=True)
        for line in lines:
            line.rstrip()
            console.print(line)


def paper() -> Paper:
    """The paper that stdout is. ``COLUMNS`` sets its width where it is no terminal; without it there are 80."""
    size = shutil.get_terminal_size((80, 24))
    return Paper(
        max(WIDTH_MIN, size.columns), marks_for(getattr(sys.stdout, "encoding", None)), sys.stdout.isatty()
    )


def condition(status: str, paused: bool, at_work: bool | None) -> str:
    """How an execution stands, for people: its status, and of one that runs whether it is paused or interrupted.

    ``at_work`` is whether a living process works on it, None where nobody can know.
    """
    if status != "RUNNING":
        return status
    if paused:
        return "PAUSED"
    return "INTERRUPTED" if at_work is False else status


@dataclass(frozen=True, slots=True)
class Column:
    """``right`` sets numbers under each other; ``gives`` lets the column be cut where there is too little room."""

    title: str
    right: bool = False
    gives: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[Text | str]], paper: Paper) -> list[Text]:
    """Rows under titles. On a terminal it is no wider than that; elsewhere nothing is cut."""
    from rich.cells import cell_len
    from rich.text import Text

    cells = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    cells.insert(0, [Text(column.title, "bold") for column in columns])
    widths = [max(cell_len(row[place].plain) for row in cells) for place in range(len(columns))]
    over = sum(widths) + 2 * (len(widths) - 1) - paper.width if paper.terminal else 0
    for place in sorted(range(len(columns)), key=lambda place: -widths[place]):
        if over > 0 and columns[place].gives:
            less = min(over, max(0, widths[place] - 12))
            widths[place] -= less
            over -= less
    lines = []
    for row in cells:
        line = Text()
        for cell, column, width in zip(row, columns, widths, strict=True):
            if cell_len(cell.plain) > width:
                cell.truncate(width, overflow="ellipsis")
            gap = " " * (width - cell_len(cell.plain))
            line = Text.assemble(line, "  " if line else "", *((gap, cell) if column.right else (cell, gap)))
        lines.append(line)
    return lines


def print_json(value: JSON, query: str | None = None) -> None:
    """A value as indented JSON on stdout; with ``query`` each value it finds, on a line of its own."""
    from detent.core.values import encode

    from .outcome import pretty

    if query is None:
        click.echo(pretty(value))
        return
    from detent.query.user import compile_query

    for found in compile_query(query)(value):
        click.echo(encode(found))


def status_text(status: str) -> Text:
    """The status of an execution, in its colour."""
    from rich.text import Text

    return Text(status, STATUS_STYLES.get(status, BAD))
