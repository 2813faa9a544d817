"""Executions that run and do not come further: which ones, why, at which step and since when."""

from __future__ import annotations

import asyncio
from typing import Any

from simulation.loop import VirtualClock, run

from detent.runtime.engine import Engine
from detent.runtime.standstill import LATE, PATIENCE, standstills
from detent.store.memory import MemoryStore

from .outside import engine, start, task

ASK = task("signal:answer")
WAIT = {
    "StartAt": "W",
    "States": {"W": {"Type": "Wait", "Seconds": 10, "Next": "P"}, "P": {"Type": "Succeed"}},
}


async def told(known: Engine, limit: int = 10) -> list[tuple[Any, ...]]:
    """Name, reason, step, and since how many seconds."""
    now = VirtualClock().now()
    found = await standstills(known.store, now, owner=known.owner, running=known.running, limit=limit)
    return [
        (one.record.name, one.reason, one.step, None if one.since is None else (now - one.since) // 1000)
        for one in found
    ]


def test_what_waits_for_its_time_or_runs_is_none() -> None:
    async def scenario() -> None:
        async with engine(handlers={"task:work": forever}, takes_over=True) as known:
            await start(known, WAIT, name="waits")
            await start(known, task("task:work"), name="works")
            await start(known, ASK, name="asks")
            await asyncio.sleep(5)
            assert await told(known) == []

    run(scenario())


async def forever(call: Any, beat: Any) -> Any:
    await asyncio.Event().wait()


def test_a_paused_one_is_told_until_it_is_resumed() -> None:
    async def scenario() -> None:
        async with engine(takes_over=True) as known:
            id = await start(known, ASK)
            await known.steering.pause(id)
            await asyncio.sleep(60)
            [(name, reason, step, since)] = await told(known)
            assert (name, reason, step) == ("x", "paused", "T")
            assert 58 <= since <= 60
            await known.steering.resume(id)
            await asyncio.sleep(5)
            assert await told(known) == []

    run(scenario())


def test_what_nobody_works_on_is_told() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(store, handlers={"task:work": forever}) as first:
            await start(first, task("task:work"), name="works")
            await start(first, WAIT, name="waits")
            await asyncio.sleep(1)
        await asyncio.sleep(LATE // 1000 + 20)
        async with engine(store) as idle:
            assert [one[:3] for one in await told(idle)] == [
                ("waits", "overdue", "W"),
                ("works", "unattended", "T"),
            ]
            assert len(await told(idle, limit=1)) == 1

    run(scenario())


def test_an_answer_that_nothing_forces_to_come_is_told_after_a_day() -> None:
    async def scenario() -> None:
        async with engine(takes_over=True) as known:
            await start(known, ASK, name="forever")
            await start(known, task("signal:answer", TimeoutSeconds=9_000_000), name="bounded")
            await asyncio.sleep(PATIENCE // 1000 - 60)
            assert await told(known) == []
            await asyncio.sleep(120)
            assert await told(known) == [("forever", "no-deadline", "T", PATIENCE // 1000 + 60)]

    run(scenario())


def test_what_the_engine_gave_up_is_told() -> None:
    async def scenario() -> None:
        async with engine() as known:
            id = await start(known, ASK)
            known._effects.give_up(known._actors[id], ValueError("a defect"))
            assert [one[:3] for one in await told(known)] == [("x", "given-up", "T")]

    run(scenario())
