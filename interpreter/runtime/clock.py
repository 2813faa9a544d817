"""The one object that reads the time."""

from __future__ import annotations

import time
from typing import Protocol


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
