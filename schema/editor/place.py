"""What a place in a definition is: the field of which part, in which scope, under which query language.

The way to the place decides, not what stands there: a state that is just being written has a place, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from detent.core.values import JSON

from ..diagnostics import Pointer
from ..outline import JSONATA, JSONPATH, STATE_TYPES

_LISTED = {"Retry": "retrier", "Catch": "catcher"}
_SINGLE = {"ItemReader": "itemReader", "ItemBatcher": "itemBatcher", "ResultWriter": "resultWriter"}
_SCOPES = ("machine", "branch", "itemProcessor")
_RULES = ("rule", "nestedRule")


@dataclass(frozen=True, slots=True)
class Place:
    """``kind`` names the schema of the part at ``part``, ``rest`` leads on from there. ``state`` is the place of the
    state around it, None outside of states; ``scope`` that of the object that holds the states."""

    kind: str
    part: Pointer
    rest: Pointer
    scope: Pointer
    state: Pointer | None
    language: str

    @property
    def field(self) -> str | None:
        """The field of the part that the place is in."""
        return self.rest[0] if self.rest and isinstance(self.rest[0], str) else None

    @property
    def dotted(self) -> str:
        """The names of the fields on the way from the part, indexes left out."""
        return ".".join(str(step) for step in self.rest if isinstance(step, str))


def place_of(value: JSON, pointer: Pointer) -> Place:
    """The place that a pointer leads to from the root of a definition."""
    language = _language(value, JSONPATH)
    place = Place("machine", (), (), (), None, language)
    at = 0
    while True:
        left = pointer[at:]
        step = _step(place, value, left)
        if step is None:
            return Place(place.kind, place.part, left, place.scope, place.state, place.language)
        kind, length = step
        at += length
        part = pointer[:at]
        value = _down(value, left[:length])
        if kind in _SCOPES:
            place = Place(kind, part, (), part, place.state, language)
        elif kind in STATE_TYPES or kind == "state":
            place = Place(kind, part, (), place.scope, part, _language(value, language))
        else:
            place = Place(kind, part, (), place.scope, place.state, place.language)


def _step(place: Place, value: JSON, left: Pointer) -> tuple[str, int] | None:
    """The kind of the part that the next steps lead into, and how many steps that takes."""
    if place.kind in _SCOPES:
        named = len(left) > 1 and left[0] == "States"
        return (_kind_of_state(_down(value, left[:2])), 2) if named else None
    first = left[0] if left else None
    indexed = len(left) > 1 and isinstance(left[1], int)
    if place.kind in _RULES:
        if first == "Not":
            return "nestedRule", 1
        return ("nestedRule", 2) if indexed and first in ("And", "Or") else None
    if place.part != place.state:
        return None
    if first in _LISTED:
        return (_LISTED[str(first)], 2) if indexed else None
    if first in _SINGLE:
        return _SINGLE[str(first)], 1
    if first in ("ItemProcessor", "Iterator"):
        return "itemProcessor", 1
    if indexed and first in ("Branches", "Choices"):
        return ("branch" if first == "Branches" else "rule"), 2
    return None


def _kind_of_state(value: JSON) -> str:
    type_ = value.get("Type") if isinstance(value, dict) else None
    if type_ == "Success":
        return "Succeed"
    return type_ if isinstance(type_, str) and type_ in STATE_TYPES else "state"


def _down(value: Any, steps: Pointer) -> JSON:
    """What the steps lead to; None where there is nothing."""
    for step in steps:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def value_at(value: JSON, pointer: Pointer) -> JSON:
    """What stands at a place; None where there is nothing."""
    return _down(value, pointer)


def _language(value: JSON, inherited: str) -> str:
    language = value.get("QueryLanguage") if isinstance(value, dict) else None
    return str(language) if language in (JSONATA, JSONPATH) else inherited
