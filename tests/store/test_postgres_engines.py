"""Engines on one Postgres store, behind a pooler: hints do not come through it, and nothing needs them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from detent.core.execution import SUCCEEDED
from detent.runtime.compose import Names, open_engine, start_execution
from detent.runtime.member import Member

from .pooler import pooled

REVIEW = "arn:aws:states:us-east-1:123456789012:activity:review"
TASK = {"Type": "Task", "Resource": REVIEW, "End": True}
REVIEWS = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map",
            "ItemProcessor": {"StartAt": "T", "States": {"T": TASK}},
            "End": True,
        }
    },
}


@pytest.fixture(scope="module")
def database(new_database: Any) -> str:
    return str(new_database("engines"))


#: No lease ends, however long the machine stands still: what an engine holds is handed to nobody else.
UNHURRIED = Member(lease_seconds=3600)


def test_workers_at_any_engine_do_each_task_of_an_execution_once(database: str) -> None:
    async def work(engine: Any, done: list[Any]) -> None:
        while (task := await engine.activities.get_activity_task(REVIEW, wait_seconds=5)) is not None:
            await engine.answers.send_task_success(task.token, task.input * 2)
            done.append(task.input)

    async def scenario() -> None:
        async with (
            pooled(database, 3) as address,
            open_engine(address, lambda resource: None, takes_over=True, member=UNHURRIED) as one,
            open_engine(address, lambda resource: None, takes_over=True, member=UNHURRIED) as two,
        ):
            done: list[Any] = []
            record = await start_execution(one, REVIEWS, Names("reviews"), "x", list(range(10)))
            workers = [asyncio.create_task(work(engine, done)) for engine in (one, two, one, two)]
            state = await one.result(record.id)
            assert state.status == SUCCEEDED
            assert state.output is not None
            assert state.output.value == [number * 2 for number in range(10)]
            await asyncio.gather(*workers)
            assert sorted(done) == list(range(10))

    asyncio.run(scenario())
