"""Shapes and functions in words: what hover shows, and what completion says beside a name."""

from __future__ import annotations

from collections.abc import Mapping

from detent.query.intrinsics import FUNCTIONS

from ..inference.functions import SIGNATURES
from ..inference.shapes import Kind, Shape

#: How much of a shape is shown.
_DEPTH_MAX = 4
_MEMBERS_MAX = 24
_ITEMS_MAX = 8

#: What each intrinsic function does, and the names of its arguments (language, section 10).
INTRINSICS: Mapping[str, tuple[str, str]] = {
    "States.Array": ("value, ...", "An array of its arguments."),
    "States.ArrayPartition": ("array, size", "The array cut into arrays of that size."),
    "States.ArrayContains": ("array, value", "Whether the array holds the value."),
    "States.ArrayRange": ("first, last, step", "The numbers from the first to the last, at most 1,000."),
    "States.ArrayGetItem": ("array, index", "The item at an index, from 0."),
    "States.ArrayLength": ("array", "How many items there are."),
    "States.ArrayUnique": ("array", "The array without repeats."),
    "States.Base64Encode": ("text", "The text in Base64."),
    "States.Base64Decode": ("text", "The text that was encoded in Base64."),
    "States.Hash": ("value, algorithm", "The hash in hexadecimal: MD5, SHA-1, SHA-256, SHA-384 or SHA-512."),
    "States.JsonMerge": ("object, object, false", "The members of both; those of the second win."),
    "States.MathAdd": ("number, number", "The sum of two whole numbers."),
    "States.MathRandom": (
        "start, end, seed",
        "A whole number from start up to end; the seed may be left out.",
    ),
    "States.StringSplit": ("text, characters", "The text cut at any of the characters."),
    "States.StringToJson": ("text", "The value that a JSON text stands for."),
    "States.JsonToString": ("value", "The value as JSON text."),
    "States.Format": ("template, value, ...", "The template with each `{}` filled in."),
    "States.UUID": ("", "A random UUID (version 4)."),
}


def signature(function: str) -> str:
    """How an intrinsic function is called, and what it answers: ``States.ArrayLength(array) -> number``."""
    arguments, _ = INTRINSICS[function]
    answer = SIGNATURES[function].answers([])
    return f"{function}({arguments}) -> {shape_text(answer)}"


def about_function(function: str) -> str:
    """A function in Markdown."""
    least, most = FUNCTIONS[function]
    takes = f"{least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
    return f"```text\n{signature(function)}\n```\n{INTRINSICS[function][1]} Arguments: {takes}."


def shape_text(shape: Shape, depth: int = 0) -> str:
    """A shape as one reads it: ``{name: string, lines?: [{...}]}``. A question mark: perhaps not there."""
    if not shape.is_known:
        return "anything"
    if not shape.kinds:
        return "nothing"
    return " | ".join(_kind_text(kind, shape, depth) for kind in Kind if kind in shape.kinds)


def _kind_text(kind: Kind, shape: Shape, depth: int) -> str:
    if kind is Kind.OBJECT:
        return _object_text(shape, depth)
    if kind is Kind.ARRAY:
        return _array_text(shape, depth)
    return str(kind)


def _object_text(shape: Shape, depth: int) -> str:
    known = {name: member for name, member in shape.members.items() if not member.is_absent}
    if depth >= _DEPTH_MAX:
        return "{...}"
    parts = [
        f"{name}{'' if member.certain else '?'}: {shape_text(member.shape, depth + 1)}"
        for name, member in list(known.items())[:_MEMBERS_MAX]
    ]
    if len(known) > _MEMBERS_MAX or not shape.closed:
        parts.append("...")
    one_line = "{" + ", ".join(parts) + "}"
    if len(one_line) <= 60:
        return one_line
    indent = "  " * (depth + 1)
    return "{\n" + "".join(f"{indent}{part}\n" for part in parts) + "  " * depth + "}"


def _array_text(shape: Shape, depth: int) -> str:
    if depth >= _DEPTH_MAX:
        return "[...]"
    if shape.elements is not None and len(shape.elements) <= _ITEMS_MAX:
        return "[" + ", ".join(shape_text(each, depth + 1) for each in shape.elements) + "]"
    item = shape.item()
    return f"[{shape_text(item, depth + 1)}, ...]" if item.is_known else "array"
