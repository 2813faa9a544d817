"""What an expression may see: variables, the context object, chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol

from .evaluation import Evaluator
from .rows import Record
from .values import JSON


class Source(Protocol):
    """Where an expression gets what most never ask for."""

    def context(self) -> JSON:
        """The context object (language, section 9)."""

    def chance(self) -> Random:
        """A source of chance, seeded by the transition, so that deciding again draws the same numbers."""


class Given(Record):
    """What functions give."""

    make_context: Callable[[], JSON]
    make_chance: Callable[[], Random]

    def context(self) -> JSON:
        return self.make_context()

    def chance(self) -> Random:
        return self.make_chance()


class Bindings(Record):
    """The only argument an expression gets beside the document that its ``$`` stands for.

    ``input`` is the state's raw input, ``result`` what its work answered, ``error`` the error output in a
    catcher, ``now`` the instant of the decision in milliseconds. Context object and chance are taken from their
    ``source`` when first asked for: most states never look at them. ``shared`` is for what the
    expressions of one state make of all this and use together. ``evaluator`` decides what an evaluation may
    cost; without one it may cost what the service allows.
    """

    input: JSON
    variables: Mapping[str, JSON]
    source: Source
    result: JSON = None
    error: JSON = None
    now: int = 0
    evaluator: Evaluator | None = None
    shared: Any = None
    known_context: JSON = None
    known_chance: Random | None = None

    @property
    def context(self) -> JSON:
        """The source's, made once."""
        if self.known_context is None:
            self.known_context = self.source.context()
        return self.known_context

    @property
    def chance(self) -> Random:
        """The source's, made once: what is drawn from it changes it."""
        if self.known_chance is None:
            self.known_chance = self.source.chance()
        return self.known_chance


class Evaluate(Protocol):
    """A compiled expression: ``document`` is what ``$`` means where the expression stands.

    Raises :class:`~detent.core.errors.StateFailure` when it cannot be evaluated.
    """

    def __call__(self, document: JSON, bindings: Bindings, /) -> JSON: ...
