"""Shapes: what is known of a JSON value before anything runs.

A shape says of which kinds a value may be, which members an object has, what an array holds. The rule of the
whole package: what is not known is :data:`UNKNOWN`, and of an unknown value nothing is ever claimed. Shapes
are immutable, and bounded in depth and size: what grows beyond the bounds becomes unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from detent.core.values import JSON


class Kind(StrEnum):
    """The kinds of JSON values."""

    NULL = "null"
    BOOLEAN = "boolean"
    NUMBER = "number"
    STRING = "string"
    OBJECT = "object"
    ARRAY = "array"


#: Bounds of a shape, so that no definition makes it grow without end. Size counts shapes inside shapes.
MAX_DEPTH = 24
MAX_SIZE = 600

_ANY = frozenset(Kind)
_NO_MEMBERS: Mapping[str, Member] = MappingProxyType({})


def _no_members() -> Mapping[str, Member]:
    return _NO_MEMBERS


@dataclass(frozen=True, slots=True)
class Shape:
    """``closed`` objects have no members beyond ``members``. ``items`` is the shape of every item of an array,
    None where it is not known; ``elements`` are the items one by one where even their number is known."""

    kinds: frozenset[Kind] = _ANY
    members: Mapping[str, Member] = field(default_factory=_no_members)
    closed: bool = False
    items: Shape | None = None
    elements: tuple[Shape, ...] | None = None
    depth: int = 1
    size: int = 1

    @property
    def is_known(self) -> bool:
        """Whether anything is known of it."""
        return self.kinds != _ANY

    def member(self, name: str) -> Member | None:
        """What is known of a member of the object; None if nothing is."""
        known = self.members.get(name)
        return ABSENT if known is None and self.closed else known

    def may_be(self, kinds: frozenset[Kind]) -> bool:
        """Whether the value can be of one of the kinds."""
        return bool(self.kinds & kinds)

    def item(self) -> Shape:
        """What any item of the array may be."""
        if self.elements:
            return join_all(self.elements)
        return self.items or UNKNOWN


@dataclass(frozen=True, slots=True)
class Member:
    """``certain``: the object always has it. A member that is known not to be there is :data:`ABSENT`."""

    shape: Shape
    certain: bool = True

    @property
    def is_absent(self) -> bool:
        return not self.shape.kinds


UNKNOWN = Shape()
#: The shape of no value at all.
NOTHING = Shape(frozenset())
ABSENT = Member(NOTHING, certain=False)

NULL = Shape(frozenset({Kind.NULL}))
BOOLEAN = Shape(frozenset({Kind.BOOLEAN}))
NUMBER = Shape(frozenset({Kind.NUMBER}))
STRING = Shape(frozenset({Kind.STRING}))
#: An object, an array, of which nothing else is known.
OBJECT = Shape(frozenset({Kind.OBJECT}))
ARRAY = Shape(frozenset({Kind.ARRAY}))


def object_of(members: Mapping[str, Member], *, closed: bool = True) -> Shape:
    """An object with these members, and no others if it is ``closed``."""
    depth = 1 + max((member.shape.depth for member in members.values()), default=0)
    size = 1 + sum(member.shape.size for member in members.values())
    if depth > MAX_DEPTH or size > MAX_SIZE:
        return OBJECT
    return Shape(OBJECT.kinds, members, closed, depth=depth, size=size)


def having(**members: Shape) -> Shape:
    """An object that has exactly these members."""
    return object_of({name: Member(shape) for name, shape in members.items()})


def array_of(items: Shape) -> Shape:
    """An array, however long, of such items."""
    if items.depth >= MAX_DEPTH:
        return ARRAY
    return Shape(ARRAY.kinds, items=items, depth=items.depth + 1, size=items.size + 1)


def elements_of(elements: Iterable[Shape]) -> Shape:
    """An array of exactly these items."""
    each = tuple(elements)
    depth = 1 + max((shape.depth for shape in each), default=0)
    size = 1 + sum(shape.size for shape in each)
    if depth > MAX_DEPTH or size > MAX_SIZE:
        return ARRAY
    return Shape(ARRAY.kinds, elements=each, depth=depth, size=size)


def of_literal(value: JSON, depth: int = 0) -> Shape:
    """The shape of a value that stands in the definition."""
    if depth >= MAX_DEPTH:
        return UNKNOWN
    if isinstance(value, dict):
        return object_of({name: Member(of_literal(inner, depth + 1)) for name, inner in value.items()})
    if isinstance(value, list):
        return elements_of(of_literal(inner, depth + 1) for inner in value)
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, (int, float)):
        return NUMBER
    return NULL if value is None else STRING


def join(left: Shape, right: Shape) -> Shape:
    """What a value is that is the one or the other."""
    if left is right or left == right or not right.kinds:
        return left
    if not left.kinds:
        return right
    kinds = left.kinds | right.kinds
    if kinds == _ANY:
        return UNKNOWN
    members, closed = _joined_members(left, right)
    items, elements = _joined_items(left, right)
    children = [member.shape for member in members.values()]
    children += elements or ()
    children += [items] if items is not None else []
    depth = 1 + max((shape.depth for shape in children), default=0)
    size = 1 + sum(shape.size for shape in children)
    if size > MAX_SIZE:
        return Shape(kinds)
    return Shape(kinds, members, closed, items, elements, depth, size)


def join_all(shapes: Iterable[Shape]) -> Shape:
    """What a value is that is one of these; of none, :data:`NOTHING`."""
    joined = NOTHING
    for shape in shapes:
        joined = join(joined, shape)
    return joined


def _joined_members(left: Shape, right: Shape) -> tuple[Mapping[str, Member], bool]:
    if Kind.OBJECT not in left.kinds or Kind.OBJECT not in right.kinds:
        only = left if Kind.OBJECT in left.kinds else right
        return only.members, only.closed
    closed = left.closed and right.closed
    joined: dict[str, Member] = {}
    for name in {**left.members, **right.members}:
        one, other = left.member(name), right.member(name)
        if one is None or other is None:
            continue  # one side may hold anything here
        both = Member(join(one.shape, other.shape), one.certain and other.certain)
        if not (closed and both.is_absent):
            joined[name] = both
    return joined, closed


def _joined_items(left: Shape, right: Shape) -> tuple[Shape | None, tuple[Shape, ...] | None]:
    if Kind.ARRAY not in left.kinds or Kind.ARRAY not in right.kinds:
        only = left if Kind.ARRAY in left.kinds else right
        return only.items, only.elements
    if left.elements is not None and right.elements is not None and len(left.elements) == len(right.elements):
        return None, tuple(join(one, other) for one, other in zip(left.elements, right.elements, strict=True))
    sides = [join_all(side.elements) if side.elements is not None else side.items for side in (left, right)]
    if sides[0] is None or sides[1] is None:
        return None, None
    joined = join(sides[0], sides[1])
    return (joined if joined.kinds else None), None


def only(shape: Shape, kinds: frozenset[Kind]) -> Shape:
    """The shape of a value that turned out to be of one of the kinds."""
    left = shape.kinds & kinds
    return replace(shape, kinds=left) if left else shape
