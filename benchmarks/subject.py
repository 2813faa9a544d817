"""What is measured: executions through the engine's public face, on a store given by its URL."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from detent.compile import digest_of
from detent.core.values import JSON, Payload, encode
from detent.runtime.compose import Names, open_engine
from detent.runtime.engine import Engine
from detent.runtime.handlers.base import Beat, TaskCall
from detent.store.base import ExecutionRecord, MachineRecord

T = TypeVar("T")

NAMES = Names("benchmark")
INPUT = {"order": 1, "customer": "a name", "total": 12.5}


class NoOp:
    """The handler of every task: answers what it is given."""

    slots = None

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        return task.arguments


def chain(states: int, kind: str) -> JSON:
    """A machine of so many states of one type, one after the other."""
    fields = {"Type": kind, **({"Resource": "task:noop"} if kind == "Task" else {})}
    named = {f"S{n}": {**fields, "Next": f"S{n + 1}"} for n in range(states)}
    named[f"S{states - 1}"] = {**fields, "End": True}
    return {"StartAt": "S0", "States": named}


def on_engine(url: str, definition: JSON, work: Callable[[Engine, str], Awaitable[T]]) -> T:
    """Publish a definition on an open engine and do some work with its digest."""

    async def session() -> T:
        async with open_engine(url, lambda resource: NoOp()) as engine:
            digest = digest_of(definition)
            record = MachineRecord(digest, NAMES.machine_arn, encode(definition), 0)
            await engine.machines.publish(record)
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


async def _one(engine: Engine, digest: str) -> None:
    name = secrets.token_hex(8)
    id = NAMES.execution_arn(name)
    record = ExecutionRecord(id, name, NAMES.machine_arn, digest, "detent", time.time_ns() // 1_000_000)
    state = await engine.run(record, Payload(INPUT))
    if state.status != "SUCCEEDED":
        raise RuntimeError(f"{name} ended {state.status}: {state.error} {state.cause}")
