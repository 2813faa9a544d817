"""ResultPath: putting a result into the raw input (language, section 3).

A compiled ResultPath answers a new document that shares everything but the spine with the old one.
Missing objects are created; an array is never created nor grown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..core.errors import RUNTIME, StateFailure
from ..core.values import JSON
from .jsonpath import PathSyntaxError, parse_reference_path
from .jsonpath.syntax import Index
from .jsonpath.walk import keys_of

#: (raw input, result) -> the input with the result at the path.
Place: TypeAlias = Callable[[JSON, JSON], JSON]


def compile_result_path(text: str) -> Place:
    """Compile a ResultPath. Raises :class:`PathSyntaxError` if it is no reference path of the input.

    The function raises :class:`StateFailure` (States.Runtime) when the path leads through something that
    is no object, or to an index that does not exist. An input that is no object gives way to one.
    """
    path = parse_reference_path(text)
    if path.root != "$":
        raise PathSyntaxError("a ResultPath starts from the input, not from '$$' or a variable", 1)
    for step, column in zip(path.steps, path.columns, strict=True):
        if isinstance(step, Index) and step.index < 0:
            raise PathSyntaxError("a ResultPath cannot count from the end of an array", column)
    keys = keys_of(path.steps)
    if not keys:
        return lambda document, result: result
    if len(keys) == 1 and isinstance(keys[0], str):
        name = keys[0]
        return lambda document, result: (
            {**document, name: result} if document.__class__ is dict else {name: result}
        )
    columns = path.columns

    def place(document: JSON, result: JSON) -> JSON:
        top: JSON = _copied(document, keys[0], text, columns[0])
        here = top
        for key, following, column in zip(keys, keys[1:], columns[1:], strict=False):
            below = here[key] if isinstance(key, int) else here.get(key)
            here[key] = _copied(below, following, text, column)
            here = here[key]
        here[keys[-1]] = result
        return top

    return place


def _object(value: JSON) -> dict[str, JSON]:
    return value if value.__class__ is dict else {}


def _copied(value: JSON, key: str | int, text: str, column: int) -> JSON:
    """A copy of the node that will hold ``key``, the step at a column of the path; an object if there was none."""
    if isinstance(key, str):
        if value is not None and value.__class__ is not dict and (way := _way(text, column)) != "$":
            raise StateFailure(RUNTIME, f'Reference path "{way}" must point to object.')
        return dict(_object(value))
    if value.__class__ is not list or key >= len(value):
        raise StateFailure(RUNTIME, f'Reference path "{_way(text, column)}" must point to array.')
    return list(value)


def _way(text: str, column: int) -> str:
    """The path as far as the step at a column."""
    return text[: column - 1].strip().rstrip(".")
