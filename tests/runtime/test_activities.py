"""Activities: tasks in a queue, taken by workers, answered by token."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from simulation.loop import VirtualClock, run
from simulation.shared import SharedMemory

from detent.audit import replay
from detent.compile import compile_definition
from detent.core.events import TaskStarted
from detent.core.execution import ABORTED, FAILED, RUNNING, SUCCEEDED, Execution
from detent.core.limits import AWS
from detent.core.values import Payload
from detent.runtime.answers import Answers
from detent.runtime.compose import Names
from detent.runtime.engine import Engine
from detent.runtime.errors import EngineError, TaskClosed
from detent.runtime.recall import recall_decisions, recall_steps
from detent.store.base import ExecutionRecord
from detent.store.memory import MemoryStore

from .outside import engine, history, now, output, publish, start, task

REVIEW = "arn:aws:states:us-east-1:123456789012:activity:review"
RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}]


async def workers(opened: Engine, execution: str) -> list[str | None]:
    """Who took the tasks of an execution, as its log says."""
    steps = await recall_decisions(opened.store, execution)
    return [event.worker for step in steps for event in step.events if isinstance(event, TaskStarted)]


def reviews(**fields: Any) -> dict[str, Any]:
    """A Map over one review each."""
    each = {"Type": "Map", "End": True, "ItemProcessor": task(REVIEW, **fields)}
    return {"StartAt": "M", "States": {"M": each}}


def test_a_worker_takes_a_task_and_answers_it() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            execution = await start(opened, task(REVIEW), {"page": 1})
            taken = await opened.activities.get_activity_task(REVIEW, "anna")
            assert taken is not None
            assert taken.input == {"page": 1}
            await opened.answers.send_task_success(taken.token, "fine")
            state = await opened.result(execution)
            assert await workers(opened, execution) == ["anna"]
            assert (state.status, output(state)) == (SUCCEEDED, "fine")
            events = await history(opened, execution)
            assert events[2:5] == ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"]
            assert now() < 0.2

    run(scenario())


def test_a_worker_needs_no_name_and_may_fail() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            execution = await start(opened, task(REVIEW))
            taken = await opened.activities.get_activity_task(REVIEW)
            assert taken is not None
            await opened.answers.send_task_failure(taken.token, "Illegible", "coffee")
            state = await opened.result(execution)
            assert (state.status, state.error, state.cause) == (FAILED, "Illegible", "coffee")
            assert await workers(opened, execution) == [None]

    run(scenario())


def test_tasks_are_taken_in_their_order_each_once() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            execution = await start(opened, reviews(), list(range(5)))
            polls = [opened.activities.get_activity_task(REVIEW, wait_seconds=1) for _ in range(7)]
            taken = await asyncio.gather(*polls)
            assert [one.input for one in taken if one] == [0, 1, 2, 3, 4]
            assert taken[5:] == [None, None]
            for one in taken[:5]:
                assert one is not None
                await opened.answers.send_task_success(one.token, one.input * 2)
            assert output(await opened.result(execution)) == [0, 2, 4, 6, 8]

    run(scenario())


def test_a_waiting_worker_gets_the_task_the_moment_it_is_there() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            poll = asyncio.create_task(opened.activities.get_activity_task(REVIEW))
            other = asyncio.create_task(opened.activities.get_activity_task(REVIEW + "s", wait_seconds=9))
            await asyncio.sleep(5)
            await start(opened, task(REVIEW))
            assert await poll is not None
            assert now() < 5.2
            assert await other is None

    run(scenario())


def test_who_does_not_wait_takes_what_is_there() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            assert await opened.activities.get_activity_task(REVIEW, wait_seconds=0) is None
            await start(opened, task(REVIEW))
            assert await opened.activities.get_activity_task(REVIEW, wait_seconds=0) is not None

    run(scenario())


def test_a_worker_who_goes_away_leaves_the_task_to_the_next() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            gone = asyncio.create_task(opened.activities.get_activity_task(REVIEW))
            waits = asyncio.create_task(opened.activities.get_activity_task(REVIEW, "stays"))
            await asyncio.sleep(1)
            opened.observe(lambda execution, steps: gone.cancel() and None)
            execution = await start(opened, task(REVIEW))
            assert await waits is not None
            assert await workers(opened, execution) == ["stays"]

    run(scenario())


@pytest.mark.parametrize("taken", [True, False])
def test_a_task_runs_out_of_time_whether_it_was_taken_or_not(taken: bool) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            execution = await start(opened, task(REVIEW, TimeoutSeconds=10))
            await asyncio.sleep(4)
            if taken:
                assert await opened.activities.get_activity_task(REVIEW) is not None
            state = await opened.result(execution)
            assert state.error == "States.Timeout"
            # Taken, its time counts from there.
            assert int(now()) == (14 if taken else 10)
            assert (await history(opened, execution))[-2] == "ActivityTimedOut"
            assert await opened.activities.get_activity_task(REVIEW, wait_seconds=1) is None

    run(scenario())


def test_a_worker_that_falls_silent_loses_the_task_to_the_next_attempt() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            execution = await start(opened, task(REVIEW, HeartbeatSeconds=5, Retry=RETRY))
            first = await opened.activities.get_activity_task(REVIEW)
            assert first is not None
            await asyncio.sleep(4)
            await opened.answers.send_task_heartbeat(first.token)
            second = await opened.activities.get_activity_task(REVIEW)
            assert second is not None
            assert 10 <= now() < 10.5
            with pytest.raises(TaskClosed):
                await opened.answers.send_task_success(first.token, "late")
            await opened.answers.send_task_success(second.token, "done")
            assert output(await opened.result(execution)) == "done"

    run(scenario())


def test_what_is_stopped_is_not_offered_any_more() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            execution = await start(opened, task(REVIEW))
            opened.stop(execution)
            assert (await opened.result(execution)).status == ABORTED
            assert await opened.activities.get_activity_task(REVIEW, wait_seconds=1) is None
            execution = await start(opened, task(REVIEW), name="y")
            opened.stop(execution)
            # Stopped in the very moment in which it is taken: whoever has it is told with the answer.
            taken = await opened.activities.get_activity_task(REVIEW, wait_seconds=1)
            assert taken is not None
            assert (await opened.result(execution)).status == ABORTED
            with pytest.raises(TaskClosed):
                await opened.answers.send_task_success(taken.token, "late")

    run(scenario())


@pytest.mark.parametrize("takes_over", [True, False])
def test_what_was_not_taken_is_offered_again_after_a_restart(takes_over: bool) -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(store) as first:
            execution = await start(first, reviews(), ["a", "b"])
            taken = await first.activities.get_activity_task(REVIEW)
            assert taken is not None
        async with engine(store, takes_over=takes_over) as second:
            if not takes_over:
                assert (await second.resume(execution)).status == RUNNING
            other = await second.activities.get_activity_task(REVIEW, wait_seconds=5)
            assert other is not None
            assert other.input == "b"
            assert await second.activities.get_activity_task(REVIEW, wait_seconds=1) is None
            await second.answers.send_task_success(taken.token, "from before")
            await second.answers.send_task_success(other.token, "from after")
            assert output(await second.result(execution)) == ["from before", "from after"]

    run(scenario())


def test_a_token_answers_where_no_engine_runs() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(store) as first:
            execution = await start(first, task(REVIEW))
            taken = await first.activities.get_activity_task(REVIEW)
            assert taken is not None
        await store.open(engine=False)
        await Answers(store, VirtualClock()).send_task_success(taken.token, 7)
        async with engine(store, takes_over=True) as second:
            await asyncio.sleep(2)
            assert output(await second.result(execution)) == 7

    run(scenario())


def test_a_closed_engine_tells_its_workers() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            poll = asyncio.create_task(opened.activities.get_activity_task(REVIEW))
            await asyncio.sleep(1)
        with pytest.raises(EngineError):
            await poll

    run(scenario())


def test_expressions_do_not_see_the_token_of_an_activity() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            execution = await start(opened, task(REVIEW, Parameters={"token.$": "$$.Task.Token"}))
            assert (await opened.result(execution)).error == "States.Runtime"

    run(scenario())


# In a fleet


class WithoutHints(SharedMemory):
    """As through a pooler: what others wrote is found by looking."""

    async def watch(self, heard: Callable[[], None]) -> None:
        return


@pytest.mark.parametrize(("memory", "seconds"), [(SharedMemory, 0.2), (WithoutHints, 1.2)])
def test_a_worker_may_ask_any_engine_of_a_fleet(memory: Callable[[], SharedMemory], seconds: float) -> None:
    async def scenario() -> None:
        store = memory()
        async with engine(store, takes_over=True) as one, engine(store, takes_over=True) as two:
            poll = asyncio.create_task(two.activities.get_activity_task(REVIEW, "anna"))
            await asyncio.sleep(5)
            execution = await start(one, task(REVIEW), {"page": 1})
            taken = await poll
            assert taken is not None
            assert now() < 5 + seconds
            assert taken.input == {"page": 1}
            assert await one.activities.get_activity_task(REVIEW, wait_seconds=2) is None
            await two.answers.send_task_success(taken.token, "fine")
            assert output(await one.result(execution)) == "fine"
            assert await workers(one, execution) == ["anna"]

    run(scenario())


def test_many_workers_at_two_engines_get_each_task_once() -> None:
    async def scenario() -> None:
        store = SharedMemory()
        async with engine(store, takes_over=True) as one, engine(store, takes_over=True) as two:
            polls = [
                asyncio.create_task(each.activities.get_activity_task(REVIEW, wait_seconds=20))
                for each in (one, two) * 10
            ]
            await asyncio.sleep(1)
            execution = await start(one, reviews(), list(range(12)))
            taken = [polled for polled in await asyncio.gather(*polls) if polled is not None]
            assert sorted(polled.input for polled in taken) == list(range(12))
            for polled in taken:
                await two.answers.send_task_success(polled.token, polled.input)
            assert output(await one.result(execution)) == list(range(12))

    run(scenario())


def test_what_a_dead_engine_held_is_taken_elsewhere() -> None:
    async def scenario() -> None:
        store = SharedMemory()
        async with engine(store, takes_over=True) as one:
            async with engine(store) as two:
                execution = await start(one, task(REVIEW))
                held = await two.activities.take(REVIEW)
                assert held is not None
                assert await one.activities.get_activity_task(REVIEW, wait_seconds=5) is None
            taken = await one.activities.get_activity_task(REVIEW, "anna", wait_seconds=30)
            assert taken is not None
            assert taken.token == held.token
            await one.answers.send_task_success(taken.token, 1)
            assert output(await one.result(execution)) == 1
            assert await workers(one, execution) == ["anna"]

    run(scenario())


def test_a_task_that_was_handed_out_by_an_engine_since_dead_keeps_its_time() -> None:
    async def scenario() -> None:
        store = SharedMemory()
        async with engine(store, takes_over=True) as one:
            async with engine(store) as two:
                execution = await start(one, task(REVIEW, HeartbeatSeconds=20, Retry=RETRY))
                assert await two.activities.get_activity_task(REVIEW, "gone") is not None
            taken = await one.activities.get_activity_task(REVIEW, "anna")
            assert taken is not None
            assert 21 <= now() < 22.5
            await one.answers.send_task_success(taken.token, 1)
            assert output(await one.result(execution)) == 1
            assert await workers(one, execution) == ["gone", "anna"]

    run(scenario())


def test_what_waits_for_a_worker_alone_costs_no_memory() -> None:
    async def scenario() -> None:
        async with engine(takes_over=True) as opened:
            execution = await start(opened, task(REVIEW))
            await asyncio.sleep(5)
            assert opened.running() == []
            taken = await opened.activities.get_activity_task(REVIEW, "anna")
            assert taken is not None
            await opened.answers.send_task_success(taken.token, "late")
            assert output(await opened.result(execution)) == "late"
            assert await workers(opened, execution) == ["anna"]

    run(scenario())


def test_nothing_is_kept_of_activities_that_nobody_asks_for_any_more() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            for number in range(20):
                assert (
                    await opened.activities.get_activity_task(f"{REVIEW}{number}", wait_seconds=0.1) is None
                )
            assert not opened.activities._lines

    run(scenario())


async def run_as_the_service(opened: Engine, definition: Any, name: str) -> str:
    """Start an execution over the service's protocol; its id."""
    arn = await publish(opened, "m", definition)
    names = Names("m")
    digest = compile_definition(definition).digest
    record = ExecutionRecord(names.execution_arn(name), name, arn, digest, AWS.profile, 0)
    await opened.start(record, Payload({}), role=names.role_arn)
    return record.id


def missing(state: Execution) -> bool:
    return (state.status, state.error, state.cause) == (
        FAILED,
        "States.Runtime",
        "An error occurred while executing the state 'T' (entered at the event id #2). "
        f"The activity {REVIEW} does not exist.",
    )


def test_a_task_of_an_activity_that_does_not_exist_is_never_scheduled() -> None:
    """Nobody catches States.Runtime."""
    caught = task(REVIEW, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "T"}])

    async def scenario() -> None:
        async with engine() as opened:
            execution = await run_as_the_service(opened, caught, "one")
            assert missing(await opened.result(execution))
            events = await history(opened, execution)
            assert events == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]

    run(scenario())


def test_an_activity_that_is_deleted_is_missed_at_once_and_back_at_once() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            await opened.catalogue.create_activity(REVIEW)
            first = await run_as_the_service(opened, task(REVIEW), "first")
            assert await opened.activities.get_activity_task(REVIEW) is not None
            await opened.catalogue.delete_activity(REVIEW)
            assert missing(await opened.result(await run_as_the_service(opened, task(REVIEW), "second")))
            await opened.catalogue.create_activity(REVIEW)
            await run_as_the_service(opened, task(REVIEW), "third")
            assert await opened.activities.get_activity_task(REVIEW) is not None
            opened.stop(first)
            assert (await opened.result(first)).status == ABORTED

    run(scenario())


def test_an_attempt_after_the_activity_was_deleted_fails_and_its_log_is_decided_alike() -> None:
    retrying = task(REVIEW, Retry=RETRY)

    async def scenario() -> None:
        async with engine() as opened:
            await opened.catalogue.create_activity(REVIEW)
            execution = await run_as_the_service(opened, retrying, "one")
            taken = await opened.activities.get_activity_task(REVIEW)
            assert taken is not None
            await opened.catalogue.delete_activity(REVIEW)
            await opened.answers.send_task_failure(taken.token, "Busy", None)
            assert missing(await opened.result(execution))
            events = await history(opened, execution)
            assert events[2:] == ["ActivityScheduled", "ActivityStarted", "ActivityFailed", "ExecutionFailed"]
            _, steps = await recall_steps(opened.store, execution)
            assert replay(compile_definition(retrying), steps) is None

    run(scenario())


def test_executions_of_our_own_need_no_activity_to_be_made() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            await start(opened, task(REVIEW))
            assert await opened.activities.get_activity_task(REVIEW) is not None

    run(scenario())
