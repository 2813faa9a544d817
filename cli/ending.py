"""How a command that works until it is told to end takes SIGTERM and Ctrl-C, from its first moment on.

The first has it end in order, a second one at once. What is stored is sound at every moment, so nothing of that is
waited for long: a store that does not answer, or a task that does not stop, is left as in a crash.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Coroutine
from functools import wraps
from types import FrameType
from typing import TYPE_CHECKING, Any, ParamSpec

import click

from .exits import Exit, say

if TYPE_CHECKING:
    import asyncio

P = ParamSpec("P")

#: What tells a process to end.
NUMBERS = (signal.SIGINT, signal.SIGTERM)
#: How long a process that is told a second time has for what it started and what it holds, in seconds.
HURRY_SECONDS = 2.0


class _EndedEarly(BaseException):
    """Told to end while nothing was at work yet."""


def ends_in_order(command: Callable[P, int]) -> Callable[P, int]:
    """Such a command: while it starts there is nothing to finish and nothing to hand over, so it just ends.

    Once it works, it says by :func:`until_told` what its end in order is.
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


def until_told(work: Callable[[asyncio.Event], Coroutine[Any, Any, int]], *, at_once: str) -> int:
    """Run ``work``, whose event is set when this process is told to end; its exit code.

    Told a second time, it says ``at_once`` and ends with INTERRUPTED.
    """
    import asyncio

    return asyncio.run(_until_told(work, at_once))


async def _until_told(work: Callable[[asyncio.Event], Coroutine[Any, Any, int]], at_once: str) -> int:
    import asyncio

    loop = asyncio.get_running_loop()
    told, hurried = asyncio.Event(), asyncio.Event()
    working = loop.create_task(work(told))

    def end() -> None:
        if told.is_set() and not hurried.is_set():
            hurried.set()
            click.echo(at_once, err=True)
            _end_soon()
            working.cancel()
        told.set()

    for number in NUMBERS:
        loop.add_signal_handler(number, end)
    try:
        code = await working
    except BaseException:
        if not hurried.is_set():
            raise
    return Exit.INTERRUPTED if hurried.is_set() else code


def _end_soon() -> None:
    """The loop and every thread may hang: a thread that waits for none of them ends the process."""
    timer = threading.Timer(HURRY_SECONDS, os._exit, (int(Exit.INTERRUPTED),))
    timer.daemon = True
    timer.start()


def _end_early(number: int, frame: FrameType | None) -> None:
    raise _EndedEarly
