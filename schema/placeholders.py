"""Holes in a definition: ``${Name}``, which CloudFormation, SAM, CDK or Terraform fills in before deployment.

Owns what counts as a hole and what is filled in. A hole is a value of unknown content. Names are those of the
tools: ``Name``, ``AWS::Region``, ``Function.Arn``, ``bucket-name``, ``jsonencode(list)``; a text that is one
``${...}`` from end to end is a hole whatever stands inside, as in Terraform's expressions. Not holes: ``${!Name}``
and ``$${Name}`` (the tools' ways to write the text itself) and JSONata's ``${key: value}``.

Templates turned into JSON also leave objects in the place of a text, ``{"Fn::Sub": ...}`` or
``{"!Ref": ...}``; and some samples write ``{{NAME}}``. Their content is just as unknown, and only the tool that owns
them can fill them in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from detent.core.values import JSON

from .diagnostics import Pointer, Position

_NAME = r"[A-Za-z_][\w-]*(?:(?:::|\.)[\w*-]+|\[[^\]{}\n:]*\])*(?:\([^(){}\n]*\))?"
_WITHIN = re.compile(r"(?<!\$)\$\{[ \t]*(" + _NAME + r")[ \t]*\}")
_WHOLE = re.compile(r"\$\{[ \t]*(?!!)([^{}\r\n]*[^{}\s])[ \t]*\}")
_FOREIGN_TEXT = re.compile(r"\{\{\s*[\w.:-]+\s*\}\}")
_FOREIGN_KEY = re.compile(r"!\w+|Fn::\w+|Ref")


class HoleKind(StrEnum):
    #: In a text, alone or with other text.
    TEXT = "text"
    #: A whole value, written without quotes: what is filled in may be of any type.
    BARE = "bare"
    #: In the key of an object.
    KEY = "key"
    #: A function of CloudFormation, or ``{{NAME}}``; ``--var`` does not reach it.
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One place that is not filled in; ``pointer`` is that of the value, or of the member whose key it is."""

    name: str
    pointer: Pointer
    position: Position | None
    kind: HoleKind

    @property
    def bare(self) -> bool:
        return self.kind is HoleKind.BARE


def is_hole(value: JSON) -> bool:
    """Whether the value is a text that consists of one hole and nothing else."""
    return isinstance(value, str) and value[:2] == "${" and _WHOLE.fullmatch(value) is not None


def has_holes(value: JSON) -> bool:
    """Whether the value is a text with a hole in it."""
    return isinstance(value, str) and "${" in value and any(True for _ in holes(value))


def is_unknown(value: JSON) -> bool:
    """Whether what the value will be is not known yet: a text with a hole, or another tool's function."""
    return has_holes(value) or is_foreign(value)


def is_foreign(value: JSON) -> bool:
    """Whether the value is a function of CloudFormation, or ``{{NAME}}``.

    The same shape may be data in a payload (``{"Ref": "A-1"}``): ask this where a text or a number belongs.
    """
    if isinstance(value, str):
        return value[:2] == "{{" and _FOREIGN_TEXT.fullmatch(value) is not None
    if not isinstance(value, dict) or len(value) != 1:
        return False
    return _FOREIGN_KEY.fullmatch(next(iter(value))) is not None


def foreign_function(value: JSON) -> str | None:
    """The name of a function that can be nothing but CloudFormation's (``!Sub``, ``Fn::Join``), or None."""
    if isinstance(value, dict) and len(value) == 1:
        name = next(iter(value))
        if name != "Ref" and _FOREIGN_KEY.fullmatch(name):
            return str(name)
    return None


def holes(text: str) -> Iterator[re.Match[str]]:
    """The holes in a text, in their order; group 1 is the name."""
    if whole := _WHOLE.fullmatch(text):
        return iter((whole,))
    return _WITHIN.finditer(text)


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each hole whose name is given filled in; what is filled in is not looked at again."""
    if "${" not in text:
        return text
    parts: list[str] = []
    end = 0
    for hole in holes(text):
        parts += (text[end : hole.start()], values.get(hole.group(1), hole.group()))
        end = hole.end()
    return "".join((*parts, text[end:]))
