"""Distributed Maps: every item an execution of its own, and a Map Run that counts them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from histories.buckets import Buckets
from simulation.loop import run

from detent.core import map_runs
from detent.core.codec import encode_signal
from detent.core.execution import ABORTED, FAILED, SUCCEEDED, Execution
from detent.core.runs import READING
from detent.core.signals import UpdatedRun
from detent.runtime.handlers.base import Beat, TaskCall, TaskError
from detent.runtime.items.storage import Fetched, Location
from detent.runtime.recall import recall
from detent.store.base import Letter, Query
from detent.store.memory import MemoryStore

from .outside import engine, history, now, output, start

WORK = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "task:work", "End": True}}}
ENDS_WELL = ["MapStateStarted", "MapRunStarted", "MapRunSucceeded", "MapStateSucceeded", "MapStateExited"]


def distributed(body: dict[str, Any] = WORK, *, type: str = "STANDARD", **fields: Any) -> dict[str, Any]:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": type}, **body}
    items = {"Type": "Map", "Label": "items", "ItemProcessor": processor, "End": True, **fields}
    return {"StartAt": "M", "States": {"M": items}}


class Work:
    """Takes a second for an item; ``bad`` ones fail. Notes what ran, and how many at once."""

    def __init__(self, bad: Iterable[Any] = ()) -> None:
        self.bad = set(bad)
        self.done: list[Any] = []
        self.running = 0
        self.most = 0

    async def __call__(self, task: TaskCall, beat: Beat) -> Any:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(1)
        finally:
            self.running -= 1
        self.done.append(task.arguments)
        if task.arguments in self.bad:
            raise TaskError("Boom", f"{task.arguments} is bad")
        return task.arguments * 10


async def children(store: MemoryStore, arn: str) -> list[Any]:
    """The children of a Map Run, in the order they were started."""
    return list(reversed(await store.find(Query(parent=arn, limit=20_000))))


async def map_run(store: MemoryStore) -> Execution:
    """The one Map Run there is."""
    (found,) = [one for one in await store.find(Query()) if ":mapRun:" in one.record.id]
    return (await recall(store, found.record.id))[1]


def test_every_item_is_an_execution_whose_output_is_its_result() -> None:
    async def scenario() -> None:
        work = Work()
        async with engine(handlers={"task:work": work}) as opened:
            state = await opened.result(await start(opened, distributed(MaxConcurrency=2), [1, 2, 3]))
            assert output(state) == [10, 20, 30]
            assert await history(opened, state.id) == [
                "ExecutionStarted",
                "MapStateEntered",
                *ENDS_WELL,
                "ExecutionSucceeded",
            ]
            assert work.most == 2
            found = await children(opened.store, (await map_run(opened.store)).id)
            assert [one.head.status for one in found] == [SUCCEEDED] * 3
            for one in found:
                assert one.record.id.startswith("arn:aws:states:us-east-1:123456789012:execution:m/items:")
                assert one.record.machine == "arn:aws:states:us-east-1:123456789012:stateMachine:m/items"
                assert (await history(opened, one.record.id))[:2] == ["ExecutionStarted", "TaskStateEntered"]

    run(scenario())


def test_the_selector_sees_the_item_its_source_and_the_outer_variables() -> None:
    async def scenario() -> None:
        body = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
        selector = {
            "index.$": "$$.Map.Item.Index",
            "key.$": "$$.Map.Item.Key",
            "value.$": "$$.Map.Item.Value",
            "source.$": "$$.Map.Item.Source",
            "by.$": "$$.Execution.Name",
            "outer.$": "$outer",
        }
        definition = distributed(body, ItemSelector=selector, ItemsPath="$.things")
        states = {"V": {"Type": "Pass", "Assign": {"outer": 7}, "Next": "M"}, **definition["States"]}
        async with engine() as opened:
            input = {"things": {"a": 1, "b": 2}}
            state = await opened.result(await start(opened, {"StartAt": "V", "States": states}, input))
            shared = {"source": "STATE_DATA", "by": "x", "outer": 7}
            assert output(state) == [
                {"index": 0, "key": "a", "value": 1, **shared},
                {"index": 1, "key": "b", "value": 2, **shared},
            ]

    run(scenario())


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"MaxItemsPerBatch": 2}, [["ab", "cd"], ["ef", "gh"], ["ij"]]),
        # {"Items":["ab","cd"]} has 21 bytes, one more item 26.
        ({"MaxInputBytesPerBatch": 25}, [["ab", "cd"], ["ef", "gh"], ["ij"]]),
        ({"MaxItemsPerBatch": 3, "MaxInputBytesPerBatch": 25}, [["ab", "cd"], ["ef", "gh"], ["ij"]]),
        ({"MaxInputBytesPerBatch": 3}, [["ab"], ["cd"], ["ef"], ["gh"], ["ij"]]),
    ],
)
def test_a_child_gets_a_batch_as_large_as_it_may_be(limits: Any, expected: Any) -> None:
    async def scenario() -> None:
        body = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
        async with engine() as opened:
            state = await opened.result(
                await start(opened, distributed(body, ItemBatcher=limits), ["ab", "cd", "ef", "gh", "ij"])
            )
            assert output(state) == [{"Items": batch} for batch in expected]
            counts = (await map_run(opened.store)).run
            assert counts is not None
            assert (counts.item_counts.succeeded, counts.child_counts.succeeded) == (5, len(expected))

    run(scenario())


def test_what_a_batch_shares_stands_in_each() -> None:
    async def scenario() -> None:
        body = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
        batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"n.$": "$[0]"}}
        async with engine() as opened:
            state = await opened.result(
                await start(opened, distributed(body, ItemBatcher=batcher), [1, 2, 3])
            )
            shared = {"BatchInput": {"n": 1}}
            assert output(state) == [{**shared, "Items": [1, 2]}, {**shared, "Items": [3]}]

    run(scenario())


def test_one_failure_stops_the_others_and_fails_the_state() -> None:
    async def scenario() -> None:
        work = Work(bad=[1])
        async with engine(handlers={"task:work": work}) as opened:
            state = await opened.result(await start(opened, distributed(MaxConcurrency=2), [1, 2, 3]))
            assert (state.status, state.error) == (FAILED, "States.ExceedToleratedFailureThreshold")
            assert state.cause == "The specified tolerated failure threshold was exceeded"
            assert (await history(opened, state.id))[-3:] == [
                "MapRunFailed",
                "MapStateFailed",
                "ExecutionFailed",
            ]
            known = await map_run(opened.store)
            assert known.run is not None
            counts = known.run.item_counts
            assert (counts.failed, counts.running, known.run.taken) == (1, 0, 2)

    run(scenario())


@pytest.mark.parametrize(
    ("tolerated", "status"),
    [
        ({"ToleratedFailureCount": 2}, SUCCEEDED),
        ({"ToleratedFailureCount": 1}, FAILED),
        ({"ToleratedFailurePercentage": 50}, SUCCEEDED),
        ({"ToleratedFailurePercentage": 49}, FAILED),
        ({"ToleratedFailureCount": 4, "ToleratedFailurePercentage": 49}, FAILED),
        ({"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 100}, FAILED),
        ({}, FAILED),
    ],
)
def test_as_many_may_fail_as_are_tolerated(tolerated: dict[str, Any], status: str) -> None:
    async def scenario() -> None:
        async with engine(handlers={"task:work": Work(bad=[2, 3])}) as opened:
            state = await opened.result(await start(opened, distributed(**tolerated), [1, 2, 3, 4]))
            assert state.status == status
            if status == SUCCEEDED:
                good, bad, *_ = output(state)
                assert good == 10
                assert (bad["Status"], bad["Error"], bad["Cause"]) == ("FAILED", "Boom", "2 is bad")

    run(scenario())


def test_a_failed_run_is_tried_again_with_all_items_and_then_caught() -> None:
    async def scenario() -> None:
        retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 5, "MaxAttempts": 1}]
        catch = [{"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "Next": "Mend"}]
        definition = distributed(Retry=retry, Catch=catch)
        definition["States"]["Mend"] = {"Type": "Pass", "End": True}
        async with engine(handlers={"task:work": Work(bad=[1])}) as opened:
            state = await opened.result(await start(opened, definition, [1]))
            assert state.status == SUCCEEDED
            assert (await history(opened, state.id))[2:] == [
                "MapStateStarted",
                "MapRunStarted",
                "MapRunFailed",
                "MapStateStarted",
                "MapRunStarted",
                "MapRunFailed",
                "MapStateFailed",
                "MapStateExited",
                "PassStateEntered",
                "PassStateExited",
                "ExecutionSucceeded",
            ]

    run(scenario())


def test_who_waits_is_stopped_and_so_are_the_run_and_its_children() -> None:
    async def scenario() -> None:
        async with engine(handlers={"task:work": Work()}) as opened:
            id = await start(opened, distributed(), [1, 2])
            await asyncio.sleep(0.5)
            opened.stop(id, "Why", "because")
            state = await opened.result(id)
            assert (await history(opened, id))[-3:] == [
                "MapRunAborted",
                "MapStateAborted",
                "ExecutionAborted",
            ]
            await asyncio.sleep(0.1)
            assert opened.running() == []
            known = await map_run(opened.store)
            assert (state.status, known.status) == (ABORTED, ABORTED)
            assert known.run is not None
            assert known.run.item_counts.aborted == 2

    run(scenario())


@pytest.mark.parametrize("type", ["STANDARD", "EXPRESS"])
def test_a_redrive_does_again_what_did_not_succeed_and_nothing_else(type: str) -> None:
    async def scenario() -> None:
        work = Work(bad=[3])
        async with engine(handlers={"task:work": work}) as opened:
            definition = distributed(MaxConcurrency=1, type=type)
            id = await start(opened, definition, [1, 2, 3, 4])
            assert (await opened.result(id)).status == FAILED
            work.bad.clear()
            work.done.clear()
            await opened.redrive(id)
            assert output(await opened.result(id)) == [10, 20, 30, 40]
            assert work.done == [3, 4]
            assert (await history(opened, id))[-6:] == [
                "ExecutionRedriven",
                "MapRunRedriven",
                "MapRunSucceeded",
                "MapStateSucceeded",
                "MapStateExited",
                "ExecutionSucceeded",
            ]

    run(scenario())


def test_a_redrive_begins_the_run_that_had_not_begun() -> None:
    async def scenario() -> None:
        body = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
        count = "{% $states.context.Execution.RedriveCount - 1 %}"
        definition = {"QueryLanguage": "JSONata", **distributed(body, ToleratedFailureCount=count)}
        async with engine() as opened:
            id = await start(opened, definition, [1, 2])
            assert (await opened.result(id)).error == "States.QueryEvaluationError"
            await opened.redrive(id)
            assert output(await opened.result(id)) == [1, 2]
            assert (await history(opened, id))[-7:] == ["ExecutionRedriven", *ENDS_WELL, "ExecutionSucceeded"]

    run(scenario())


class Slow(Buckets):
    """A bucket with one object, which takes five seconds to read."""

    def __init__(self) -> None:
        put = {"Bucket": "b", "Key": "items.json", "Body": "[1, 2]"}
        super().__init__([{"operation": "PutObject", "params": put}])

    @asynccontextmanager
    async def fetch(self, location: Location) -> AsyncIterator[Fetched]:
        await asyncio.sleep(5)
        async with super().fetch(location) as fetched:
            yield fetched


def test_items_that_were_being_read_when_the_run_ended_are_read_again() -> None:
    async def scenario() -> None:
        body = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
        reader = {
            "Resource": "arn:aws:states:::s3:getObject",
            "Parameters": {"Bucket": "b", "Key": "items.json"},
        }
        async with engine(storages=Slow()) as opened:
            id = await start(opened, distributed(body, ItemReader=reader), {})
            await asyncio.sleep(1)
            opened.stop(id)
            assert (await opened.result(id)).status == ABORTED
            await asyncio.sleep(10)  # so long that the reading has ended
            assert [one.resource for one in (await map_run(opened.store)).pending.values()] == [READING]
            await opened.redrive(id)
            assert output(await opened.result(id)) == [1, 2]
            assert (await map_run(opened.store)).pending == {}

    run(scenario())


def test_a_run_is_redriven_so_often_and_then_fails_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_runs, "REDRIVES_OF_RUN_MAX", 1)

    async def scenario() -> None:
        async with engine(handlers={"task:work": Work(bad=[1])}) as opened:
            id = await start(opened, distributed(), [1])
            await opened.result(id)
            await opened.redrive(id)
            assert (await opened.result(id)).error == "States.ExceedToleratedFailureThreshold"
            await opened.redrive(id)
            state = await opened.result(id)
            assert (state.status, state.error) == (FAILED, "States.Runtime")
            assert state.cause == (
                "An error occurred while executing the state 'M' (entered at the event id #2). "
                "The Map Run has been redriven 1 times, which is as often as it may be."
            )

    run(scenario())


def test_a_redrive_while_the_children_are_still_being_stopped_waits_for_their_ends() -> None:
    async def scenario() -> None:
        work = Work()
        async with engine(handlers={"task:work": work}) as opened:
            id = await start(opened, distributed(), [1, 2])
            await asyncio.sleep(0.5)
            opened.stop(id)
            await opened.result(id)
            await opened.redrive(id)
            assert output(await opened.result(id)) == [10, 20]

    run(scenario())


def test_limits_are_changed_while_the_run_goes_on() -> None:
    async def scenario() -> None:
        work = Work(bad=[1])
        async with engine(handlers={"task:work": work}) as opened:
            definition = distributed(MaxConcurrency=1, ToleratedFailureCount=0)
            id = await start(opened, definition, list(range(1, 10)))
            await asyncio.sleep(0.5)
            known = await map_run(opened.store)
            letter = encode_signal(UpdatedRun(concurrency=4, tolerated_count=1))
            await opened.store.send([Letter(known.id, "update", letter)])
            state = await opened.result(id)
            assert state.status == SUCCEEDED
            assert work.most == 4
            assert now() < 9

    run(scenario())


def test_results_too_large_for_a_state_fail_the_run() -> None:
    async def scenario() -> None:
        body = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": "x" * 400_000, "End": True}}}
        async with engine() as opened:
            state = await opened.result(await start(opened, distributed(body), [1, 2, 3]))
            assert (state.status, state.error) == (FAILED, "States.DataLimitExceeded")
            assert "MapRunFailed" in await history(opened, state.id)

    run(scenario())


def test_items_of_items_and_no_items_at_all() -> None:
    async def scenario() -> None:
        inner = distributed({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
        inner["States"]["Inner"] = inner["States"].pop("M")
        async with engine() as opened:
            state = await opened.result(
                await start(opened, distributed({**inner, "StartAt": "Inner"}), [[1], [2, 3], []])
            )
            assert output(state) == [[1], [2, 3], []]

    run(scenario())


def test_ten_thousand_items_a_hundred_at_a_time() -> None:
    async def scenario() -> None:
        work = Work()
        async with engine(handlers={"task:work": work}) as opened:
            state = await opened.result(
                await start(opened, distributed(MaxConcurrency=100), list(range(10_000)))
            )
            assert output(state) == [item * 10 for item in range(10_000)]
            assert work.most == 100
            assert sorted(work.done) == list(range(10_000))

    run(scenario())


def jsonata(**fields: Any) -> dict[str, Any]:
    body = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    return {"QueryLanguage": "JSONata", **distributed(body, Items="{% $states.input.all %}", **fields)}


def test_every_field_may_be_an_expression() -> None:
    async def scenario() -> None:
        definition = jsonata(
            ItemSelector={"n": "{% $states.context.Map.Item.Value * $states.input.by %}"},
            MaxConcurrency="{% 1 + 1 %}",
            ToleratedFailurePercentage="{% 30 %}",
            ItemBatcher={"MaxItemsPerBatch": "{% 2 %}", "BatchInput": {"by": "{% $states.input.by %}"}},
            Output="{% $count($states.result) %}",
        )
        async with engine() as opened:
            state = await opened.result(await start(opened, definition, {"all": [1, 2, 3], "by": 5}))
            assert output(state) == 2
            run = (await map_run(opened.store)).run
            assert run is not None
            assert (run.concurrency, run.tolerated_percentage) == (2, 30.0)
            first, _ = await children(opened.store, (await map_run(opened.store)).id)
            told = (await recall(opened.store, first.record.id))[1].input
            assert told is not None
            assert told.value == {"BatchInput": {"by": 5}, "Items": [{"n": 5}, {"n": 10}]}

    run(scenario())


@pytest.mark.parametrize(
    ("fields", "last"),
    [
        ({"ItemSelector": "{% $error('bad') %}"}, ["MapRunStarted", "MapRunFailed", "MapStateFailed"]),
        ({"ToleratedFailurePercentage": "{% 130 %}"}, ["MapStateStarted", "EvaluationFailed"]),
        ({"MaxConcurrency": "{% -1 %}"}, ["MapStateEntered", "EvaluationFailed", "MapStateFailed"]),
    ],
)
def test_an_expression_that_fails_fails_the_state(fields: dict[str, Any], last: list[str]) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            state = await opened.result(await start(opened, jsonata(**fields), {"all": [1]}))
            assert (state.status, state.error) == (FAILED, "States.QueryEvaluationError")
            assert (await history(opened, state.id))[-len(last) - 1 : -1] == last

    run(scenario())


def test_a_number_of_items_that_is_none_is_found_before_anything_is_read() -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Arguments": {"Bucket": "b", "Key": "k"},
        "ReaderConfig": {"InputType": "JSON", "MaxItems": "{% 'many' %}"},
    }
    body = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    definition = {"QueryLanguage": "JSONata", **distributed(body, ItemReader=reader)}

    async def scenario() -> None:
        async with engine() as opened:
            state = await opened.result(await start(opened, definition, {}))
            assert state.error == "States.QueryEvaluationError"
            assert "'ItemReader/ReaderConfig/MaxItems'" in (state.cause or "")
            assert "MapRunStarted" not in await history(opened, state.id)

    run(scenario())


TWO_STEPS = {
    "StartAt": "One",
    "States": {
        "One": {"Type": "Task", "Resource": "task:work", "Next": "Two"},
        "Two": {"Type": "Task", "Resource": "task:work", "End": True},
    },
}


async def paused_children(store: MemoryStore) -> list[bool]:
    return [one.head.paused for one in await children(store, (await map_run(store)).id)]


def test_a_pause_reaches_the_run_and_the_items_that_run_and_so_does_its_end() -> None:
    async def scenario() -> None:
        work = Work()
        async with engine(handlers={"task:work": work}) as opened:
            execution = await start(opened, distributed(TWO_STEPS, MaxConcurrency=2), [1, 2, 3])
            await asyncio.sleep(0.5)
            await opened.steering.pause(execution)
            await asyncio.sleep(60)
            # What was at work has ended; nothing else has begun.
            assert sorted(work.done) == [1, 2]
            assert (await map_run(opened.store)).paused
            assert await paused_children(opened.store) == [True, True]
            await opened.steering.resume(execution)
            assert output(await opened.result(execution)) == [100, 200, 300]
            assert await paused_children(opened.store) == [False, False, False]

    run(scenario())


def test_a_pause_lasts_over_restarts_for_items_too() -> None:
    async def scenario() -> None:
        work, store = Work(), MemoryStore()
        async with engine(store, handlers={"task:work": work}) as opened:
            execution = await start(opened, distributed(TWO_STEPS, MaxConcurrency=2), [1, 2, 3])
            await asyncio.sleep(0.5)
            await opened.steering.pause(execution)
            await asyncio.sleep(60)
        for _ in range(2):
            async with engine(store, handlers={"task:work": work}) as opened:
                await opened.resume(execution)
                await asyncio.sleep(60)
                assert sorted(work.done) == [1, 2]
        async with engine(store, handlers={"task:work": work}) as opened:
            await opened.resume(execution)
            await opened.steering.resume(execution)
            assert output(await opened.result(execution)) == [100, 200, 300]

    run(scenario())


def test_items_of_items_share_a_pause() -> None:
    async def scenario() -> None:
        inner = distributed(TWO_STEPS)["States"]["M"]
        body = {"StartAt": "Inner", "States": {"Inner": {**inner, "Label": "inner"}}}
        work = Work()
        async with engine(handlers={"task:work": work}) as opened:
            execution = await start(opened, distributed(body), [[1], [2]])
            await asyncio.sleep(0.5)
            await opened.steering.pause(execution)
            await asyncio.sleep(60)
            assert sorted(work.done) == [1, 2]
            found = await opened.store.find(Query(status="RUNNING"))
            assert (len(found), all(one.head.paused for one in found)) == (8, True)
            await opened.steering.resume(execution)
            assert output(await opened.result(execution)) == [[100], [200]]

    run(scenario())


def test_express_items_that_run_go_on_and_no_further_one_begins() -> None:
    async def scenario() -> None:
        work = Work()
        async with engine(handlers={"task:work": work}) as opened:
            definition = distributed(TWO_STEPS, type="EXPRESS", MaxConcurrency=2)
            execution = await start(opened, definition, [1, 2, 3])
            await asyncio.sleep(0.5)
            await opened.steering.pause(execution)
            await asyncio.sleep(60)
            assert sorted(work.done) == [1, 2, 10, 20]
            await opened.steering.resume(execution)
            assert output(await opened.result(execution)) == [100, 200, 300]

    run(scenario())


def test_a_paused_run_is_stopped_with_its_items() -> None:
    async def scenario() -> None:
        async with engine(handlers={"task:work": Work()}) as opened:
            execution = await start(opened, distributed(TWO_STEPS, MaxConcurrency=2), [1, 2, 3])
            await asyncio.sleep(0.5)
            await opened.steering.pause(execution)
            await asyncio.sleep(60)
            opened.stop(execution)
            assert (await opened.result(execution)).status == ABORTED
            await asyncio.sleep(60)
            assert {one.head.status for one in await opened.store.find(Query())} == {ABORTED}

    run(scenario())
