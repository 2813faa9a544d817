"""How the language's reference sorts: which two values it compares first that cannot be compared. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from ...core.values import JSON
from .signatures import Argument

_Row = Sequence[Argument]


class _Uneven(Exception):
    """A number was compared with a text."""

    def __init__(self, left: JSON, right: JSON) -> None:
        self.pair = left, right


class Pair(NamedTuple):
    """Two values that were compared."""

    left: JSON
    right: JSON


def first_uneven(rows: Sequence[_Row], directions: str) -> Pair | None:
    """The first number and text that sorting compares; None if it compares none.

    ``rows`` are the terms of each item, ``directions`` a ``>`` for each term that descends, and a ``<`` for the others.
    """
    try:
        _sorted(rows, directions)
    except _Uneven as uneven:
        return Pair(*uneven.pair)
    return None


def _sorted(rows: Sequence[_Row], directions: str) -> deque[_Row]:
    """Merge sort, as the reference does it: the order of comparisons is its own."""
    if len(rows) <= 1:
        return deque(rows)
    middle = len(rows) // 2
    left, right = _sorted(rows[:middle], directions), _sorted(rows[middle:], directions)
    merged: list[_Row] = []
    while left and right:
        merged.append((right if _comes_after(left[0], right[0], directions) else left).popleft())
    return deque([*merged, *left, *right])


def _comes_after(left: _Row, right: _Row, directions: str) -> bool:
    for one, other, direction in zip(left, right, directions, strict=True):
        if "undefined" in (one.type, other.type):
            if one.type != other.type:
                return one.type == "undefined"
        elif {one.type, other.type} == {"string", "number"}:
            raise _Uneven(one.value, other.value)
        elif one.value != other.value:
            return bool(one.value > other.value) == (direction == "<")
    return False
