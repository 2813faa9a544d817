"""What is wrong with a definition, said so that it can be mended: code, place, message, hint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

#: A place in a document: the keys and indexes that lead to it from the root.
Pointer = tuple[str | int, ...]


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    #: Worth knowing; hardly wrong.
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text; line and column count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to a finding, and what is there: ``first declared here``."""

    message: str
    pointer: Pointer
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of the text, from offset ``start`` up to ``end``, that gives way to another."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """How a finding can be mended. ``safe``: what the definition does stays the same."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool = True


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. ``code`` is stable (``missing-target``); ``pointer`` names the value it is about."""

    code: str
    severity: Severity
    message: str
    pointer: Pointer = ()
    position: Position | None = None
    source: str | None = None
    hint: str | None = None
    related: tuple[Related, ...] = ()
    fix: Fix | None = None

    @property
    def json_pointer(self) -> str:
        """The place as a JSON pointer (RFC 6901); the root is the empty text."""
        return json_pointer(self.pointer)

    def __str__(self) -> str:
        place = self.source or "<definition>"
        if self.position is not None:
            place += f":{self.position.line}:{self.position.column}"
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {self.severity} {self.code}: {self.message}{hint}"


def json_pointer(pointer: Pointer) -> str:
    """A place as a JSON pointer (RFC 6901); the root is the empty text."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in pointer)


def in_reading_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by place in the text, then code and message, without repeats: the same input always reads the same."""
    unique = dict.fromkeys(diagnostics)
    return sorted(
        unique,
        key=lambda d: (
            d.source or "",
            (d.position.line, d.position.column) if d.position else (0, 0),
            [str(part) for part in d.pointer],
            d.code,
            d.message,
        ),
    )
