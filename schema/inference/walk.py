"""What a state and the walk over the graph say to each other: the ways out, and how to enter a scope below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..diagnostics import Pointer
from ..outline import Scope
from .notes import Env, Notes
from .shapes import Shape


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out of a state: the name it leads to, None at an end of the scope; where that is written; and what
    goes along."""

    target: str | None
    pointer: Pointer
    env: Env


@dataclass(slots=True)
class Walk:
    """What a state needs of the walk around it: the notes, the scopes below, and how to infer one."""

    notes: Notes
    below: Mapping[Pointer, list[Scope]]
    enter: Callable[[Scope, Env], Shape]
    results: Mapping[str, Shape] = field(default_factory=dict)
