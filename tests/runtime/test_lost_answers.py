"""The store does what it was asked for, and its answer is lost: nothing is held for nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from simulation.loop import run
from simulation.shared import SharedMemory

from detent.core.execution import SUCCEEDED
from detent.runtime.handlers.base import Beat, TaskCall
from detent.runtime.member import Member
from detent.runtime.offers import Offers
from detent.store.base import StoreUnavailable

from .outside import engine, now, start, task

REVIEW = "arn:aws:states:us-east-1:123456789012:activity:review"


class LosingMemory(SharedMemory):
    """Loses the answer to a call as often as ``losing`` says."""

    def __init__(self) -> None:
        super().__init__()
        self.losing: dict[str, int] = {}

    def _lose(self, name: str) -> None:
        if self.losing.get(name, 0):
            self.losing[name] -= 1
            raise StoreUnavailable("the line went down before the answer came")

    async def claim(self, *args: Any, **named: Any) -> Any:
        claims = await super().claim(*args, **named)
        if claims:
            self._lose("claim")
        return claims

    async def renew(self, *args: Any, **named: Any) -> Any:
        alive = await super().renew(*args, **named)
        self._lose("renew")
        return alive

    async def take(self, *args: Any, **named: Any) -> Any:
        taken = await super().take(*args, **named)
        self._lose("take")
        return taken

    async def take_slot(self, *args: Any, **named: Any) -> Any:
        taken = await super().take_slot(*args, **named)
        self._lose("take_slot")
        return taken

    async def free_slots(self, *args: Any, **named: Any) -> Any:
        await super().free_slots(*args, **named)
        self._lose("free_slots")


async def do(call: TaskCall, beat: Beat) -> Any:
    return call.resource


async def slow(call: TaskCall, beat: Beat) -> Any:
    await asyncio.sleep(5)


def test_what_was_claimed_unheard_is_worked_on() -> None:
    async def scenario() -> None:
        store = LosingMemory()
        async with engine(store, {"task:T": do}) as starter:
            execution = await start(starter, {**task("task:T"), "StartAt": "W", **_waiting(30)})
        async with engine(store, {"task:T": do}, takes_over=True) as opened:
            store.losing["claim"] = 1
            await asyncio.sleep(60)
            state = await opened.result(execution)
            assert state.status == SUCCEEDED
            assert store.losing["claim"] == 0

    run(scenario())


def _waiting(seconds: int) -> dict[str, Any]:
    last = task("task:T")["States"]["T"]
    return {"States": {"W": {"Type": "Wait", "Seconds": seconds, "Next": "T"}, "T": last}}


def test_what_was_asked_for_by_name_and_claimed_unheard_is_worked_on() -> None:
    async def scenario() -> None:
        store = LosingMemory()
        async with engine(store, {"task:T": slow}) as starter:
            execution = await start(starter, task("task:T"))
        async with engine(store, {"task:T": slow}) as opened:
            store.losing["claim"] = 1
            with pytest.raises(StoreUnavailable):
                await opened.resume(execution)
            await opened.resume(execution)
            assert (await opened.result(execution)).status == SUCCEEDED

    run(scenario())


def test_that_the_lease_had_run_out_is_seen_though_nobody_heard_it() -> None:
    async def scenario() -> None:
        store = LosingMemory()
        member = Member(offers=Offers(("*",)))
        async with engine(store, {"task:T": slow}, takes_over=True, member=member) as opened:
            execution = await start(opened, {**task("task:T"), "StartAt": "W", **_waiting(50)})
            polls, opened._intake.poll = opened._intake.poll, _nothing  # type: ignore[method-assign]
            await asyncio.sleep(20)
            store.losing["renew"] = 1
            opened._intake.poll = polls  # type: ignore[method-assign]
            assert (await opened.result(execution)).status == SUCCEEDED
            assert [worker.owner for worker in await store.workers(now=0)] == [opened.owner]
            assert now() < 60

    run(scenario())


async def _nothing() -> None:
    return


def test_a_task_that_was_taken_unheard_is_taken_again() -> None:
    async def scenario() -> None:
        store = LosingMemory()
        async with engine(store, takes_over=True) as opened:
            execution = await start(opened, task(REVIEW))
            store.losing["take"] = 1
            with pytest.raises(StoreUnavailable):
                await opened.activities.get_activity_task(REVIEW, "anna")
            taken = await opened.activities.get_activity_task(REVIEW, "anna")
            assert taken is not None
            await opened.answers.send_task_success(taken.token, "fine")
            assert (await opened.result(execution)).status == SUCCEEDED

    run(scenario())


@pytest.mark.parametrize("call", ["take_slot", "free_slots"])
def test_slots_are_neither_lost_nor_had_twice(call: str) -> None:
    at_once, most = 0, 0

    async def counted(call: TaskCall, beat: Beat) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(5)
        at_once -= 1

    async def scenario() -> None:
        store = LosingMemory()
        limits = Member(limits={"task:T": 2})
        async with engine(store, {"task:T": counted}, takes_over=True, member=limits) as opened:
            store.losing[call] = 3
            names = [await start(opened, task("task:T"), name=f"x{n}") for n in range(8)]
            for name in names:
                assert (await opened.result(name)).status == SUCCEEDED
            assert store.losing[call] == 0
            assert most == 2
            assert now() < 30
            assert (await store.held(opened.owner)).slots == []

    run(scenario())


def test_a_slot_that_was_taken_for_a_task_that_went_away_is_free_again() -> None:
    class Slow(LosingMemory):
        async def take_slot(self, *args: Any, **named: Any) -> Any:
            taken = await super().take_slot(*args, **named)
            await asyncio.sleep(3)
            return taken

    async def scenario() -> None:
        store = Slow()
        limits = Member(limits={"task:T": 1})
        async with engine(store, {"task:T": do}, takes_over=True, member=limits) as opened:
            execution = await start(opened, task("task:T"))
            await asyncio.sleep(1)
            opened.stop(execution)
            await opened.result(execution)
            await asyncio.sleep(5)
            assert (await store.held(opened.owner)).slots == []

    run(scenario())
