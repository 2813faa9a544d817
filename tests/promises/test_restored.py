"""A copy made while executions run, put back as the pages say: everything goes on from the moment of the copy."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from store.server import Server

from .judge import findings
from .test_server_killed import DEFINITION
from .world import PROGRAM, World, world

ASK: Any = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": "signal:answer", "End": True}}}
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:work"
WORK: Any = {"StartAt": "W", "States": {"W": {"Type": "Task", "Resource": ACTIVITY, "End": True}}}
WAIT: Any = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 5, "End": True}}}
ITEMS = {"items": [1, 2, 3]}


class Kept:
    """A world, how its store is copied while it is in use, and how the copy is put back when nobody uses it."""

    def __init__(self, under: World, copy: Callable[[], None], restore: Callable[[], None]) -> None:
        self.under = under
        self.copy = copy
        self.restore = restore


@pytest.fixture
def in_a_file(tmp_path: Path) -> Iterator[Kept]:
    """As docs/durability.md has it."""
    with world(tmp_path) as under:
        store, copy = tmp_path / "detent.db", tmp_path / "copy.db"

        def back_up() -> None:
            subprocess.run([PROGRAM, "backup", str(copy), "--store", under.store], check=True)

        def restore() -> None:
            for suffix in ("-wal", "-shm"):
                store.with_name(store.name + suffix).unlink(missing_ok=True)
            copy.replace(store)

        yield Kept(under, back_up, restore)


@pytest.fixture
def in_a_database(postgres_server: Server, tmp_path: Path) -> Iterator[Kept]:
    """As docs/postgres.md has it."""
    address = postgres_server.address
    with world(tmp_path, store=address) as under:
        under.environment["DETENT_LEASE_SECONDS"] = "2"

        def back_up() -> None:
            postgres_server.tool(
                "pg_dump", "--format=custom", "--schema=detent", "--file=detent.dump", address
            )

        def restore() -> None:
            postgres_server.tool("psql", address, "-c", "DROP SCHEMA IF EXISTS detent CASCADE")
            postgres_server.tool("pg_restore", f"--dbname={address}", "detent.dump")

        yield Kept(under, back_up, restore)


@pytest.fixture(params=["in_a_file", "in_a_database"])
def kept(request: pytest.FixtureRequest) -> Kept:
    found: Kept = request.getfixturevalue(request.param)
    return found


def test_what_is_restored_goes_on_from_the_moment_of_the_copy(kept: Kept) -> None:
    under = kept.under
    under.start()
    under.sfn("CreateActivity", name="work")
    for name, definition in {"busy": DEFINITION, "ask": ASK, "work": WORK, "wait": WAIT}.items():
        under.machine(name, definition)
    assert under.begin("busy", "before", ITEMS)
    before = under.insist("GET", "/v1/executions/busy:before?wait=90s").json
    for machine in ("ask", "work", "wait"):
        assert under.begin(machine, machine)
    token = under.sfn("GetActivityTask", activityArn=ACTIVITY).json["taskToken"]
    answered = under.insist("POST", "/v1/machines/ask/versions", {}, {"Idempotency-Key": "one"})

    # The copy is made while executions begin, work and end.
    acknowledged: list[str] = []
    first, copied = threading.Event(), threading.Event()

    def go_on_starting() -> None:
        number = 0
        while not copied.is_set() or number < 10:
            assert under.begin("busy", f"e{number}", ITEMS)
            acknowledged.append(f"e{number}")
            number += 1
            if number == 5:
                first.set()

    starting = threading.Thread(target=go_on_starting, daemon=True)
    starting.start()
    assert first.wait(100)
    surely = {"before", "ask", "work", "wait", *acknowledged}
    kept.copy()
    copied.set()
    starting.join()
    assert (
        under.insist("POST", "/v1/executions/ask:ask/signal", {"name": "answer", "value": "then"}).status
        == 202
    )
    assert under.sfn("SendTaskSuccess", taskToken=token, output='"then"').status == 200
    assert under.begin("busy", "after", ITEMS)
    assert {one["status"] for one in under.until_ended().values()} == {"SUCCEEDED"}
    under.kill()

    kept.restore()
    under.start()
    there = under.executions()
    assert surely <= there.keys()
    assert "after" not in there
    assert under.insist("GET", "/v1/executions/busy:before").json == before
    # What waits for time may have ended by now; nobody has answered the others.
    assert {there[name]["status"] for name in ("ask", "work")} == {"RUNNING"}
    again = under.insist("POST", "/v1/machines/ask/versions", {}, {"Idempotency-Key": "one"})
    assert again.json == answered.json
    assert (
        under.insist("POST", "/v1/executions/ask:ask/signal", {"name": "answer", "value": "now"}).status
        == 202
    )
    assert under.sfn("SendTaskSuccess", taskToken=token, output='"now"').status == 200
    ended = under.until_ended()
    assert {one["status"] for one in ended.values()} == {"SUCCEEDED"}
    for name in ("ask", "work"):
        assert under.insist("GET", f"/v1/executions/{name}:{name}").json["output"] == "now"
    wrong = {name: said for name, one in ended.items() if (said := findings(under.history(one["id"])))}
    assert not wrong
    assert under.begin("busy", "new", ITEMS)
    assert under.insist("GET", "/v1/executions/busy:new?wait=90s").json["status"] == "SUCCEEDED"
