"""An answer that was acknowledged is on disk: whoever sent it, and whatever became of them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from detent.core.execution import RUNNING, SUCCEEDED
from detent.runtime.compose import Names, open_answers, open_engine, start_execution
from detent.runtime.engine import Engine
from detent.runtime.errors import TaskClosed
from detent.runtime.handlers.base import Handler

from .outside import output, task

REVIEW = "arn:aws:states:us-east-1:123456789012:activity:review"
TESTS = Path(__file__).parents[1]


def nobody(resource: str) -> Handler | None:
    return None


async def take(engine: Engine) -> tuple[str, str]:
    """Start an execution and take its task: its id and the token."""
    record = await start_execution(engine, task(REVIEW), Names("m"), "x", {})
    taken = await engine.activities.get_activity_task(REVIEW, "somebody")
    assert taken is not None
    return record.id, taken.token


def answer_and_die(store: str, token: str, value: str) -> None:
    """Have another process answer, and kill it the moment the answer is acknowledged."""
    command = [sys.executable, "-m", "runtime.answered", store, token, value]
    with subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stored\n"
        process.kill()


def test_an_answer_outlives_its_sender_while_no_engine_runs(tmp_path: Path) -> None:
    store = str(tmp_path / "detent.db")

    async def begin() -> tuple[str, str]:
        async with open_engine(store, nobody) as engine:
            return await take(engine)

    async def go_on(execution: str, token: str) -> Any:
        async with open_answers(store) as answers:
            with pytest.raises(TaskClosed):
                await answers.send_task_failure(token)
        async with open_engine(store, nobody) as engine:
            # The answer may have arrived by the time the execution is there again.
            assert (await engine.resume(execution)).status in (RUNNING, SUCCEEDED)
            return output(await engine.result(execution))

    execution, token = asyncio.run(begin())
    answer_and_die(store, token, '{"approved": true}')
    assert asyncio.run(go_on(execution, token)) == {"approved": True}


def test_an_answer_of_another_process_reaches_a_running_engine(tmp_path: Path) -> None:
    store = str(tmp_path / "detent.db")

    async def scenario() -> Any:
        async with open_engine(store, nobody) as engine:
            execution, token = await take(engine)
            await asyncio.to_thread(answer_and_die, store, token, "7")
            return output(await engine.result(execution))

    assert asyncio.run(scenario()) == 7
