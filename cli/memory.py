"""How a process that stays up for long holds memory."""

from __future__ import annotations

import ctypes
import sys

#: Parameters of glibc's ``mallopt`` (malloc.h).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3

#: Buffers of this many bytes and more are the system's again as soon as they are free. More than what every reading of
#: a socket takes for a moment, 256 KiB: a server would be a tenth slower.
LARGE_BUFFER = 512 * 1024
#: Free bytes at the end of the heap above which they are given back.
FREE_KEPT = 4 * 1024 * 1024


def give_back_large_buffers() -> None:
    """Have what large requests took given back to the system.

    By default glibc takes the largest buffer that was ever freed for the usual size: from then on large buffers
    come from the heap, in pieces between small ones, and the heap never shrinks. Other systems do as they always do.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE_BUFFER)
        mallopt(_TRIM_THRESHOLD, FREE_KEPT)
