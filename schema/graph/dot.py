"""The picture in DOT, for Graphviz and what reads its language."""

from __future__ import annotations

from collections.abc import Iterator

from .mermaid import class_of
from .model import Box, Chart, Lane, Way

_SHAPES = {"Choice": "diamond", "Wait": "ellipse", "Succeed": "ellipse", "Fail": "ellipse"}
_COLOURS = {
    "succeed": 'color="#1a7f37"',
    "fail": 'color="#cf222e"',
    "done": 'color="#1a7f37", fillcolor="#dafbe1"',
    "failed": 'color="#cf222e", fillcolor="#ffebe9"',
    "caught": 'color="#8250df", fillcolor="#fbefff"',
    "live": 'color="#0969da", fillcolor="#ddf4ff", penwidth=2',
    "unseen": 'color="#afb8c1", fontcolor="#8c959f"',
}
_HEAD = """\
digraph machine {
  rankdir=TB; compound=true; fontname="Helvetica"; fontsize=11;
  node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica", fontsize=12];
  edge [fontname="Helvetica", fontsize=10, color="#57606a"];"""


def to_dot(chart: Chart) -> str:
    return "\n".join([_HEAD, *_lane(chart.root, "  ", chart.trailed), "}"]) + "\n"


def _lane(lane: Lane, margin: str, trailed: bool) -> Iterator[str]:
    if lane.start is not None:
        yield f'{margin}{lane.id}_start [shape=circle, label="", width=0.15, fillcolor="#57606a"];'
        yield f"{margin}{lane.id}_start -> {lane.start};"
    for box in lane.states:
        yield from _box(box, margin, trailed)
    yield from (margin + _way(way) for way in lane.ways)
    if lane.ends:
        yield f'{margin}{lane.id}_end [shape=doublecircle, label="", width=0.12, fillcolor="#57606a"];'
        yield from (f"{margin}{end} -> {lane.id}_end;" for end in lane.ends)


def _box(box: Box, margin: str, trailed: bool) -> Iterator[str]:
    """A state; what runs inside it stands in a frame around both."""
    inner = margin
    if box.lanes:
        yield f"{margin}subgraph cluster_{box.id} {{"
        yield f'{margin}  label=""; style="rounded"; color="#8c959f";'
        inner += "  "
    yield f"{inner}{box.id} [{_look(box, trailed)}];"
    for lane in box.lanes:
        yield f"{inner}subgraph cluster_{lane.id} {{"
        yield f'{inner}  label={_quoted(lane.title)}; style="dashed,rounded"; color="#afb8c1";'
        yield from _lane(lane, inner + "  ", trailed)
        yield f"{inner}}}"
        if lane.start is not None:
            yield f"{inner}{box.id} -> {lane.id}_start [style=dotted, arrowhead=none];"
    if box.lanes:
        yield f"{margin}}}"


def _look(box: Box, trailed: bool) -> str:
    marks = [box.retries] if box.retries else []
    if box.visits is not None and box.visits.count > 1:
        marks.append(f"×{box.visits.count}")
    text = "\n".join(filter(None, [" ".join([box.name, *marks]), box.detail]))
    look = f"label={_quoted(text)}"
    if box.type in _SHAPES:
        look += f", shape={_SHAPES[box.type]}"
    style = class_of(box, trailed)
    return f"{look}, {_COLOURS[style]}" if style else look


def _way(way: Way) -> str:
    looks = ["label=" + _quoted("\n".join(way.labels))] if way.labels else []
    if way.kind == "catch":
        looks.append("style=dashed")
    if way.taken:
        looks.append("penwidth=2.5")
    attributes = f" [{', '.join(looks)}]" if looks else ""
    return f"{way.source} -> {way.target}{attributes};"


def _quoted(text: str) -> str:
    """A text in DOT's quotes, in which a backslash begins an escape and a line end is written as one."""
    shown = "".join(character if character.isprintable() or character == "\n" else "?" for character in text)
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
