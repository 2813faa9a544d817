"""Executions that only wait are let go, and are there again in time: by timers, answers and whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from simulation.loop import BEGINNING, VirtualClock, run

from detent.compile import compile_text
from detent.core.codec import encode_signal
from detent.core.execution import ABORTED, RUNNING, SUCCEEDED
from detent.core.signals import Stopped
from detent.runtime import intake
from detent.runtime.engine import Engine
from detent.runtime.handlers.base import Beat, TaskCall, TaskError
from detent.runtime.machines import Machines
from detent.runtime.recall import recall
from detent.store.base import Letter
from detent.store.memory import MemoryStore

from .outside import Handler, history, now, output, start, task

HOUR = 3600
ASK = "arn:aws:states:::lambda:invoke.waitForTaskToken"


class SettableClock(VirtualClock):
    """A wall clock that somebody sets."""

    def __init__(self) -> None:
        self.off = 0

    def now(self) -> int:
        return super().now() + self.off


class ClockSetWhileRead(VirtualClock):
    """A wall clock that is set by ``step`` seconds just before the reading of a number."""

    def __init__(self, reading: int, step: int) -> None:
        self.left = reading
        self.step = step

    def now(self) -> int:
        self.left -= 1
        return super().now() + (self.step * 1000 if self.left < 0 else 0)


@asynccontextmanager
async def fleet_engine(
    clock: VirtualClock | None = None, store: MemoryStore | None = None, **handlers: Any
) -> AsyncIterator[Engine]:
    """An engine that takes over what nobody works on, as servers and workers do."""
    store = store or MemoryStore()
    known = {ASK: Handler(handlers["ask"])} if handlers else {}
    opened = Engine(
        store,
        Machines(store, compile_text),
        known.get,
        release="1",
        clock=clock or VirtualClock(),
        takes_over=True,
    )
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


def waiting(**until: Any) -> dict[str, Any]:
    return {"StartAt": "W", "States": {"W": {"Type": "Wait", "End": True, **until}}}


async def ended_at(opened: Engine, execution: str) -> float:
    """Seconds from the beginning until it ended by itself, as the clock of waiting has it."""
    while True:
        if (await recall(opened.store, execution))[1].status != RUNNING:
            return now()
        await asyncio.sleep(0.1)


def test_what_waits_long_is_let_go_and_ends_in_time() -> None:
    async def scenario() -> None:
        async with fleet_engine() as opened:
            execution = await start(opened, waiting(Seconds=HOUR))
            assert opened.running() == []
            assert HOUR <= await ended_at(opened, execution) < HOUR + 1
            assert await history(opened, execution) == [
                "ExecutionStarted",
                "WaitStateEntered",
                "WaitStateExited",
                "ExecutionSucceeded",
            ]

    run(scenario())


def test_a_year_is_waited_for() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with fleet_engine(store=store) as opened:
            execution = await start(opened, waiting(Timestamp="2024-11-14T22:13:20Z"))
            await asyncio.sleep(5)
            assert opened.running() == []
            log = await store.load(execution)
            assert log.head.due == BEGINNING + 366 * 24 * HOUR * 1000
            assert log.owner is None

    run(scenario())


def test_what_waits_for_a_moment_stays() -> None:
    async def scenario() -> None:
        async with fleet_engine() as opened:
            execution = await start(opened, waiting(Seconds=9))
            await asyncio.sleep(8)
            assert opened.running() == [execution]

    run(scenario())


def test_an_engine_that_does_not_take_over_lets_nothing_go() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        opened = Engine(
            store, Machines(store, compile_text), lambda resource: None, release="1", clock=VirtualClock()
        )
        await opened.open()
        execution = await start(opened, waiting(Seconds=HOUR))
        await asyncio.sleep(60)
        assert opened.running() == [execution]
        await opened.close()

    run(scenario())


def test_whoever_asks_for_the_end_of_what_was_let_go_gets_it() -> None:
    async def scenario() -> None:
        async with fleet_engine() as opened:
            execution = await start(opened, waiting(Seconds=HOUR))
            await asyncio.sleep(5)
            state = await opened.result(execution)
            assert state.status == SUCCEEDED
            assert HOUR <= now() < HOUR + 1

    run(scenario())


def test_what_somebody_waits_for_stays() -> None:
    async def scenario() -> None:
        async with fleet_engine() as opened:
            execution = await start(opened, waiting(Seconds=HOUR))
            waits = asyncio.create_task(opened.result(execution))
            await asyncio.sleep(60)
            assert opened.running() == [execution]
            assert (await waits).status == SUCCEEDED

    run(scenario())


def test_an_answer_brings_it_back_at_once() -> None:
    tokens = []

    async def ask(call: TaskCall, beat: Beat) -> None:
        tokens.append(call.arguments["Payload"]["token"])

    async def scenario() -> None:
        async with fleet_engine(ask=ask) as opened:
            execution = await start(opened, task(ASK, Parameters={"Payload": {"token.$": "$$.Task.Token"}}))
            await asyncio.sleep(10)
            assert opened.running() == []
            await opened.answers.send_task_success(tokens[0], "yes")
            assert await ended_at(opened, execution) < 10.5
            assert output((await recall(opened.store, execution))[1]) == "yes"

    run(scenario())


def test_whoever_stops_it_need_not_wait_for_a_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "POLL_SECONDS", HOUR)

    async def scenario() -> None:
        async with fleet_engine() as opened:
            execution = await start(opened, waiting(Seconds=100 * HOUR))
            assert opened.running() == []
            await opened.store.send([Letter(execution, "stop", encode_signal(Stopped()))])
            opened.answers_arrived()
            await asyncio.sleep(1)
            assert (await recall(opened.store, execution))[1].status == ABORTED

    run(scenario())


def test_a_heartbeat_that_is_missed_meanwhile_ends_the_task() -> None:
    async def ask(call: TaskCall, beat: Beat) -> None:
        pass

    async def scenario() -> None:
        async with fleet_engine(ask=ask) as opened:
            definition = task(ASK, Parameters={"Payload": {"token.$": "$$.Task.Token"}}, HeartbeatSeconds=120)
            execution = await start(opened, definition)
            await asyncio.sleep(10)
            assert opened.running() == []
            assert 120 <= await ended_at(opened, execution) < 122
            assert (await history(opened, execution))[-2:] == ["TaskTimedOut", "ExecutionFailed"]

    run(scenario())


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_setting_the_clock_ends_no_wait_early(step: int) -> None:
    async def scenario() -> None:
        clock = SettableClock()
        async with fleet_engine(clock) as opened:
            execution = await start(opened, waiting(Seconds=1800))
            await asyncio.sleep(10)
            assert opened.running() == []
            clock.off += step * 1000
            ended = await ended_at(opened, execution)
            # Set back, it shows an instant before the wait began: how much is over cannot be told, and none is.
            assert 1800 <= ended < 1801 + (0 if step > 0 else 1800)

    run(scenario())


FAILS_ONCE = [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 4, "MaxAttempts": 1}]


@pytest.mark.parametrize("step", [HOUR, -HOUR])
@pytest.mark.parametrize(
    "definition",
    [
        waiting(Seconds=4),
        task(ASK, Retry=FAILS_ONCE),
        task(ASK, TimeoutSeconds=4, Parameters={"Payload": "hang"}),
        task(ASK, TimeoutSeconds=400, HeartbeatSeconds=4, Parameters={"Payload": "hang"}),
        waiting(Seconds=100 * HOUR) | {"TimeoutSeconds": 4},
    ],
    ids=["wait", "retry", "task", "heartbeat", "execution"],
)
def test_at_whatever_moment_the_clock_is_set_seconds_last(definition: dict[str, Any], step: int) -> None:
    async def ask(call: TaskCall, beat: Beat) -> None:
        if call.arguments == {"Payload": "hang"}:
            await asyncio.sleep(100 * HOUR)
        raise TaskError("NotYet")

    async def scenario(reading: int) -> int:
        clock = ClockSetWhileRead(reading, step)
        async with fleet_engine(clock, ask=ask) as opened:
            begun = now()
            execution = await start(opened, definition)
            assert 4 <= await ended_at(opened, execution) - begun < 6, f"set at reading {reading}"
        return clock.left

    reading = 0
    while run(scenario(reading)) < 0:
        reading += 1
    assert reading > 10


def test_an_instant_follows_the_clock_that_was_set() -> None:
    async def scenario() -> None:
        clock = SettableClock()
        async with fleet_engine(clock) as opened:
            execution = await start(opened, waiting(Timestamp="2023-11-15T00:13:20Z"))
            await asyncio.sleep(10)
            assert opened.running() == []
            clock.off += HOUR * 1000
            assert HOUR <= await ended_at(opened, execution) < HOUR + 2

    run(scenario())


def test_many_that_are_let_go_come_back_together() -> None:
    async def scenario() -> None:
        async with fleet_engine() as opened:
            executions = [await start(opened, waiting(Seconds=60), name=f"n{n}") for n in range(600)]
            await asyncio.sleep(5)
            assert opened.running() == []
            assert [await ended_at(opened, execution) >= 60 for execution in executions] == [True] * 600
            assert now() < 70

    run(scenario())


def test_what_came_due_while_no_engine_ran_ends_once_each_the_longest_overdue_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What takes long lets others go first; here nothing does, however busy the machine is.
    monkeypatch.setattr("detent.runtime.rounds.SLOW_SECONDS", 60.0)

    async def scenario() -> None:
        store = MemoryStore()
        async with fleet_engine(store=store) as opened:
            executions = [await start(opened, waiting(Seconds=60 + n), name=f"n{n}") for n in range(300)]
            assert opened.running() == []
        await asyncio.sleep(HOUR)
        ends: list[str] = []
        async with fleet_engine(store=store) as opened:
            opened.observe(lambda state, steps: ends.append(state.id))
            await start(opened, {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}, name="new")
            assert now() < HOUR + 1
            for execution in executions:
                await ended_at(opened, execution)
        assert [execution for execution in ends if execution in executions] == executions

    run(scenario())
