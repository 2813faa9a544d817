"""From a JSON Schema to a shape: what an author has said about the machine's input, or about what a task answers.

A schema that lists properties names everything a definition may read, unless it says
``additionalProperties: true``: otherwise it could never be of help. What a schema says in a way that is not
understood here is unknown.
"""

from __future__ import annotations

from detent.core.values import JSON

from .shapes import (
    ARRAY,
    BOOLEAN,
    MAX_DEPTH,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    UNKNOWN,
    Member,
    Shape,
    array_of,
    elements_of,
    join_all,
    object_of,
    of_literal,
)

_TYPES = {
    "null": NULL,
    "boolean": BOOLEAN,
    "integer": NUMBER,
    "number": NUMBER,
    "string": STRING,
    "object": OBJECT,
    "array": ARRAY,
}


def shape_of_schema(schema: JSON) -> Shape:
    """The shape of the values that a JSON Schema allows. References are followed inside the schema only."""
    return _shape(schema, schema, 0)


def _shape(schema: JSON, root: JSON, depth: int) -> Shape:
    if not isinstance(schema, dict) or depth >= MAX_DEPTH:
        return UNKNOWN
    if "$ref" in schema:
        return _shape(_referred(schema["$ref"], root), root, depth + 1)
    if "const" in schema:
        return of_literal(schema["const"])
    if isinstance(schema.get("enum"), list):
        return join_all(map(of_literal, schema["enum"])) if schema["enum"] else UNKNOWN
    for name in ("anyOf", "oneOf"):
        choices = schema.get(name)
        if isinstance(choices, list) and choices and not {"properties", "items"} & schema.keys():
            return join_all(_shape(choice, root, depth + 1) for choice in choices)
    if "allOf" in schema:
        return UNKNOWN
    types = schema.get("type", "object" if "properties" in schema else None)
    names = types if isinstance(types, list) else [types]
    return join_all(_of_type(name, schema, root, depth) for name in names)


def _of_type(name: JSON, schema: dict[str, JSON], root: JSON, depth: int) -> Shape:
    if name == "object" and isinstance(schema.get("properties"), dict):
        return _object(schema, root, depth)
    if name == "array" and isinstance(schema.get("prefixItems"), list) and schema.get("items") is False:
        return elements_of(_shape(item, root, depth + 1) for item in schema["prefixItems"])
    if name == "array" and isinstance(schema.get("items"), dict):
        return array_of(_shape(schema["items"], root, depth + 1))
    return _TYPES.get(name, UNKNOWN) if isinstance(name, str) else UNKNOWN


def _object(schema: dict[str, JSON], root: JSON, depth: int) -> Shape:
    required = schema.get("required", [])
    members = {
        name: Member(_shape(inner, root, depth + 1), certain=isinstance(required, list) and name in required)
        for name, inner in schema["properties"].items()
    }
    others = schema.get("additionalProperties", False)
    return object_of(members, closed=others is False and not {"patternProperties", "if"} & schema.keys())


def _referred(reference: JSON, root: JSON) -> JSON:
    """What ``#/a/b`` names in the schema; None for any other reference."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    here = root
    for part in reference[1:].split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(here, dict) or key not in here:
            return None
        here = here[key]
    return here
