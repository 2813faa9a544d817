"""Evaluations of one decision within a small budget.

The engine's loop decides for all executions, so no decision may hold it for long. What an evaluation
exceeds breaks the decision off; a helper process (``helpers``) evaluates, and the decision is made again from its
beginning, with the outcomes that are known. A decision that only takes long altogether is taken up again
in the same way.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from ..core.evaluation import TOOK_TOO_MUCH, BrokenOff, Evaluation
from ..core.measure import weight

#: Seconds of evaluations after which a decision lets others go first.
DECISION_SECONDS = 0.02
#: What the outcomes of one decision may be in all (see ``core.measure``): tens of megabytes.
OUTCOMES_WEIGHT_MAX = 600_000


class Evaluations:
    """The outcomes of one decision's evaluations, in order: the core's Evaluator.

    The same decision evaluates the same in the same order, so a place in that order is all it takes to
    know an outcome again.
    """

    __slots__ = ("_known", "_place", "_spent", "_weight")

    def __init__(self) -> None:
        self._known: list[Any] = []
        self._place = 0
        self._spent = 0.0
        self._weight = 0

    def begin(self) -> None:
        """The decision is made, or made again."""
        self._place = 0
        self._spent = 0.0

    def learn(self, answer: bytes) -> None:
        """What came out of the evaluation over which the decision was broken off."""
        self._known.append(answer)

    def __call__(self, evaluation: Evaluation) -> Any:
        place = self._place
        self._place += 1
        if place < len(self._known):
            known = self._known[place]
            if known.__class__ is bytes:
                # Read once: a decision of many parts is made again for each of them.
                known = self._known[place] = self._kept(evaluation, evaluation.outcome(known))
            return known
        if self._spent > DECISION_SECONDS:
            raise BrokenOff(None)
        began = perf_counter()
        outcome = evaluation.quick()
        if outcome is not None:
            outcome = self._kept(evaluation, outcome)
        self._spent += perf_counter() - began
        if outcome is None:
            raise BrokenOff(evaluation.request())
        self._known.append(outcome)
        return outcome

    def _kept(self, evaluation: Evaluation, outcome: Any) -> Any:
        """The outcome, if what this decision's have in all is not too much to be kept."""
        self._weight += weight(outcome.value, OUTCOMES_WEIGHT_MAX - self._weight)
        return evaluation.outcome(TOOK_TOO_MUCH) if self._weight > OUTCOMES_WEIGHT_MAX else outcome
