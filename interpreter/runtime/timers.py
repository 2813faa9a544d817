"""What becomes due and when: a heap in memory over what the log says.

A time that was counted in seconds runs on the monotonic clock while the process lives, so that setting
the wall clock does not move it; an absolute instant follows the wall clock. An entry whose pending is
gone is left to fire into nothing, unless there are many of them: then they are swept out.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from ..core.rows import Record
from .clock import Clock

#: So many entries are never worth a sweep.
SWEEP_MIN = 10_000
#: How often the wall clock is looked at while an absolute instant is awaited, in seconds.
WALL_CHECK_SECONDS = 1.0


class Due(Record, order=True):
    """``pending`` is None for the end of the execution's own time. ``beat`` marks a heartbeat's deadline.

    They are ordered by when they come, ``at``, which is the clock's that they wait by; then by ``number``, which no two
    of them share.
    """

    at: float
    number: int
    execution: str
    pending: int | None
    due: int
    task: bool = False
    beat: bool = False


class Timers:
    """Entries come out once, when their instant has come, earliest first.

    ``matters`` tells whether an entry still stands for something.
    """

    def __init__(self, clock: Clock, matters: Callable[[Due], bool] = lambda entry: True) -> None:
        self._clock = clock
        self._matters = matters
        self._sweep_at = SWEEP_MIN
        self._number = count()
        self._relative: list[Due] = []
        self._absolute: list[Due] = []

    def __len__(self) -> int:
        return len(self._relative) + len(self._absolute)

    def add(
        self,
        milliseconds: int,
        execution: str,
        pending: int | None,
        due: int,
        *,
        task: bool = False,
        beat: bool = False,
    ) -> None:
        """Wait so long, however the wall clock is set meanwhile."""
        at = self._clock.monotonic() + max(0, milliseconds) / 1000
        heapq.heappush(self._relative, Due(at, next(self._number), execution, pending, due, task, beat))
        self._sweep_if_many()

    def add_absolute(self, execution: str, pending: int | None, due: int, *, task: bool = False) -> None:
        """Wait for an instant on the wall clock."""
        heapq.heappush(self._absolute, Due(due, next(self._number), execution, pending, due, task))
        self._sweep_if_many()

    def _sweep_if_many(self) -> None:
        if len(self) >= self._sweep_at:
            self._sweep()

    def _sweep(self) -> None:
        """Drop what no longer matters; the next sweep is due when there is twice as much as is left."""
        self._relative = [entry for entry in self._relative if self._matters(entry)]
        self._absolute = [entry for entry in self._absolute if self._matters(entry)]
        heapq.heapify(self._relative)
        heapq.heapify(self._absolute)
        self._sweep_at = max(SWEEP_MIN, 2 * len(self))

    def take(self, limit: int) -> list[Due]:
        """At most ``limit`` entries whose instant has come."""
        found: list[Due] = []
        now, monotonic = self._clock.now(), self._clock.monotonic()
        while len(found) < limit and self._relative and self._relative[0].at <= monotonic:
            found.append(heapq.heappop(self._relative))
        while len(found) < limit and self._absolute and self._absolute[0].at <= now:
            found.append(heapq.heappop(self._absolute))
        return found

    def wait(self) -> float | None:
        """Seconds until it is worth looking again; None if nothing is awaited."""
        waits = []
        if self._relative:
            waits.append(self._relative[0].at - self._clock.monotonic())
        if self._absolute:
            ahead = (self._absolute[0].at - self._clock.now()) / 1000
            waits.append(min(ahead, WALL_CHECK_SECONDS))
        return max(0.0, min(waits)) if waits else None
