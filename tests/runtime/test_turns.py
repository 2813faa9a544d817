"""What takes long takes turns with what does not, and what holds much waits until others hold less."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detent.compile import compile_definition, digest_of
from detent.core.execution import FAILED, SUCCEEDED, Execution
from detent.core.signals import Fired, Started
from detent.core.values import Payload
from detent.runtime.actor import Actor, Actors
from detent.runtime.aside import Aside
from detent.runtime.clock import SystemClock
from detent.runtime.compose import Names, open_engine, start_execution
from detent.runtime.mailboxes import Mailboxes
from detent.runtime.recall import recall, recall_decisions
from detent.store.base import ExecutionRecord
from detent.store.memory import MemoryStore

MEGABYTE = 1024 * 1024
WAIT = {"Type": "Wait", "Seconds": 60, "End": True}
NAMES = Names("m")


def actor(definition: Any, name: str) -> Actor:
    """One that has not begun."""
    id = NAMES.execution_arn(name)
    record = ExecutionRecord(id, name, NAMES.machine_arn, digest_of(definition), "detent", 0)
    made = Actor(record, compile_definition(definition), Execution(), 1, created=False)
    made.receive(Started(id, name, "m", record.digest, "detent", "", Payload(None), None), 0, 0)
    return made


def nobody(resource: str, arguments: object = None) -> None:
    return None


def run(*definitions: Any, url: str = "memory:") -> list[Execution]:
    """How executions of these definitions end that are started together."""

    async def one(engine: Any, name: str, definition: Any) -> Execution:
        record = await start_execution(engine, definition, NAMES, name, None)
        return await engine.result(record.id)  # type: ignore[no-any-return]

    async def all_of_them() -> list[Execution]:
        async with open_engine(url, nobody) as engine:
            return await asyncio.gather(
                *(one(engine, f"e{index}", definition) for index, definition in enumerate(definitions))
            )

    return asyncio.run(all_of_them())


def test_those_that_take_long_are_taken_apart_and_in_turns_with_the_others() -> None:
    actors = Actors()
    mailboxes = Mailboxes(actors, SystemClock())
    for name in ("a", "slow-1", "b", "slow-2", "c", "slow-3"):
        actors[name] = actor({"StartAt": "W", "States": {"W": WAIT}}, name)
        actors[name].slow = name.startswith("slow")
        mailboxes.make_ready(name)
    assert mailboxes.ready == 6

    def taken(limit: int) -> list[str]:
        return [one.record.name for one in mailboxes.take(limit)]

    first = [taken(1), taken(10)]
    mailboxes.make_ready("a")
    then = [taken(1), taken(10), taken(10), taken(10)]
    assert first == [["slow-1"], ["a", "b", "c"]]
    assert then == [["slow-2"], ["a"], ["slow-3"], []]
    assert mailboxes.empty


class Groups:
    """How many executions were committed together, each time."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def committed(self, batches: int, seconds: float) -> None:
        self.sizes.append(batches)

    def fired(self, late: int) -> None:
        pass


def test_those_that_take_long_do_not_keep_each_other_waiting_for_the_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("detent.runtime.rounds.SLOW_SECONDS", -1.0)
    groups = Groups()

    async def scenario() -> None:
        states = {f"W{n}": {"Type": "Wait", "Seconds": 0, "Next": f"W{n + 1}"} for n in range(3)}
        definition = {"StartAt": "W0", "States": {**states, "W3": {"Type": "Succeed"}}}
        async with open_engine("memory:", nobody) as engine:
            engine.measure(groups)
            starts = (start_execution(engine, definition, NAMES, f"e{n}", None) for n in range(5))
            for record in await asyncio.gather(*starts):
                assert (await engine.result(record.id)).status == SUCCEEDED

    asyncio.run(scenario())
    assert sum(groups.sizes) == 20
    assert groups.sizes.count(1) >= 15, "after the first decision of each all wait for their turns"


def test_a_decision_that_takes_long_leaves_the_rest_of_the_mail_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    branches = [{"StartAt": f"W{n}", "States": {f"W{n}": WAIT}} for n in range(3)]
    parallel = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": branches, "End": True}}}
    one = actor(parallel, "e")
    begun = one.decide("owner", "release", hurried=True)
    assert begun is not None
    monkeypatch.setattr("detent.runtime.actor.DECISION_SECONDS", -1.0)
    for pending in begun.opened:
        one.receive(Fired(pending.id), 60_000, 0)
    decided = []
    while one.mailbox:
        offer = one.decide("owner", "release", hurried=True)
        assert offer is not None
        decided.append([step.signal for step in offer.steps])
    assert decided == [[Fired(pending.id)] for pending in begun.opened]
    assert one.execution.status == SUCCEEDED


def test_whatever_is_decided_at_a_time_an_execution_comes_to_the_same_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("detent.runtime.actor.DECISION_SECONDS", -1.0)
    monkeypatch.setattr("detent.runtime.rounds.SLOW_SECONDS", -1.0)
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "M",
        "States": {
            "M": {
                "Type": "Map",
                "Items": "{% [1..1500] %}",
                "ItemProcessor": {
                    "StartAt": "P",
                    "States": {"P": {"Type": "Pass", "Output": "{% $states.input * 2 %}", "End": True}},
                },
                "End": True,
            }
        },
    }
    for ended in run(*[definition] * 3, url=str(tmp_path / "detent.db")):
        assert ended.output is not None
        assert ended.output.value == list(range(2, 3001, 2))


@pytest.mark.parametrize("read", [recall, recall_decisions])
def test_others_get_their_turn_while_a_long_log_is_read(
    read: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detent.runtime.recall.TURN_EVENTS", 1)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def scenario() -> None:
        states = {f"W{n}": {"Type": "Wait", "Seconds": 0, "Next": f"W{n + 1}"} for n in range(20)}
        definition = {"StartAt": "W0", "States": {**states, "W20": {"Type": "Succeed"}}}
        store = MemoryStore()
        async with open_engine(store, nobody) as engine:
            record = await start_execution(engine, definition, NAMES, "e", None)
            await engine.result(record.id)
            beside = asyncio.create_task(other())
            await read(store, record.id)
            beside.cancel()

    asyncio.run(scenario())
    assert turns > 20


@pytest.fixture
def in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each evaluation others have their turn: all decisions come to hold much at the same time."""
    for module in ("evaluations", "aside"):
        monkeypatch.setattr(f"detent.runtime.{module}.DECISION_SECONDS", 0.0)


@pytest.mark.usefixtures("in_turns")
def test_decisions_that_hold_much_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detent.runtime.aside.FREE_WORDS", 100_000)
    monkeypatch.setattr("detent.runtime.aside.LARGE_MAX", 1)
    forgotten: list[int] = []
    forget = Actor.forget_outcomes

    def forget_and_tell(self: Actor) -> None:
        forgotten.append(self.outcome_words)
        forget(self)

    monkeypatch.setattr(Actor, "forget_outcomes", forget_and_tell)
    output = {f"k{n}": "{% [1..9999] %}" for n in range(20)}
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Assign": output, "Output": "{% 3 + 4 %}", "End": True}},
    }
    ended = run(*[definition] * 4)
    assert [one.output and one.output.value for one in ended] == [7] * 4
    assert len(forgotten) == 3
    assert min(forgotten) > 100_000


def resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.usefixtures("in_turns")
def test_many_decisions_of_many_expressions_do_not_hold_all_their_outcomes_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = {f"k{n}": "{% [1..9999] %}" for n in range(300)}
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Output": output, "End": True}},
    }
    seen = [resident()]
    put_off = Aside.put_off

    def put_off_and_look(self: Aside, actor: Actor, request: bytes | None) -> None:
        seen.append(resident())
        put_off(self, actor, request)

    monkeypatch.setattr(Aside, "put_off", put_off_and_look)
    assert {one.status for one in run(*[definition] * 8)} == {FAILED}
    assert len(seen) > 8
    assert max(seen) - seen[0] < 100 * MEGABYTE
