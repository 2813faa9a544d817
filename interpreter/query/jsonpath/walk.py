"""Reference paths: a walk over keys, and the explanation when it misses.

:func:`lane` is the fast lane nearly every path of every definition takes; it does no checks that Python
does not do anyway. Only when it fails does :func:`walk` go the same way again, slowly, to word the miss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...core.values import JSON
from ..javaish import java_text
from .run import PathMiss
from .syntax import Index, Names, Step, spelled

#: What a lane raises when it cannot go on.
MISSES = (KeyError, IndexError, TypeError)


def keys_of(steps: tuple[Step, ...]) -> tuple[str | int, ...]:
    """The keys of steps that form a reference path."""
    return tuple(step.index if isinstance(step, Index) else _name(step) for step in steps)


def _name(step: Step) -> str:
    if not isinstance(step, Names):
        raise TypeError(f"{step} is no step of a reference path")
    return step.names[0]


def reference_length(steps: tuple[Step, ...]) -> int:
    """How many steps at the start form a reference path."""
    for place, step in enumerate(steps):
        if not isinstance(step, Index) and not (isinstance(step, Names) and step.definite):
            return place
    return len(steps)


def lane(steps: tuple[Step, ...]) -> Callable[[JSON], JSON]:
    """A function from a value to what the reference path names below it; raises one of ``MISSES``."""
    keys = keys_of(steps)
    if any(isinstance(key, int) for key in keys):
        return _lane_with_indexes(keys)
    if len(keys) == 1:
        (only,) = keys
        return lambda value: value[only]

    def names(value: JSON) -> JSON:
        for key in keys:
            value = value[key]
        return value

    return names


def _lane_with_indexes(keys: tuple[str | int, ...]) -> Callable[[JSON], JSON]:
    # The type an index asks for stands beside it: "text"[0] is Python, not JSONPath.
    pairs: tuple[tuple[Any, Any], ...] = tuple((key, list if isinstance(key, int) else dict) for key in keys)

    def keys_and_indexes(value: JSON) -> JSON:
        for key, kind in pairs:
            if value.__class__ is not kind:
                raise TypeError
            value = value[key]
        return value

    return keys_and_indexes


def walk(steps: tuple[Step, ...], value: JSON, whole: tuple[Step, ...] | None = None) -> JSON:
    """Go the way of a reference path. ``whole`` is the path the steps begin, for the message.

    Raises :class:`PathMiss` with Jayway's words (language, section 8).
    """
    whole = steps if whole is None else whole
    if value is None and whole:
        raise PathMiss("json can not be null", "unfit")
    for place, step in enumerate(steps):
        if isinstance(step, Index):
            value = _item(step.index, value, steps[:place], whole, is_last=place + 1 == len(whole))
        else:
            value = _member(_name(step), value, steps[: place + 1], whole)
    return value


def _member(name: str, value: JSON, way: tuple[Step, ...], whole: tuple[Step, ...]) -> JSON:
    if value.__class__ is not dict:
        raise PathMiss(f"Missing property in path {spelled(way[:-1])}")
    if name in value:
        return value[name]
    if len(way) == len(whole):
        raise PathMiss(f"No results for path: {spelled(whole)}")
    raise PathMiss(f"Missing property in path {spelled(way)}")


def _item(index: int, value: JSON, way: tuple[Step, ...], whole: tuple[Step, ...], *, is_last: bool) -> JSON:
    require_array(value, f"[{index}]", way)
    try:
        return value[index]
    except IndexError:
        raise PathMiss(
            f"No results for path: {spelled(whole)}", "past_end" if is_last else "absent"
        ) from None


def require_array(value: JSON, fragment: str, way: tuple[Step, ...]) -> None:
    """Raise the miss of an index or slice on something that is no array."""
    if value is None:
        raise PathMiss(f"The path {spelled(way)} is null", "unfit")
    if value.__class__ is not list:
        raise PathMiss(
            f"Filter: {fragment} can only be applied to arrays. Current context is: {java_text(value)}",
            "unfit",
        )
