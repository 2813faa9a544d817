"""Worker processes on one Postgres: killed, frozen beyond their leases, their database stopped at once.

Every start that was acknowledged comes to one end, no history has a gap, an effect repeats only where a worker died,
lost its lease or lost its database. ``TORTURE=N pytest tests/torture/test_fleet.py`` runs N rounds of faults.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import pytest
from store.server import Server

from detent.audit import verify
from detent.core.events import ExecutionEnded
from detent.runtime.compose import Names, open_engine, start_execution
from detent.runtime.member import Member
from detent.runtime.offers import Offers
from detent.runtime.recall import recall_steps
from detent.store.base import Found, Query, StoreUnavailable
from detent.store.postgres import PostgresStore

ROUNDS = int(os.environ.get("TORTURE", "3"))
WORKERS = 3
EXECUTIONS = 20 * ROUNDS
LEASE = 2
#: For tests in which no lease is to run out, however busy the machine is.
UNHURRIED = ("--lease-seconds", "60")
HANDLERS = Path(__file__).with_name("fleet_handlers.py")
#: Far more than anything takes.
PATIENCE = 240

DEFINITION: Any = {
    "StartAt": "First",
    "States": {
        "First": {"Type": "Task", "Resource": "task:first", "Next": "Pause"},
        "Pause": {"Type": "Wait", "Seconds": 2, "Next": "Last"},
        "Last": {"Type": "Task", "Resource": "task:last", "End": True},
    },
}
POISON: Any = {"StartAt": "P", "States": {"P": {"Type": "Task", "Resource": "task:poison", "End": True}}}


class Fleet:
    """Worker processes; one that has ended is started again, as a supervisor would."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self.effects = folder / "effects"
        self.effects.touch()
        self.log = (folder / "log").open("ab")
        self.processes: list[subprocess.Popen[bytes]] = []

    def keep(self, count: int = WORKERS, *more: str) -> None:
        self.processes = [one for one in self.processes if one.poll() is None]
        while len(self.processes) < count:
            command = [str(Path(sys.executable).with_name("detent")), "worker"]
            options = [
                "--handlers",
                str(HANDLERS),
                "--store",
                self.address,
                "--lease-seconds",
                str(LEASE),
                *more,
            ]
            environment = {**os.environ, "EFFECTS": str(self.effects)}
            self.processes.append(
                subprocess.Popen([*command, *options], env=environment, stdout=self.log, stderr=self.log)
            )

    def at_work(self) -> int:
        """How many workers have ever begun to work."""
        return Path(self.log.name).read_bytes().count(b" is at work\n")

    def end(self) -> list[int]:
        """Their exit codes after SIGTERM."""
        for one in self.processes:
            one.send_signal(signal.SIGCONT)
            one.terminate()
        return [one.wait(60) for one in self.processes]

    def close(self) -> None:
        for one in self.processes:
            one.kill()
            one.wait()
        self.log.close()

    def runs(self) -> Counter[tuple[str, str]]:
        """How often each attempt had its effect, by key and execution."""
        lines = (line.split() for line in self.effects.read_text().splitlines())
        return Counter((key, name) for key, name, _ in lines)


@pytest.fixture
def fleet(postgres_server: Server, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(postgres_server.address, tmp_path)
    yield fleet
    fleet.close()


async def start(address: str, definition: Any, machine: str, names: list[str]) -> None:
    """Start executions and leave them to others; acknowledged when this returns."""
    member = Member(offers=Offers(()))
    async with open_engine(address, lambda resource: None, member=member) as engine:
        await asyncio.gather(
            *(start_execution(engine, definition, Names(machine), name, {"n": name}) for name in names)
        )


async def ends(address: str, between: Any = None) -> dict[str, Found]:
    """Wait for the end of everything; ``between`` is called while it is not there."""
    until = time.monotonic() + PATIENCE
    store = PostgresStore(address)
    await store.open(engine=False)
    try:
        while time.monotonic() < until:
            try:
                found = await store.find(Query(limit=10_000))
            except StoreUnavailable:
                continue
            if all(one.head.ended_at is not None for one in found):
                for one in found:
                    _, steps = await recall_steps(store, one.record.id)
                    assert verify(steps) == []
                    kinds = [type(event) for step in steps for event in step.events]
                    assert kinds.count(ExecutionEnded) == 1
                return {one.record.name: one for one in found}
            if between is not None:
                between()
            await asyncio.sleep(0.1)
        raise AssertionError([one.record.name for one in found if one.head.ended_at is None])
    finally:
        await store.close()


def test_nothing_is_lost_while_workers_and_their_database_die(fleet: Fleet, postgres_server: Server) -> None:
    random = Random(1)
    names = [f"e{number}" for number in range(EXECUTIONS)]
    asyncio.run(start(fleet.address, DEFINITION, "work", names))
    fleet.keep()

    async def faults() -> None:
        for number in range(ROUNDS):
            await asyncio.sleep(random.uniform(1.0, 2.0))
            victim = random.choice(fleet.processes)
            if number % 3 == 0:
                victim.kill()
                victim.wait()
            elif number % 3 == 1:
                victim.send_signal(signal.SIGSTOP)
                await asyncio.sleep(LEASE * random.uniform(1.3, 2.0))
                victim.send_signal(signal.SIGCONT)
            else:
                postgres_server.stop()
                postgres_server.start()
            fleet.keep()

    async def scenario() -> dict[str, Found]:
        await faults()
        return await ends(fleet.address, fleet.keep)

    found = asyncio.run(scenario())
    assert set(found) == set(names)
    assert {one.head.status for one in found.values()} == {"SUCCEEDED"}
    runs = fleet.runs()
    assert len(runs) == 2 * EXECUTIONS, "an effect is missing, or an attempt has two keys"
    assert max(runs.values()) <= 1 + ROUNDS
    assert set(fleet.end()) == {0}


def test_without_faults_every_effect_takes_place_once(fleet: Fleet) -> None:
    names = [f"e{number}" for number in range(EXECUTIONS)]
    asyncio.run(start(fleet.address, DEFINITION, "work", names))
    fleet.keep()
    found = asyncio.run(ends(fleet.address))
    assert len(found) == EXECUTIONS
    runs = fleet.runs()
    assert (len(runs), set(runs.values())) == (2 * EXECUTIONS, {1})


def task(resource: str) -> Any:
    return {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "End": True}}}


def test_a_worker_that_is_told_to_end_finishes_what_runs_and_hands_over_the_rest(fleet: Fleet) -> None:
    """Nothing is done twice, though one worker after the other goes."""
    names = [f"e{number}" for number in range(60)]
    asyncio.run(start(fleet.address, task("task:slow"), "slow", names))
    fleet.keep(2, *UNHURRIED)
    begun = 2

    def replace() -> None:
        nonlocal begun
        if 0 < len(fleet.runs()) < len(names) and fleet.at_work() == begun:
            oldest = fleet.processes.pop(0)
            fleet.keep(2, *UNHURRIED)
            begun += 1
            oldest.terminate()
            assert oldest.wait(60) == 0

    found = asyncio.run(ends(fleet.address, replace))
    assert {one.head.status for one in found.values()} == {"SUCCEEDED"}
    runs = fleet.runs()
    assert (len(runs), set(runs.values())) == (len(names), {1})


def test_a_limit_holds_in_the_whole_fleet(fleet: Fleet) -> None:
    names = [f"e{number}" for number in range(20)]
    asyncio.run(start(fleet.address, task("task:gpu"), "gpu", names))
    fleet.keep(3, "--limit", "task:gpu=2", *UNHURRIED)
    found = asyncio.run(ends(fleet.address))
    assert {one.head.status for one in found.values()} == {"SUCCEEDED"}
    words = fleet.effects.with_name("gpu").read_text().split()
    at_once = list(accumulate(1 if word == "begin" else -1 for word in words))
    assert (words.count("begin"), max(at_once), at_once[-1]) == (len(names), 2, 0)


def test_an_execution_that_kills_its_workers_is_quarantined(fleet: Fleet) -> None:
    names = [f"n{number}" for number in range(30)]
    asyncio.run(start(fleet.address, DEFINITION, "work", names))
    asyncio.run(start(fleet.address, POISON, "poison", ["poison"]))
    fleet.keep(2)
    found = asyncio.run(ends(fleet.address, lambda: fleet.keep(2)))
    assert found.pop("poison").head.status == "FAILED"
    assert {one.head.status for one in found.values()} == {"SUCCEEDED"}
    assert sum(count for (_, name), count in fleet.runs().items() if name == "poison") <= 10
