"""A wall clock in the hands of a test: it shows what the machine's shows and as many seconds more as a file says.

Python imports a module of this name at its start, wherever PYTHONPATH leads to one. The clock that only runs is left
alone, as it is when somebody sets the clock of a machine.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_AHEAD = Path(os.environ["WALL_CLOCK_AHEAD"])
_time_ns = time.time_ns


def time_ns() -> int:
    return _time_ns() + int(_AHEAD.read_text()) * 1_000_000_000


time.time_ns = time_ns
time.time = lambda: time_ns() / 1e9
