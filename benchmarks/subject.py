"""What is measured: executions through the engine's public face, on a store given by its URL."""

from __future__ import annotations

import asyncio
import gc
import secrets
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from detent.compile import digest_of
from detent.core.values import JSON, Payload, encode
from detent.runtime.compose import Names, open_engine
from detent.runtime.engine import Engine
from detent.runtime.handlers.base import Beat, Handler, TaskCall
from detent.store.base import ExecutionRecord, MachineRecord

T = TypeVar("T")

NAMES = Names("benchmark")
INPUT = {"order": 1, "customer": "a name", "total": 12.5}
#: Iterations of a Map that run at a time.
CONCURRENCY = 40


class NoOp:
    """The handler of every task: answers what it is given."""

    slots = None

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        return task.arguments


class Hanging:
    """A handler that never answers, and notes when so many executions have called it."""

    slots = None

    def __init__(self, executions: int) -> None:
        self.all_called = asyncio.Event()
        self.first = self.last = 0.0
        self._left = executions

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        self.last = time.perf_counter()
        self.first = self.first or self.last
        self._left -= 1
        if not self._left:
            self.all_called.set()
        await asyncio.Event().wait()


def chain(states: int, kind: str) -> JSON:
    """A machine of so many states of one type, one after the other."""
    fields = {"Type": kind, **({"Resource": "task:noop"} if kind == "Task" else {})}
    named = {f"S{n}": {**fields, "Next": f"S{n + 1}"} for n in range(states)}
    named[f"S{states - 1}"] = {**fields, "End": True}
    return {"StartAt": "S0", "States": named}


def mapping() -> JSON:
    """A machine that runs a task for each item of its input."""
    task = {"Type": "Task", "Resource": "task:noop", "End": True}
    body = {"StartAt": "Each", "States": {"Each": task}}
    items = {"Type": "Map", "MaxConcurrency": CONCURRENCY, "ItemProcessor": body, "End": True}
    return {"StartAt": "Items", "States": {"Items": items}}


@asynccontextmanager
async def opened(
    url: str, definition: JSON, *, handler: Handler | None = None, takes_over: bool = False
) -> AsyncIterator[tuple[Engine, str]]:
    """An engine on a store, and the digest of the definition, which is published there."""
    does = handler or NoOp()
    async with open_engine(url, lambda resource: does, task_limit=10_000, takes_over=takes_over) as engine:
        digest = digest_of(definition)
        await engine.machines.publish(MachineRecord(digest, NAMES.machine_arn, encode(definition), 0))
        yield engine, digest


def on_engine(url: str, definition: JSON, work: Callable[[Engine, str], Awaitable[T]]) -> T:
    """Do some work on an open engine with the digest of a definition."""

    async def session() -> T:
        async with opened(url, definition) as (engine, digest):
            return await work(engine, digest)

    return asyncio.run(session())


def throughput(url: str, executions: int, states: int, kind: str) -> float:
    """Transitions per second while so many executions, started at once, run to their ends."""

    async def work(engine: Engine, digest: str) -> float:
        begin = time.perf_counter()
        await asyncio.gather(*(_one(engine, digest) for _ in range(executions)))
        return executions * states / (time.perf_counter() - begin)

    return on_engine(url, chain(states, kind), work)


def latencies(url: str, executions: int, states: int, kind: str) -> list[float]:
    """Milliseconds that each of so many executions takes from start to end, one after the other."""

    async def work(engine: Engine, digest: str) -> list[float]:
        found = []
        for _ in range(executions):
            begin = time.perf_counter()
            await _one(engine, digest)
            found.append(1000 * (time.perf_counter() - begin))
        return found

    return on_engine(url, chain(states, kind), work)


def map_items(url: str, items: int) -> float:
    """Items per second of one execution that maps so many."""

    async def work(engine: Engine, digest: str) -> float:
        begin = time.perf_counter()
        await _one(engine, digest, list(range(items)))
        return items / (time.perf_counter() - begin)

    return on_engine(url, mapping(), work)


async def start_many(engine: Engine, digest: str, executions: int, at_once: int) -> None:
    """Start so many executions, some of them together, and do not wait for their ends."""
    for first in range(0, executions, at_once):
        together = range(min(at_once, executions - first))
        await asyncio.gather(*(engine.start(_record(digest), Payload(INPUT)) for _ in together))


@contextmanager
def allocated() -> Iterator[Callable[[], int]]:
    """Bytes that Python allocates inside, as far as they are still in use when asked for."""
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    try:
        yield lambda: tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def _record(digest: str) -> ExecutionRecord:
    name = secrets.token_hex(8)
    id = NAMES.execution_arn(name)
    return ExecutionRecord(id, name, NAMES.machine_arn, digest, "detent", time.time_ns() // 1_000_000)


async def _one(engine: Engine, digest: str, input: JSON = INPUT) -> None:
    record = _record(digest)
    state = await engine.run(record, Payload(input))
    if state.status != "SUCCEEDED":
        raise RuntimeError(f"{record.name} ended {state.status}: {state.error} {state.cause}")
