"""What each operation takes, and what the service says of a request that breaks it (api, section 3).

The facts stand in ``shapes.json``, which tools/aws_shapes.py writes from the service model. Types are checked first,
as the service does while it reads a request, then every bound, so that one answer names all that is broken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from detent.core.values import JSON

from .errors import ServiceError, validation

_MODEL: Mapping[str, Any] = json.loads(files(__package__).joinpath("shapes.json").read_text(encoding="utf-8"))
_SHAPES: Mapping[str, Mapping[str, Any]] = _MODEL["shapes"]

#: The operations of the service.
OPERATIONS = frozenset(_MODEL["operations"])

#: How the service's parser calls what it met, by Python's type, and what it wanted, by the model's.
_MET = {
    str: "STRING_VALUE",
    int: "NUMBER_VALUE",
    float: "DECIMAL_VALUE",
    list: "START_OF_ARRAY",
    dict: "START_OF_STRUCTURE",
}
_WANTED = {
    "string": "a String",
    "integer": "an Integer",
    "long": "a Long",
    "float": "a Float",
    "boolean": "a Boolean",
}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "structure": (dict,),
}

#: Values of an enumeration in the order in which the service was seen to print them.
_PRINTED: Mapping[str, tuple[str, ...]] = {
    "ExecutionStatus": ("SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING"),
}


def checked(operation: str, params: JSON) -> dict[str, Any]:
    """The parameters of an operation: what it knows of them, without nulls. Raises ServiceError."""
    root = _MODEL["operations"][operation]
    taken: dict[str, Any] = _typed(root, params)
    broken = list(_broken(root, taken, ""))
    if broken:
        count = f"{len(broken)} validation error{'s' if len(broken) > 1 else ''} detected"
        raise validation(f"{count}: {'; '.join(broken)}")
    return taken


def _typed(name: str, value: Any) -> Any:
    shape = _SHAPES[name]
    kind = shape["type"]
    if not _is_of(kind, value):
        raise ServiceError("SerializationException", _mismatch(kind, value))
    if kind == "structure":
        members = shape["members"]
        return {
            key: _typed(members[key], member)
            for key, member in value.items()
            if key in members and member is not None
        }
    if kind == "list":
        return [None if item is None else _typed(shape["member"], item) for item in value]
    return value


def _is_of(kind: str, value: Any) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _mismatch(kind: str, value: JSON) -> str:
    if kind in _WANTED:
        met = (
            f"{value}".upper() + "_VALUE" if isinstance(value, bool) else _MET.get(type(value), "NULL_VALUE")
        )
        return f"{met} can not be converted to {_WANTED[kind]}"
    return "Unexpected list element termination" if kind == "list" else "Unexpected field type"


def _broken(name: str, value: Any, place: str) -> Iterator[str]:
    """What a value breaks, each with its place."""
    shape = _SHAPES[name]
    if shape["type"] == "structure":
        yield from _broken_members(shape, value, place)
        return
    for rule in _rules(name, shape, value):
        # What is secret is not printed.
        shown = "Value" if shape.get("sensitive") else f"Value '{printed(name, value)}'"
        yield f"{shown} at '{place}' failed to satisfy constraint: {rule}"
    if shape["type"] == "list":
        for number, item in enumerate(value, 1):
            inner = f"{place}.{number}.member"
            if item is None:
                yield _null(inner)
            else:
                yield from _broken(shape["member"], item, inner)


def _broken_members(shape: Mapping[str, Any], value: Mapping[str, Any], place: str) -> Iterator[str]:
    required = shape.get("required", ())
    for member, inner in shape["members"].items():
        at = f"{place}.{member}" if place else member
        if member in value:
            yield from _broken(inner, value[member], at)
        elif member in required:
            yield _null(at)


def _null(place: str) -> str:
    return f"Value null at '{place}' failed to satisfy constraint: Member must not be null"


def _rules(name: str, shape: Mapping[str, Any], value: Any) -> Iterator[str]:
    """The rules of a shape that a value breaks."""
    is_number = shape["type"] in ("integer", "long", "float")
    size = value if is_number else _length(value)
    what = "value" if is_number else "length"
    if "max" in shape and size > shape["max"]:
        yield f"Member must have {what} less than or equal to {shape['max']}"
    if "min" in shape and size < shape["min"]:
        yield f"Member must have {what} greater than or equal to {shape['min']}"
    if "pattern" in shape and not _pattern(shape["pattern"]).fullmatch(value):
        yield f"Member must satisfy regular expression pattern: {shape['pattern']}"
    if "enum" in shape and value not in shape["enum"]:
        yield f"Member must satisfy enum value set: [{', '.join(_PRINTED.get(name, shape['enum']))}]"


def _length(value: Any) -> int:
    """The length as the service counts it: a text in units of UTF-16."""
    if not isinstance(value, str):
        return len(value) if isinstance(value, list) else 0
    return len(value) if value.isascii() else len(value.encode("utf-16-le", "surrogatepass")) // 2


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text.replace(r"\p{ASCII}", r"[\x00-\x7f]"))


def printed(name: str, value: Any) -> str:
    """A value as the service prints it: lists and structures in the words of its own language."""
    shape = _SHAPES[name]
    if shape["type"] == "list":
        return f"[{', '.join(printed(shape['member'], item) for item in value)}]"
    if shape["type"] == "structure":
        members = (
            f"{member}={printed(inner, value[member]) if member in value else 'null'}"
            for member, inner in shape["members"].items()
        )
        return f"{name}({', '.join(members)})"
    return f"{value}".lower() if isinstance(value, bool) else f"{value}"
