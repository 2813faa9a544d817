"""The timeline of an execution: a row per state, branch and iteration, a bar for when each was at work.

Pure: a trace, an instant and a width in, lines out. How much of a wide Map or a long loop is shown is decided
here, for the tree of ``show`` as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from rich.cells import cell_len
from rich.text import Text

from detent.visits import Attempt, Path, Status, Trace, Visit

from .marks import STYLES, Marks
from .words import printable, seconds

#: Columns of a duration, and the widest column of names.
TOOK = 12
NAME_MAX = 34
#: So many visits of a path are shown, the first and the last; so many branches or iterations.
VISITS_SHOWN = 40
PATHS_SHOWN = 12

Item = TypeVar("Item", Visit, Path)


def selected(items: Sequence[Item], most: int) -> Iterator[Item | int]:
    """What is shown of many: those that failed or still run, the first and the last. A number stands for how many
    are left out in its place. ``most`` 0 shows all."""
    if not most or len(items) <= most:
        yield from items
        return
    fine = (Status.SUCCEEDED, Status.ABORTED)
    wanting: list[int] = [place for place, item in enumerate(items) if item.status not in fine]
    shown = {*wanting[: most // 2], *range(most // 2), *range(len(items) - most // 4, len(items))}
    left = 0
    for place, item in enumerate(items):
        if place not in shown:
            left += 1
            continue
        if left:
            yield left
            left = 0
        yield item
    if left:
        yield left


def path_name(visit: Visit, path: Path) -> str:
    """What a path is called: a branch or an item, with its number."""
    return f"{'branch' if visit.kind == 'Parallel' else 'item'} {path.index}"


def paths_name(visit: Visit) -> str:
    """What the paths of a state are called together."""
    return "branches" if visit.kind == "Parallel" else "items"


def mark(marks: Marks, status: Status) -> Text:
    """The sign of a status, in its colour."""
    return Text(marks.status[status], STYLES[status])


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the timeline before it is drawn. ``bars`` are stretches of time, later ones on top."""

    prefix: str
    status: Status | None
    name: str
    start: int
    end: int
    bars: Sequence[_Bar]


@dataclass(frozen=True, slots=True)
class _Bar:
    """``tip`` is the sign of the last column, where that tells how it ended."""

    start: int
    end: int
    sign: str
    style: str
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """How to draw: signs, width, the instant that is now, and whether everything is shown."""

    marks: Marks
    width: int
    now: int
    full: bool = False

    def draw(self, trace: Trace) -> list[Text]:
        """The rows of a trace under a scale."""
        if trace.root is None:
            return []
        rows = list(self._path(trace.root, ""))
        names = [cell_len(row.prefix + row.name) + 3 for row in rows]
        column = min(NAME_MAX, max(names, default=0))
        start = trace.execution.started_at
        end = max([trace.execution.ended_at or self.now, start + 1])
        return [self._scale(column, end - start), *(self._line(row, column, start, end) for row in rows)]

    def _scale(self, column: int, took: int) -> Text:
        room = self._room(column)
        last = seconds(took)
        middle = seconds(took // 2)
        scale = "0".ljust(room)
        if room >= 4 * len(middle):
            at = room // 2
            scale = scale[:at] + middle + scale[at + len(middle) :]
        return Text(" " * (column + TOOK + 1) + scale[: room - len(last)] + last, "dim")

    def _room(self, column: int) -> int:
        return max(10, self.width - column - TOOK - 1)

    # Rows

    def _path(self, path: Path, prefix: str) -> Iterator[_Row]:
        for visit in selected(path.visits, 0 if self.full else VISITS_SHOWN):
            if isinstance(visit, int):
                yield self._left_out(prefix, visit, "states")
                continue
            yield self._visit(visit, prefix)
            for attempt in visit.attempts:
                yield from self._below(visit, attempt, prefix)

    def _visit(self, visit: Visit, prefix: str) -> _Row:
        end = self._end(visit.left_at)
        fork = visit.kind in ("Parallel", "Map")
        work = self.marks.rest if fork else self.marks.bar
        waits, bars = [], []
        for number, attempt in enumerate(visit.attempts, 1):
            over = self._end(attempt.ended_at)
            failed = attempt.status is Status.FAILED
            style = "cyan" if attempt.status.live else "red" if failed else "green"
            tip = self.marks.status[Status.FAILED] if failed else ""
            bars.append(_Bar(attempt.started_at, over, work, style, tip))
            if attempt.retry_at is not None:
                again = visit.attempts[number].started_at if number < len(visit.attempts) else end
                waits.append(_Bar(over, again, self.marks.wait, "yellow"))
        if visit.kind == "Wait":
            bars.append(_Bar(visit.entered_at, end, self.marks.wait, "yellow"))
        if not bars:
            bars.append(_Bar(visit.entered_at, end, work, "green"))
        return _Row(prefix, visit.status, printable(visit.state), visit.entered_at, end, [*waits, *bars])

    def _below(self, visit: Visit, attempt: Attempt, prefix: str) -> Iterator[_Row]:
        for path in selected(attempt.paths, 0 if self.full else PATHS_SHOWN):
            if isinstance(path, int):
                yield self._left_out(f"{prefix}{self.marks.tee} ", path, paths_name(visit))
                continue
            last = path is attempt.paths[-1]
            tie = f"{prefix}{self.marks.elbow if last else self.marks.tee} "
            end = self._end(path.ended_at)
            bar = _Bar(path.started_at, end, self.marks.rest, "dim")
            if len(path.visits) == 1 and not any(attempt.paths for attempt in path.visits[0].attempts):
                # One state inside says all: its bar is the path's.
                only = self._visit(path.visits[0], tie)
                name = f"{path_name(visit, path)} {only.name}"
                status = only.status if path.status.live else path.status
                yield _Row(tie, status, name, only.start, only.end, only.bars)
                continue
            yield _Row(tie, path.status, path_name(visit, path), path.started_at, end, [bar])
            yield from self._path(path, f"{prefix}{' ' if last else self.marks.pipe} ")

    def _left_out(self, prefix: str, count: int, what: str) -> _Row:
        return _Row(prefix, None, f"{self.marks.more} {count} more {what}", 0, 0, [])

    def _end(self, instant: int | None) -> int:
        return self.now if instant is None else instant

    # Drawing

    def _line(self, row: _Row, column: int, start: int, end: int) -> Text:
        text = Text.assemble((row.prefix, "dim"))
        if row.status is None:
            text.append(row.name, "dim")
            if cell_len(text.plain) > self.width:
                text.truncate(self.width, overflow="ellipsis")
            return text
        text.append_text(mark(self.marks, row.status))
        text.append(f" {row.name}", "bold" if row.status.live else "")
        if cell_len(text.plain) > column:
            text.truncate(column, overflow="ellipsis")
        text.append(" " * (column - cell_len(text.plain)))
        text.append(f"{seconds(row.end - row.start):>{TOOK - 1}}  ", "dim")
        room = self._room(column)
        cells: list[tuple[str, str]] = [(" ", "")] * room
        for bar in row.bars:
            first = min(room - 1, (bar.start - start) * room // (end - start))
            last = max(first + 1, min(room, -(-(bar.end - start) * room // (end - start))))
            cells[first:last] = [(bar.sign, bar.style)] * (last - first)
            if bar.tip:
                cells[last - 1] = bar.tip, bar.style
        for style, stretch in groupby(cells, key=lambda cell: cell[1]):
            text.append("".join(sign for sign, _ in stretch), style)
        text.rstrip()
        return text
