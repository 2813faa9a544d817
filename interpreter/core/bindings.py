"""What an expression may see: variables, the context object, chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol

from .evaluation import Evaluator
from .values import JSON


class Bindings:
    """The only argument an expression gets beside the document that its ``$`` stands for.

    ``input`` is the state's raw input, ``result`` what its work answered, ``error`` the error output in a
    catcher, ``now`` the instant of the decision in milliseconds. The context object and the source of
    chance are built when first asked for: most states never look at them. ``shared`` is for what the
    expressions of one state make of all this and use together. ``evaluator`` decides what an evaluation may
    cost; without one it may cost what the service allows.
    """

    __slots__ = (
        "_chance",
        "_context",
        "_make_chance",
        "_make_context",
        "error",
        "evaluator",
        "input",
        "now",
        "result",
        "shared",
        "variables",
    )

    def __init__(
        self,
        input: JSON,
        variables: Mapping[str, JSON],
        make_context: Callable[[], JSON],
        make_chance: Callable[[], Random],
        result: JSON = None,
        error: JSON = None,
        now: int = 0,
        evaluator: Evaluator | None = None,
    ) -> None:
        self.input = input
        self.result = result
        self.error = error
        self.variables = variables
        self.now = now
        self.evaluator = evaluator
        self.shared: Any = None
        self._make_context = make_context
        self._make_chance = make_chance
        self._context: JSON = None
        self._chance: Random | None = None

    @property
    def context(self) -> JSON:
        """The context object (language, section 9)."""
        if self._context is None:
            self._context = self._make_context()
        return self._context

    @property
    def chance(self) -> Random:
        """Seeded by the transition, so that deciding again draws the same numbers."""
        if self._chance is None:
            self._chance = self._make_chance()
        return self._chance


class Evaluate(Protocol):
    """A compiled expression: ``document`` is what ``$`` means where the expression stands.

    Raises :class:`~detent.core.errors.StateFailure` when it cannot be evaluated.
    """

    def __call__(self, document: JSON, bindings: Bindings, /) -> JSON: ...
