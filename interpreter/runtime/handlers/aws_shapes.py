"""Parameters and results of a call, between how a workflow writes them and how the client library does.

A workflow spells all members in PascalCase and has JSON values alone; the shapes are those of the service's model.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...core.context import instant_text
from ...core.values import JSON, encode


class Unfit(Exception):
    """A parameter that the call does not have; ``field`` is its name."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def call_of(shape: Any, value: JSON) -> Any:
    """Parameters as the library takes them. Raises Unfit.

    Where a text is asked for and none is given, the JSON text stands in; a body that is streamed is JSON always.
    """
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return value
    if kind == "structure" and isinstance(value, Mapping):
        return _members(shape, value)
    if kind == "list" and isinstance(value, list):
        return [call_of(shape.member, item) for item in value]
    if kind == "map" and isinstance(value, Mapping):
        return {key: call_of(shape.value, item) for key, item in value.items()}
    if kind == "string" and not isinstance(value, str):
        return encode(value).decode()
    if kind == "blob":
        plain = isinstance(value, str) and not shape.serialization.get("streaming")
        return value.encode() if plain else encode(value)
    return value


def _members(shape: Any, value: Mapping[str, JSON]) -> dict[str, Any]:
    names = {_spelled(name): name for name in shape.members}
    given = {}
    for key, item in value.items():
        name = names.get(key)
        if name is None:
            raise Unfit(key)
        if item is not None:
            given[name] = call_of(shape.members[name], item)
    return given


def result_of(shape: Any, value: Any) -> JSON:
    """What the library answered, as a workflow has it: instants are texts, bytes too."""
    if isinstance(value, datetime):
        return instant_text(round(value.timestamp() * 1000))
    if shape is None or getattr(shape, "is_document_type", False):
        return value
    kind = shape.type_name
    if kind == "structure":
        members = ((name, value[name]) for name in shape.members if value.get(name) is not None)
        return {_spelled(name): result_of(shape.members[name], part) for name, part in members}
    if kind == "list":
        return [result_of(shape.member, item) for item in value]
    if kind == "map":
        return {key: result_of(shape.value, item) for key, item in value.items()}
    if kind == "blob":
        return _text(value)
    return value


def _text(value: Any) -> str:
    """A streamed body is a text; other bytes are in Base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    content: bytes = value.read()
    return content.decode("utf-8", "replace")


def _spelled(member: str) -> str:
    return member[:1].upper() + member[1:]
