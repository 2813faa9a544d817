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


class Due(Record):
    """``pending`` is None for the end of the execution's own time. ``beat`` marks a heartbeat's deadline."""

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
        self._relative: list[tuple[float, int, Due]] = []
        self._absolute: list[tuple[int, int, Due]] = []

    def __len__(self) -> int:
        return len(self._relative) + len(self._absolute)

    def add(self, entry: Due, milliseconds: int) -> None:
        """Wait so long, however the wall clock is set meanwhile."""
        at = self._clock.monotonic() + max(0, milliseconds) / 1000
        heapq.heappush(self._relative, (at, next(self._number), entry))
        self._sweep_if_many()

    def add_absolute(self, entry: Due) -> None:
        """Wait for an entry's instant on the wall clock."""
        heapq.heappush(self._absolute, (entry.due, next(self._number), entry))
        self._sweep_if_many()

    def _sweep_if_many(self) -> None:
        if len(self) >= self._sweep_at:
            self._sweep()

    def _sweep(self) -> None:
        """Drop what no longer matters; the next sweep is due when there is twice as much as is left."""
        self._relative = [item for item in self._relative if self._matters(item[2])]
        self._absolute = [item for item in self._absolute if self._matters(item[2])]
        heapq.heapify(self._relative)
        heapq.heapify(self._absolute)
        self._sweep_at = max(SWEEP_MIN, 2 * len(self))

    def take(self, limit: int) -> list[Due]:
        """At most ``limit`` entries whose instant has come."""
        found: list[Due] = []
        now, monotonic = self._clock.now(), self._clock.monotonic()
        while len(found) < limit and self._relative and self._relative[0][0] <= monotonic:
            found.append(heapq.heappop(self._relative)[2])
        while len(found) < limit and self._absolute and self._absolute[0][0] <= now:
            found.append(heapq.heappop(self._absolute)[2])
        return found

    def wait(self) -> float | None:
        """Seconds until it is worth looking again; None if nothing is awaited."""
        waits = []
        if self._relative:
            waits.append(self._relative[0][0] - self._clock.monotonic())
        if self._absolute:
            ahead = (self._absolute[0][0] - self._clock.now()) / 1000
            waits.append(min(ahead, WALL_CHECK_SECONDS))
        return max(0.0, min(waits)) if waits else None
