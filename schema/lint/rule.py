"""What a rule is, and what it looks at.

A rule is a function from a :class:`Subject` to what it found; the decorator gives it its code, its severity
and its sentence. A rule judges one thing, knows nothing of the other rules, and stays silent about what is not
known: values with placeholders, states that are not whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from detent.core.values import JSON

from ..diagnostics import Pointer, Severity
from ..inference.infer import Inference, infer
from ..inference.shapes import UNKNOWN, Shape
from ..outline import Outline, Scope, State
from ..validate_graph import targets
from .graph import cycles

Target = Literal["aws", "detent"]


@dataclass(frozen=True, slots=True)
class Rename:
    """Give the member at ``pointer`` another key."""

    pointer: Pointer
    key: str


@dataclass(frozen=True, slots=True)
class Insert:
    """Put a member into the object at ``pointer``, before the member that is there as ``before``."""

    pointer: Pointer
    key: str
    value: JSON
    before: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Take the member at ``pointer`` out."""

    pointer: Pointer


Change: TypeAlias = Rename | Insert | Remove


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change that mends a finding; ``safe`` if the definition does the same afterwards."""

    title: str
    change: Change
    safe: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """One place where a rule has something to say; see :class:`~detent.schema.diagnostics.Diagnostic`."""

    pointer: Pointer
    message: str
    hint: str | None = None
    on_key: bool = False
    related: tuple[tuple[Pointer, str], ...] = ()
    remedy: Remedy | None = None


@dataclass(frozen=True)
class Subject:
    """A definition as rules see it. ``target`` and ``express`` say what it is meant for, where that is known."""

    outline: Outline
    value: Mapping[str, JSON]
    target: Target | None = None
    express: bool = False
    payload: Shape = UNKNOWN
    results: Mapping[str, Shape] = field(default_factory=dict)

    @cached_property
    def inference(self) -> Inference:
        """What is known of the payload at every state."""
        return infer(self.outline, payload=self.payload, results=self.results)

    @cached_property
    def successors(self) -> Mapping[Pointer, Mapping[str, list[str]]]:
        """For every scope, where each of its states may go."""
        return {scope.pointer: _successors(scope) for scope in self.outline.scopes}

    @cached_property
    def loops(self) -> list[tuple[Scope, list[str]]]:
        """The loops of every scope whose states are all known; each loop by its states, in reading order."""
        return [
            (scope, loop)
            for scope in self.outline.scopes
            if not scope.is_open
            for loop in cycles(self.successors[scope.pointer])
        ]

    def states(self, *types: str) -> Iterator[State]:
        """The states of these types, in the order of the document."""
        return (state for state in self.outline.states if state.type in types)


def _successors(scope: Scope) -> Mapping[str, list[str]]:
    return {
        name: [
            str(target)
            for target, _, _ in targets(state)
            if isinstance(target, str) and target in scope.states
        ]
        for name, state in scope.states.items()
    }


Check: TypeAlias = Callable[[Subject], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class Rule:
    """``on``: whether it is looked at unless somebody asks otherwise."""

    code: str
    severity: Severity
    summary: str
    check: Check
    on: bool = True


def rule(code: str, severity: Severity, summary: str, *, on: bool = True) -> Callable[[Check], Rule]:
    """Make a rule of a function."""
    return lambda check: Rule(code, severity, summary, check, on)
