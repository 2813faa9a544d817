"""Steps of the wall clock that happen while the process lives.

What waits in memory waits by the monotonic clock and does not notice. What is kept in the store while it
waits is found again by the wall clock, and by then the clock may have been set: these are the corrections.
"""

from __future__ import annotations

from ..core.execution import Execution, Pending
from .clock import Clock

#: A smaller difference between the two clocks is drift, in milliseconds.
STEP_MIN = 1_000
#: Steps that are kept in mind.
STEPS_MAX = 64


class Jumps:
    """Everything in milliseconds. :meth:`look` is called often: a step is noticed by comparing two looks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall = clock.now()
        self._apart = self._wall - self._monotonic()
        #: When, by the clock as it was before, it was set by how much.
        self._steps: list[tuple[int, int]] = []

    def look(self) -> None:
        """Notice whether the wall clock was set since the last look."""
        wall = self._clock.now()
        step = wall - self._monotonic() - self._apart
        if abs(step) >= STEP_MIN:
            self._apart += step
            self._steps = [*self._steps, (self._wall, step)][-STEPS_MAX:]
        self._wall = wall

    def forward_since(self, instant: int) -> int:
        """By how much the clock was set forward after an instant it had shown."""
        return sum(step for at, step in self._steps if step > 0 and at + STEP_MIN >= instant)

    def shift(self, state: Execution, pending: Pending) -> int:
        """By how much the clock was set forward since the time of a pending began to count: it is not over sooner."""
        if pending.absolute:
            return 0
        began = state.frames[pending.frame].entered_at if pending.kind == "timer" else state.now
        return self.forward_since(began)

    @property
    def back(self) -> int:
        """By how much the clock was set back in all: so much earlier must be looked for what is due."""
        return -sum(step for _, step in self._steps if step < 0)

    def _monotonic(self) -> int:
        return round(self._clock.monotonic() * 1000)
