"""Where nobody takes executions over they stay live while they wait: at rest, in little memory."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from pathlib import Path

import pytest

from detent.compile import digest_of
from detent.core.values import Payload, encode
from detent.runtime import timers
from detent.runtime.compose import Names, open_engine
from detent.runtime.engine import Engine
from detent.store.base import ExecutionRecord, MachineRecord

NAMES = Names("sleepers")
WAITS = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 100_000, "End": True}}}
#: What the memory is measured over, and what is started before: it has the engine load and allocate what it keeps.
MANY, BEFORE = 1_000, 200


async def start(engine: Engine, name: str) -> None:
    id = NAMES.execution_arn(name)
    record = ExecutionRecord(id, name, NAMES.machine_arn, digest_of(WAITS), "detent", 0)
    await engine.start(record, Payload({"order": 1, "customer": "a name", "total": 12.5}))


def test_one_that_waits_takes_less_than_one_and_a_half_kib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Timers are swept again and again, for which nobody has to wake up.
    monkeypatch.setattr(timers, "SWEEP_MIN", 100)

    async def scenario() -> None:
        async with open_engine(str(tmp_path / "detent.db"), lambda resource: None) as engine:
            await engine.machines.publish(
                MachineRecord(digest_of(WAITS), NAMES.machine_arn, encode(WAITS), 0)
            )
            await asyncio.gather(*(start(engine, f"before-{n}") for n in range(BEFORE)))
            gc.collect()
            tracemalloc.start()
            try:
                begin, _ = tracemalloc.get_traced_memory()
                await asyncio.gather(*(start(engine, f"one-of-many-{n:04}") for n in range(MANY)))
                await asyncio.sleep(0)  # the loop lets go of the tasks that have started them
                gc.collect()
                end, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert len(engine.running()) == BEFORE + MANY
            assert (end - begin) / MANY < 1_536

    asyncio.run(scenario())
