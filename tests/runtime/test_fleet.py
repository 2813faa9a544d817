"""Several engines on one store, in virtual time: who does what, who takes over, who is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from core.building import Flow, do, each, machine, parallel, scope, task, wait
from simulation.loop import VirtualClock, run
from simulation.shared import SharedMemory

from detent.core.codec import encode_signal
from detent.core.execution import ABORTED, FAILED, RUNNING, SUCCEEDED, Execution
from detent.core.machine import Machine
from detent.core.signals import Stopped
from detent.core.values import Payload
from detent.runtime.compose import compile_machine
from detent.runtime.engine import Engine
from detent.runtime.errors import ExecutionTaken
from detent.runtime.handlers.base import Beat, TaskCall
from detent.runtime.handlers.registry import Registry
from detent.runtime.machines import Machines
from detent.runtime.member import Member
from detent.runtime.muster import muster
from detent.runtime.names import Names
from detent.runtime.offers import Offers, asked_for, read_info
from detent.runtime.recall import recall
from detent.runtime.stopping import ELSEWHERE_SECONDS, stop
from detent.runtime.worker import Duties, WorkerError, duties_of_server, read_limits
from detent.store.base import ExecutionRecord, Letter, MachineRecord, NotFound

Run = Callable[[TaskCall], Awaitable[Any]]

ECHO_AND_FAX = machine(task("echo", "fax"), task("fax", "echo2"), task("echo2"))


class Handler:
    slots = None

    def __init__(self, work: Run) -> None:
        self.work = work

    async def run(self, call: TaskCall, beat: Beat) -> Any:
        return await self.work(call)


class Fleet:
    """One store, and the machines in it by digest."""

    def __init__(self, **machines: Machine) -> None:
        self.memory = SharedMemory()
        self.machines = machines
        self.done: list[tuple[str, str]] = []

    @asynccontextmanager
    async def worker(
        self,
        name: str = "w",
        *handles: str,
        work: Run | None = None,
        only: tuple[str, ...] | None = None,
        machines: tuple[str, ...] | None = None,
        limits: Mapping[str, int] | None = None,
        **settings: Any,
    ) -> AsyncIterator[Engine]:
        async def do_task(call: TaskCall) -> Any:
            self.done.append((name, call.resource))
            return await work(call) if work else call.arguments

        offers = Offers(handles or ("*",), only, machines)
        engine = Engine(
            self.memory,
            Machines(self.memory, lambda text, digest: self.machines[digest]),
            lambda resource: Handler(do_task),
            release="1",
            clock=VirtualClock(),
            takes_over=True,
            member=Member(offers=offers, limits=limits or {}, **settings),
        )
        await engine.open()
        for digest in self.machines:
            await self.memory.publish(MachineRecord(digest, f"arn:{digest}", b"{}", 0))
        try:
            yield engine
        finally:
            await engine.close()

    async def start(self, engine: Engine, name: str = "x", digest: str = "m", input: Any = None) -> None:
        await engine.start(record(name, digest), Payload(input))

    async def end(self, name: str = "x") -> Execution:
        """The end of an execution, by name or ARN, whoever brings it there."""
        while True:
            state = (await recall(self.memory, name if ":" in name else f"arn:{name}"))[1]
            if state.status != RUNNING:
                return state
            await asyncio.sleep(0.5)


def record(name: str = "x", digest: str = "m") -> ExecutionRecord:
    return ExecutionRecord(f"arn:{name}", name, f"arn:{digest}", digest, "detent", 0)


def value(state: Execution) -> Any:
    return state.status, None if state.output is None else state.output.value


def kill(engine: Engine) -> None:
    """What is left of an engine whose process has died: nothing that it would still do."""
    engine._intake._claims.clear()
    for each_task in [*engine.upkeep._tasks, *engine._dispatcher._tasks]:
        each_task.cancel()


def now() -> float:
    return asyncio.get_running_loop().time()


async def hang(call: TaskCall) -> Any:
    await asyncio.Event().wait()


# Who does what


def test_a_distributed_map_is_read_and_gathered_by_whoever_has_it() -> None:
    work = {"StartAt": "W", "States": {"W": {"Type": "Task", "Resource": "task:work", "End": True}}}
    body = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **work}
    definition = {
        "StartAt": "M",
        "States": {"M": {"Type": "Map", "Label": "items", "ItemProcessor": body, "End": True}},
    }

    async def scenario() -> None:
        fleet = Fleet(m=compile_machine(definition))
        names = Names("m")
        wanted = ExecutionRecord(names.execution_arn("x"), "x", names.machine_arn, "m", "detent", 0)
        async with (
            fleet.worker("one", "task:other") as one,
            fleet.worker("two", "task:work", only=("task:work",)),
        ):
            await one.start(wanted, Payload([1, 2, 3]))
            assert value(await fleet.end(wanted.id)) == (SUCCEEDED, [1, 2, 3])
            assert sorted(fleet.done) == [("two", "task:work")] * 3

    run(scenario())


def test_a_task_goes_to_the_worker_that_does_its_resource() -> None:
    async def scenario() -> None:
        fleet = Fleet(m=ECHO_AND_FAX)
        async with fleet.worker("one", "task:echo*") as one, fleet.worker("two", "task:fax"):
            await fleet.start(one, input=5)
            assert value(await fleet.end()) == (SUCCEEDED, 5)
            assert fleet.done == [("one", "task:echo"), ("two", "task:fax"), ("one", "task:echo2")]
            assert now() < 5

    run(scenario())


def test_what_nobody_does_waits_and_is_seen_until_somebody_comes() -> None:
    async def scenario() -> None:
        fleet = Fleet(m=ECHO_AND_FAX)
        async with fleet.worker("one", "task:echo*") as one:
            await fleet.start(one)
            await asyncio.sleep(3600)
            seen = await muster(fleet.memory, VirtualClock())
            assert [(want.resource, want.executions, want.offered) for want in seen.waiting] == [
                ("task:fax", 1, False)
            ]
            assert one.running() == []
            async with fleet.worker("two", "task:fax"):
                assert (await fleet.end()).status == SUCCEEDED
                seen = await muster(fleet.memory, VirtualClock())
                assert sorted(member.duties for member in seen.workers) == ["task:echo*", "task:fax"]
                assert seen.waiting == ()

    run(scenario())


def test_time_limits_go_on_while_nobody_does_the_task() -> None:
    async def scenario() -> None:
        fleet = Fleet(m=machine(task("fax"), timeout=60))
        async with fleet.worker("one", "task:echo") as one:
            await fleet.start(one)
            assert (await fleet.end()).status == "TIMED_OUT"
            assert 60 <= now() < 63
            assert await fleet.memory.wanted() == []

    run(scenario())


def test_what_nobody_does_can_be_stopped() -> None:
    async def scenario() -> None:
        fleet = Fleet(m=machine(task("fax")))
        async with fleet.worker("one", "task:echo") as one:
            await fleet.start(one)
            await asyncio.sleep(60)
            assert one.running() == []
            await fleet.memory.send([Letter("arn:x", "stop", encode_signal(Stopped("Why", "because")))])
            one.answers_arrived()
            state = await fleet.end()
            assert (state.status, state.error) == (ABORTED, "Why")
            assert now() < 61
            assert await fleet.memory.wanted() == []

    run(scenario())


def test_whoever_is_asked_to_stop_what_another_one_runs_answers_when_that_one_has_stopped_it() -> None:
    async def scenario() -> None:
        fleet = Fleet(m=machine(task("T")))
        async with fleet.worker("one", work=hang) as one, fleet.worker("two", work=hang) as two:
            await fleet.start(one)
            await asyncio.sleep(5)
            asked = now()
            await stop(two, "arn:x", "Why", "because", key="1")
            state = (await recall(fleet.memory, "arn:x"))[1]
            assert (state.status, state.error, state.cause) == (ABORTED, "Why", "because")
            assert now() < asked + ELSEWHERE_SECONDS

    run(scenario())


def test_a_stop_of_what_a_dead_worker_holds_is_answered_at_once_and_happens_when_it_can() -> None:
    async def scenario() -> None:
        fleet = Fleet(m=machine(task("T")))
        async with fleet.worker("one", work=hang) as one, fleet.worker("two", work=hang) as two:
            await fleet.start(one)
            await asyncio.sleep(5)
            kill(one)
            asked = now()
            for _ in range(2):
                await stop(two, "arn:x", "Why", "because", key="1")
            assert now() < asked + 3 * ELSEWHERE_SECONDS
            assert (await recall(fleet.memory, "arn:x"))[1].status == RUNNING
            assert (await fleet.end()).status == ABORTED

    run(scenario())


def test_what_has_ended_is_not_stopped_and_what_is_unknown_is_not_found() -> None:
    async def scenario() -> None:
        fleet = Fleet(m=machine(do("P")))
        async with fleet.worker() as one:
            await fleet.start(one)
            await stop(one, "arn:x", None, None, key="1")
            assert (await fleet.end()).status == SUCCEEDED
            assert await fleet.memory.unread("arn:x") == 0
            with pytest.raises(NotFound):
                await stop(one, "arn:y", None, None, key="1")

    run(scenario())


def test_branches_are_done_by_one_worker_after_the_other() -> None:
    both = parallel("P", scope("/P/0", task("echo")), scope("/P/1", task("fax")))

    async def scenario() -> None:
        fleet = Fleet(m=machine(both))
        async with fleet.worker("one", "task:echo") as one, fleet.worker("two", "task:fax"):
            await fleet.start(one, input=1)
            assert value(await fleet.end()) == (SUCCEEDED, [1, 1])
            assert fleet.done == [("one", "task:echo"), ("two", "task:fax")]

    run(scenario())


def test_a_worker_may_do_less_than_it_could() -> None:
    async def scenario() -> None:
        fleet = Fleet(m=ECHO_AND_FAX)
        async with fleet.worker("one", only=("task:echo*",)) as one, fleet.worker("two", only=("task:fax",)):
            await fleet.start(one)
            await fleet.end()
            assert [name for name, _ in fleet.done] == ["one", "two", "one"]

    run(scenario())


def test_a_worker_takes_executions_of_its_machines_only() -> None:
    async def scenario() -> None:
        fleet = Fleet(a=machine(task("a")), b=machine(task("b")))
        async with (
            fleet.worker("one", machines=("arn:a",)) as one,
            fleet.worker("two", machines=("arn:b",)) as two,
        ):
            for name in "1234":
                await fleet.start(one, f"a{name}", "a")
                await fleet.start(two, f"c{name}", "a")
                await fleet.start(one, f"b{name}", "b")
            for name in "1234":
                for prefix in "acb":
                    assert (await fleet.end(prefix + name)).status == SUCCEEDED
        by_worker = {
            resource: {name for name, done in fleet.done if done == resource} for _, resource in fleet.done
        }
        # What begins on a worker takes its first step there, and then goes where it belongs.
        assert by_worker["task:b"] <= {"one", "two"}
        assert len(fleet.done) == 12

    run(scenario())


def test_many_workers_share_what_there_is_to_do() -> None:
    async def slow(call: TaskCall) -> Any:
        await asyncio.sleep(5)

    async def scenario() -> None:
        fleet = Fleet(m=machine(wait("W", 60, "T"), task("T")))
        async with fleet.worker("starter") as starter:
            await asyncio.gather(*(fleet.start(starter, f"e{n}") for n in range(300)))
            await starter.drain(0)
        async with (
            fleet.worker("one", work=slow),
            fleet.worker("two", work=slow),
            fleet.worker("three", work=slow),
        ):
            await asyncio.gather(*(fleet.end(f"e{n}") for n in range(300)))
        shares = [sum(name == who for name, _ in fleet.done) for who in ("one", "two", "three")]
        assert sum(shares) == 300
        assert min(shares) > 0

    run(scenario())


# Limits


def test_a_limit_holds_for_the_whole_fleet() -> None:
    at_once, most = 0, 0

    async def count(call: TaskCall) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(2)
        at_once -= 1

    async def scenario() -> None:
        fleet = Fleet(m=machine(each("Each", scope("/i", task("gpu")))))
        limits = {"task:gpu": 3}
        async with (
            fleet.worker("one", work=count, limits=limits) as one,
            fleet.worker("two", work=count, limits=limits) as two,
        ):
            await fleet.start(one, "x", input=[1, 2, 3, 4])
            await fleet.start(two, "y", input=[1, 2, 3, 4])
            for name in "xy":
                assert (await fleet.end(name)).status == SUCCEEDED
        assert most == 3

    run(scenario())


# Taking over


def test_what_a_dead_worker_held_is_taken_over_once_its_lease_has_ended() -> None:
    async def scenario() -> None:
        fleet = Fleet(m=machine(task("T")))
        async with fleet.worker("one", work=hang) as one, fleet.worker("two") as two:
            await fleet.start(one)
            await asyncio.sleep(1)
            kill(one)
            begun = now()
            assert (await fleet.end()).status == SUCCEEDED
            assert 10 < now() - begun < 17
            assert fleet.done == [("one", "task:T"), ("two", "task:T")]
            assert two.running() == []

    run(scenario())


def test_a_worker_that_lost_its_lease_begins_nothing_of_what_others_have_taken() -> None:
    async def scenario() -> None:
        fleet = Fleet(m=machine(wait("W", 30, "T"), task("T")))
        async with fleet.worker("one") as one:
            await fleet.start(one)
            await asyncio.sleep(1)
            # What a pause of the whole process beyond the lease looks like: nothing is renewed meanwhile.
            polls, one._intake.poll = one._intake.poll, nothing  # type: ignore[method-assign]
            async with fleet.worker("two", work=hang) as two:
                await asyncio.sleep(40)
                assert two.running() == ["arn:x"]
                one._intake.poll = polls  # type: ignore[method-assign]
                await asyncio.sleep(5)
                assert one.running() == []
                assert fleet.done == [("two", "task:T")]

    run(scenario())


async def nothing() -> None:
    return


def test_a_lease_that_was_lost_to_nobody_is_had_again() -> None:
    async def scenario() -> None:
        fleet = Fleet(m=machine(wait("W", 60, "T"), task("T")))
        async with fleet.worker("one") as one:
            await fleet.start(one)
            renewals, one._lease.keep = one._lease.keep, nothing  # type: ignore[method-assign]
            await asyncio.sleep(20)
            one._lease.keep = renewals  # type: ignore[method-assign]
            assert (await fleet.end()).status == SUCCEEDED
            assert fleet.done == [("one", "task:T")]

    run(scenario())


def test_signs_of_life_that_could_not_be_written_count_where_they_were_heard() -> None:
    async def beating(call: TaskCall) -> Any:
        for _ in range(3):
            await asyncio.sleep(40)
            engines[0]._beat(call.execution, call.pending)
        return "done"

    engines: list[Engine] = []

    async def scenario() -> None:
        fleet = Fleet(m=machine(task("T", heartbeat=50)))
        async with fleet.worker("one", work=beating) as one:
            engines.append(one)
            await fleet.start(one)
            await asyncio.sleep(1)
            polls, one._intake.poll = one._intake.poll, nothing  # type: ignore[method-assign]
            await asyncio.sleep(20)
            # Somebody else has it for a moment, so that what was heard under the old fence cannot be written.
            (claim,) = await fleet.memory.claim("other", now=VirtualClock().now(), lease=10_000, limit=1)
            await asyncio.sleep(25)
            one._intake.poll = polls  # type: ignore[method-assign]
            assert value(await fleet.end()) == (SUCCEEDED, "done")
            assert (claim.fence, fleet.done) == (2, [("one", "task:T")])

    run(scenario())


def test_a_worker_that_has_an_attempt_again_gives_it_its_whole_time() -> None:
    async def slow(call: TaskCall) -> Any:
        await asyncio.sleep(40)
        return "done"

    async def scenario() -> None:
        fleet = Fleet(m=machine(task("T", timeout=50)))
        async with fleet.worker("one", work=slow) as one:
            await fleet.start(one)
            await asyncio.sleep(1)
            polls, one._intake.poll = one._intake.poll, nothing  # type: ignore[method-assign]
            await asyncio.sleep(18)
            await fleet.memory.claim("other", now=VirtualClock().now(), lease=10_000, limit=1)
            one._intake.poll = polls  # type: ignore[method-assign]
            assert value(await fleet.end()) == (SUCCEEDED, "done")
            assert now() > 60
            assert fleet.done == [("one", "task:T")] * 2

    run(scenario())


def test_an_execution_that_kills_its_workers_is_quarantined_and_its_neighbours_are_not() -> None:
    async def die(call: TaskCall) -> Any:
        if call.execution_name == "poison":
            kill(engines[-1])
            await asyncio.Event().wait()
        await asyncio.sleep(20)
        return "fine"

    engines: list[Engine] = []

    async def scenario() -> None:
        fleet = Fleet(m=machine(task("T")))
        names = [*(f"n{number}" for number in range(5)), "poison"]
        while (await ended(fleet, names)) < len(names):
            async with fleet.worker("w", work=die) as engine:
                engines.append(engine)
                for name in names:
                    if len(engines) == 1:
                        await fleet.start(engine, name)
                await asyncio.wait(engine.upkeep._tasks[:1], timeout=60)
                engine._dispatcher._tasks.clear()
                fleet.memory._leases.clear()
                for execution in fleet.memory._executions.values():
                    execution.standing.owner = None
        poison = await fleet.end("poison")
        assert (poison.status, poison.error) == (FAILED, "States.Runtime")
        assert poison.cause is not None
        assert "Quarantined: 5 times" in poison.cause
        for name in names[:-1]:
            assert value(await fleet.end(name)) == (SUCCEEDED, "fine")

    run(scenario())


async def ended(fleet: Fleet, names: list[str]) -> int:
    if not fleet.memory._users:
        await fleet.memory.open(engine=True)
    return sum(
        f"arn:{name}" in fleet.memory._executions and f"arn:{name}" not in fleet.memory._unfinished
        for name in names
    )


# An orderly end


def test_a_draining_worker_finishes_what_runs_and_hands_over_the_rest() -> None:
    async def slow(call: TaskCall) -> Any:
        await asyncio.sleep(10)
        return "done"

    chain = machine(task("T", "Next", flow=Flow()), do("Next", "W"), wait("W", 1, "U"), task("U"))

    async def scenario() -> None:
        fleet = Fleet(m=chain, w=machine(wait("W", 100)))
        async with fleet.worker("one", work=slow) as one:
            await fleet.start(one, "runs")
            await fleet.start(one, "waits", "w")
            await asyncio.sleep(1)
            result = asyncio.ensure_future(one.result("arn:runs"))
            draining = asyncio.ensure_future(one.drain(30))
            await asyncio.sleep(1)
            assert one.running() == ["arn:runs"]
            await draining
            with pytest.raises(ExecutionTaken):
                await result
            assert 10 <= now() < 12
        assert fleet.done == [("one", "task:T")]
        async with fleet.worker("two"):
            assert (await fleet.end("runs")).status == SUCCEEDED
            assert fleet.done == [("one", "task:T"), ("two", "task:U")]
            assert (await fleet.end("waits")).status == SUCCEEDED

    run(scenario())


def test_what_does_not_end_within_the_grace_period_begins_again_elsewhere() -> None:
    async def scenario() -> None:
        fleet = Fleet(m=machine(task("T")))
        async with fleet.worker("one", work=hang) as one:
            await fleet.start(one)
            await asyncio.sleep(1)
            await one.drain(5)
            assert 6 <= now() < 7
        async with fleet.worker("two"):
            assert (await fleet.end()).status == SUCCEEDED
            assert now() < 9

    run(scenario())


# What is asked for


@pytest.mark.parametrize(
    ("resource", "arguments", "asked"),
    [
        ("task:charge", None, "task:charge"),
        ("https://example.com/x", {}, "https://example.com/x"),
        ("arn:aws:lambda:us-east-1:123456789012:function:charge", {}, "function:charge"),
        ("arn:aws:states:::lambda:invoke", {"FunctionName": "charge", "Payload": 1}, "function:charge"),
        ("arn:aws:states:::lambda:invoke", {}, "arn:aws:states:::lambda:invoke"),
    ],
)
def test_a_function_is_asked_for_by_its_name_however_it_is_called(
    resource: str, arguments: Any, asked: str
) -> None:
    assert asked_for(resource, arguments) == asked


def test_offers_are_read_as_they_were_written() -> None:
    offers = Offers(("task:*",), ("task:a",), None)
    assert read_info(offers.info(host="h")) == (offers, {"host": "h"})
    assert offers.covers("task:a")
    assert not offers.covers("task:b")


# Duties


def test_the_lease_of_a_server_is_given_in_the_environment() -> None:
    assert duties_of_server({}).lease_seconds == 15
    assert duties_of_server({"DETENT_LEASE_SECONDS": "3.5"}).lease_seconds == 3.5


@pytest.mark.parametrize("text", ["", "soon", "0", "-1", "nan", "inf", "1e9"])
def test_a_lease_of_no_length_is_refused(text: str) -> None:
    with pytest.raises(WorkerError, match="DETENT_LEASE_SECONDS"):
        duties_of_server({"DETENT_LEASE_SECONDS": text})


def test_limits_are_read_from_the_end() -> None:
    assert read_limits(["task:gpu=2", "https://a.example/?x=1=10"]) == {
        "task:gpu": 2,
        "https://a.example/?x=1": 10,
    }
    for text in ("task:gpu", "=2", "task:gpu=", "task:gpu=0", "task:gpu=-1"):
        with pytest.raises(WorkerError, match="RESOURCE=NUMBER"):
            read_limits([text])


def test_what_a_worker_shall_do_it_must_be_able_to_do() -> None:
    registry = Registry()
    registry.add("fax", lambda given: given)
    offers = Duties(["task:fax", "machine:Orders"]).offers(registry)
    assert offers.covers("task:fax")
    assert not offers.covers("function:fax")
    assert offers.takes("arn:aws:states:us-east-1:123456789012:stateMachine:Orders")
    assert not offers.takes("arn:aws:states:us-east-1:123456789012:stateMachine:Other")
    with pytest.raises(WorkerError, match="task:gpu"):
        Duties(["task:gpu"]).offers(registry)
