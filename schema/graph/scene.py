"""Where everything in the picture goes: boxes with their place and size, ways as lines with their label.

Works from the inside out: a scope is laid out by itself, and then is part of the size of the state around it. All
lengths are in pixels at a scale of 1; places in a lane count from its upper left corner.
"""

from __future__ import annotations

from dataclasses import dataclass

from .coordinates import spread
from .layered import Link, layered
from .measure import width_of, wrapped
from .model import Box, Chart, Lane, Way
from .routes import Point, Routes

NAME_SIZE = 13.0
DETAIL_SIZE = 11.0
LABEL_SIZE = 11.0
LINE = 1.35
PAD = 12.0
BOX_MIN = 96.0
NAME_MAX = 200.0
LABEL_MAX = 170.0
LABEL_LINES = 4
DOT = 12.0
GAP = 36.0
JOINT_GAP = 18.0
LANE_PAD = 16.0
TITLE = 22.0
#: A way from a state to itself needs so much room at its right.
LOOP = 30.0
#: The way of success is led straighter than that of an error.
_WEIGHTS = {"start": 4.0, "next": 4.0, "end": 2.0, "default": 1.5, "choice": 1.5, "catch": 0.5}


@dataclass(slots=True)
class DrawnBox:
    """A state; ``x`` and ``y`` are its upper left corner. ``head`` is the height of its own text."""

    box: Box
    name: list[str]
    detail: list[str]
    width: float
    height: float
    head: float
    lanes: list[DrawnLane]
    x: float = 0.0
    y: float = 0.0


@dataclass(slots=True)
class DrawnWay:
    """A way: the points it passes, and its label with the middle of the text.

    ``arrives`` is False for a way that ends where it meets another one to the same state.
    """

    way: Way
    points: list[Point]
    label: list[str]
    label_at: Point | None
    loop: bool = False
    arrives: bool = True


@dataclass(slots=True)
class DrawnLane:
    """A scope. ``dots`` are the middles of the marks where it starts and where it ends."""

    lane: Lane
    width: float
    height: float
    boxes: list[DrawnBox]
    ways: list[DrawnWay]
    start: Point | None
    end: Point | None
    x: float = 0.0
    y: float = 0.0


def scene(chart: Chart) -> DrawnLane:
    """The whole picture, laid out."""
    drawn: dict[str, DrawnLane] = {}
    for lane in reversed(list(chart.lanes())):
        drawn[lane.id] = _lane(lane, drawn)
    return drawn[chart.root.id]


def _box(box: Box, inner: list[DrawnLane]) -> DrawnBox:
    name = wrapped(box.name, NAME_SIZE, NAME_MAX, 3, bold=True)
    detail = wrapped(box.detail, DETAIL_SIZE, NAME_MAX, 2) if box.detail else []
    mark = width_of(box.retries, DETAIL_SIZE) + 10 if box.retries else 0.0
    widest = max(
        [
            width_of(line, NAME_SIZE, bold=True) + (mark if number == 0 else 0)
            for number, line in enumerate(name)
        ]
        + [width_of(line, DETAIL_SIZE) for line in detail]
        + [width_of(box.type, DETAIL_SIZE - 1) + 30]
    )
    sides = PAD * (3 if box.type == "Choice" else 2)
    head = (
        (DETAIL_SIZE - 1) * LINE + NAME_SIZE * LINE * len(name) + DETAIL_SIZE * LINE * len(detail) + PAD * 1.3
    )
    width = max(BOX_MIN, widest + sides)
    if not inner:
        return DrawnBox(box, name, detail, width, head, head, [])
    x = LANE_PAD
    for lane in inner:
        lane.x, lane.y = x, head
        x += lane.width + LANE_PAD
    if x < width:
        shift = (width - x) / 2
        for lane in inner:
            lane.x += shift
    height = head + max(lane.height for lane in inner) + LANE_PAD
    return DrawnBox(box, name, detail, max(width, x), height, head, inner)


def _lane(lane: Lane, drawn: dict[str, DrawnLane]) -> DrawnLane:
    boxes = {box.id: _box(box, [drawn[inner.id] for inner in box.lanes]) for box in lane.states}
    loops = {way.source: LOOP + _size(_label(way)[:1])[0] for way in lane.ways if way.source == way.target}
    sizes = {id: (box.width + 2 * loops.get(id, 0.0), box.height) for id, box in boxes.items()}
    start, end = f"{lane.id}_start", f"{lane.id}_end"
    ways = list(lane.ways)
    if lane.start is not None:
        sizes[start] = (DOT, DOT)
        visits = boxes[lane.start].box.visits
        ways.insert(0, Way(start, lane.start, "start", taken=visits is not None))
    if lane.ends:
        sizes[end] = (DOT + 4, DOT + 4)
        ways += [Way(id, end, "end", taken=_ended(boxes[id].box)) for id in lane.ends]
    labels = [_label(way) for way in ways]
    links = [
        Link(way.source, way.target, _size(label), _WEIGHTS[way.kind], "catch" if way.kind == "catch" else "")
        for way, label in zip(ways, labels, strict=True)
    ]
    layers = layered(sizes, links, [start] if lane.start is not None else [])
    spread(layers, GAP, JOINT_GAP)
    routes = Routes(layers, sizes, (GAP, JOINT_GAP))
    inner = routes.right - routes.left
    title = TITLE if lane.title else 0.0
    width = max(inner, width_of(lane.title, LABEL_SIZE)) + 2 * LANE_PAD
    height = (routes.bottoms[-1] if sizes else 0.0) + title + 2 * LANE_PAD
    placed = _Shift((width - inner) / 2 - routes.left, title + LANE_PAD)
    for id, box in boxes.items():
        x, y = placed.at(routes.middle(id))
        box.x, box.y = x - box.width / 2, y - box.height / 2
    return DrawnLane(
        lane,
        width,
        height,
        list(boxes.values()),
        [
            _loop(boxes[way.source], way, label) if link.is_loop else placed.way(routes, way, link, label)
            for way, link, label in zip(ways, links, labels, strict=True)
        ],
        placed.at(routes.middle(start)) if start in sizes else None,
        placed.at(routes.middle(end)) if end in sizes else None,
    )


def _ended(box: Box) -> bool:
    """Whether an execution has left the scope by this state."""
    return box.visits is not None and box.visits.status == "succeeded"


@dataclass(frozen=True, slots=True)
class _Shift:
    """From the places of a drawing to those of the lane around it."""

    x: float
    y: float

    def at(self, point: Point) -> Point:
        return point[0] + self.x, point[1] + self.y

    def way(self, routes: Routes, way: Way, link: Link[str], label: list[str]) -> DrawnWay:
        middle = routes.label(link) if label else None
        points, arrives = routes.points(link, whole=way.taken)
        at = None if middle is None else self.at(middle)
        return DrawnWay(way, [self.at(point) for point in points], label, at, arrives=arrives)


def _loop(box: DrawnBox, way: Way, label: list[str]) -> DrawnWay:
    """A way from a state to itself, at its right side."""
    x, y = box.x + box.width, box.y + box.height / 2
    points = [(x, y - 8), (x + LOOP - 8, y), (x, y + 8)]
    at = (x + LOOP + _size(label[:1])[0] / 2, y) if label else None
    return DrawnWay(way, points, label[:1], at, loop=True)


def _label(way: Way) -> list[str]:
    lines: list[str] = []
    for number, text in enumerate(way.labels):
        lines += wrapped(f"or {text}" if number and way.kind == "choice" else text, LABEL_SIZE, LABEL_MAX, 3)
    return [*lines[: LABEL_LINES - 1], "…"] if len(lines) > LABEL_LINES else lines


def _size(label: list[str]) -> tuple[float, float]:
    if not label:
        return 0.0, 0.0
    return max(width_of(line, LABEL_SIZE) for line in label) + 10, LABEL_SIZE * LINE * len(label) + 4
