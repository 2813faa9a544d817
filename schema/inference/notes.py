"""What inference notes while it walks: every read, with what it met. Rules judge the notes; nothing is judged here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from detent.query.jsonpath import Path

from ..diagnostics import Pointer
from ..outline import Part, State
from .reading import Reading
from .shapes import UNKNOWN, Kind, Shape

#: Variables that are kept apart at one place.
_VARIABLES_MAX = 200


@dataclass(frozen=True, slots=True)
class Variable:
    """A workflow variable at some place. ``certain``: it is assigned on every way to the place."""

    shape: Shape
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Env:
    """What a state is entered with. ``complete``: no variable beyond these can be assigned."""

    payload: Shape = UNKNOWN
    variables: Mapping[str, Variable] = field(default_factory=dict)
    complete: bool = True

    def assigning(self, variables: Mapping[str, Variable], *, complete: bool) -> Env:
        """The same after an Assign. Of a great many variables nothing is known: each state would copy them all."""
        together = {**self.variables, **variables}
        if len(together) > _VARIABLES_MAX:
            return Env(self.payload, {}, complete=False)
        return Env(self.payload, together, self.complete and complete)

    def variable(self, name: str) -> Variable | None:
        """What is known of a variable; None if it is assigned nowhere on the way."""
        known = self.variables.get(name)
        return Variable(UNKNOWN) if known is None and not self.complete else known


@dataclass(frozen=True, slots=True)
class Read:
    """A path that a state follows.

    ``text`` is the expression it stands in, at ``pointer``. ``wanted`` are the kinds that make sense there,
    None where any does; ``tested`` says that the state only asks whether the value is there.
    ``from_input`` says that the path starts from the state's own raw input.
    """

    state: State
    part: Part
    pointer: Pointer
    text: str
    path: Path
    reading: Reading
    wanted: frozenset[Kind] | None = None
    tested: bool = False
    from_input: bool = False


@dataclass(frozen=True, slots=True)
class VariableRead:
    """A variable that a state reads; ``known`` is None where no way to the state assigns it."""

    state: State
    part: Part
    pointer: Pointer
    text: str
    name: str
    known: Variable | None
    tested: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of an intrinsic function, counted from 1; ``literal`` if it is written in the call."""

    state: State
    part: Part
    pointer: Pointer
    text: str
    function: str
    position: int
    shape: Shape
    wanted: frozenset[Kind]
    column: int


@dataclass(frozen=True, slots=True)
class Test:
    """A test of a Choice: the value it looks at, and the kinds that could make it true."""

    state: State
    part: Part
    operator: str
    shape: Shape
    wanted: frozenset[Kind]


@dataclass(slots=True)
class Notes:
    """Everything that was met, in the order of the walk."""

    reads: list[Read] = field(default_factory=list)
    variables: list[VariableRead] = field(default_factory=list)
    arguments: list[Argument] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)
