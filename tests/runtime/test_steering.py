"""Named signals that come before a state waits for them: how many of them an execution keeps."""

from __future__ import annotations

import asyncio

import pytest
from simulation.loop import run

from detent.core.limits import KEPT_SIGNALS_MAX
from detent.runtime.engine import Engine
from detent.runtime.errors import TooMany
from detent.runtime.recall import recall, recall_outline
from detent.runtime.steering import Steering
from detent.store.memory import MemoryStore

from .outside import engine, output, start

FIRST_THEN_SECOND = {
    "StartAt": "First",
    "States": {
        "First": {"Type": "Task", "Resource": "signal:first", "Next": "Second"},
        "Second": {"Type": "Task", "Resource": "signal:second", "End": True},
    },
}


async def fill(steering: Steering, execution: str) -> None:
    """Send as many signals for the second state as are kept. Each has a key: its number."""
    for number in range(KEPT_SIGNALS_MAX):
        await steering.signal(execution, "second", number, key=str(number))


async def keeping(opened: Engine, execution: str, number: int) -> None:
    """Come back when so many signals are kept."""
    while True:
        state = await recall_outline(opened.store, execution)
        if sum(map(len, state.signals.values())) == number:
            return
        await asyncio.sleep(0.1)


def test_so_many_are_kept_and_a_further_one_is_refused_where_it_is_sent() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            execution = await start(opened, FIRST_THEN_SECOND)
            await fill(opened.steering, execution)
            await keeping(opened, execution, KEPT_SIGNALS_MAX)
            with pytest.raises(TooMany, match="1,000 signals that the execution x keeps"):
                await opened.steering.signal(execution, "second", "further")
            # One that counted already is no further one.
            await opened.steering.signal(execution, "second", 7, key="7")

    run(scenario())


def test_what_a_state_waits_for_comes_in_all_the_same() -> None:
    async def scenario() -> None:
        async with engine() as opened:
            execution = await start(opened, FIRST_THEN_SECOND)
            await fill(opened.steering, execution)
            await keeping(opened, execution, KEPT_SIGNALS_MAX)
            await opened.steering.signal(execution, "first")
            assert output(await opened.result(execution)) == 0

    run(scenario())


def test_those_that_wait_for_an_engine_count_too() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(store) as opened:
            execution = await start(opened, FIRST_THEN_SECOND)
        await store.open(engine=False)
        guest = Steering(store)
        await fill(guest, execution)
        assert await store.unread(execution) == KEPT_SIGNALS_MAX
        for name in ("first", "second"):
            with pytest.raises(TooMany):
                await guest.signal(execution, name)
        _, state = await recall(store, execution)
        assert not state.signals

    run(scenario())
