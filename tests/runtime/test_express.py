"""Executions of type EXPRESS: asynchronous ones begin anew after a crash, synchronous ones are written nowhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from core.building import Flow, do, machine, retrier, task, wait
from simulation.loop import VirtualClock, run

from detent.audit import replay, verify
from detent.compile import compile_definition, digest_of
from detent.core.codec import decode_log
from detent.core.execution import ABORTED, FAILED, RUNNING, SUCCEEDED, TIMED_OUT
from detent.core.limits import profile_for
from detent.core.values import Payload, encode
from detent.runtime.catalogue_entries import Draft
from detent.runtime.compose import Names
from detent.runtime.engine import Engine
from detent.runtime.errors import NotExpress, NotRedrivable
from detent.runtime.handlers.base import Beat, TaskCall, TaskError
from detent.runtime.recall import recall, recall_steps
from detent.store.base import ExecutionRecord, MachineRecord, NotFound
from detent.store.memory import MemoryStore

from . import outside
from .test_engine import engine, now, record

ARN = "arn:x"


def express(*, synchronous: bool = False) -> ExecutionRecord:
    return replace(record(), profile=profile_for("detent", "EXPRESS", synchronous=synchronous))


class Calls(list[str]):
    """Echoes, and keeps the names of the states that called."""

    async def __call__(self, call: TaskCall, beat: Beat) -> Any:
        self.append(call.state)
        return call.arguments


THREE = machine(task("A", "B"), wait("B", 20, "C"), task("C"))


def test_nothing_is_written_between_start_and_end() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(THREE, Calls(), store=store) as opened:
            await opened.start(express(), Payload(1))
            await asyncio.sleep(10)
            begun = await store.load(ARN)
            assert [segment.after for segment in begun.segments] == [0]
            assert begun.head.status == RUNNING
            ended = await opened.result(ARN)
            assert ended.status == SUCCEEDED
            whole = await store.load(ARN)
            assert [segment.after for segment in whole.segments] == [0, begun.last]
            assert (await recall(store, ARN))[1] == ended

    run(scenario())


def test_the_log_of_the_end_is_whole() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(THREE, Calls(), store=store) as opened:
            await opened.start(express(), Payload({"long": "x" * 20_000}))
            await opened.result(ARN)
            steps = (await recall_steps(store, ARN))[1]
            assert verify(steps) == []
            assert replay(THREE, steps) is None

    run(scenario())


def test_after_a_crash_it_runs_again_from_the_beginning() -> None:
    async def scenario() -> None:
        store, calls = MemoryStore(), Calls()
        async with engine(THREE, calls, store=store) as opened:
            await opened.start(express(), Payload(1))
            await asyncio.sleep(10)
        assert calls == ["A"]
        async with engine(THREE, calls, store=store) as opened:
            assert (await opened.resume(ARN)).status == RUNNING
            assert (await opened.result(ARN)).status == SUCCEEDED
        assert calls == ["A", "A", "C"]

    run(scenario())


def test_it_may_take_five_minutes() -> None:
    async def scenario() -> None:
        async with engine(machine(wait("W", 400))) as opened:
            await opened.start(express(), Payload(None))
            assert (await opened.result(ARN)).status == TIMED_OUT
            assert 300 <= now() < 301
            result = await opened.run_express(express(), Payload(None))
            assert result.execution.status == TIMED_OUT
            assert result.billed_milliseconds == 300_000

    run(scenario())


def test_it_is_stopped_like_any_other_and_never_redriven() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(THREE, Calls(), store=store) as opened:
            await opened.start(express(), Payload(None))
            await asyncio.sleep(5)
            opened.stop(ARN)
            assert (await opened.result(ARN)).status == ABORTED
            assert (await recall(store, ARN))[1].status == ABORTED
            with pytest.raises(NotRedrivable, match="EXPRESS"):
                await opened.redrive(ARN)

    run(scenario())


def test_what_outlives_a_call_is_refused() -> None:
    async def scenario() -> None:
        async with engine(machine(task("Ask", "Job", mode="token"), task("Job", mode="sync"))) as opened:
            for refused in (opened.start(express(), Payload(1)), opened.run_express(express(), Payload(1))):
                with pytest.raises(NotExpress, match=r"'Ask' waits for .* 'Job' waits for"):
                    await refused

    run(scenario())


def test_a_distributed_map_is_refused() -> None:
    body = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **body}
    definition = compile_definition(
        {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": processor, "End": True}}}
    )

    async def scenario() -> None:
        async with engine(definition) as opened:
            with pytest.raises(NotExpress, match="'M' is a distributed Map"):
                await opened.start(express(), Payload([1]))

    run(scenario())


def test_a_synchronous_one_is_written_nowhere() -> None:
    async def scenario() -> None:
        store, told = MemoryStore(), []
        async with engine(THREE, Calls(), store=store) as opened:
            opened.observe(lambda execution, steps: told.append(execution.status))
            result = await opened.run_express(record(), Payload([1]))
            ended = result.execution
            assert ended.output is not None
            assert (ended.status, ended.output.value) == (SUCCEEDED, [1])
            assert result.billed_milliseconds in (20_000, 20_100)
            assert result.billed_megabytes == 64
            assert told[0] == RUNNING
            assert told[-1] == SUCCEEDED
            with pytest.raises(NotFound):
                await store.load(ARN)
            again = await opened.run_express(record(), Payload([2]))
            assert again.execution.status == SUCCEEDED

    run(scenario())


def test_a_failing_one_retries_and_tells_why() -> None:
    async def fail(call: TaskCall, beat: Beat) -> Any:
        raise TaskError("Boom", "because")

    async def scenario() -> None:
        async with engine(machine(task("T", retry=(retrier(interval=3),))), fail) as opened:
            ended = (await opened.run_express(record(), Payload(1))).execution
            assert (ended.status, ended.error, ended.cause) == (FAILED, "Boom", "because")
            assert ended.open_for >= 3_000

    run(scenario())


def test_only_a_synchronous_one_has_no_redrive_count() -> None:
    tell = Flow(make=lambda bindings: sorted(bindings.context["Execution"]))

    async def scenario() -> None:
        async with engine(machine(do("P", flow=tell))) as opened:
            async with asyncio.timeout(9):
                await opened.start(express(), Payload(None))
                asynchronous = (await opened.result(ARN)).output
                synchronous = (await opened.run_express(record(), Payload(None))).execution.output
            assert asynchronous is not None
            assert synchronous is not None
            assert set(asynchronous.value) - set(synchronous.value) == {"RedriveCount"}

    run(scenario())


def test_whoever_waits_may_go_away() -> None:
    async def scenario() -> None:
        calls = Calls()
        async with engine(THREE, calls) as opened:
            waiting = asyncio.ensure_future(opened.run_express(record(), Payload(1)))
            await asyncio.sleep(5)
            waiting.cancel()
            await asyncio.sleep(30)
            assert calls == ["A", "C"]

    run(scenario())


def test_closing_ends_what_nobody_wrote() -> None:
    async def scenario() -> None:
        calls = Calls()
        async with engine(THREE, calls) as opened:
            waiting = asyncio.ensure_future(opened.run_express(record(), Payload(1)))
            await asyncio.sleep(5)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert calls == ["A"]

    run(scenario())


def test_a_long_evaluation_does_not_lose_what_was_kept() -> None:
    """The state is thrown away where an evaluation takes long; what was decided since the start is not."""
    slow = "{% $count($map([1..300000], function($v) { $v * $v })) %}"
    definition = compile_definition(
        {
            "QueryLanguage": "JSONata",
            "StartAt": "A",
            "States": {
                "A": {"Type": "Task", "Resource": "task:A", "Next": "W"},
                "W": {"Type": "Wait", "Seconds": 1, "Next": "Slow"},
                "Slow": {"Type": "Pass", "Output": slow, "Next": "B"},
                "B": {"Type": "Task", "Resource": "task:B", "End": True},
            },
        }
    )
    calls = Calls()

    async def scenario() -> None:
        store = MemoryStore()
        async with engine(definition, calls, store=store) as opened:
            await opened.start(express(), Payload(1))
            ended = await opened.result(ARN)
            assert ended.output is not None
            assert (ended.status, ended.output.value) == (SUCCEEDED, 300_000)
            assert list(decode_log((s.after, s.control) for s in (await store.load(ARN)).segments))

    asyncio.run(scenario())
    assert calls == ["A", "B"]


# Nested


CHILD = Names("child")
EXPRESS = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 5, "End": True}}}


async def catalogue_child(opened: Engine) -> None:
    text = encode(EXPRESS).decode()
    wanted = Draft(text, digest_of(EXPRESS), "role")
    await opened.catalogue.create_machine(CHILD.machine_arn, "EXPRESS", wanted)


def test_a_child_is_an_express_execution_where_its_machine_is() -> None:
    call = outside.task(
        "arn:aws:states:::states:startExecution",
        Parameters={"StateMachineArn": CHILD.machine_arn, "Name": "c", "Input": {"n": 1}},
    )

    async def scenario() -> None:
        async with outside.engine() as opened:
            await catalogue_child(opened)
            first, second = [await outside.start(opened, call, name=name) for name in ("x", "y")]
            ids = [outside.output(await opened.result(id))["ExecutionArn"] for id in (first, second)]
            # Their names need not differ.
            assert ids[0] != ids[1]
            for id in ids:
                assert id.startswith("arn:aws:states:us-east-1:123456789012:express:child:c:")
                child = await opened.result(id)
                assert (child.status, child.profile) == (SUCCEEDED, "detent-express")
            # A synchronous execution starts what is durable as well.
            machine = await opened.machines.publish(
                MachineRecord(digest_of(call), "arn:m", encode(call), VirtualClock().now())
            )
            caller = replace(record("z"), digest=machine.digest)
            answer = outside.output((await opened.run_express(caller, Payload({}))).execution)
            assert (await opened.result(answer["ExecutionArn"])).profile == "detent-express"

    run(scenario())


def test_nobody_can_wait_for_an_express_child_to_end() -> None:
    call = outside.task(
        "arn:aws:states:::states:startExecution.sync",
        Parameters={"StateMachineArn": CHILD.machine_arn, "Name": "c"},
    )

    async def scenario() -> None:
        async with outside.engine() as opened:
            await catalogue_child(opened)
            state = await opened.result(await outside.start(opened, call))
            assert state.error == "StepFunctions.StateMachineTypeNotSupportedException"
            assert "not supported by this type of state machine" in (state.cause or "")

    run(scenario())
