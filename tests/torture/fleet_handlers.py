"""Handlers that leave a line behind which no crash can take back; one of them kills its process."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import detent

EFFECTS = Path(os.environ["EFFECTS"])


def note(context) -> None:
    with EFFECTS.open("a") as file:
        file.write(f"{context.idempotency_key} {context.execution_name} {os.getpid()}\n")


@detent.task("first")
def first(order, context):
    note(context)
    time.sleep(0.05)
    return order


@detent.task("last")
def last(order, context):
    note(context)
    return order


@detent.task("poison")
def poison(order, context):
    note(context)
    os.kill(os.getpid(), signal.SIGKILL)


@detent.task("gpu")
def gpu(order, context):
    """What is limited in the whole fleet: a line when it begins, a line when it ends."""
    for word in ("begin", "end"):
        with EFFECTS.with_name("gpu").open("a") as file:
            file.write(f"{word}\n")
        time.sleep(0.1)


@detent.task("slow")
def slow(order, context):
    note(context)
    time.sleep(1)
