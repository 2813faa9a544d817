"""What a server and a worker forget of executions that have ended, while they go on working."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from detent.client import Client
from detent.runtime.keeping import Retention

from .api import HOLD, PASS
from .conftest import Serve, StartServer

PROGRAM = str(Path(sys.executable).with_name("detent"))
#: Far more than anything takes, in seconds.
PATIENCE = 100


def until(client: Client, machine: str, count: int) -> None:
    """Wait until so many executions of a machine are left."""
    end = time.monotonic() + PATIENCE
    while (found := len(list(client.executions(machine=machine)))) != count:
        assert time.monotonic() < end, found
        time.sleep(0.05)


def test_a_server_forgets_what_it_need_not_keep_while_it_works(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detent.runtime.upkeep.EVERY_SECONDS", 0.05)
    monkeypatch.setattr("detent.runtime.keeping.BATCH", 3)
    server = start_server(retention=Retention(count=2, counts={"more": 5}, ages={"none": 0.0}))
    with Client(server.url) as client:
        for name in ("few", "more", "none"):
            client.create_machine(name, PASS)
        client.create_machine("hold", HOLD)
        held = client.start("hold", {"seconds": 3600})
        last = [client.start(name, n).id for n in range(10) for name in ("few", "more", "none")][-3:]
        for name, count in (("few", 2), ("more", 5), ("none", 0)):
            until(client, name, count)
        assert client.execution(held.id).status == "RUNNING"
        assert client.execution(last[0]).output == 9


def test_serve_and_worker_take_what_to_keep_by_options(serve: Serve, tmp_path: Path) -> None:
    store = str(tmp_path / "x.db")
    program = serve("--store", store)
    with Client(program.url) as client:
        for name in ("few", "more", "all"):
            client.create_machine(name, PASS)
            for n in range(4):
                client.start(name, n, wait=PATIENCE)
    program.end()
    # Without a word all is kept.
    program = serve("--store", store, "--keep-count", "2", "--keep-count", "all=100", "--keep-age", "more=1h")
    with Client(program.url) as client:
        until(client, "few", 2)
        until(client, "more", 2)
        assert len(list(client.executions(machine="all"))) == 4
    program.end()
    options = ["--keep-age", "all=0s"]
    with subprocess.Popen(
        [PROGRAM, "worker", "--store", store, *options], stderr=subprocess.DEVNULL
    ) as worker:
        end = time.monotonic() + PATIENCE
        while left(store) != {"few": 2, "more": 2}:
            assert time.monotonic() < end, left(store)
        worker.terminate()
        assert worker.wait(PATIENCE) == 0


def left(store: str) -> dict[str, int]:
    """How many executions of each machine there are."""
    said = subprocess.run(
        [PROGRAM, "executions", "--store", store, "--output", "json"], capture_output=True, check=True
    )
    counts: dict[str, int] = {}
    for one in json.loads(said.stdout)["executions"]:
        name: Any = one["machine"].rpartition(":")[2]
        counts[name] = counts.get(name, 0) + 1
    return counts


@pytest.mark.parametrize(
    "words",
    [
        ("--keep-age", "soon"),
        ("--keep-age", "orders="),
        ("--keep-count", "x=1.5"),
        ("--file-root", "/nowhere/at/all"),
    ],
)
@pytest.mark.parametrize("command", [("serve",), ("worker", "--store", "memory:")])
def test_an_option_that_says_nothing_is_refused(command: tuple[str, ...], words: tuple[str, ...]) -> None:
    said = subprocess.run(
        [PROGRAM, *command, *words], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert (said.returncode, words[0] in said.stderr) == (2, True), said.stderr
