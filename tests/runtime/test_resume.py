"""An engine goes on with what another one began, whatever it waits for."""

from __future__ import annotations

import asyncio
from pathlib import Path

from detent.core.execution import RUNNING, SUCCEEDED
from detent.runtime.compose import Names, open_engine, start_execution
from detent.runtime.find import interrupted, named, store_exists

DEFINITION = {
    "StartAt": "Hold",
    "States": {"Hold": {"Type": "Wait", "SecondsPath": "$.seconds", "End": True}},
}


def nobody(resource: str, arguments: object = None) -> None:
    return None


async def begin(store: str, seconds: int, *names: str) -> None:
    async with open_engine(store, nobody) as engine:
        for name in names:
            await start_execution(engine, DEFINITION, Names("hold"), name, {"seconds": seconds})


def test_a_timer_that_is_not_due_yet_is_no_obstacle(tmp_path: Path) -> None:
    asyncio.run(_goes_on(str(tmp_path / "detent.db")))


async def _goes_on(store: str) -> None:
    await begin(store, 1, "one")
    async with open_engine(store, nobody) as engine:
        (found,) = await interrupted(engine.store)
        assert (await engine.resume(found.record.id)).status == RUNNING
        assert engine.running() == [found.record.id]
        assert (await engine.result(found.record.id)).status == SUCCEEDED
        assert await interrupted(engine.store) == []


def test_executions_are_found_by_name_and_by_arn(tmp_path: Path) -> None:
    asyncio.run(_found(str(tmp_path / "detent.db")))


async def _found(store: str) -> None:
    assert not store_exists(store)
    await begin(store, 60, "one", "two")
    assert store_exists(store)
    async with open_engine(store, nobody) as engine:
        assert [found.record.name for found in await interrupted(engine.store)] == ["one", "two"]
        (one,) = await named(engine.store, "one")
        assert await named(engine.store, one.record.id) == [one]
        assert await named(engine.store, "three") == []
        assert await named(engine.store, one.record.id.replace("hold", "other")) == []
