"""Lines of the log about an execution carry its id, its machine and the state as facts of their own."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from simulation.loop import run

from detent.core.codec import Step
from detent.core.execution import Execution
from detent.runtime.log_facts import about
from detent.store.base import Letter

from .outside import engine, start, task

PREFIX = "arn:aws:states:us-east-1:123456789012"
ID = f"{PREFIX}:execution:m:x"


def facts(caplog: pytest.LogCaptureFixture, words: str) -> tuple[Any, ...]:
    [found] = [each for each in caplog.records if words in each.getMessage()]
    return tuple(getattr(found, name, "missing") for name in ("execution", "machine", "state"))


@pytest.mark.parametrize(
    ("execution", "machine"),
    [
        (ID, "m"),
        (f"{PREFIX}:express:m:x:1", "m"),
        (f"{PREFIX}:mapRun:m/each:1", "m/each"),
        ("something else", None),
    ],
)
def test_the_machine_is_read_from_the_id(execution: str, machine: str | None) -> None:
    assert about(execution, "S") == {"execution": execution, "machine": machine, "state": "S"}


def test_a_broken_handler_is_told_with_the_state(caplog: pytest.LogCaptureFixture) -> None:
    async def breaks(call: Any, beat: Any) -> Any:
        raise RuntimeError("a defect")

    async def scenario() -> None:
        async with engine(handlers={"task:breaks": breaks}) as known:
            await known.result(await start(known, task("task:breaks")))

    with caplog.at_level(logging.ERROR):
        run(scenario())
    assert facts(caplog, "the handler of task:breaks broke") == (ID, "m", "T")


def test_what_cannot_be_read_or_observed_is_told_with_the_execution(caplog: pytest.LogCaptureFixture) -> None:
    def fails(execution: Execution, steps: list[Step]) -> None:
        raise RuntimeError("a defect")

    async def scenario() -> None:
        async with engine() as known:
            id = await start(known, task("signal:answer"))
            await known.store.send([Letter(id, "1", b"]")])
            await known.steering.pause(id)
            await known.upkeep.poll()
            known.observe(fails)
            known.stop(id)
            await known.result(id)

    with caplog.at_level(logging.ERROR):
        run(scenario())
    assert facts(caplog, "is left alone") == (ID, "m", None)
    assert facts(caplog, "an observer failed")[:2] == (ID, "m")
