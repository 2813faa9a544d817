"""The picture of an execution as lines: what the live view shows, without a terminal.

Pure: rows, an instant and a width in, lines out. A line is never wider than asked for, and what does not
fit in height is folded: what has ended first, then what is oldest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len
from rich.text import Text

from detent.visits import Status

from .marks import STYLES, Marks
from .progress import TRACKS_KEPT, Fan, Progress, Row, Track
from .words import seconds

#: Columns of the bar of a Map, of a duration.
BAR = 16
TOOK = 9
#: As wide as the names of iterations that have a line.
ITEM = "item 10"
#: Items of a Map that must have ended before its pace tells anything.
PACE_FROM = 10
#: The column where durations begin never lies further right.
NAME_MAX = 34

_MAP_BODY = re.compile("/(?:ItemProcessor|Iterator)(?=/|$)")


@dataclass(frozen=True, slots=True)
class Line:
    """``ended`` if it tells of something that is over, ``depth`` how deep inside other states it lies."""

    text: Text
    ended: bool = False
    depth: int = 0

    def inside(self, text: Text, *, ended: bool) -> Line:
        """The same line as part of another state."""
        return Line(text, self.ended or ended, self.depth + 1)


@dataclass(frozen=True, slots=True)
class Picture:
    """How to draw: the signs, the width in columns, and the instant that is now."""

    marks: Marks
    width: int
    now: int

    def execution(self, progress: Progress) -> list[Line]:
        """An execution: a heading, and a line for every state visited."""
        column = _column(progress)
        lines = [Line(self.heading(progress))]
        if progress.root.rows:
            lines += self._rows(progress.root, "", column)
        return lines

    def heading(self, progress: Progress) -> Text:
        """``order-fulfilment  NAME`` on the left, status and time on the right."""
        running = "paused" if progress.paused else "running"
        status = {"RUNNING": running}.get(progress.status, progress.status)
        calm = "yellow" if progress.paused else "cyan"
        style = {"RUNNING": calm, "SUCCEEDED": "bold green"}.get(progress.status, "bold red")
        took = _span((progress.ended_at or self.now) - progress.started_at) if progress.started_at else ""
        left = Text.assemble((progress.machine_name, "bold"), "  ", (progress.name, "dim"))
        right = Text.assemble((status, style), f"  {took:>8}")
        return self._both(left, right)

    def _rows(self, track: Track, prefix: str, column: int) -> Iterator[Line]:
        if track.dropped:
            yield Line(
                self._cut(Text(f"{prefix}{self.marks.more} {track.dropped} earlier states", "dim")), True
            )
        for row in track.rows:
            ended = not row.status.live
            yield Line(self._state(row, prefix, column), ended)
            if row.fan is not None:
                for line in self._fan(row.fan, prefix, column):
                    yield line.inside(line.text, ended=ended)

    def _state(self, row: Row, prefix: str, column: int) -> Text:
        took = self._took(row.entered_at, row.ended_at)
        return self._line(prefix, row.status, row.name, took, self._detail(row, column), column)

    def _line(self, prefix: str, status: Status, name: str, took: str, detail: Text, column: int) -> Text:
        style = STYLES[status]
        text = Text.assemble((prefix, "dim"), (self._mark(status), style), " ")
        text.append(name, "bold" if status.live else "dim" if status is Status.ABORTED else "")
        if cell_len(text.plain) > column:
            text.truncate(column, overflow="ellipsis")
        text.append(" " * (column - cell_len(text.plain)))
        text.append(f"{took:>{TOOK}}  ", "dim")
        text.append_text(detail)
        return self._cut(text)

    def _mark(self, status: Status) -> str:
        if status is Status.RUNNING:
            return self.marks.spin[self.now // 100 % len(self.marks.spin)]
        return self.marks.status[status]

    # What stands behind a state

    def _detail(self, row: Row, column: int, *, resource: bool = True) -> Text:
        if row.status is Status.RETRYING:
            return Text(f"{self._retrying(row)}", "yellow")
        if row.status is Status.WAITING and row.resource is not None:
            return self._signal(row, resource=resource)
        if row.status is Status.WAITING and row.until is not None:
            return Text(f"until {_clock(row.until)}, {self._left(row.until)} left", "yellow")
        if row.status is Status.CAUGHT:
            return Text(f"{row.error or 'failed'} {self.marks.arrow} {row.next}", "magenta")
        if row.status is Status.FAILED:
            return Text(": ".join(filter(None, (row.error, row.cause))), "red")
        if row.fan is not None:
            return self._counts(row.fan, column)
        if row.kind == "Choice" and row.next:
            return Text(f"{self.marks.arrow} {row.next}", "dim")
        return self._task(row, resource=resource)

    def _signal(self, row: Row, *, resource: bool) -> Text:
        """What waits for a named signal, and how long it still does."""
        parts = [row.resource or ""] if resource else []
        if row.until is not None:
            parts.append(f"{self._left(row.until)} left")
        return Text(", ".join(parts), "yellow")

    def _task(self, row: Row, *, resource: bool = True) -> Text:
        parts = []
        if row.status is Status.RUNNING and row.resource:
            if resource:
                parts.append(row.resource)
            if row.until is not None:
                parts.append(f"timeout in {self._left(row.until)}")
        if row.attempt > 1:
            parts.append(f"attempt {row.attempt}" + (f" of {row.attempts}" if row.attempts else ""))
        return Text(", ".join(parts), "dim")

    def _retrying(self, row: Row) -> str:
        due = self._left(row.until) if row.until is not None else "?"
        return f"{row.error or 'failed'}, attempt {row.attempt} of {row.attempts} in {due}"

    # Branches and iterations

    def _counts(self, fan: Fan, column: int) -> Text:
        if fan.kind == "Parallel":
            return Text(f"{fan.done} of {fan.width} branches" if fan.done < fan.width else "", "dim")
        parts = [f"{fan.done} of {fan.width}"]
        if fan.failed:
            parts.append(f"{fan.failed} failed")
        if fan.running and fan.width > TRACKS_KEPT and fan.done >= PACE_FROM:
            took = max(1, self.now - fan.started_at)
            pace = 1000 * fan.done / took
            parts.append(f"{pace:.{0 if pace >= 10 else 1}f}/s")
            parts.append(f"{_span(took * (fan.width - fan.done) // fan.done)} left")
        counts = ", ".join(parts)
        bar = min(BAR, self.width - column - TOOK - len(counts) - 3)
        if bar < 4:
            return Text(counts)
        done = bar * fan.done // fan.width if fan.width else bar
        return Text.assemble(
            (self.marks.bar * done, "green"), (self.marks.rest * (bar - done), "dim"), f" {counts}"
        )

    def _fan(self, fan: Fan, prefix: str, column: int) -> Iterator[Line]:
        if fan.kind == "Parallel":
            yield from self._branches(fan, prefix, column)
        elif fan.counted:
            return  # its children are executions, not rows
        elif fan.width <= TRACKS_KEPT:
            tracks = [fan.tracks[index] for index in sorted(fan.tracks)]
            for track in tracks:
                tie = self.marks.elbow if track.index == fan.width - 1 else self.marks.tee
                yield Line(self._iteration(track, f"{prefix}{tie} ", column), not track.status.live)
        elif fan.running:
            yield Line(self._crowd(fan, prefix))

    def _branches(self, fan: Fan, prefix: str, column: int) -> Iterator[Line]:
        """Each branch begins at a tee; its further states hang below."""
        tracks = [fan.tracks[index] for index in sorted(fan.tracks) if fan.tracks[index].rows]
        for track in tracks:
            last = track is tracks[-1]
            below = f"{prefix}{' ' if last else self.marks.pipe} "
            first = f"{prefix}{self.marks.elbow if last else self.marks.tee} "
            for number, line in enumerate(self._rows(track, "", column - len(below))):
                yield Line(
                    self._cut(Text.assemble((below if number else first, "dim"), line.text)),
                    line.ended,
                    line.depth,
                )

    def _iteration(self, track: Track, prefix: str, column: int) -> Text:
        """One line per iteration: where it is, or the way it has gone."""
        took = self._took(track.started_at, track.ended_at)
        name = f"item {track.index}"
        if not track.rows:
            return self._line(prefix, track.status, name, took, Text(), column)
        row = track.row
        if track.status.live:
            detail = Text.assemble(row.name, "  ", self._detail(row, column, resource=False))
            return self._line(prefix, row.status, name, took, detail, column)
        way = f" {self.marks.chain} ".join(_visit(row) for row in track.rows)
        if track.status is Status.FAILED:
            why = ": ".join(filter(None, (row.error, row.cause)))
            return self._line(prefix, track.status, name, took, Text(f"{row.name}  {why}", "red"), column)
        return self._line(prefix, track.status, name, took, Text(way, "dim"), column)

    def _crowd(self, fan: Fan, prefix: str) -> Text:
        """Where the iterations of a wide Map are: the states with most of them first."""
        where = Counter(
            (track.row.name, track.row.status is Status.RETRYING)
            for track in fan.tracks.values()
            if track.rows
        )
        parts = [
            f"{count} waiting to retry {name}" if retrying else f"{count} in {name}"
            for (name, retrying), count in where.most_common(4)
        ]
        return self._cut(Text(f"{prefix}{self.marks.elbow} {', '.join(parts)}", "dim"))

    # Time and width

    def _took(self, start: int, end: int | None) -> str:
        took = (end if end is not None else self.now) - start
        return _span(took) if took >= 50 or end is None else ""

    def _left(self, until: int) -> str:
        return _span(until - self.now)

    def _cut(self, text: Text) -> Text:
        text.rstrip()
        if cell_len(text.plain) > self.width:
            text.truncate(self.width, overflow="ellipsis")
        return text

    def _both(self, left: Text, right: Text) -> Text:
        room = self.width - cell_len(right.plain) - 2
        if cell_len(left.plain) > room:
            left.truncate(max(room, 0), overflow="ellipsis")
        gap = self.width - cell_len(left.plain) - cell_len(right.plain)
        return self._cut(Text.assemble(left, " " * max(1, gap), right))


def fit(lines: Sequence[Line], height: int, marks: Marks) -> list[Text]:
    """At most ``height`` lines: what has ended makes room first, then what lies deep, then what is old."""
    if len(lines) <= height:
        return [line.text for line in lines]
    over = len(lines) - height + 1  # one more for the line that says so
    order = sorted(
        range(1, len(lines)), key=lambda index: (not lines[index].ended, -lines[index].depth, index)
    )
    away = set(order[:over])
    heading, *kept = [line.text for index, line in enumerate(lines) if index not in away]
    return [heading, Text(f"{marks.more} {over} more", "dim"), *kept]


def _visit(row: Row) -> str:
    return f"{row.name} ({row.attempt} attempts)" if row.attempt > 1 else row.name


def _column(progress: Progress) -> int:
    """Where durations begin: behind the longest name of the machine, so that nothing moves while it runs."""
    longest = 0
    for path, scope in progress.machine.scopes.items():
        outside, *inside = _MAP_BODY.split(path)
        depth = outside.count("/Branches/")
        names = [ITEM] if inside else scope.states
        longest = max([longest, *(2 * (depth + bool(inside)) + cell_len(name) for name in names)])
    return min(NAME_MAX, longest + 3)


def _span(milliseconds: int) -> str:
    """A duration in steps of a tenth of a second, so that it does not flicker."""
    return seconds(milliseconds) if milliseconds >= 100 else "0.0 s"


def _clock(instant: int) -> str:
    """A time of the day, with the date if it is another day's."""
    moment = datetime.fromtimestamp(instant / 1000).astimezone()
    today = moment.date() == datetime.now().astimezone().date()
    return f"{moment:%H:%M:%S}" if today else f"{moment:%Y-%m-%d %H:%M}"
