"""The picture as lines for a terminal: every state once, in the order in which an execution meets it first.

A state stands behind its mark, its ways out below it. What runs inside a Parallel or Map stands indented below the
state. A way to the state on the next line is an arrow down; any other names its target.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .model import Box, Chart, Lane, Way


@dataclass(frozen=True, slots=True)
class Signs:
    """The marks and lines that a terminal can show."""

    types: Mapping[str, str]
    visits: Mapping[str, str]
    down: str
    bar: str
    tee: str
    elbow: str
    arrow: str
    error: str


UNICODE = Signs(
    types={"Choice": "◇", "Wait": "◷", "Succeed": "◉", "Fail": "⊗", "Parallel": "⫴", "Map": "⋮"},
    visits={
        "succeeded": "✓",
        "failed": "✗",
        "caught": "↷",
        "running": "●",
        "waiting": "○",
        "retrying": "↻",
        "aborted": "■",
    },
    down="↓",
    bar="│",
    tee="├",
    elbow="└",
    arrow="→",
    error="⚡",
)
ASCII = Signs(
    types={"Choice": "<>", "Succeed": "(+)", "Fail": "(x)", "Parallel": "||", "Map": "*="},
    visits={
        "succeeded": "+",
        "failed": "x",
        "caught": "!",
        "running": "*",
        "waiting": "o",
        "retrying": "~",
        "aborted": "-",
    },
    down="v",
    bar="|",
    tee="|-",
    elbow="`-",
    arrow="->",
    error="!",
)


def to_text(chart: Chart, signs: Signs = UNICODE) -> str:
    return "\n".join(_Drawing(chart, signs).lane(chart.root, "")) + "\n"


class _Drawing:
    def __init__(self, chart: Chart, signs: Signs) -> None:
        self.chart = chart
        self.signs = signs

    def lane(self, lane: Lane, margin: str) -> Iterator[str]:
        boxes = {box.id: box for box in lane.states}
        order = _order(lane)
        for number, id in enumerate(order):
            below = order[number + 1] if number + 1 < len(order) else None
            box = boxes[id]
            ways = [way for way in lane.ways if way.source == id]
            yield margin + self._head(box, id == lane.start)
            yield from self._inside(box, margin)
            on = next((way for way in ways if way.kind == "next" and way.target == below), None)
            others = [way for way in ways if way is not on]
            for way in others:
                last = way is others[-1] and on is None
                yield f"{margin}{self.signs.elbow if last else self.signs.tee} {self._way(way, boxes)}"
            if on is not None:
                yield margin + self.signs.down
            elif below is not None:
                yield margin.rstrip()

    def _head(self, box: Box, first: bool) -> str:
        mark = self.signs.types.get(box.type, "□" if self.signs is UNICODE else "[]")
        if self.chart.trailed:
            mark = self.signs.visits.get(box.visits.status, "?") if box.visits is not None else "·"
        times = f"×{box.visits.count}" if box.visits is not None and box.visits.count > 1 else ""
        more = "  ".join(
            filter(None, [box.type, _plain(box.detail), box.retries, times, "(start)" if first else ""])
        )
        return f"{mark} {_plain(box.name)}  {more}".rstrip()

    def _inside(self, box: Box, margin: str) -> Iterator[str]:
        for lane in box.lanes:
            yield f"{margin}{self.signs.bar}  {lane.title}"
            yield from self.lane(lane, f"{margin}{self.signs.bar}    ")

    def _way(self, way: Way, boxes: Mapping[str, Box]) -> str:
        label = (
            " or ".join(map(_plain, way.labels))
            if way.kind == "choice"
            else ", ".join(map(_plain, way.labels))
        )
        sign = f"{self.signs.error} " if way.kind == "catch" else ""
        taken = f" {self.signs.visits['succeeded']}" if way.taken else ""
        return f"{sign}{label} {self.signs.arrow} {_plain(boxes[way.target].name)}{taken}".replace(
            "  ", " "
        ).strip()


def _order(lane: Lane) -> list[str]:
    """The states as they are met: the way of success first, what nothing leads to at the end."""
    out: dict[str, list[str]] = {}
    for way in sorted(lane.ways, key=lambda way: way.kind == "catch"):
        out.setdefault(way.source, []).append(way.target)
    order: dict[str, None] = {}
    for root in ([lane.start] if lane.start else []) + [box.id for box in lane.states]:
        waiting = [root]
        while waiting:
            id = waiting.pop()
            if id not in order:
                order[id] = None
                waiting.extend(reversed(out.get(id, [])))
    return list(order)


def _plain(text: str) -> str:
    """Text without what a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)
