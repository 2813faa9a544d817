"""Executions that start executions: what the task answers, and how one's end reaches the other."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from simulation.loop import run

from detent.core.execution import ABORTED, FAILED, RUNNING, SUCCEEDED
from detent.runtime.compose import Names
from detent.runtime.engine import Engine
from detent.runtime.handlers.base import Beat, TaskCall
from detent.runtime.nested import Parent
from detent.runtime.recall import recall
from detent.store.base import NotFound
from detent.store.memory import MemoryStore

from .outside import engine, history, now, output, publish, start, task

START = "arn:aws:states:::states:startExecution"
CHILD = Names("child")
ID = CHILD.execution_arn("c")
DOUBLE = {"StartAt": "D", "States": {"D": {"Type": "Pass", "End": True, "Result": {"Arg1": "argument1"}}}}
HOLD = {"StartAt": "H", "States": {"H": {"Type": "Wait", "Seconds": 60, "End": True}}}
FAIL = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "SomeFailure", "Cause": "some cause"}}}


def starting(pattern: str = "", *, fields: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
    wanted = {"StateMachineArn": CHILD.machine_arn, "Name": "c", **parameters}
    return task(START + pattern, Parameters=wanted, **(fields or {}))


async def play(opened: Engine, child: Any, parent: Any, input: Any = None) -> Any:
    await publish(opened, "child", child)
    return await opened.result(await start(opened, parent, input))


async def appears(opened: Engine, execution: str) -> bool:
    """Let the engine work until it begins to start an execution."""
    for _ in range(100):
        if execution in opened.running():
            return True
        await asyncio.sleep(0)
    return False


def test_a_request_answers_the_start_and_goes_on() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            state = await play(opened, HOLD, starting(Input={"n": 1}))
            answer = output(state)
            assert list(answer) == ["ExecutionArn", "SdkHttpMetadata", "SdkResponseMetadata", "StartDate"]
            assert answer["ExecutionArn"] == ID
            assert answer["SdkHttpMetadata"]["HttpStatusCode"] == 200
            assert list(answer["SdkHttpMetadata"]["HttpHeaders"]) == [
                "x-amzn-RequestId",
                "connection",
                "Content-Length",
                "Date",
                "Content-Type",
            ]
            child = await opened.result(ID)
            assert output(child) == {"n": 1}
            assert child.started_at == answer["StartDate"]
            assert child.role == CHILD.role_arn
            # Its end is news to nobody.
            assert await opened.store.inbox(opened.owner, limit=9) == []

    run(scenario())


@pytest.mark.parametrize(
    ("pattern", "read"),
    [(".sync", lambda value: json.dumps(value, separators=(",", ":"))), (".sync:2", lambda value: value)],
)
def test_a_job_answers_the_description_of_what_has_ended(pattern: str, read: Any) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            state = await play(opened, DOUBLE, starting(pattern, Input={"a": [1]}))
            child = await opened.result(ID)
            assert output(state) == {
                "ExecutionArn": ID,
                "Input": read({"a": [1]}),
                "InputDetails": {"Included": True},
                "Name": "c",
                "Output": read({"Arg1": "argument1"}),
                "OutputDetails": {"Included": True},
                "RedriveCount": 0,
                "RedriveStatus": "NOT_REDRIVABLE",
                "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
                "StartDate": child.started_at,
                "StateMachineArn": CHILD.machine_arn,
                "Status": "SUCCEEDED",
                "StopDate": child.ended_at,
            }
            events = await history(opened, state.id)
            assert events[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
            assert now() < 0.5

    run(scenario())


@pytest.mark.parametrize(
    ("given", "input", "shown"),
    [
        (None, {}, "{}"),
        ({"a": None}, {"a": None}, '{"a":null}'),
        ('"text"', "text", '"text"'),
        ('{ "a": 1.0 }', {"a": 1.0}, '{ "a": 1.0 }'),
        (5, 5, "5"),
    ],
)
def test_the_input_is_a_value_or_its_text(given: Any, input: Any, shown: str) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            state = await play(opened, DOUBLE, starting(".sync", **{"Input.$": "$"}), given)
            child = await opened.result(ID)
            assert child.input is not None
            assert child.input.value == input
            assert output(state)["Input"] == shown

    run(scenario())


@pytest.mark.parametrize("pattern", [".sync", ".sync:2"])
def test_a_child_that_fails_fails_the_task_with_its_description_as_cause(pattern: str) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            state = await play(opened, FAIL, starting(pattern))
            assert (state.status, state.error) == (FAILED, "States.TaskFailed")
            assert state.cause is not None
            cause = json.loads(state.cause)
            assert {name: cause[name] for name in ("Cause", "Error", "Input", "Name", "Status")} == {
                "Cause": "some cause",
                "Error": "SomeFailure",
                "Input": "{}",
                "Name": "c",
                "Status": "FAILED",
            }
            assert "Output" not in cause

    run(scenario())


def test_a_child_without_a_name_is_named_and_its_parent_written_down() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            state = await play(opened, DOUBLE, starting(".sync", Name=None))
            record, child = await recall(opened.store, output(state)["ExecutionArn"])
            assert len(child.name) == 36
            assert Parent.read(record.parent) == Parent(state.id, 3, waits=True)

    run(scenario())


@pytest.mark.parametrize(
    ("changed", "error", "cause"),
    [
        (
            {"StateMachineArn": CHILD.machine_arn + "x"},
            "StateMachineDoesNotExist",
            f"State Machine Does Not Exist: '{CHILD.machine_arn}x' (Service: AWSStepFunctions; Status Code: 400; "
            "Error Code: StateMachineDoesNotExist; Request ID: ",
        ),
        ({"StateMachineArn": "child"}, "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: child'"),
        ({"StateMachineArn": None}, "InvalidArn", "Invalid Arn"),
        ({"Name": "no good"}, "InvalidName", "Invalid Name: 'no good'"),
        ({"Name": 5}, "InvalidName", "Invalid Name: '5'"),
        ({"Name": "taken"}, "ExecutionAlreadyExists", "Execution Already Exists: '"),
        ({"Input": "{"}, "InvalidExecutionInput", "Invalid State Machine Execution Input: '"),
        ({"Input": "1e400"}, "InvalidExecutionInput", "Invalid State Machine Execution Input: '"),
    ],
)
@pytest.mark.parametrize("pattern", ["", ".sync"])
def test_a_start_is_refused_as_the_service_refuses_it(
    pattern: str, changed: dict[str, Any], error: str, cause: str
) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            await play(opened, DOUBLE, starting(Name="taken"))
            execution = await start(opened, starting(pattern, **changed), name="y")
            state = await opened.result(execution)
            assert state.error == f"StepFunctions.{error}Exception"
            assert state.cause is not None
            assert state.cause.startswith(cause)

    run(scenario())


def test_a_child_may_hold_the_token_of_its_parent() -> None:
    async def scenario() -> None:
        async def answer(call: TaskCall, beat: Beat) -> Any:
            await opened.answers.send_task_success(call.arguments["token"], "from the child")

        async with engine(handlers={"task:answer": answer}) as opened:
            parent = starting(".waitForTaskToken", Input={"token.$": "$$.Task.Token"})
            state = await play(opened, task("task:answer"), parent)
            assert output(state) == "from the child"
            assert (await opened.result(ID)).status == SUCCEEDED

    run(scenario())


def test_a_token_may_end_a_job_early_and_its_child_goes_on() -> None:
    async def scenario() -> None:
        async def answer(call: TaskCall, beat: Beat) -> Any:
            await opened.answers.send_task_success(call.arguments["token"], "early")
            await asyncio.sleep(30)
            return "later"

        async with engine(handlers={"task:answer": answer}) as opened:
            parent = starting(".sync", Input={"token.$": "$$.Task.Token"})
            assert output(await play(opened, task("task:answer"), parent)) == "early"
            assert output(await opened.result(ID)) == "later"

    run(scenario())


@pytest.mark.parametrize("way", ["stop", "timeout", "failure", "machine"])
def test_a_parent_that_waits_no_longer_stops_its_child(way: str) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            await publish(opened, "child", HOLD)
            parent = starting(".sync", fields={"TimeoutSeconds": 10} if way == "timeout" else None)
            if way == "machine":
                parent["TimeoutSeconds"] = 10
            if way == "failure":
                late = {
                    "StartAt": "W",
                    "States": {"W": {"Type": "Wait", "Seconds": 10, "Next": "F"}, **FAIL["States"]},  # type: ignore[dict-item]  # a definition
                }
                both = {"Type": "Parallel", "Branches": [parent, late], "End": True}
                parent = {"StartAt": "P", "States": {"P": both}}
            execution = await start(opened, parent)
            await asyncio.sleep(9)
            assert (await recall(opened.store, ID))[1].status == RUNNING
            if way == "stop":
                opened.stop(execution)
            assert (await opened.result(execution)).status != SUCCEEDED
            assert (await opened.result(ID)).status == ABORTED
            assert now() < 11

    run(scenario())


def test_a_parent_stopped_while_it_starts_its_child_leaves_none_behind() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            await publish(opened, "child", HOLD)
            execution = await start(opened, starting(".sync"))
            assert await appears(opened, ID)
            opened.stop(execution)
            await opened.result(execution)
            await asyncio.sleep(1)
            try:
                assert (await recall(opened.store, ID))[1].status == ABORTED
            except NotFound:
                pass
            assert opened.running() == []

    run(scenario())


def test_parent_and_child_go_on_after_a_restart() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(store) as first:
            await publish(first, "child", HOLD)
            execution = await start(first, starting(".sync:2", Input={"n": 1}))
            await asyncio.sleep(5)
        async with engine(store) as second:
            assert (await second.resume(execution)).status == RUNNING
            assert output(await second.result(execution))["Output"] == {"n": 1}
            assert 60 <= now() < 61

    run(scenario())


def test_a_child_that_ends_while_its_parent_is_away_is_not_forgotten() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(store) as first:
            await publish(first, "child", HOLD)
            execution = await start(first, starting(".sync"))
            await asyncio.sleep(5)
        async with engine(store) as second:
            await second.resume(ID)
            assert (await second.result(ID)).status == SUCCEEDED
            assert execution not in second.running()
        async with engine(store) as third:
            await third.resume(execution)
            assert output(await third.result(execution))["Status"] == SUCCEEDED

    run(scenario())


def test_an_attempt_that_is_run_again_finds_the_child_it_started() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(store) as first:
            await publish(first, "child", HOLD)
            execution = await start(first, starting(".sync"))
            assert await appears(first, ID)
            # The end of the engine comes before it is written that the child was started.
        async with engine(store, takes_over=True) as second:
            await asyncio.sleep(1)
            assert output(await second.result(execution))["ExecutionArn"] == ID

    run(scenario())


def test_a_child_has_the_limits_of_its_parent_and_may_have_children() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            await publish(opened, "inner", DOUBLE)
            inner = {"StateMachineArn": Names("inner").machine_arn, "Input": {}}
            state = await play(
                opened, task(START + ".sync:2", Parameters=inner), starting(".sync:2", Input={})
            )
            child = output(state)["Output"]
            assert child["Output"] == {"Arg1": "argument1"}
            assert (await recall(opened.store, child["ExecutionArn"]))[0].profile == "detent"

    run(scenario())


@pytest.mark.parametrize("text", [None, "", "#", "arn:x", "arn:x#", "arn:x#three", "run/1", "arn#1:other"])
def test_what_names_no_task_is_no_parent(text: str | None) -> None:
    assert Parent.read(text) is None


@pytest.mark.parametrize("waits", [True, False])
def test_a_parent_is_read_as_it_is_written(waits: bool) -> None:
    parent = Parent("arn:x#y", 12, waits)
    assert Parent.read(str(parent)) == parent
