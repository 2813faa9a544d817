"""The tree of a parsed JSONPath: plain frozen data, no behaviour but a few questions about the syntax.

A path is a root and steps. Whether it is *definite* (names at most one value, so that it answers the
value itself) or not (answers a list) is decided here, on the syntax, never on the number of matches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from ...core.values import JSON


@dataclass(frozen=True, slots=True)
class Names:
    """``.a`` (``quote`` is empty), ``['a']``, or ``['a','b']``, which answers an object with those members."""

    names: tuple[str, ...]
    quote: str

    @property
    def definite(self) -> bool:
        return len(self.names) == 1


@dataclass(frozen=True, slots=True)
class Index:
    """``[3]``; negative counts from the end."""

    index: int
    definite = True


@dataclass(frozen=True, slots=True)
class Indexes:
    """``[0,2]``."""

    indexes: tuple[int, ...]
    definite = False


@dataclass(frozen=True, slots=True)
class Slice:
    """``[1:3]``. A step may be written and means nothing."""

    start: int | None
    stop: int | None
    text: str
    definite = False


@dataclass(frozen=True, slots=True)
class Wildcard:
    """``.*`` or ``[*]``."""

    definite = False


@dataclass(frozen=True, slots=True)
class Descent:
    """``..``: every object and array below; the step after it says what to take from each."""

    definite = False


@dataclass(frozen=True, slots=True)
class Filter:
    """``[?(...)]``."""

    test: Test
    definite = False


@dataclass(frozen=True, slots=True)
class Call:
    """``.length()`` and the like, applied to the value before it; arguments are paths or literals."""

    function: str
    arguments: tuple[Path | Literal, ...]
    definite = True


Step: TypeAlias = Names | Index | Indexes | Slice | Wildcard | Descent | Filter | Call


@dataclass(frozen=True)
class Path:
    """A parsed path.

    ``root`` is ``$`` (the document), ``$$`` (the context object), ``@`` (the item, in filters only) or
    the name of a workflow variable, without its ``$``. ``columns`` are the places of the steps in
    ``text``, counted from 1.
    """

    text: str
    root: str
    steps: tuple[Step, ...]
    columns: tuple[int, ...]

    @cached_property
    def definite(self) -> bool:
        """Whether the path names at most one value."""
        last = len(self.steps) - 1
        return all(
            step.definite or (place == last and isinstance(step, Names))
            for place, step in enumerate(self.steps)
        )

    @cached_property
    def is_reference(self) -> bool:
        """Whether the path has the form of a reference path: single names and indexes only."""
        return all(
            isinstance(step, Index) or (isinstance(step, Names) and step.definite) for step in self.steps
        )

    @property
    def variable(self) -> str | None:
        """The name of the workflow variable the path starts from, if any."""
        return None if self.root in ("$", "$$", "@") else self.root


@dataclass(frozen=True, slots=True)
class Literal:
    value: JSON


@dataclass(frozen=True, slots=True)
class Pattern:
    """``/source/flags`` at a side of ``=~``."""

    source: str
    flags: str


Operand: TypeAlias = Path | Literal | Pattern


@dataclass(frozen=True, slots=True)
class Exists:
    path: Path


@dataclass(frozen=True, slots=True)
class Absent:
    """``!@.a``: missing or null."""

    path: Path


@dataclass(frozen=True, slots=True)
class Comparison:
    left: Operand
    operator: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Not:
    test: Test


@dataclass(frozen=True, slots=True)
class All:
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Any:
    tests: tuple[Test, ...]


Test: TypeAlias = Exists | Absent | Comparison | Not | All | Any


def spelled(steps: tuple[Step, ...]) -> str:
    """The steps behind ``$`` the way messages spell them: ``$['a'][0]``."""
    return "$" + "".join(_fragments(steps))


def _fragments(steps: tuple[Step, ...]) -> Iterator[str]:
    for step in steps:
        match step:
            case Names(names, quote):
                quote = quote or "'"
                yield "[" + ",".join(f"{quote}{name}{quote}" for name in names) + "]"
            case Index(index):
                yield f"[{index}]"
            case Indexes(indexes):
                yield "[" + ",".join(map(str, indexes)) + "]"
            case Slice():
                yield f"[{step.text}]"
            case Wildcard():
                yield "[*]"
            case Descent():
                yield ".."
            case Filter():
                yield "[?]"
            case Call(function):
                yield f".{function}()"
