"""Mocked tasks on a running engine: retries, restarts, jobs and callbacks, a file that changes."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from simulation.loop import VirtualClock
from simulation.loop import run as simulated

from detent.core.execution import Execution
from detent.core.values import JSON
from detent.history import project
from detent.mocking import MockError
from detent.runtime.compose import Names, open_engine, start_execution
from detent.runtime.engine import Engine
from detent.runtime.handlers.registry import Registry
from detent.runtime.mocks import MockFile
from detent.runtime.recall import recall_steps
from detent.store.memory import MemoryStore

NAMES = Names("orders")
INVOKE = "arn:aws:states:::lambda:invoke"
REVIEW = "arn:aws:states:us-east-1:123456789012:activity:review"


def task(resource: str = INVOKE, **fields: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": resource, "End": True, **fields}
    return {"StartAt": "Charge", "States": {"Charge": state}}


def configured(path: Path, answers: dict[str, Any]) -> MockFile:
    config = {
        "StateMachines": {"orders": {"TestCases": {"case": {"Charge": "response"}}}},
        "MockedResponses": {"response": answers},
    }
    path.write_text(json.dumps(config))
    return MockFile(str(path))


class World:
    """Engines over one store, one after the other, in virtual time."""

    def __init__(self, mocks: MockFile | None, registry: Registry | None = None) -> None:
        self.store = MemoryStore()
        self.mocks = mocks
        self.registry = registry or Registry()

    async def start(self, engine: Engine, definition: JSON, name: str = "e") -> str:
        record = await start_execution(
            engine, definition, NAMES, name, {}, test_case="case", clock=VirtualClock()
        )
        return record.id

    def engine(self, **settings: Any) -> Any:
        return open_engine(
            self.store, self.registry.resolve, clock=VirtualClock(), mocks=self.mocks, **settings
        )

    async def once(self, definition: JSON) -> Execution:
        async with self.engine() as engine:
            return await engine.result(await self.start(engine, definition))


def ended(path: Path, definition: JSON, answers: dict[str, Any]) -> Execution:
    return simulated(World(configured(path / "mocks.json", answers)).once(definition))


def test_each_attempt_gets_its_answer(tmp_path: Path) -> None:
    definition = task(Retry=[{"ErrorEquals": ["Busy"], "MaxAttempts": 5}])
    busy = {"Throw": {"Error": "Busy", "Cause": "too many"}}
    end = ended(tmp_path, definition, {"0-2": busy, "3": {"Return": {"StatusCode": 200}}})
    assert (end.status, end.output and end.output.value) == ("SUCCEEDED", {"StatusCode": 200})


def test_iterations_share_a_counter(tmp_path: Path) -> None:
    each = {"Type": "Map", "MaxConcurrency": 1, "ItemsPath": "$$.StateMachine", "End": True}
    inner = task()
    definition = {
        "StartAt": "Make",
        "States": {
            "Make": {"Type": "Pass", "Result": [0, 0, 0], "Next": "Each"},
            "Each": {**each, "ItemsPath": "$", "ItemProcessor": inner},
        },
    }
    end = ended(tmp_path, definition, {"0": {"Return": "a"}, "1": {"Return": "b"}, "*": {"Return": "z"}})
    assert end.output is not None
    assert end.output.value == ["a", "b", "z"]


def test_past_the_last_answer_the_execution_fails(tmp_path: Path) -> None:
    definition = task(Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}])
    end = ended(tmp_path, definition, {"0": {"Throw": {"Error": "E", "Cause": "c"}}})
    assert (end.status, end.error) == ("FAILED", "States.Runtime")
    assert end.cause == "the mocked response 'response' has no answer for attempt 1 of the state 'Charge'"


def test_a_function_answers_with_its_payload(tmp_path: Path) -> None:
    definition = task("arn:aws:lambda:us-east-1:123456789012:function:charge")
    whole = {"Return": {"StatusCode": 200, "Payload": {"id": 7}}}
    end = ended(tmp_path, definition, {"0": whole})
    assert end.output is not None
    assert end.output.value == {"id": 7}


@pytest.mark.parametrize(
    "resource", ["sqs:sendMessage.waitForTaskToken", "ecs:runTask.sync", "states:startExecution.sync:2"]
)
def test_a_job_and_a_callback_are_submitted_and_then_end(tmp_path: Path, resource: str) -> None:
    async def play() -> tuple[Execution, list[str]]:
        world = World(configured(tmp_path / "mocks.json", {"0": {"Return": "done", "Delay": 30}}))
        async with world.engine() as engine:
            end = await engine.result(await world.start(engine, task(f"arn:aws:states:::{resource}")))
            _, steps = await recall_steps(world.store, end.id)
        return end, [event.type for event in project(steps)]

    end, types = simulated(play())
    assert end.output is not None
    assert end.output.value == "done"
    assert types[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    assert end.ended_at is not None
    assert end.ended_at - end.started_at >= 30_000


def test_a_named_signal_is_sent(tmp_path: Path) -> None:
    answers = {
        "0": {"Throw": {"Error": "Refused", "Cause": "no"}, "Delay": 30},
        "1": {"Return": {"granted": True}, "Delay": 30},
    }
    definition = task("signal:decision", Retry=[{"ErrorEquals": ["Refused"], "IntervalSeconds": 1}])

    async def play() -> tuple[Execution, list[str]]:
        world = World(configured(tmp_path / "mocks.json", answers))
        async with world.engine() as engine:
            end = await engine.result(await world.start(engine, definition))
            _, steps = await recall_steps(world.store, end.id)
        return end, [event.type for event in project(steps)]

    end, types = simulated(play())
    assert end.output is not None
    assert end.output.value == {"granted": True}
    attempt = ["TaskScheduled", "TaskStarted"]
    assert types[2:-2] == [*attempt, "TaskFailed", *attempt, "TaskSucceeded"]


def test_a_task_of_an_activity_is_answered_as_by_a_worker(tmp_path: Path) -> None:
    answers = {
        "0": {"Throw": {"Error": "Tired", "Cause": "so"}},
        "1": {"Return": {"done": True}, "Delay": 30},
    }
    definition = task(REVIEW, Retry=[{"ErrorEquals": ["Tired"], "IntervalSeconds": 1}])

    async def play() -> tuple[Execution, list[str]]:
        world = World(configured(tmp_path / "mocks.json", answers))
        async with world.engine() as engine:
            end = await engine.result(await world.start(engine, definition))
            assert await engine.activities.get_activity_task(REVIEW, "worker", 1) is None
            _, steps = await recall_steps(world.store, end.id)
        return end, [event.type for event in project(steps)]

    end, types = simulated(play())
    assert end.output is not None
    assert end.output.value == {"done": True}
    attempt = ["ActivityScheduled", "ActivityStarted"]
    assert types[2:-2] == [*attempt, "ActivityFailed", *attempt, "ActivitySucceeded"]


def test_a_task_of_an_activity_that_no_mock_answers_is_a_workers(tmp_path: Path) -> None:
    async def play() -> Execution:
        world = World(configured(tmp_path / "mocks.json", {"0": {"Return": 1}}))
        definition = task(REVIEW)
        definition["StartAt"] = "Review"
        definition["States"] = {"Review": definition["States"]["Charge"]}
        async with world.engine() as engine:
            id = await world.start(engine, definition)
            taken = await engine.activities.get_activity_task(REVIEW, "worker", 60)
            assert taken is not None
            await engine.answers.send_task_success(taken.token, "by hand")
            return await engine.result(id)

    end = simulated(play())
    assert end.output is not None
    assert end.output.value == "by hand"


def test_a_signal_that_no_mock_answers_is_waited_for(tmp_path: Path) -> None:
    async def play() -> Execution:
        world = World(configured(tmp_path / "mocks.json", {"0": {"Return": 1}}))
        definition = task("signal:decision")
        definition["StartAt"] = "Decide"
        definition["States"] = {"Decide": definition["States"]["Charge"]}
        async with world.engine() as engine:
            id = await world.start(engine, definition)
            await asyncio.sleep(60)
            await engine.steering.signal(id, "decision", "by hand")
            return await engine.result(id)

    end = simulated(play())
    assert end.output is not None
    assert end.output.value == "by hand"


def test_a_mocked_signal_that_comes_late_finds_its_execution(tmp_path: Path) -> None:
    async def play() -> Execution:
        world = World(configured(tmp_path / "mocks.json", {"0": {"Return": "late", "Delay": 600}}))
        async with world.engine(takes_over=True) as engine:
            id = await world.start(engine, task("signal:decision"))
            await asyncio.sleep(700)
            return await engine.result(id)

    end = simulated(play())
    assert end.output is not None
    assert end.output.value == "late"


def test_a_delay_beyond_the_time_of_the_task_times_out(tmp_path: Path) -> None:
    end = ended(tmp_path, task(TimeoutSeconds=5), {"0": {"Return": 1, "Delay": 6}})
    assert (end.status, end.error) == ("FAILED", "States.Timeout")


def test_the_count_survives_a_restart(tmp_path: Path) -> None:
    async def play() -> Execution:
        busy = {"Throw": {"Error": "Busy", "Cause": ""}}
        mocks = configured(tmp_path / "mocks.json", {"0": busy, "1": {"Return": "second"}})
        world = World(mocks)
        definition = task(Retry=[{"ErrorEquals": ["Busy"], "IntervalSeconds": 600}])
        async with world.engine() as engine:
            id = await world.start(engine, definition)
            await asyncio.sleep(60)  # in between the attempts
        world.mocks = MockFile(mocks.path)
        async with world.engine() as engine:
            await engine.resume(id)
            return await engine.result(id)

    end = simulated(play())
    assert end.output is not None
    assert end.output.value == "second"


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    async def play() -> list[Any]:
        path = tmp_path / "mocks.json"
        world = World(configured(path, {"0": {"Return": "before"}}))
        async with world.engine() as engine:
            first = await engine.result(await world.start(engine, task(), "first"))
            configured(path, {"0": {"Return": "after, in more words"}})
            os.utime(path, ns=(1, 1))
            second = await engine.result(await world.start(engine, task(), "second"))
        return [end.output.value for end in (first, second) if end.output is not None]

    assert simulated(play()) == ["before", "after, in more words"]


def test_what_a_case_does_not_list_is_really_done(tmp_path: Path) -> None:
    registry = Registry()
    registry.add("ship", lambda event: "shipped")
    definition = task(Next="Ship")
    del definition["States"]["Charge"]["End"]
    definition["States"]["Ship"] = {"Type": "Task", "Resource": "task:ship", "End": True}
    mocks = configured(tmp_path / "mocks.json", {"0": {"Return": {}}})
    end = simulated(World(mocks, registry).once(definition))
    assert end.output is not None
    assert end.output.value == "shipped"


def test_a_start_with_a_case_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    async def play(mocks: MockFile | None) -> None:
        world = World(mocks)
        async with world.engine() as engine:
            await start_execution(engine, task(), NAMES, "e", {}, test_case="other")

    with pytest.raises(MockError, match="has no test case 'other'"):
        simulated(play(configured(tmp_path / "mocks.json", {"0": {"Return": 1}})))
    with pytest.raises(MockError, match="there is no mock configuration"):
        simulated(play(None))
