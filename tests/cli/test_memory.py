"""A process that stays up for long gives back what large requests took."""

from __future__ import annotations

import subprocess
import sys

from detent.cli.memory import LARGE_BUFFER

#: Frees one huge buffer, which teaches glibc that such are usual, then large ones between small ones that stay.
REQUESTS = f"""
import os, sys
from detent.cli.memory import give_back_large_buffers

if sys.argv[1] == "given back":
    give_back_large_buffers()

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

bytearray(30 * 1024 * 1024)
before = resident()
large, small = [], []
for number in range(200):
    large.append(bytearray({LARGE_BUFFER + 1000}))
    small.append(bytearray(2000))
large.clear()
print(resident() - before)
"""


def more_after(how: str) -> int:
    """The memory that is still held after all the large buffers were freed, in bytes."""
    told = subprocess.run(
        [sys.executable, "-c", REQUESTS, how], capture_output=True, text=True, timeout=300, check=True
    )
    return int(told.stdout)


def test_large_buffers_are_given_back_to_the_system() -> None:
    assert more_after("as it is") > 40 * LARGE_BUFFER
    assert more_after("given back") < 10 * LARGE_BUFFER
