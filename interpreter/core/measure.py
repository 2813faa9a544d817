"""How much a value is: what bounds work on values that may be large, or made of one value many times."""

from __future__ import annotations

import math

from .values import JSON

#: Characters of a text that weigh as much as one value.
_CHARACTERS = 32
#: Types of values that weigh one, whatever they are: to know that a list has no others is a fifth of a walk.
_LIGHT = frozenset({int, float, bool, type(None)})


def weight(value: JSON, most: float = math.inf) -> int:
    """The values inside a value, itself included, as often as each appears; texts weigh by their length, too.

    Nothing is counted beyond ``most``: the answer is then some number above it.
    """
    kind = value.__class__
    if kind is str:
        return 1 + len(value) // _CHARACTERS
    if kind is not list and kind is not dict:
        return 1
    total, pending = 1, [value]
    while pending:
        node = pending.pop()
        total += len(node)
        if total > most:
            return total
        items = node if node.__class__ is list else node.values()
        if _LIGHT.issuperset(map(type, items)):
            continue
        for item in items:
            kind = item.__class__
            if kind is list or kind is dict:
                pending.append(item)
            elif kind is str:
                total += len(item) // _CHARACTERS
    return total


def written_length(value: JSON, most: int) -> int:
    """About the characters of a value as JSON text. A value that appears many times is looked at once.

    Nothing is counted beyond ``most``: the answer is then some number above it. Raises RecursionError for a value
    nested too deeply.
    """
    known: dict[int, int] = {}

    def length(value: JSON) -> int:
        kind = value.__class__
        if kind is str:
            return len(value) + 3
        if kind is not list and kind is not dict:
            return 4
        total = known.get(id(value))
        if total is None:
            total = 2 if kind is list else 2 + sum(map(len, value)) + 4 * len(value)
            for item in value if kind is list else value.values():
                total += length(item)
                if total > most:
                    break
            known[id(value)] = total
        return total

    return length(value)
