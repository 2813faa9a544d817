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
        self._apart = clock.now() - self._monotonic()
        #: When at the latest, by the clock as it was before, it was set by how much.
        self._steps: list[tuple[int, int]] = []

    def look(self) -> int:
        """Notice whether the wall clock was set since the last look; what it shows."""
        wall = self._clock.now()
        step = wall - self._monotonic() - self._apart
        if abs(step) >= STEP_MIN:
            self._apart += step
            self._steps = [*self._steps, (wall - step, step)][-STEPS_MAX:]
        return wall

    def forward_since(self, instant: int) -> int:
        """By how much the clock was set forward after an instant it had shown."""
        return sum(step for at, step in self._steps if step > 0 and at + STEP_MIN >= instant)

    def shift(self, state: Execution, pending: Pending, *, beat: bool = False) -> int:
        """By how much the clock was set forward since the time of a pending, or of its next sign of life, began to
        count: it is not over sooner.
        """
        return 0 if pending.absolute else self.forward_since(_began(state, pending, beat))

    @property
    def back(self) -> int:
        """By how much the clock was set back in all: so much earlier must be looked for what is due."""
        return -sum(step for _, step in self._steps if step < 0)

    def _monotonic(self) -> int:
        return round(self._clock.monotonic() * 1000)


def _began(state: Execution, pending: Pending, beat: bool) -> int:
    if beat and pending.beat_due is not None and pending.heartbeat is not None:
        return pending.beat_due - pending.heartbeat * 1000
    if pending.due is not None and pending.timeout is not None:
        return pending.due - pending.timeout * 1000
    # The log does not tell since when a retry waits, only when its state was entered or later.
    return state.frames[pending.frame].entered_at if pending.kind == "timer" else state.now
