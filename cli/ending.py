"""How a command that works until it is told to end takes SIGTERM and Ctrl-C, from its first moment on."""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import TYPE_CHECKING, ParamSpec

from .exits import Exit, say

if TYPE_CHECKING:
    import asyncio

P = ParamSpec("P")

#: What tells a process to end.
NUMBERS = (signal.SIGINT, signal.SIGTERM)


class _EndedEarly(BaseException):
    """Told to end while nothing was at work yet."""


def ends_in_order(command: Callable[P, int]) -> Callable[P, int]:
    """Such a command: while it starts there is nothing to finish and nothing to hand over, so it just ends.

    Once it works, it says by :func:`when_told` what its end in order is.
    """

    @wraps(command)
    def run(*arguments: P.args, **named: P.kwargs) -> int:
        before = {number: signal.signal(number, _end_early) for number in NUMBERS}
        try:
            return command(*arguments, **named)
        except _EndedEarly:
            say("ended before it was at work", kind="note")
            return Exit.SUCCEEDED
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    return run


def when_told(loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
    """Call ``end`` in the loop each time this process is told to end."""
    for number in NUMBERS:
        loop.add_signal_handler(number, end)


def _end_early(number: int, frame: FrameType | None) -> None:
    raise _EndedEarly
