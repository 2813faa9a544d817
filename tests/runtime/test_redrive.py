"""Redrive through the engine: direct, by letter, in a race; in virtual time over the memory store."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from core.building import each, machine, parallel, scope, task, wait
from simulation.loop import run

from detent.compile import digest_of
from detent.core.codec import encode_signal
from detent.core.execution import ABORTED, FAILED, RUNNING, SUCCEEDED
from detent.core.signals import Redriven, Stopped
from detent.core.values import Payload, encode
from detent.runtime.actor import Actor
from detent.runtime.catalogue_entries import Draft
from detent.runtime.compose import Names
from detent.runtime.errors import NotRedrivable
from detent.runtime.handlers.base import Beat, TaskCall, TaskError
from detent.runtime.recall import recall
from detent.store.base import Letter, Outcome, Query, StoreUnavailable
from detent.store.memory import MemoryStore

from . import outside
from .test_engine import engine, now, play, record

ARN = "arn:x"


@dataclass
class Mended:
    """Fails until it is mended; keeps what it was called with."""

    broken: bool = True
    calls: list[tuple[str, Any]] = field(default_factory=list)

    async def __call__(self, call: TaskCall, beat: Beat) -> Any:
        self.calls.append((call.state, call.arguments))
        if self.broken and call.state == "Bad":
            raise TaskError("Boom")
        return call.arguments


def test_a_failed_execution_goes_on_with_the_state_that_failed() -> None:
    async def scenario() -> None:
        work = Mended()
        async with engine(machine(task("Good", "Bad"), task("Bad", "Last"), task("Last")), work) as opened:
            assert (await play(opened, 5)).status == FAILED
            work.broken = False
            instant = await opened.redrive(ARN)
            ended = await opened.result(ARN)
            assert (ended.status, ended.redrive_count, ended.redriven_at) == (SUCCEEDED, 1, instant)
            assert [state for state, _ in work.calls] == ["Good", "Bad", "Bad", "Last"]
            assert opened.running() == []

    run(scenario())


def test_branches_and_iterations_that_succeeded_are_left_alone() -> None:
    async def scenario() -> None:
        work = Mended()
        items = each("Items", scope("/i", task("Bad")), concurrency=1)
        both = parallel("Both", scope("/0", items), scope("/1", task("Fine")), next="End")
        async with engine(machine(both, task("End")), work) as opened:
            assert (await play(opened, [1, 2])).status == FAILED
            work.broken = False
            await opened.redrive(ARN)
            ended = await opened.result(ARN)
            assert ended.output is not None
            assert ended.output.value == [[1, 2], [1, 2]]
            assert [state for state, _ in work.calls].count("Fine") == 1

    run(scenario())


def test_a_stopped_wait_begins_anew() -> None:
    async def scenario() -> None:
        async with engine(machine(wait("W", 60))) as opened:
            await opened.start(record(), Payload(None))
            await asyncio.sleep(50)
            opened.stop(ARN)
            assert (await opened.result(ARN)).status == ABORTED
            await opened.redrive(ARN)
            assert (await opened.result(ARN)).status == SUCCEEDED
            assert now() >= 110

    run(scenario())


def test_the_executions_own_time_counts_anew() -> None:
    async def scenario() -> None:
        async with engine(machine(wait("W", 40, "V"), wait("V", 25), timeout=60)) as opened:
            assert (await play(opened)).status == "TIMED_OUT"
            await asyncio.sleep(500)
            await opened.redrive(ARN)
            assert (await opened.result(ARN)).status == SUCCEEDED

    run(scenario())


def test_what_runs_or_has_succeeded_is_refused() -> None:
    async def scenario() -> None:
        async with engine(machine(wait("W", 60))) as opened:
            await opened.start(record(), Payload(None))
            with pytest.raises(NotRedrivable, match="Execution is RUNNING and cannot be redriven"):
                await opened.redrive(ARN)
            await opened.result(ARN)
            with pytest.raises(NotRedrivable, match="Execution is SUCCEEDED and cannot be redriven"):
                await opened.redrive(ARN)

    run(scenario())


def test_a_token_is_one_redrive_for_a_quarter_of_an_hour() -> None:
    async def scenario() -> None:
        work = Mended()
        async with engine(machine(task("Bad")), work) as opened:
            await play(opened)
            first = await opened.redrive(ARN, "token")
            assert (await opened.result(ARN)).status == FAILED
            await asyncio.sleep(14 * 60)
            assert await opened.redrive(ARN, "token") == first
            assert len(work.calls) == 2
            await asyncio.sleep(2 * 60)
            assert await opened.redrive(ARN, "token") > first
            assert (await opened.result(ARN)).redrive_count == 2

    run(scenario())


def test_two_who_ask_at_once_redrive_once() -> None:
    async def scenario() -> None:
        work = Mended()
        async with engine(machine(task("Bad", "W"), wait("W", 9)), work) as opened:
            await play(opened)
            work.broken = False
            asked = await asyncio.gather(
                opened.redrive(ARN, "a"),
                opened.redrive(ARN, "a"),
                opened.redrive(ARN),
                return_exceptions=True,
            )
            assert asked[0] == asked[1]
            assert isinstance(asked[2], NotRedrivable)
            assert (await opened.result(ARN)).redrive_count == 1

    run(scenario())


def test_a_redriven_execution_is_recovered_like_any_other() -> None:
    async def scenario() -> None:
        store, work = MemoryStore(), Mended()
        definition = machine(task("Bad", "W"), wait("W", 60))
        async with engine(definition, work, store=store) as opened:
            await play(opened)
            work.broken = False
            await opened.redrive(ARN)
            await asyncio.sleep(1)
        async with engine(definition, work, store=store, takes_over=True):
            await asyncio.sleep(65)
            ended = (await recall(store, ARN))[1]
            assert (ended.status, ended.redrive_count) == (SUCCEEDED, 1)
            assert len(work.calls) == 2

    run(scenario())


def test_a_letter_redrives_where_an_engine_takes_over() -> None:
    async def scenario() -> None:
        store, work = MemoryStore(), Mended()
        async with engine(
            machine(task("Bad", "W"), wait("W", 60)), work, store=store, takes_over=True
        ) as opened:
            await play(opened)
            work.broken = False
            late = Letter(ARN, "stop", encode_signal(Stopped()))
            asked = Letter(ARN, "redrive", encode_signal(Redriven("t")))
            await store.send([late, asked])
            await asyncio.sleep(3)
            assert (await recall(store, ARN))[1].status == RUNNING
            assert (await opened.result(ARN)).status == SUCCEEDED
            assert await store.inbox(opened.owner, limit=9) == []

    run(scenario())


def test_a_letter_to_what_has_succeeded_changes_nothing() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(machine(task("T")), store=store, takes_over=True) as opened:
            await play(opened)
            await store.send([Letter(ARN, "redrive", encode_signal(Redriven("t")))])
            await asyncio.sleep(3)
            assert (await recall(store, ARN))[1].status == SUCCEEDED
            assert opened.running() == []
            assert (await store.load(ARN)).owner is None
            await store.claim("other", now=0, lease=9, limit=9)
            assert await store.inbox("other", limit=9) == []

    run(scenario())


class Overtaken(MemoryStore):
    """Once ``theirs`` is given, another engine's redrive with that token comes just before the next append."""

    theirs: str | None = None

    async def append(self, batches: Any) -> list[Outcome]:
        if self.theirs is not None:
            stored, state = await recall(self, ARN)
            fence = (await self.load(ARN, limit=0)).fence
            other = Actor(stored, machine(task("Bad")), state, fence, created=True)
            other.receive(Redriven(self.theirs), state.now, 0)
            self.theirs = None
            decided = other.decide("other", "1")
            assert decided is not None
            await super().renew("other", now=0, lease=10**15)
            await super().append([decided.batch])
        return await super().append(batches)


@pytest.mark.parametrize("theirs", ["ours", "another"])
def test_of_two_engines_one_redrives(theirs: str) -> None:
    async def scenario() -> None:
        store = Overtaken()
        async with engine(machine(task("Bad")), Mended(), store=store) as opened:
            await play(opened)
            store.theirs = theirs
            if theirs == "ours":
                assert await opened.redrive(ARN, "ours") == (await recall(store, ARN))[1].redriven_at
            else:
                with pytest.raises(NotRedrivable, match="RUNNING"):
                    await opened.redrive(ARN, "ours")
            assert opened.running() == []
            assert (await store.load(ARN)).owner == "other"

    run(scenario())


class Flaky(MemoryStore):
    """Cannot answer the first few times."""

    refusals = 0

    async def append(self, batches: Any) -> list[Outcome]:
        if self.refusals:
            self.refusals -= 1
            raise StoreUnavailable("not now")
        return await super().append(batches)


def test_a_store_that_cannot_answer_delays_a_redrive() -> None:
    async def scenario() -> None:
        store, work = Flaky(), Mended()
        async with engine(machine(task("Bad")), work, store=store) as opened:
            await play(opened)
            work.broken, store.refusals = False, 2
            await opened.redrive(ARN)
            assert (await opened.result(ARN)).status == SUCCEEDED

    run(scenario())


# Nested


CHILD = Names("child")
JOB = {"StateMachineArn": CHILD.machine_arn, "Name": "c"}
HOLD = {"Type": "Wait", "Seconds": 60, "End": True}
FAILING = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "task:t", "Next": "W"}, "W": HOLD}}


def test_a_child_can_be_redriven_alone_and_outlives_its_parent() -> None:
    work = Mended()

    async def try_it(call: TaskCall, beat: Beat) -> Any:
        if work.broken:
            raise TaskError("Boom")
        return 1

    async def scenario() -> None:
        store = MemoryStore()
        parent = outside.task("arn:aws:states:::states:startExecution.sync", Parameters=JOB)
        handlers = {"task:t": try_it}
        async with outside.engine(store, handlers) as opened:
            await outside.publish(opened, "child", FAILING)
            ended = await opened.result(await outside.start(opened, parent))
            assert (ended.status, ended.error) == (FAILED, "States.TaskFailed")
            work.broken = False
            await opened.redrive(CHILD.execution_arn("c"))
            await asyncio.sleep(1)
        # Whoever takes it up does not stop it: nobody waits for it, and somebody wanted it.
        async with outside.engine(store, handlers) as opened:
            await opened.resume(CHILD.execution_arn("c"))
            child = await opened.result(CHILD.execution_arn("c"))
            assert (child.status, child.redrive_count) == (SUCCEEDED, 1)
            assert await store.inbox(opened.owner, limit=9) == []

    run(scenario())


def test_a_redriven_parent_starts_its_child_anew() -> None:
    work = Mended()

    async def try_it(call: TaskCall, beat: Beat) -> Any:
        if work.broken:
            raise TaskError("Boom")
        return 1

    async def scenario() -> None:
        unnamed = {"StateMachineArn": CHILD.machine_arn}
        parent = outside.task("arn:aws:states:::states:startExecution.sync:2", Parameters=unnamed)
        async with outside.engine(handlers={"task:t": try_it}) as opened:
            await outside.publish(opened, "child", FAILING)
            id = await outside.start(opened, parent)
            assert (await opened.result(id)).status == FAILED
            work.broken = False
            await opened.redrive(id)
            ended = await opened.result(id)
            assert outside.output(ended)["RedriveCount"] == 0
            children = await opened.store.find(Query(machine=CHILD.machine_arn))
            assert [child.head.status for child in children] == [SUCCEEDED, FAILED]

    run(scenario())


def test_a_machine_that_is_being_deleted_has_nothing_redriven() -> None:
    async def scenario() -> None:
        async with outside.engine() as opened:
            definition = {"StartAt": "F", "States": {"F": {"Type": "Fail"}}}
            arn = Names("m").machine_arn
            draft = Draft(encode(definition).decode(), digest_of(definition), "role")
            await opened.catalogue.create_machine(arn, "STANDARD", draft)
            id = await outside.start(opened, definition)
            await opened.result(id)
            await opened.catalogue.delete_machine(arn)
            with pytest.raises(NotRedrivable, match="State machine is in DELETING status"):
                await opened.redrive(id)

    run(scenario())
