"""What executions cost that wait, and how soon those run again that were interrupted."""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from pathlib import Path
from typing import Any

from . import subject
from .place import file_bytes, place

#: A definition whose executions wait for long.
WAITS = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 100_000, "End": True}}}
#: Executions that are started together.
AT_ONCE = 500


def parked(options: argparse.Namespace) -> dict[str, Any]:
    """Bytes that a waiting execution takes: live, once it was let go, and on disk.

    Memory is what Python has allocated; ``process_kib`` is what the process has grown by in all, page caches of
    the store included.
    """
    executions = options.executions or 20_000
    with place(options.store) as (url, _):
        live = asyncio.run(_live(url, min(executions, 2_000)))
    with place(options.store) as (url, _):
        found = asyncio.run(_let_go(url, executions))
        size = file_bytes(url)
    return {
        "executions": executions,
        "live_bytes": live,
        **found,
        "disk_bytes": None if size is None else round(size / executions),
    }


async def _live(url: str, executions: int) -> int:
    async with subject.opened(url, WAITS) as (engine, digest):
        await subject.start_many(engine, digest, 10, AT_ONCE)
        with subject.allocated() as spent:
            await subject.start_many(engine, digest, executions, AT_ONCE)
            await asyncio.sleep(0.1)  # what the starts have left behind is no part of what waits
            gc.collect()
            return round(spent() / executions)


async def _let_go(url: str, executions: int) -> dict[str, Any]:
    async with subject.opened(url, WAITS, takes_over=True) as (engine, digest):
        await subject.start_many(engine, digest, 10, AT_ONCE)
        before = _resident()
        begin = time.perf_counter()
        await subject.start_many(engine, digest, executions, AT_ONCE)
        started = time.perf_counter()
        while engine.running():  # noqa: ASYNC110  # nothing tells of it: nobody else needs to know
            await asyncio.sleep(0.1)
        gone = time.perf_counter()
        gc.collect()
        return {
            "starts_per_second": round(executions / (started - begin)),
            "let_go_after_seconds": round(gone - started, 1),
            "live_afterwards": len(engine.running()),
            "process_kib": round((_resident() - before) / executions / 1024, 2),
        }


def _resident() -> int:
    """The memory of this process in bytes; 0 where the system does not say it in this way."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * 4096


def recover(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds until executions that were interrupted in the middle of a task run again.

    They are what a killed process leaves: their tasks had begun. The time is from opening the engine until the
    handler of each was called again.
    """
    executions = options.executions or 1_000
    with place(options.store) as (url, _):
        asyncio.run(_interrupt(url, executions))
        first, last = asyncio.run(_resume(url, executions))
    return {
        "executions": executions,
        "first_runs_after_seconds": round(first, 2),
        "all_run_after_seconds": round(last, 2),
    }


async def _interrupt(url: str, executions: int) -> None:
    handler = subject.Hanging(executions)
    async with subject.opened(url, subject.chain(2, "Task"), handler=handler) as (engine, digest):
        await subject.start_many(engine, digest, executions, AT_ONCE)
        await handler.all_called.wait()


async def _resume(url: str, executions: int) -> tuple[float, float]:
    handler = subject.Hanging(executions)
    begin = time.perf_counter()
    async with subject.opened(url, subject.chain(2, "Task"), handler=handler, takes_over=True):
        await handler.all_called.wait()
    return handler.first - begin, handler.last - begin
