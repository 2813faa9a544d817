"""The picture as a Mermaid flowchart, which many wikis and code hosts draw."""

from __future__ import annotations

from collections.abc import Iterator

from .model import Box, Chart, Lane, Way

_SHAPES = {
    "Choice": ("{", "}"),
    "Wait": ("([", "])"),
    "Succeed": ("([", "])"),
    "Fail": ("([", "])"),
}
_ARROWS = {"catch": "-.->", "next": "-->", "choice": "-->", "default": "-->"}
_CLASSES = """\
classDef succeed stroke:#1a7f37,stroke-width:2px
classDef fail stroke:#cf222e,stroke-width:2px
classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
classDef failed fill:#ffebe9,stroke:#cf222e,color:#1f2328
classDef caught fill:#fbefff,stroke:#8250df,color:#1f2328
classDef live fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328
classDef unseen opacity:0.5"""


def to_mermaid(chart: Chart) -> str:
    lines = ["flowchart TB", *_lane(chart.root, "  ", chart.trailed)]
    lines += [
        f"  {line}"
        for line in _CLASSES.splitlines()
        if chart.trailed or line.split()[1] in ("succeed", "fail")
    ]
    return "\n".join(lines) + "\n"


def _lane(lane: Lane, margin: str, trailed: bool) -> Iterator[str]:
    if lane.start is not None:
        yield f"{margin}{lane.id}_start(( )) --> {lane.start}"
    for box in lane.states:
        yield from _box(box, margin, trailed)
    for way in lane.ways:
        yield margin + _way(way)
    if lane.ends:
        yield f"{margin}{lane.id}_end((( )))"
        yield from (f"{margin}{end} --> {lane.id}_end" for end in lane.ends)


def _box(box: Box, margin: str, trailed: bool) -> Iterator[str]:
    text = _escaped(box.name)
    if box.detail:
        text += f"<br/><small>{_escaped(box.detail)}</small>"
    if box.retries:
        text += f" {box.retries}"
    if box.visits is not None and box.visits.count > 1:
        text += f" ×{box.visits.count}"
    if box.lanes:
        yield f'{margin}subgraph {box.id} ["{text}"]'
        for lane in box.lanes:
            yield f'{margin}  subgraph {lane.id} ["{_escaped(lane.title)}"]'
            yield from _lane(lane, margin + "    ", trailed)
            yield f"{margin}  end"
        yield f"{margin}end"
    else:
        opening, closing = _SHAPES.get(box.type, ("[", "]"))
        yield f'{margin}{box.id}{opening}"{text}"{closing}'
    if style := class_of(box, trailed):
        yield f"{margin}class {box.id} {style}"


def _way(way: Way) -> str:
    label = f'|"{"<br/>".join(map(_escaped, way.labels))}"|' if way.labels else ""
    arrow = "==>" if way.taken else _ARROWS[way.kind]
    return f"{way.source} {arrow}{label} {way.target}"


def class_of(box: Box, trailed: bool) -> str | None:
    """How a state is coloured: by the execution that is shown, otherwise by its type."""
    if not trailed:
        return {"Succeed": "succeed", "Fail": "fail"}.get(box.type)
    if box.visits is None:
        return "unseen"
    return {"succeeded": "done", "failed": "failed", "aborted": "failed", "caught": "caught"}.get(
        box.visits.status, "live"
    )


def _escaped(text: str) -> str:
    """Text that Mermaid takes as text: what has a meaning is written as an entity."""
    return "".join(
        f"#{ord(character)};" if character in '"#<>&`;|{}[]()\\' or not character.isprintable() else character
        for character in text
    )
