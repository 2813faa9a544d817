"""The engine's promises one by one, in virtual time over the memory store. Crashes are in tests/simulation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from core.building import Flow, do, each, machine, parallel, retrier, scope, task, wait
from simulation.loop import BEGINNING, VirtualClock, run

from detent.core.codec import encode_signal
from detent.core.execution import ABORTED, FAILED, RUNNING, SUCCEEDED, Execution
from detent.core.machine import Machine
from detent.core.signals import Succeeded
from detent.core.values import Payload
from detent.runtime import rounds
from detent.runtime.engine import Engine
from detent.runtime.errors import EngineError, ExecutionExists, ExecutionStuck, ExecutionTaken
from detent.runtime.handlers.base import Beat, NotBegun, TaskCall, TaskError
from detent.runtime.machines import Machines
from detent.runtime.progress import Progress
from detent.runtime.recall import recall
from detent.store.base import Batch, ExecutionRecord, Letter, MachineRecord, Outcome, StoreUnavailable
from detent.store.memory import MemoryStore

Run = Callable[[TaskCall, Beat], Awaitable[Any]]


class Handler:
    def __init__(self, function: Run, slots: asyncio.Semaphore | None = None) -> None:
        self.function = function
        self.slots = slots

    async def run(self, task: TaskCall, beat: Beat) -> Any:
        return await self.function(task, beat)


async def echo(task: TaskCall, beat: Beat) -> Any:
    return task.arguments


async def hang(task: TaskCall, beat: Beat) -> Any:
    await asyncio.Event().wait()


@asynccontextmanager
async def engine(
    definition: Machine,
    handler: Run = echo,
    *,
    store: MemoryStore | None = None,
    slots: asyncio.Semaphore | None = None,
    **settings: Any,
) -> AsyncIterator[Engine]:
    store = store or MemoryStore()
    machines = Machines(store, lambda text, digest: definition)
    shared = Handler(handler, slots)
    opened = Engine(
        store,
        machines,
        lambda resource: shared,
        release="1",
        clock=VirtualClock(),
        **settings,
    )
    await opened.open()
    await store.publish(MachineRecord("digest", "arn:m", b"{}", 0))
    try:
        yield opened
    finally:
        await opened.close()


def record(name: str = "x", *, started_at: int = 0) -> ExecutionRecord:
    return ExecutionRecord(f"arn:{name}", name, "arn:m", "digest", "detent", started_at)


async def play(opened: Engine, input: Any = None, name: str = "x") -> Execution:
    await opened.start(record(name), Payload(input))
    return await opened.result(f"arn:{name}")


def now() -> float:
    return asyncio.get_running_loop().time()


def test_an_execution_runs_to_its_end() -> None:
    async def scenario() -> None:
        items = each("Each", scope("/i", task("T")), "W", concurrency=2)
        async with engine(machine(items, wait("W", 60))) as opened:
            state = await play(opened, [1, 2, 3])
            assert (state.status, state.output and state.output.value) == (SUCCEEDED, [1, 2, 3])
            assert 60 <= now() < 61
            assert opened.running() == []

    run(scenario())


def test_a_start_tells_how_far_the_execution_had_come_when_it_became_durable() -> None:
    async def scenario() -> None:
        async with engine(machine(task("T"))) as opened:
            begun = await opened.start(record("a"), Payload({"n": 1}))
            ended = await opened.result("arn:a")
            # It does not move on with the execution.
            assert (begun.status, begun.states, begun.output, begun.ended_at) == (RUNNING, ["T"], None, None)
            assert begun.input is not None
            assert begun.input.value == {"n": 1}
            assert ended.status == SUCCEEDED
        async with engine(machine(do("P"))) as opened:
            begun = await opened.start(record("a"), Payload({"n": 1}))
            assert (begun.status, begun.states) == (SUCCEEDED, ())
            assert begun.output is not None
            assert begun.output.value == {"n": 1}

    run(scenario())


def test_an_observer_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fail(execution: Execution, steps: Any) -> None:
        raise OSError("the pipe is closed")

    async def scenario() -> None:
        async with engine(machine(task("T"))) as opened:
            opened.observe(fail)
            assert (await play(opened)).status == SUCCEEDED

    run(scenario())
    assert "an observer failed" in caplog.text


def test_two_executions_may_begin_with_the_same_payload() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(machine(task("T")), store=store) as opened:
            shared = Payload({"n": 1})
            await asyncio.gather(*(opened.start(record(name), shared) for name in "ab"))
            for name in "ab":
                await opened.result(f"arn:{name}")
                _, state = await recall(store, f"arn:{name}")
                assert state.input is not None
                assert state.input.value == {"n": 1}

    run(scenario())


def test_a_name_is_taken_once() -> None:
    async def scenario() -> None:
        async with engine(machine(wait("W", 5))) as opened:
            outcomes = await asyncio.gather(
                *(opened.start(record(), Payload(None)) for _ in range(3)), return_exceptions=True
            )
            assert [type(outcome) for outcome in outcomes] == [Progress, ExecutionExists, ExecutionExists]
            await opened.result("arn:x")
            for instant in (0, 1):
                with pytest.raises(ExecutionExists):
                    await opened.start(record(started_at=instant), Payload(None))

    run(scenario())


def test_a_name_that_is_asked_for_again_does_not_keep_its_execution_from_going_on() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(machine(task("T")), hang, store=store) as first:
            await first.start(record(), Payload(None))
        async with engine(machine(task("T")), store=store, takes_over=True) as second:
            with pytest.raises(ExecutionExists):
                await second.start(record(started_at=1), Payload(None))
            await asyncio.sleep(5)
            assert (await second.result("arn:x")).status == SUCCEEDED

    run(scenario())


def test_an_execution_can_be_started_and_awaited_in_one() -> None:
    async def scenario() -> None:
        async with engine(machine(wait("W", 5))) as opened:
            running = asyncio.ensure_future(opened.run(record(), Payload(1)))
            await asyncio.sleep(1)
            with pytest.raises(ExecutionExists):
                await opened.run(record(), Payload(2))
            state = await running
            assert (state.status, state.output and state.output.value) == (SUCCEEDED, 1)

    run(scenario())


def test_a_closed_engine_starts_nothing() -> None:
    async def scenario() -> None:
        async with engine(machine(do("A"))) as opened:
            pass
        await opened.store.open(engine=True)
        with pytest.raises(EngineError):
            await opened.start(record(), Payload(None))

    run(scenario())


def test_a_resumed_wait_fires_at_its_first_instant() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(machine(wait("W", 60)), store=store) as first:
            await first.start(record(), Payload(None))
        async with engine(machine(wait("W", 60)), store=store) as second:
            await asyncio.sleep(10)
            assert (await second.resume("arn:x")).status == RUNNING
            assert (await second.result("arn:x")).status == SUCCEEDED
            assert 60 <= now() < 60.1

    run(scenario())


def test_an_interrupted_task_is_run_again_under_its_key() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        calls: list[TaskCall] = []

        async def slow_at_first(task: TaskCall, beat: Beat) -> Any:
            calls.append(task)
            await asyncio.sleep(10 if len(calls) == 1 else 0)
            return "done"

        async with engine(machine(task("T")), slow_at_first, store=store) as first:
            await first.start(record(), Payload(None))
            await asyncio.sleep(5)
        async with engine(machine(task("T")), slow_at_first, store=store, takes_over=True) as second:
            await asyncio.sleep(1)
            state = await second.result("arn:x")
        assert state.output is not None
        assert state.output.value == "done"
        assert len(calls) == 2
        assert calls[0].key == calls[1].key

    run(scenario())


def test_the_time_of_an_attempt_that_is_run_again_begins_anew() -> None:
    async def slow(call: TaskCall, beat: Beat) -> Any:
        await asyncio.sleep(8)
        return call.deadline

    async def scenario() -> None:
        store, definition = MemoryStore(), machine(task("T", timeout=10))
        async with engine(definition, slow, store=store) as opened:
            await opened.start(record(), Payload(None))
            await asyncio.sleep(7)
        await asyncio.sleep(3_600)
        again = now()
        async with engine(definition, slow, store=store) as opened:
            await opened.resume("arn:x")
            state = await opened.result("arn:x")
            assert state.status == SUCCEEDED
            assert state.output is not None
            assert state.output.value == BEGINNING + round(1000 * (again + 10))

    run(scenario())


def test_an_attempt_knows_its_deadline_and_is_cut_off_at_it() -> None:
    deadlines: list[tuple[int | None, float]] = []

    async def look(task: TaskCall, beat: Beat) -> Any:
        deadlines.append((task.deadline, now()))
        await hang(task, beat)

    async def scenario() -> None:
        async with engine(machine(task("T", timeout=5, retry=(retrier(attempts=1),))), look) as opened:
            state = await play(opened)
            assert (state.status, state.error) == (FAILED, "States.Timeout")

    run(scenario())
    assert len(deadlines) == 2
    for deadline, began in deadlines:
        assert deadline is not None
        assert abs(deadline - (BEGINNING + 1000 * (began + 5))) <= 2


def test_an_attempt_that_could_not_begin_is_asked_for_again() -> None:
    asked = []

    async def late(task: TaskCall, beat: Beat) -> Any:
        asked.append(task.may_begin())
        if len(asked) == 1:
            raise NotBegun
        return "done"

    async def scenario() -> None:
        async with engine(machine(task("T")), late) as opened:
            assert (await play(opened)).status == SUCCEEDED

    run(scenario())
    assert asked == [True, True]


def test_a_task_that_beats_lives_and_one_that_stops_does_not() -> None:
    async def beats(task: TaskCall, beat: Beat) -> Any:
        for _ in range(10):
            await asyncio.sleep(1)
            beat()
        await asyncio.sleep(1000)

    async def scenario() -> None:
        async with engine(machine(task("T", heartbeat=2)), beats) as opened:
            state = await play(opened)
            assert state.error == "States.Timeout"
            assert 12 <= now() < 12.1

    run(scenario())


def test_what_a_handler_raises_fails_its_task() -> None:
    async def scenario() -> None:
        async def raises(task: TaskCall, beat: Beat) -> Any:
            raise {"a": TaskError("Mine", "why"), "b": KeyError("k"), "c": asyncio.CancelledError()}[
                task.execution_name
            ]

        async with engine(machine(task("T")), raises) as opened:
            errors = {name: (await play(opened, name=name)).error for name in "abc"}
            assert errors == {"a": "Mine", "b": "KeyError", "c": "CancelledError"}

    run(scenario())


def test_where_no_handler_can_be_found_the_task_fails() -> None:
    def broken(resource: str) -> Any:
        raise KeyError(resource)

    async def scenario() -> None:
        for resolve in (broken, lambda resource: None):
            store = MemoryStore()
            machines = Machines(store, lambda text, digest: machine(task("T")))
            opened = Engine(store, machines, resolve, release="1", clock=VirtualClock())
            await opened.open()
            await store.publish(MachineRecord("digest", "arn:m", b"{}", 0))
            assert (await play(opened)).error == "States.TaskFailed"
            await opened.close()

    run(scenario())


def test_a_result_that_is_no_json_fails_its_task() -> None:
    async def scenario() -> None:
        async def odd(task: TaskCall, beat: Beat) -> Any:
            return {"set"} if task.attempt == 1 else float("nan")

        async with engine(machine(task("T", retry=(retrier("TypeError", attempts=1),))), odd) as opened:
            assert (await play(opened)).error == "ValueError"

    run(scenario())


def test_tasks_wait_for_room() -> None:
    running, most = 0, 0

    async def count(task: TaskCall, beat: Beat) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(1)
        running -= 1

    async def scenario() -> None:
        async with engine(
            machine(each("E", scope("/i", task("T", timeout=2)))), count, task_limit=3
        ) as opened:
            # The last ones wait for three seconds: their two do not begin to run before their turn.
            assert (await play(opened, list(range(12)))).status == SUCCEEDED

    run(scenario())
    assert most == 3


def test_a_task_that_waits_for_its_handlers_slot_has_not_begun() -> None:
    async def nap(call: TaskCall, beat: Beat) -> Any:
        await asyncio.sleep(8)
        return call.arguments

    async def scenario() -> None:
        items = each("Each", scope("/i", task("T", timeout=10)))
        async with engine(machine(items), nap, slots=asyncio.Semaphore(1)) as opened:
            state = await play(opened, [1, 2, 3])
            assert state.status == SUCCEEDED
            assert 24 <= now() < 25

    run(scenario())


def test_stopping_cancels_what_runs() -> None:
    cancelled: list[str] = []

    async def notice(task: TaskCall, beat: Beat) -> Any:
        try:
            await hang(task, beat)
        except asyncio.CancelledError:
            cancelled.append(task.state)
            raise

    async def scenario() -> None:
        both = parallel("P", scope("/0", task("A")), scope("/1", task("B")))
        async with engine(machine(both), notice) as opened:
            await opened.start(record(), Payload(None))
            await asyncio.sleep(1)
            opened.stop("arn:x", "Enough")
            state = await opened.result("arn:x")
            assert (state.status, state.error) == (ABORTED, "Enough")
            await asyncio.sleep(0)
            assert sorted(cancelled) == ["A", "B"]

    run(scenario())


def test_a_letter_answers_a_task_and_a_late_one_is_put_away() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(machine(task("T")), hang, store=store, takes_over=True) as opened:
            await opened.start(record(), Payload(None))
            answer = encode_signal(Succeeded(3, Payload("by letter")))
            await store.send([Letter("arn:x", "1", answer)])
            state = await opened.result("arn:x")
            assert state.output is not None
            assert state.output.value == "by letter"
            await store.send([Letter("arn:x", "2", answer)])
            await asyncio.sleep(5)
            assert await store.inbox(opened.owner, limit=9) == []

    run(scenario())


def test_a_damaged_letter_harms_nobody() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(machine(wait("W", 10)), store=store) as opened:
            await opened.start(record(), Payload(None))
            await store.send([Letter("arn:x", "1", b"]")])
            assert (await opened.result("arn:x")).status == SUCCEEDED

    run(scenario())


def test_an_execution_that_cannot_be_decided_harms_no_other() -> None:
    def breaks(bindings: Any) -> Any:
        raise ZeroDivisionError

    async def scenario() -> None:
        broken = do("Broken", flow=Flow(make=lambda b: breaks(b) if b.input == "bad" else 1))
        async with engine(machine(wait("W", 1, "Broken"), broken)) as opened:
            good = asyncio.create_task(play(opened, "good", "good"))
            with pytest.raises(ExecutionStuck):
                await play(opened, "bad", "bad")
            assert (await good).status == SUCCEEDED

    run(scenario())


class Unreachable(MemoryStore):
    """Takes appends and loses the answers while ``lost`` is set."""

    lost = False

    async def append(self, batches: Any) -> Any:
        answers = await super().append(batches)
        if self.lost:
            raise StoreUnavailable("no answer")
        return answers


def test_what_another_engine_has_taken_over_is_let_go() -> None:
    cancelled: list[str] = []

    async def answer(call: TaskCall, beat: Beat) -> Any:
        try:
            await asyncio.sleep(2 if call.state == "Quick" else 100)
        except asyncio.CancelledError:
            cancelled.append(call.state)
            raise

    async def scenario() -> None:
        store = MemoryStore()
        branches = parallel("P", scope("/a", task("Quick")), scope("/b", task("Slow")))
        async with engine(machine(branches), answer, store=store) as opened:
            ended = asyncio.ensure_future(play(opened))
            await asyncio.sleep(1)
            # To a clock that is an hour ahead the engine's lease has run out.
            ahead = BEGINNING + 3_600_000
            assert await store.claim("another", now=ahead, lease=1_000, limit=1, only=["arn:x"])
            with pytest.raises(ExecutionTaken, match="another process"):
                await ended
            assert (opened.running(), cancelled) == ([], ["Slow"])
            assert (await store.load("arn:x")).owner == "another"

    run(scenario())


def test_a_start_that_was_refused_and_written_all_the_same_runs() -> None:
    async def scenario() -> None:
        store = Unreachable()
        async with engine(machine(wait("W", 5)), store=store) as opened:
            store.lost = True
            with pytest.raises(StoreUnavailable):
                await opened.start(record(), Payload(None))
            store.lost = False
            await asyncio.sleep(30)
            _, state = await recall(store, "arn:x")
            assert state.status == SUCCEEDED

    run(scenario())


def test_a_start_behind_a_write_that_the_store_does_not_take_is_refused_too() -> None:
    async def scenario() -> None:
        store = Unreachable()
        async with engine(machine(wait("W", 5)), store=store) as opened:
            await opened.start(record(), Payload(None))
            store.lost = True
            await asyncio.sleep(7)  # the end of the wait is being written, again and again
            for name in "abc":
                with pytest.raises(StoreUnavailable):
                    await opened.start(record(name), Payload(None))
            assert now() < 15
            store.lost = False
            await opened.start(record("c"), Payload(None))
            for name in "xc":
                assert (await opened.result(f"arn:{name}")).status == SUCCEEDED

    run(scenario())


def test_while_the_store_is_away_decisions_wait_and_nothing_runs() -> None:
    async def scenario() -> None:
        store = Unreachable()
        ran: list[float] = []

        async def note(task: TaskCall, beat: Beat) -> Any:
            ran.append(now())

        async with engine(machine(wait("W", 5, "T"), task("T")), note, store=store) as opened:
            await opened.start(record(), Payload(None))
            store.lost = True
            await asyncio.sleep(30)
            assert ran == []
            store.lost = False
            assert (await opened.result("arn:x")).status == SUCCEEDED
            assert len(ran) == 1

    run(scenario())


def test_while_one_group_is_written_the_next_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    class Disk(MemoryStore):
        async def append(self, batches: Sequence[Batch]) -> list[Outcome]:
            for _ in range(5):
                await asyncio.sleep(0)  # handing over takes some turns of the loop
            happened.append("begins to write")
            await asyncio.sleep(0.5)
            happened.append("has written")
            return await super().append(batches)

    async def scenario() -> None:
        decided = Flow(make=lambda bindings: happened.append(f"decides {bindings.input}"))
        async with engine(machine(do("P", flow=decided)), store=Disk()) as opened:
            await asyncio.gather(*(play(opened, name, name) for name in "ab"))

    monkeypatch.setattr(rounds, "GROUP_MAX", 1)
    run(scenario())
    each = ["begins to write", "has written"]
    assert happened == ["decides a", each[0], "decides b", each[1], *each]
