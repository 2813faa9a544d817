"""What texts in requests look like, and what is said of a request that is not as it should be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

NAME = r"^[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]+$"
ALIAS = r"^(?=.*[a-zA-Z_\-.])[a-zA-Z0-9_\-.]{1,80}$"
DURATION = r"^[0-9]{1,6}(ms|s|m)$"

_WORDS: Mapping[str, str] = {
    NAME: 'a name is without blanks and without < > { } [ ] ? * " # % \\ ^ | ~ ` $ & , ; : / (write order-7)',
    ALIAS: "an alias is made of 1 to 80 letters, digits, and _ - . and is no number (write live)",
    DURATION: "a time is a whole number with its unit, which is ms, s or m (write 30s)",
}
_PLACE = re.compile(r"(?P<problem>.*?)(?: - at `(?:key in )?\$\.?(?P<place>.*)`)?", re.DOTALL)
_SAYINGS = [
    (re.compile(r"Expected `str` of length >= 1"), "it is empty"),
    (re.compile(r"Expected `str` of length >= (\d+)"), "it has less than {} characters"),
    (re.compile(r"Expected `str` of length <= (\d+)"), "it has more than {} characters"),
    (re.compile(r"Expected `(?:array|object)` of length <= (\d+)"), "it has more than {} members"),
    (re.compile(r"Expected `int` >= (-?\d+)"), "it is less than {}"),
    (re.compile(r"Expected `int` <= (-?\d+)"), "it is more than {}"),
    (re.compile(r"Object missing required field `(.*)`"), "{!r} is missing"),
]


def in_words(error: msgspec.ValidationError, kind: Any) -> str:
    """What is wrong with a request of some kind, where, and how to mend it."""
    found = _PLACE.fullmatch(str(error))
    assert found is not None
    problem = _said(found["problem"], None if found["place"] else kind)
    return (f"{found['place']}: {problem}" if found["place"] else problem)[:500]


def _said(problem: str, kind: Any) -> str:
    pattern = problem.removeprefix("Expected `str` matching regex ")
    for known, words in _WORDS.items():
        if pattern == repr(known):
            return words
    for saying, words in _SAYINGS:
        if (found := saying.fullmatch(problem)) is not None:
            return words.format(*found.groups())
    if problem.startswith("Object contains unknown field") and kind is not None:
        return (
            f"{problem}; there are {', '.join(field.encode_name for field in msgspec.structs.fields(kind))}"
        )
    return problem
