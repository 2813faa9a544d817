"""Definitions: what is found in them, and their picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from aiohttp import web
from msgspec import Meta

from detent.core.values import JSON
from detent.runtime.catalogue_entries import Type
from detent.runtime.helpers import Ended

from .. import apart
from ..definitions import Definition, judged
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
        found, valid = definition.findings, True
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
    asked = {"definition": text, "name": entry.name, "format": query.format}
    try:
        drawn = await call.service.desk.apart(apart.draw, asked)
    except Ended as ended:
        raise Refused(400, "too-large-to-draw", f"the definition cannot be drawn: {ended}") from None
    return _text(drawn, _MEDIA[query.format])  # type: ignore[return-value]  # as it is


_MEDIA: Mapping[str, str] = {
    "svg": "image/svg+xml",
    "mermaid": "text/vnd.mermaid",
    "dot": "text/vnd.graphviz",
}


def _text(text: str, media: str) -> web.Response:
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return web.Response(text=text, content_type=media, headers=headers)


async def sound(call: Call, given: JSON, type: Type) -> Definition:
    """The definition that a request holds. Raises Refused with all that was found in one that cannot be run."""
    return await judged(call.service.desk, given, type)


OPERATIONS = (validate_definition, get_graph)
