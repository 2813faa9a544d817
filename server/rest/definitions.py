"""Definitions: what is found in them, and their picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from aiohttp import web
from msgspec import Meta

from detent.core.values import JSON, decode
from detent.runtime.catalogue_entries import Type
from detent.schema.graph import Chart, chart
from detent.schema.graph.dot import to_dot
from detent.schema.graph.mermaid import to_mermaid
from detent.schema.graph.svg import to_svg

from ..definitions import Definition, described, judged
from ..refusals import Refused
from .operation import Call, Shape, operation
from .shapes import MACHINES, Json, machine_of, revision_of

DefinitionIn = Annotated[Json, Meta(description="A definition: an object, or a text in JSON or YAML.")]


class Finding(Shape):
    """What was found in a definition."""

    code: str
    severity: Literal["error", "warning", "info"]
    message: str
    pointer: Annotated[str, Meta(description="The place as a JSON pointer.")]
    line: int | None
    column: int | None
    hint: str | None


class Validate(Shape):
    """A definition to judge."""

    definition: DefinitionIn
    type: Literal["STANDARD", "EXPRESS"] = "STANDARD"


class Judgement(Shape):
    """Whether a definition can be run, and what was found."""

    valid: bool
    findings: list[Finding]


class Picture(Shape):
    """How to draw."""

    format: Literal["svg", "mermaid", "dot"] = "svg"


@operation("POST", "/v1/machines/validate", tag=MACHINES)
async def validate_definition(call: Call, body: Validate) -> Judgement:
    """Judge a definition without keeping it"""
    try:
        definition = await sound(call, body.definition, body.type)
        found = [described(each) for each in definition.findings]
        valid = True
    except Refused as refused:
        found, valid = refused.more["diagnostics"], False
    return Judgement(valid=valid, findings=[Finding(**each) for each in found])


@operation(
    "GET",
    "/v1/machines/{machine}/graph",
    tag=MACHINES,
    media=("image/svg+xml", "text/vnd.mermaid", "text/vnd.graphviz"),
)
async def get_graph(call: Call, query: Picture) -> None:
    """The picture of a definition"""
    entry = await machine_of(call)
    text = (await revision_of(call, entry)).draft.definition
    media, draw = _PICTURES[query.format]
    drawn = await call.service.desk.do(len(text), lambda: draw(chart(decode(text.encode())), entry.name))
    return _text(drawn, media)  # type: ignore[return-value]  # as it is


_PICTURES: Mapping[str, tuple[str, Callable[[Chart, str], str]]] = {
    "svg": ("image/svg+xml", to_svg),
    "mermaid": ("text/vnd.mermaid", lambda drawing, name: to_mermaid(drawing)),
    "dot": ("text/vnd.graphviz", lambda drawing, name: to_dot(drawing)),
}


def _text(text: str, media: str) -> web.Response:
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return web.Response(text=text, content_type=media, headers=headers)


async def sound(call: Call, given: JSON, type: Type) -> Definition:
    """The definition that a request holds. Raises Refused with all that was found in one that cannot be run."""
    size = len(await call.exchange.body())
    return await judged(call.service.desk, size, given, type)


OPERATIONS = (validate_definition, get_graph)
