"""Requests that come twice, in virtual time: done once, waited for, taken over from who has died."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from simulation.loop import VirtualClock, run
from simulation.shared import SharedMemory

from detent.runtime.errors import KeyReused, RequestAtWork
from detent.runtime.idempotency import FORGOTTEN_AT_ONCE, KEPT_SECONDS, PATIENCE_SECONDS, Done, Idempotency
from detent.store.base import StoreUnavailable

LEASE = 10**15


class Effects:
    """Counts what was done. ``gate`` holds it up."""

    def __init__(self) -> None:
        self.count = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> bytes:
        self.count += 1
        number = self.count
        await self.gate.wait()
        return b"answer %d" % number


async def shared(*owners: str) -> tuple[SharedMemory, list[Idempotency]]:
    """A store, and processes that live and share it."""
    store = SharedMemory()
    await store.open(engine=True)
    for owner in owners:
        await store.renew(owner, now=0, lease=LEASE)
    return store, [Idempotency(store, VirtualClock(), owner) for owner in owners]


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    run(scenario())


def test_one_process_does_what_many_ask_at_once() -> None:
    async def scenario() -> None:
        _, (here,) = await shared("w")
        effects = Effects()
        done = await asyncio.gather(*[here.once("k", "r", effects) for _ in range(5)])
        assert done == [Done(b"answer 1", False), *[Done(b"answer 1", True)] * 4]
        assert effects.count == 1

    play(scenario)


def test_another_process_waits_for_the_answer() -> None:
    async def scenario() -> None:
        _, (here, there) = await shared("w", "v")
        effects = Effects()
        effects.gate.clear()
        first = asyncio.create_task(here.once("k", "r", effects))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(there.once("k", "r", effects))
        await asyncio.sleep(PATIENCE_SECONDS / 2)
        effects.gate.set()
        assert (await first, await second) == (Done(b"answer 1", False), Done(b"answer 1", True))

    play(scenario)


def test_who_waits_for_another_process_too_long_is_told_to_ask_again() -> None:
    async def scenario() -> None:
        _, (here, there) = await shared("w", "v")
        effects = Effects()
        effects.gate.clear()
        first = asyncio.create_task(here.once("k", "r", effects))
        await asyncio.sleep(0.01)
        with pytest.raises(RequestAtWork):
            await there.once("k", "r", effects)
        effects.gate.set()
        assert (await first).answer == (await there.once("k", "r", effects)).answer == b"answer 1"

    play(scenario)


def test_what_a_process_left_undone_when_it_died_another_does() -> None:
    async def scenario() -> None:
        store, (there,) = await shared("v")
        await store.reserve("k", "r", "died", now=0, until=LEASE)
        effects = Effects()
        assert await there.once("k", "r", effects) == Done(b"answer 1", False)
        assert await there.once("k", "r", effects) == Done(b"answer 1", True)

    play(scenario)


def test_a_key_stands_for_one_request() -> None:
    async def scenario() -> None:
        _, (here, there) = await shared("w", "v")
        effects = Effects()
        effects.gate.clear()
        first = asyncio.create_task(here.once("k", "r", effects))
        await asyncio.sleep(0.01)
        for each in (here, there):
            with pytest.raises(KeyReused):
                await each.once("k", "other", effects)
        effects.gate.set()
        await first
        for each in (here, there):
            with pytest.raises(KeyReused):
                await each.once("k", "other", effects)
        assert effects.count == 1

    play(scenario)


def test_what_fails_is_done_again_when_it_is_asked_again() -> None:
    async def scenario() -> None:
        _, (here, there) = await shared("w", "v")

        async def fail() -> bytes:
            await asyncio.sleep(1)
            raise ValueError("no")

        effects = Effects()
        failing, waiting = asyncio.create_task(here.once("k", "r", fail)), here.once("k", "r", effects)
        await asyncio.sleep(0.5)
        assert await waiting == Done(b"answer 1", False)
        with pytest.raises(ValueError, match="no"):
            await failing
        with suppress(ValueError):
            await here.once("other", "r", fail)
        assert (await there.once("other", "another request", effects)).repeated is False

    play(scenario)


def test_it_goes_on_when_who_asked_has_gone() -> None:
    async def scenario() -> None:
        _, (here,) = await shared("w")
        effects = Effects()
        effects.gate.clear()
        first = asyncio.create_task(here.once("k", "r", effects))
        await asyncio.sleep(0.01)
        first.cancel()
        again = asyncio.create_task(here.once("k", "r", effects))
        await asyncio.sleep(0.01)
        effects.gate.set()
        assert await again == Done(b"answer 1", True)

    play(scenario)


def test_what_was_broken_off_is_done_by_the_next_process() -> None:
    async def scenario() -> None:
        _, (here, there) = await shared("w", "v")
        effects = Effects()
        effects.gate.clear()
        first = asyncio.create_task(here.once("k", "r", effects))
        await asyncio.sleep(0.01)
        await here.close()
        with pytest.raises(asyncio.CancelledError):
            await first
        effects.gate.set()
        assert await there.once("k", "r", effects) == Done(b"answer 2", False)

    play(scenario)


def test_an_answer_is_forgotten_after_a_day() -> None:
    async def scenario() -> None:
        _, (here,) = await shared("w")
        effects = Effects()
        await here.once("k", "r", effects)
        await asyncio.sleep(KEPT_SECONDS - 1)
        assert (await here.once("k", "r", effects)).repeated
        await asyncio.sleep(1)
        assert await here.once("k", "other", effects) == Done(b"answer 2", False)

    play(scenario)


def test_answers_that_were_kept_long_enough_are_let_go_of_without_anybody_asking() -> None:
    async def scenario() -> None:
        store, (here,) = await shared("w")
        for key in range(FORGOTTEN_AT_ONCE + 1):
            await here.once(str(key), "r", Effects())
        await asyncio.sleep(KEPT_SECONDS / 2)
        await here.once("late", "r", Effects())
        await asyncio.sleep(KEPT_SECONDS / 2)
        await here.forget()
        assert await store.forget_reservations(now=VirtualClock().now(), limit=1) == 0
        assert (await here.once("late", "r", Effects())).repeated

    play(scenario)


def test_an_answer_is_given_even_if_it_cannot_be_kept() -> None:
    async def scenario() -> None:
        store, (here,) = await shared("w")
        settle = store.settle

        async def away(*_: object) -> None:
            raise StoreUnavailable("away")

        store.settle = away  # type: ignore[method-assign]
        effects = Effects()
        assert (await here.once("k", "r", effects)).answer == b"answer 1"
        store.settle = settle  # type: ignore[method-assign]
        assert (await here.once("k", "r", effects)).answer == b"answer 2"
        assert (await here.once("k", "r", effects)).repeated

    play(scenario)
