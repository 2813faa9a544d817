"""Intrinsic functions over shapes: what each takes, and what it answers (language, section 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .shapes import (
    ARRAY,
    BOOLEAN,
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
    object_of,
)

ANYTHING = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class Signature:
    """The kinds each argument may be of, the last of them for all that follow; and the shape of the answer."""

    takes: tuple[frozenset[Kind], ...]
    answers: Callable[[Sequence[Shape]], Shape]

    def kinds(self, position: int) -> frozenset[Kind]:
        """What the argument at a position, from 0, may be."""
        return self.takes[min(position, len(self.takes) - 1)] if self.takes else ANYTHING


def _always(shape: Shape) -> Callable[[Sequence[Shape]], Shape]:
    return lambda arguments: shape


def _part(arguments: Sequence[Shape]) -> Shape:
    return array_of(array_of(arguments[0].item())) if arguments else ARRAY


def _unique(arguments: Sequence[Shape]) -> Shape:
    return array_of(arguments[0].item()) if arguments else ARRAY


def _get_item(arguments: Sequence[Shape]) -> Shape:
    # Of an empty array it answers null.
    return arguments[0].item() if arguments and arguments[0].elements else UNKNOWN


def _merge(arguments: Sequence[Shape]) -> Shape:
    """The members of both; those of the second win."""
    if len(arguments) < 2 or any(side.kinds != OBJECT.kinds for side in arguments[:2]):
        return OBJECT
    left, right = arguments[:2]
    members: dict[str, Member] = {}
    for name in {**left.members, **right.members}:
        one, other = left.member(name), right.member(name)
        if other is not None and other.certain:
            members[name] = other
        elif one is not None and other is not None and not one.is_absent:
            members[name] = Member(join(one.shape, other.shape), one.certain)
        elif one is not None and one.certain:
            members[name] = Member(UNKNOWN)
    return object_of(members, closed=left.closed and right.closed)


#: The functions by name.
SIGNATURES: Mapping[str, Signature] = {
    "States.Array": Signature((ANYTHING,), elements_of),
    "States.ArrayPartition": Signature((ARRAY.kinds, NUMBER.kinds), _part),
    "States.ArrayContains": Signature((ARRAY.kinds, ANYTHING), _always(BOOLEAN)),
    "States.ArrayRange": Signature((NUMBER.kinds,), _always(array_of(NUMBER))),
    "States.ArrayGetItem": Signature((ARRAY.kinds, NUMBER.kinds), _get_item),
    "States.ArrayLength": Signature((ARRAY.kinds,), _always(NUMBER)),
    "States.ArrayUnique": Signature((ARRAY.kinds,), _unique),
    "States.Base64Encode": Signature((STRING.kinds,), _always(STRING)),
    "States.Base64Decode": Signature((STRING.kinds,), _always(STRING)),
    "States.Hash": Signature((ANYTHING, STRING.kinds), _always(STRING)),
    "States.JsonMerge": Signature((OBJECT.kinds, OBJECT.kinds, ANYTHING), _merge),
    "States.MathAdd": Signature((NUMBER.kinds,), _always(NUMBER)),
    "States.MathRandom": Signature((NUMBER.kinds,), _always(NUMBER)),
    "States.StringSplit": Signature((STRING.kinds,), _always(array_of(STRING))),
    "States.StringToJson": Signature((STRING.kinds,), _always(UNKNOWN)),
    "States.JsonToString": Signature((ANYTHING,), _always(STRING)),
    "States.Format": Signature((STRING.kinds, ANYTHING), _always(STRING)),
    "States.UUID": Signature((), _always(STRING)),
}
