"""The one object that reads the time."""

from __future__ import annotations

import time
from typing import Protocol

#: What a question to a store may take each way; a difference below it is none.
JITTER_MILLISECONDS = 50


class Clock(Protocol):
    """Two clocks that may drift apart: the wall's, which people and databases share, and the one that only runs."""

    def now(self) -> int:
        """The wall clock, in milliseconds since the epoch. It may be set, also backwards."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment. Never goes back."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


class StoreClock(SystemClock):
    """The machine's clocks, its wall clock set right by that of the store that a fleet shares."""

    def __init__(self) -> None:
        self._ahead = 0

    def now(self) -> int:
        return super().now() + self._ahead

    def adjust(self, ahead: int) -> None:
        """The store's clock shows so many milliseconds more than this one."""
        if abs(ahead) >= JITTER_MILLISECONDS:
            self._ahead += ahead
