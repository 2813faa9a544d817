"""Evaluations that may cost more than the others who wait can spare.

The core evaluates while it decides, and everything else waits meanwhile. Who drives it may hand in an
Evaluator that spends a little on each evaluation and breaks the decision off where that does not do; the
decision is then made again, with the same arguments, once the answer is known.
"""

from __future__ import annotations

from typing import Any, Protocol


class Evaluation(Protocol):
    """One evaluation that is due. ``shares`` says that what is quickly found is a part of what was given.

    What ``passes_on`` its value takes it as it comes, also one that is Written (core.values): it goes into a payload
    and nowhere else.
    """

    shares: bool

    @property
    def passes_on(self) -> bool:
        """Whether a value that is Written will do."""

    def quick(self) -> Any | None:
        """What comes out, spending little; None if it takes more. Its ``value`` is what may be large."""

    def request(self) -> bytes:
        """All that somebody else needs to evaluate it."""

    def outcome(self, answer: bytes) -> Any:
        """What came out elsewhere. Its ``weight`` is that of its ``value`` (core.measure), which was counted there."""


class Evaluator(Protocol):
    """Answers with the outcome of an evaluation, or raises BrokenOff.

    ``passes_on`` says whether the value of some outcome was Written (core.values).
    """

    passes_on: bool

    def __call__(self, evaluation: Evaluation, /) -> Any: ...


#: Answers for an evaluation that was ended: it took too long, or too much memory.
TOOK_TOO_LONG = b'{"ended":"time"}'
TOOK_TOO_MUCH = b'{"ended":"memory"}'


class BrokenOff(Exception):
    """A decision that cannot be finished now; what it has changed so far is void.

    ``request`` is what must be evaluated elsewhere first, None if it only has to be taken up again.
    """

    def __init__(self, request: bytes | None) -> None:
        super().__init__(request)
        self.request = request
