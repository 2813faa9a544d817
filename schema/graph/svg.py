"""The picture as SVG: one file without scripts or fonts of its own, readable in light and dark surroundings."""

from __future__ import annotations

from collections.abc import Iterator

from .measure import width_of
from .mermaid import class_of
from .model import Chart
from .routes import Point
from .scene import (
    DETAIL_SIZE,
    DOT,
    LABEL_SIZE,
    LINE,
    NAME_SIZE,
    PAD,
    TITLE,
    DrawnBox,
    DrawnLane,
    DrawnWay,
    scene,
)

MARGIN = 12.0
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"

#: Colours by theme: page, box, ink, quiet ink, line, lane.
_LIGHT = {
    "page": "#ffffff",
    "box": "#ffffff",
    "ink": "#1f2328",
    "quiet": "#656d76",
    "line": "#818b98",
    "lane": "#f6f8fa",
}
_DARK = {
    "page": "#0d1117",
    "box": "#161b22",
    "ink": "#e6edf3",
    "quiet": "#8b949e",
    "line": "#6e7681",
    "lane": "#11161d",
}
#: The colour of each type of state, as it is on white and on black.
TYPES = {
    "Task": ("#0969da", "#58a6ff"),
    "Pass": ("#6e7781", "#8b949e"),
    "Choice": ("#9a6700", "#d29922"),
    "Wait": ("#8250df", "#bc8cff"),
    "Parallel": ("#1b7c83", "#39c5cf"),
    "Map": ("#1b7c83", "#39c5cf"),
    "Succeed": ("#1a7f37", "#3fb950"),
    "Fail": ("#cf222e", "#f85149"),
}
#: What an execution did, as the fill of a box.
_TRAIL = {
    "done": ("#dafbe1", "#12261e"),
    "failed": ("#ffebe9", "#2d1214"),
    "caught": ("#fbefff", "#241632"),
    "live": ("#ddf4ff", "#0c2d4a"),
}


def to_svg(chart: Chart, title: str = "", *, dark: bool = True) -> str:
    """The picture; ``title`` is its name for those who cannot see it.

    With ``dark`` the colours follow the reader's surroundings. Converters to bitmaps often know no such rule.
    """
    root = scene(chart)
    width, height = root.width + 2 * MARGIN, root.height + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="{_FONT}" role="img">',
        f"<title>{_text(title or 'state machine')}</title>",
        f"<style>{_style(dark)}</style>",
        _marker("arrow", "line"),
        _marker("taken", "ink"),
        '<rect class="page" width="100%" height="100%" rx="6"/>',
        f'<g transform="translate({MARGIN:.0f} {MARGIN:.0f})">',
        *_lane(root, chart.trailed),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _marker(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto" '
        f'markerUnits="userSpaceOnUse"><path class="head-{colour}" d="M0 0.5 L8 4 L0 7.5 z"/></marker>'
    )


def _style(dark: bool) -> str:
    rules = "\n".join(_rules(_LIGHT, 0))
    if dark:
        rules += "\n@media (prefers-color-scheme: dark) {\n" + "\n".join(_rules(_DARK, 1)) + "\n}"
    return f"\n{rules}\n"


def _rules(colours: dict[str, str], theme: int) -> Iterator[str]:
    yield f".page {{ fill: {colours['page']} }}"
    yield f".box {{ fill: {colours['box']}; stroke-width: 1.5 }}"
    yield f".lane {{ fill: {colours['lane']}; stroke: {colours['line']}; stroke-width: 1; stroke-dasharray: 3 3 }}"
    yield f".ink, .head-ink {{ fill: {colours['ink']} }}"
    yield f".quiet {{ fill: {colours['quiet']} }}"
    yield f".back {{ fill: {colours['page']}; opacity: 0.85 }}"
    yield f".head-line, .dot {{ fill: {colours['line']} }}"
    yield f".ring {{ fill: none; stroke: {colours['line']}; stroke-width: 1.5 }}"
    yield f".way {{ fill: none; stroke: {colours['line']}; stroke-width: 1.4 }}"
    yield ".catch { stroke-dasharray: 5 4 }"
    yield f".taken {{ stroke: {colours['ink']}; stroke-width: 2.2 }}"
    yield ".unseen { opacity: 0.45 } .unseen .unseen { opacity: 1 }"
    for type_, pair in TYPES.items():
        yield f".{type_} {{ stroke: {pair[theme]} }} .{type_}-ink {{ fill: {pair[theme]} }}"
    for name, pair in _TRAIL.items():
        yield f".{name} > .box {{ fill: {pair[theme]} }}"
    yield f".live > .box, .failed > .box {{ stroke-width: 2.5 }} .box.other {{ stroke: {colours['line']} }}"


def _lane(lane: DrawnLane, trailed: bool) -> Iterator[str]:
    for box in lane.boxes:
        yield from _box(box, trailed)
    for way in lane.ways:
        yield _way(way, trailed)
    if lane.start is not None:
        yield f'<circle class="dot" {_at(lane.start)} r="{DOT / 2:g}"/>'
    if lane.end is not None:
        yield f'<circle class="ring" {_at(lane.end)} r="{DOT / 2 + 1:g}"/>'
        yield f'<circle class="dot" {_at(lane.end)} r="{DOT / 2 - 2.5:g}"/>'
    for way in lane.ways:
        yield from _label(way)


def _box(drawn: DrawnBox, trailed: bool) -> Iterator[str]:
    box = drawn.box
    type_ = box.type if box.type in TYPES else "other"
    style = (class_of(box, trailed) if trailed else None) or "plain"
    yield f'<g class="{style}" transform="translate({drawn.x:.1f} {drawn.y:.1f})">'
    yield f"<title>{_text(_hover(drawn))}</title>"
    yield _outline(drawn, type_)
    left = PAD * (1.5 if box.type == "Choice" else 1)
    y = PAD * 0.6 + DETAIL_SIZE - 1
    yield _line(box.type or "?", left, y, DETAIL_SIZE - 1, f"{type_}-ink")
    yield from _marks(drawn, y)
    y += 3
    for text in drawn.name:
        y += NAME_SIZE * LINE
        yield _line(text, left, y, NAME_SIZE, "ink", ' font-weight="600"')
    for text in drawn.detail:
        y += DETAIL_SIZE * LINE
        yield _line(text, left, y, DETAIL_SIZE, "quiet")
    for lane in drawn.lanes:
        yield f'<g transform="translate({lane.x:.1f} {lane.y:.1f})">'
        yield f'<rect class="lane" width="{lane.width:.1f}" height="{lane.height:.1f}" rx="6"/>'
        yield _line(lane.lane.title, PAD, TITLE - 6, LABEL_SIZE, "quiet")
        yield from _lane(lane, trailed)
        yield "</g>"
    yield "</g>"


def _hover(drawn: DrawnBox) -> str:
    box = drawn.box
    parts = [f"{box.name} ({box.type or 'no type'})", box.note, box.detail]
    if box.visits is not None:
        times = "once" if box.visits.count == 1 else f"{box.visits.count} times"
        parts.append(f"entered {times}, {box.visits.status}")
    return "\n".join(filter(None, parts))


def _outline(drawn: DrawnBox, type_: str) -> str:
    width, height = drawn.width, drawn.height
    if type_ == "Choice":
        cut = PAD * 0.9
        corners = [
            (cut, 0.0), (width - cut, 0.0), (width, height / 2), (width - cut, height), (cut, height), (0.0, height / 2)
        ]  # fmt: skip
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        return f'<polygon class="box {type_}" points="{points}" stroke-linejoin="round"/>'
    radius = min(height / 2, 18) if type_ in ("Succeed", "Fail", "Wait") else 7
    return f'<rect class="box {type_}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"/>'


def _marks(drawn: DrawnBox, y: float) -> Iterator[str]:
    """How often it is tried again, and how often an execution was here: at the right of the type."""
    box = drawn.box
    marks = [box.retries] if box.retries else []
    if box.visits is not None and box.visits.count > 1:
        marks.append(f"×{box.visits.count}")
    if marks:
        right = drawn.width - PAD * (1.5 if box.type == "Choice" else 1)
        yield _line("  ".join(marks), right, y, DETAIL_SIZE, "quiet", ' text-anchor="end"')


def _way(drawn: DrawnWay, trailed: bool) -> str:
    way = drawn.way
    classes = ["way", way.kind] + (["taken"] if way.taken else ["unseen"] if trailed else [])
    arrow = f' marker-end="url(#{"taken" if way.taken else "arrow"})"' if drawn.arrives else ""
    return f'<path class="{" ".join(classes)}" d="{_curve(drawn)}"{arrow}/>'


def _curve(drawn: DrawnWay) -> str:
    """Straight through layers, bent between them."""
    points = drawn.points
    x, y = points[0]
    path = [f"M{x:.1f} {y:.1f}"]
    if drawn.loop:
        (_, top), (far, _), (end, bottom) = points
        path.append(f"C{far + 8:.1f} {top - 10:.1f} {far + 8:.1f} {bottom + 10:.1f} {end:.1f} {bottom:.1f}")
        return " ".join(path)
    for next_x, next_y in points[1:]:
        if abs(next_x - x) < 0.5:
            path.append(f"L{next_x:.1f} {next_y:.1f}")
        else:
            middle = (y + next_y) / 2
            path.append(f"C{x:.1f} {middle:.1f} {next_x:.1f} {middle:.1f} {next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
    return " ".join(path)


def _label(drawn: DrawnWay) -> Iterator[str]:
    if drawn.label_at is None or not drawn.label:
        return
    x, y = drawn.label_at
    height = LABEL_SIZE * LINE * len(drawn.label)
    width = max(width_of(line, LABEL_SIZE) for line in drawn.label) + 4
    top = y - height / 2
    yield f'<rect class="back" x="{x - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
    for number, text in enumerate(drawn.label):
        baseline = top + LABEL_SIZE * (LINE * number + 1.1)
        yield _line(text, x, baseline, LABEL_SIZE, "quiet", ' text-anchor="middle"')


def _line(text: str, x: float, y: float, size: float, style: str, more: str = "") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" font-size="{size:g}"{more}>{_text(text)}</text>'


def _at(point: Point) -> str:
    return f'cx="{point[0]:.1f}" cy="{point[1]:.1f}"'


def _text(text: str) -> str:
    """Text as XML can hold it."""
    shown = "".join(character if character.isprintable() or character == "\n" else "?" for character in text)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
