"""The tasks of the executions under test: each leaves a line behind that no crash takes back, then does as told."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import detent

_FILE = os.open(os.environ["EFFECTS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def leave_a_line(context: detent.TaskContext) -> None:
    words = (context.idempotency_key, context.execution_name, context.state, os.getpid(), time.time_ns())
    os.write(_FILE, (" ".join(map(str, words)) + "\n").encode())


@detent.task("note")
def note(given: Any, context: detent.TaskContext) -> Any:
    leave_a_line(context)
    time.sleep(0.01)
    return given


@detent.task("poison")
def poison(given: Any, context: detent.TaskContext) -> Any:
    leave_a_line(context)
    os.kill(os.getpid(), signal.SIGKILL)


@detent.task("once")
def once(given: Any, context: detent.TaskContext) -> Any:
    leave_a_line(context)
    if context.attempt == 1:
        raise detent.TaskError("NotYet")
    return given
