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
from ..core.values import Written

#: Seconds of evaluations after which a decision lets others go first.
DECISION_SECONDS = 0.01
#: Words of memory that the outcomes of one decision may hold in all: 24 megabytes.
OUTCOME_WORDS = 3_000_000
#: Words that a value of its own takes, with what refers to it.
_WORDS_OF_A_VALUE = 5


class Evaluations:
    """The outcomes of one decision's evaluations, in order: the core's Evaluator. They hold ``words`` of memory.

    The same decision evaluates the same in the same order, so a place in that order is all it takes to
    know an outcome again.
    """

    __slots__ = ("_known", "_place", "_spent", "passes_on", "words")

    def __init__(self) -> None:
        self._known: list[Any] = []
        self._place = 0
        self._spent = 0.0
        self.words = 0
        self.passes_on = False

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
                known = evaluation.outcome(known)
                known = self._known[place] = self._kept(evaluation, known, known.weight * _WORDS_OF_A_VALUE)
                self.passes_on = self.passes_on or known.value.__class__ is Written
            return known
        if self._spent > DECISION_SECONDS:
            raise BrokenOff(None)
        began = perf_counter()
        outcome = evaluation.quick()
        if outcome is not None:
            outcome = self._kept(evaluation, outcome, self._words(outcome.value, shares=evaluation.shares))
        self._spent += perf_counter() - began
        if outcome is None:
            raise BrokenOff(evaluation.request())
        self._known.append(outcome)
        return outcome

    def _words(self, value: Any, *, shares: bool) -> int:
        """The memory that a value takes of its own; nothing is counted beyond what all together may take."""
        if shares:
            return len(value) if value.__class__ is list else 0
        return weight(value, (OUTCOME_WORDS - self.words) // _WORDS_OF_A_VALUE) * _WORDS_OF_A_VALUE

    def _kept(self, evaluation: Evaluation, outcome: Any, words: int) -> Any:
        """The outcome, if those of this decision do not hold too much in all."""
        self.words += words
        return evaluation.outcome(TOOK_TOO_MUCH) if self.words > OUTCOME_WORDS else outcome
