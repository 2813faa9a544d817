"""Following a path through a shape: what is there, and whether it is there at all.

Paths follow the service's dialect: a member of something that is no object, or an index of something that is
no array, is a miss; a path that may match any number of values always answers a list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from detent.query.jsonpath.syntax import Index, Names, Path, Step

from .shapes import (
    ABSENT,
    ARRAY,
    NOTHING,
    OBJECT,
    UNKNOWN,
    Kind,
    Member,
    Shape,
    elements_of,
    object_of,
)

#: Longer paths are not followed.
_STEPS_MAX = 20


class Presence(IntEnum):
    """Whether a value is there, from the worst to the best."""

    #: On no way to this place.
    NEVER = 0
    #: It is missing on some way to this place.
    MAYBE = 1
    #: Nobody can know.
    UNKNOWN = 2
    ALWAYS = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """What a path meets. ``steps`` were taken, and ``at`` is the value on which the next one failed."""

    shape: Shape
    presence: Presence
    steps: int
    at: Shape


def read(path: Path, shape: Shape) -> Reading:
    """Follow a path from the shape of its root."""
    if not path.definite:
        return Reading(ARRAY, Presence.ALWAYS, len(path.steps), shape)
    presence = Presence.ALWAYS
    parent = here = shape
    for count, step in enumerate(path.steps):
        following, found = _step(step, here)
        presence = min(presence, found)
        parent = here
        if found is Presence.NEVER:
            return Reading(NOTHING, found, count, here)
        here = following
    return Reading(here, presence, len(path.steps), parent)


def _step(step: Step, shape: Shape) -> tuple[Shape, Presence]:
    if isinstance(step, Names) and step.definite:
        return member_of(step.names[0], shape)
    if isinstance(step, Index):
        return _item(step.index, shape)
    return UNKNOWN, Presence.UNKNOWN  # a function, or several members at once


def member_of(name: str, shape: Shape) -> tuple[Shape, Presence]:
    """A member of the object, and whether it is there."""
    if Kind.OBJECT not in shape.kinds:
        return NOTHING, Presence.NEVER
    member = shape.member(name)
    if member is None:
        return UNKNOWN, min(Presence.UNKNOWN, _certainty(shape, OBJECT))
    if member.is_absent:
        return NOTHING, Presence.NEVER
    found = Presence.ALWAYS if member.certain else Presence.MAYBE
    return member.shape, min(found, _certainty(shape, OBJECT))


def _item(index: int, shape: Shape) -> tuple[Shape, Presence]:
    if Kind.ARRAY not in shape.kinds:
        return NOTHING, Presence.NEVER
    if shape.elements is None:
        return shape.items or UNKNOWN, min(Presence.UNKNOWN, _certainty(shape, ARRAY))
    if not -len(shape.elements) <= index < len(shape.elements):
        return NOTHING, Presence.NEVER
    return shape.elements[index], _certainty(shape, ARRAY)


def _certainty(shape: Shape, needed: Shape) -> Presence:
    """Whether the value is of the kind that the step needs."""
    if shape.kinds == needed.kinds:
        return Presence.ALWAYS
    return Presence.MAYBE if shape.is_known else Presence.UNKNOWN


def change(shape: Shape, steps: Sequence[Step], value: Callable[[Shape], Member]) -> Shape:
    """The shape after a change at a place: ``value`` makes the member from what stood there.

    Everything on the way is there afterwards: what lacks is made an object. Behind an index nothing is changed.
    """
    if not steps:
        return value(shape).shape
    if len(steps) > _STEPS_MAX:
        return Shape(shape.kinds & OBJECT.kinds or OBJECT.kinds)
    step, rest = steps[0], steps[1:]
    if isinstance(step, Names) and step.definite:
        name = step.names[0]
        before = shape.member(name) or Member(UNKNOWN)
        after = Member(change(before.shape, rest, value)) if rest else value(before.shape)
        members = dict(shape.members) if Kind.OBJECT in shape.kinds else {}
        closed = shape.closed or Kind.OBJECT not in shape.kinds
        if closed and after.is_absent:
            members.pop(name, None)
        else:
            members[name] = after
        return object_of(members, closed=closed)
    if isinstance(step, Index) and Kind.ARRAY in shape.kinds:
        if shape.elements is not None and -len(shape.elements) <= step.index < len(shape.elements):
            elements = list(shape.elements)
            before = Member(elements[step.index])
            elements[step.index] = change(before.shape, rest, value)
            return elements_of(elements)
        return ARRAY
    return shape


def put(shape: Shape, steps: Sequence[Step], value: Shape) -> Shape:
    """The shape after ResultPath has put a value at a place."""
    return change(shape, steps, lambda before: Member(value))


def present(shape: Shape, steps: Sequence[Step]) -> Shape:
    """The shape of a value in which the place turned out to exist."""
    if _blocked(shape, steps):
        return shape
    return change(shape, steps, lambda before: Member(before if before.kinds else UNKNOWN))


def absent(shape: Shape, steps: Sequence[Step]) -> Shape:
    """The shape of a value in which the place turned out not to exist, as far as that says anything."""
    if not steps or _blocked(shape, steps[:-1]) or not isinstance(steps[-1], Names):
        return shape
    here = shape
    for step in steps[:-1]:
        here, found = _step(step, here)
        if found is not Presence.ALWAYS:
            return shape  # something on the way to it may be what lacks
    if here.kinds != OBJECT.kinds:
        return shape
    return change(shape, steps, lambda before: ABSENT)


def refined(shape: Shape, steps: Sequence[Step], to: Callable[[Shape], Shape]) -> Shape:
    """The shape of a value in which the place exists and turned out to be what ``to`` makes of it."""
    if _blocked(shape, steps):
        return shape
    return change(shape, steps, lambda before: Member(to(before) if before.kinds else UNKNOWN))


def _blocked(shape: Shape, steps: Sequence[Step]) -> bool:
    """Whether nothing can be said of the place: it is behind an index, or cannot be."""
    for step in steps:
        if not isinstance(step, Names) or not step.definite:
            return True
        shape, found = _step(step, shape)
        if found is Presence.NEVER:
            return True
    return False
