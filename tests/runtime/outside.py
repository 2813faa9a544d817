"""Engines in virtual time for executions that wait for somebody outside: several machines, handlers by resource."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from simulation.loop import VirtualClock

from detent.compile import compile_text, digest_of
from detent.core.execution import Execution
from detent.core.values import encode
from detent.history import project
from detent.runtime.compose import Names, start_execution
from detent.runtime.engine import Engine
from detent.runtime.handlers.base import Beat, TaskCall
from detent.runtime.machines import Machines
from detent.runtime.recall import recall_steps
from detent.store.base import MachineRecord
from detent.store.memory import MemoryStore

Run = Callable[[TaskCall, Beat], Awaitable[Any]]


class Handler:
    slots = None

    def __init__(self, function: Run) -> None:
        self.function = function

    async def run(self, task: TaskCall, beat: Beat) -> Any:
        return await self.function(task, beat)


def task(resource: str, **fields: Any) -> dict[str, Any]:
    """A definition of one task, ``T``."""
    return {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "End": True, **fields}}}


@asynccontextmanager
async def engine(
    store: MemoryStore | None = None, handlers: Mapping[str, Run] | None = None, **settings: Any
) -> AsyncIterator[Engine]:
    store = store or MemoryStore()
    known = {resource: Handler(run) for resource, run in (handlers or {}).items()}
    opened = Engine(
        store, Machines(store, compile_text), known.get, release="1", clock=VirtualClock(), **settings
    )
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


async def publish(engine: Engine, name: str, definition: Any) -> str:
    """Publish a definition; the machine's ARN."""
    arn = Names(name).machine_arn
    now = VirtualClock().now()
    await engine.machines.publish(MachineRecord(digest_of(definition), arn, encode(definition), now))
    return arn


async def start(engine: Engine, definition: Any, input: Any = None, name: str = "x") -> str:
    """Start an execution of the machine ``m``; its id."""
    record = await start_execution(engine, definition, Names("m"), name, input, clock=VirtualClock())
    return record.id


async def history(engine: Engine, execution: str) -> list[str]:
    """The types of the shown events."""
    _, steps = await recall_steps(engine.store, execution)
    return [event.type for event in project(steps)]


def output(state: Execution) -> Any:
    assert state.output is not None, (state.status, state.error, state.cause)
    return state.output.value


def now() -> float:
    """Virtual seconds since the beginning."""
    return asyncio.get_running_loop().time()
