"""The fields of each part, what they mean, and which values they take: read from the JSON Schema files.

:func:`bundle` makes one schema of all files, for the extensions of editors that take a schema. The sentences stand
in the files and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urljoin

from detent.core.values import JSON

from ..schema_files import ENTRY, resolved, schemas


def bundle() -> dict[str, Any]:
    """The JSON Schema (2020-12) of definitions as one value: every reference leads to a place inside it."""
    whole: dict[str, Any] = _local(ENTRY, schemas()[ENTRY])
    definitions = whole.pop("$defs")
    for file, schema in sorted(schemas().items()):
        if file != ENTRY:
            inner = {name: value for name, value in schema.items() if name not in ("$schema", "$id")}
            definitions[_name(file)] = _local(file, inner)
    return {"$schema": whole.pop("$schema"), "title": whole.pop("title"), **whole, "$defs": definitions}


def _name(file: str) -> str:
    """What a file is called among the definitions of the bundle: ``states/task.schema.json`` is ``task``."""
    return file.rpartition("/")[2].partition(".")[0]


def _local(file: str, schema: Any) -> Any:
    """The schema with its references turned into references to the bundle."""
    if isinstance(schema, list):
        return [_local(file, element) for element in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _inside(urljoin(file, value))
        if key == "$ref" and isinstance(value, str)
        else _local(file, value)
        for key, value in schema.items()
    }


def _inside(reference: str) -> str:
    file, _, pointer = reference.partition("#")
    return f"#{pointer}" if file == ENTRY else f"#/$defs/{_name(file)}{pointer}"


def fields(kind: str) -> tuple[str, ...]:
    """The fields that a part of a kind (``Task``, ``retrier``, ``machine`` ...) may have, in the order of its file."""
    return tuple(_properties(kind))


def required(kind: str) -> tuple[str, ...]:
    """The fields that it must have."""
    return tuple(resolved(kind)[1].get("required", ()))


@cache
def description(kind: str, field: str) -> str | None:
    """What a field of a part means, in Markdown; None if there is no such field."""
    return next((schema["description"] for schema in _meanings(kind, field) if "description" in schema), None)


@cache
def values(kind: str, field: str) -> tuple[JSON, ...]:
    """The values a field may have, where they can be listed."""
    for schema in _meanings(kind, field):
        if "enum" in schema:
            return tuple(schema["enum"])
        if "const" in schema:
            return (schema["const"],)
        if schema.get("type") == "boolean":
            return (True, False)
    return ()


@cache
def default(kind: str, field: str) -> JSON:
    """What a field means when it is left out; None if nobody says."""
    return next((schema["default"] for schema in _meanings(kind, field) if "default" in schema), None)


def summary(kind: str) -> str | None:
    """What a part of a kind is for."""
    text: str | None = resolved(kind)[1].get("description")
    return text


def _properties(kind: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = resolved(kind)[1].get("properties", {})
    return found


def _meanings(kind: str, field: str) -> list[Mapping[str, Any]]:
    """The schema of a field, and those that it refers to, nearest first. ``field`` may be ``ReaderConfig.MaxItems``."""
    file, schema = resolved(kind)
    found: list[Mapping[str, Any]] = []
    for name in field.split("."):
        schema = schema.get("properties", {}).get(name)
        if not isinstance(schema, dict):
            return []
        found = [schema]
        while "$ref" in schema:
            file, schema = resolved(urljoin(file, schema["$ref"]))
            found.append(schema)
    return found


def inner_fields(kind: str, field: str) -> tuple[str, ...]:
    """The fields that the object in a field may have, such as those of ``ReaderConfig``."""
    found = (schema["properties"] for schema in _meanings(kind, field) if "properties" in schema)
    return tuple(next(found, ()))
