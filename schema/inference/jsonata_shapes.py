"""The shape of what a JSONata expression makes: of paths, of constructors, of operators that always answer one kind.

Whatever the language does with sequences is left unknown: a path through a list answers one value, several, or
none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from detent.query.jsonata.parser import Node

from .jsonata_paths import PathRead, path_of
from .reading import Presence, Reading, member_of
from .shapes import (
    BOOLEAN,
    NOTHING,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    UNKNOWN,
    Kind,
    Member,
    Shape,
    array_of,
    elements_of,
    join,
    join_all,
    object_of,
)

#: How deep expressions are followed.
_DEPTH_MAX = 40

#: What operators and functions answer, if they answer at all.
_OPERATORS: Mapping[str, Shape] = {
    **dict.fromkeys(("+", "-", "*", "/", "%", "negate", "number"), NUMBER),
    **dict.fromkeys(("&", "string"), STRING),
    **dict.fromkeys(("=", "!=", "<", ">", "<=", ">=", "in", "and", "or"), BOOLEAN),
}
_FUNCTIONS: Mapping[str, Shape] = {
    **dict.fromkeys(
        (
            "abs",
            "average",
            "ceil",
            "count",
            "floor",
            "length",
            "max",
            "millis",
            "min",
            "number",
            "parseInteger",
        ),
        NUMBER,
    ),
    **dict.fromkeys(("power", "random", "round", "sqrt", "sum", "toMillis"), NUMBER),
    **dict.fromkeys(
        ("base64decode", "base64encode", "fromMillis", "hash", "join", "lowercase", "now", "pad", "string"),
        STRING,
    ),
    **dict.fromkeys(
        ("substring", "substringAfter", "substringBefore", "trim", "type", "uppercase", "uuid"), STRING
    ),
    **dict.fromkeys(("boolean", "contains", "exists", "not"), BOOLEAN),
    "merge": OBJECT,
}
_VALUES = {"true": BOOLEAN, "false": BOOLEAN, "null": NULL}


def follow(names: Sequence[str], shape: Shape) -> Reading:
    """Follow the names of a path from the shape of its root, through lists as well."""
    presence = Presence.ALWAYS
    here = shape
    for count, name in enumerate(names):
        if Kind.ARRAY in here.kinds:
            inner = here.item() if here.kinds == frozenset({Kind.ARRAY}) else UNKNOWN
            found = follow(names[count:], inner) if inner.is_known else None
            if found is not None and found.presence is Presence.NEVER and inner.kinds:
                return Reading(NOTHING, Presence.NEVER, count + found.steps, found.at)
            return Reading(UNKNOWN, min(presence, Presence.UNKNOWN), len(names), here)
        following, there = member_of(name, here)
        presence = min(presence, there)
        if there is Presence.NEVER:
            return Reading(NOTHING, there, count, here)
        here = following
    return Reading(here, presence, len(names), here)


def shape_of(tree: Node, reading: Callable[[PathRead], Reading | None], depth: int = 0) -> Shape:
    """What an expression makes; ``reading`` follows a path, and answers None for what the expression itself
    has named."""
    if depth > _DEPTH_MAX:
        return UNKNOWN
    read, _ = path_of(tree)
    if read is not None:
        found = reading(read) if read.whole else None
        return UNKNOWN if found is None or found.presence is Presence.NEVER else found.shape
    if tree.kind == "value":
        return _VALUES.get(tree.value, UNKNOWN)
    if tree.kind == "object":
        return _object(tree, reading, depth)
    if tree.kind == "array":
        return _array(tree, reading, depth)
    if tree.kind == "block" and tree.parts:
        return shape_of(tree.parts[-1], reading, depth + 1)
    if tree.kind == "condition" and len(tree.parts) == 3:
        yes, no = (shape_of(part, reading, depth + 1) for part in tree.parts[1:])
        return join(yes, no)
    if tree.kind == "call" and tree.parts[0].kind == "variable":
        return _FUNCTIONS.get(tree.parts[0].value, UNKNOWN)
    return _OPERATORS.get(tree.kind, UNKNOWN)


def _object(tree: Node, reading: Callable[[PathRead], Reading | None], depth: int) -> Shape:
    members: dict[str, Member] = {}
    closed = True
    for key, value in zip(tree.parts[::2], tree.parts[1::2], strict=False):
        if key.kind == "string":
            members[key.value] = Member(shape_of(value, reading, depth + 1))
        else:
            closed = False
    return object_of(members, closed=closed)


def _array(tree: Node, reading: Callable[[PathRead], Reading | None], depth: int) -> Shape:
    """A list constructor; ranges and missing values make its length unknown."""
    items = [shape_of(part, reading, depth + 1) for part in tree.parts]
    if all(part.kind in ("string", "number", "value", "object") for part in tree.parts):
        return elements_of(items)
    return array_of(join_all(items) if "range" not in {part.kind for part in tree.parts} else UNKNOWN)
