"""A Map Run survives crashes at any point: no item is lost, none is counted twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from detent.audit import replay, verify
from detent.compile import compile_definition, compile_text
from detent.core.execution import RUNNING, SUCCEEDED, Execution
from detent.core.values import Payload, encode
from detent.runtime.engine import Engine
from detent.runtime.errors import ExecutionExists
from detent.runtime.handlers.base import Beat, TaskCall, TaskError
from detent.runtime.machines import Machines
from detent.runtime.recall import recall, recall_steps
from detent.store.base import ExecutionRecord, MachineRecord, NotFound, Query, StoreUnavailable
from detent.store.memory import MemoryStore

from .faults import FaultyStore
from .loop import VirtualClock, run
from .world import UNSUSPECTING

ITEMS = 40
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
WORK = {"Type": "Task", "Resource": "task:work", "End": True}
PROCESSOR = {
    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    "StartAt": "T",
    "States": {"T": WORK},
}
EACH = {
    "Type": "Map",
    "MaxConcurrency": 7,
    "ToleratedFailurePercentage": 30,
    "ItemProcessor": PROCESSOR,
    "End": True,
}
DEFINITION = {"StartAt": "Each", "States": {"Each": EACH}}
RECORD = ExecutionRecord(ARN.replace("stateMachine", "execution") + ":x", "x", ARN, "d", "detent", 0)


class Work:
    slots = None

    async def run(self, task: TaskCall, beat: Beat) -> Any:
        await asyncio.sleep(0.5)
        if task.arguments % 10 == 3:
            raise TaskError("Boom", "every tenth")
        return task.arguments


async def one_life(store: Any, machines: Machines) -> None:
    """Open an engine, ask for the end, and stay until it comes or the store crashes."""
    engine = Engine(
        store,
        machines,
        lambda resource: Work(),
        release="1.0",
        clock=VirtualClock(),
        takes_over=True,
        member=UNSUSPECTING,
    )
    try:
        await engine.open()
    except StoreUnavailable:
        return  # the next one may
    while True:
        with suppress(StoreUnavailable, ExecutionExists):
            await engine.start(RECORD, Payload(list(range(ITEMS))))
        with suppress(StoreUnavailable, NotFound):
            if (await engine.result(RECORD.id)).status != RUNNING:
                break
        await asyncio.sleep(1)
    await engine.close()


async def ended(memory: MemoryStore, id: str) -> Execution | None:
    with suppress(NotFound):
        state = (await recall(memory, id))[1]
        return None if state.status == RUNNING else state
    return None


async def live(seed: int) -> tuple[MemoryStore, int]:
    """Engine after engine until the execution has ended; how many crashed."""
    random, memory, crashes = Random(seed), MemoryStore(), 0
    await memory.open(engine=True)
    await memory.publish(MachineRecord("d", ARN, encode(DEFINITION), 0))
    while await ended(memory, RECORD.id) is None:
        store: Any = FaultyStore(memory, random, 0.4 if crashes < 40 else 0.0, Counter())
        life = asyncio.create_task(one_life(store, Machines(store, compile_text)))
        death = asyncio.create_task(store.crashed.wait())
        await asyncio.wait((life, death), return_when=asyncio.FIRST_COMPLETED)
        crashes += store.crashed.is_set()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await memory.open(engine=True)
    return memory, crashes


@pytest.mark.parametrize("seed", range(8))
def test_no_item_is_lost_and_none_counted_twice(seed: int) -> None:
    async def scenario() -> None:
        memory, crashes = await live(seed)
        assert crashes > 0
        state = await ended(memory, RECORD.id)
        assert state is not None
        assert (state.status, state.error, state.cause) == (SUCCEEDED, None, None)
        assert state.output is not None
        bad = [index for index, value in enumerate(state.output.value) if isinstance(value, dict)]
        assert bad == [3, 13, 23, 33]
        good = [value for value in state.output.value if not isinstance(value, dict)]
        assert good == [item for item in range(ITEMS) if item not in bad]
        (found,) = [one for one in await memory.find(Query(limit=999)) if ":mapRun:" in one.record.id]
        known = (await recall(memory, found.record.id))[1].run
        assert known is not None
        assert (known.item_counts.succeeded, known.item_counts.failed) == (ITEMS - 4, 4)
        assert len(await memory.find(Query(parent=found.record.id, limit=999))) == ITEMS
        machine = compile_definition(DEFINITION)
        for id in (RECORD.id, found.record.id):
            _, steps = await recall_steps(memory, id)
            assert verify(steps) == []
            assert replay(machine, steps) is None

    run(scenario())
