"""What definitions from outside may reach: programs, files and private addresses only as far as the operator allows.

Each way by which a definition comes in is tried, on a server and on a worker, first with nothing allowed, then with all
that is needed.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from detent.client import Client
from detent.core.execution import RUNNING
from detent.runtime.compose import Names, open_engine, open_records, start_execution
from detent.runtime.member import Member
from detent.runtime.offers import Offers
from detent.runtime.recall import recall
from detent.store.url import open_store

from .api import Api
from .conftest import Program, Serve
from .test_aws_executions import ROLE

PROGRAM = str(Path(sys.executable).with_name("detent"))
#: Far more than anything takes, in seconds.
PATIENCE = 100
INPUT = {"items": [1, 2, 3]}


class Private(ThreadingHTTPServer):
    """A server on this machine that knows what it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Private

    def _answer(self) -> None:
        self.server.asked.add(self.path)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"[1,2,3]")

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def private() -> Iterator[Private]:
    with Private() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Reach(NamedTuple):
    """A definition that reaches for something of this machine, whether it got it, and what it is told if not."""

    definition: Any
    got_it: Callable[[], bool]
    refusal: str


def task(resource: str) -> Any:
    return {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": resource, "End": True}}}


def mapping(**fields: Any) -> Any:
    body = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "End": True}},
    }
    return {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": body, "End": True, **fields}}}


def program(tag: str, folder: Path, private: Private) -> Reach:
    made = folder / f"{tag}.touched"
    return Reach(task(f"exec:touch {made}"), made.exists, "allow it with --allow-exec touch")


def file_read(tag: str, folder: Path, private: Private) -> Reach:
    items = folder / f"{tag}.json"
    items.write_text("[1,2,3]")
    reader = mapping(ItemReader={"Resource": f"file://{items}"})
    return Reach(reader, lambda: True, "outside the folders")


def file_written(tag: str, folder: Path, private: Private) -> Reach:
    to = {"Resource": f"file://{folder}/", "Parameters": {"Prefix": tag}}
    writer = mapping(ItemsPath="$.items", ResultWriter=to)
    return Reach(writer, (folder / tag).exists, "outside the folders")


def private_task(tag: str, folder: Path, private: Private) -> Reach:
    return Reach(task(f"{private.url}/{tag}"), lambda: f"/{tag}" in private.asked, "private address")


def private_items(tag: str, folder: Path, private: Private) -> Reach:
    reader = mapping(ItemReader={"Resource": f"{private.url}/{tag}.json"})
    return Reach(reader, lambda: f"/{tag}.json" in private.asked, "private address")


KINDS = {make.__name__: make for make in (program, file_read, file_written, private_task, private_items)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reached")


@pytest.fixture(scope="module")
def options(folder: Path) -> list[str]:
    """What allows everything that is reached for here."""
    return ["--allow-exec", "touch", "--file-root", str(folder), "--allow-private"]


@pytest.fixture(scope="module")
def strict(serving_program: Serve) -> Program:
    return serving_program("--store", "memory:")


@pytest.fixture(scope="module")
def lenient(serving_program: Serve, options: list[str]) -> Program:
    return serving_program("--store", "memory:", *options)


# Servers


def by_rest(server: Program, name: str, definition: Any, boto: Any) -> None:
    with Client(server.url) as client:
        client.create_machine(name, definition)
        client.start(name, INPUT, name="x")


def by_aws(server: Program, name: str, definition: Any, boto: Any) -> None:
    sfn = boto(server)
    made = sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
    sfn.start_execution(stateMachineArn=made["stateMachineArn"], name="x", input=json.dumps(INPUT))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("door", [by_rest, by_aws])
def test_a_server_reaches_what_it_was_allowed_and_nothing_else(
    door: Any, kind: str, strict: Program, lenient: Program, folder: Path, private: Private, boto: Any
) -> None:
    for server in (strict, lenient):
        name = f"{kind}-{door.__name__}-{'strict' if server is strict else 'lenient'}"
        reach = KINDS[kind](name, folder, private)
        door(server, name, reach.definition, boto)
        with Client(server.url) as client:
            ended = client.wait(f"{name}:x", PATIENCE)
        if server is strict:
            assert (ended.status, reach.refusal in (ended.cause or "")) == ("FAILED", True), ended
            assert kind == "file_read" or not reach.got_it()
        else:
            assert (ended.status, reach.got_it()) == ("SUCCEEDED", True), ended


@pytest.mark.parametrize("kind", ["program", "private_task"])
def test_a_state_that_is_only_tried_reaches_no_more(
    kind: str, strict: Program, folder: Path, private: Private, boto: Any
) -> None:
    reach = KINDS[kind](f"{kind}-tried", folder, private)
    tried = boto(strict).test_state(definition=json.dumps(reach.definition["States"]["A"]), roleArn=ROLE)
    assert (tried["status"], reach.refusal in tried["cause"]) == ("FAILED", True), tried
    api = Api(strict.url)
    api.machine(f"{kind}-tried", reach.definition)
    tried = api("POST", f"/v1/machines/{kind}-tried/test", {})
    assert (tried["status"], reach.refusal in tried["cause"]) == ("FAILED", True), tried
    assert not reach.got_it()


@pytest.mark.parametrize("address", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]"])
def test_link_local_addresses_are_never_reached(lenient: Program, address: str) -> None:
    with Client(lenient.url) as client:
        name = f"metadata-{abs(hash(address))}"
        client.create_machine(name, task(f"http://{address}/latest"))
        ended = client.start(name, wait=PATIENCE)
    assert (ended.status, ended.error) == ("FAILED", "States.Permissions")
    assert "link-local address" in str(ended.cause)


def test_a_file_that_is_served_is_refused_at_once(folder: Path, private: Private) -> None:
    reach = program("served", folder, private)
    (folder / "served.json").write_text(json.dumps(reach.definition))
    served = subprocess.run(
        [PROGRAM, "serve", str(folder / "served.json"), "--port", "0", "--store", "memory:"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert served.returncode == 1
    assert "unhandled-resource" in served.stderr
    assert "allow it with --allow-exec touch" in served.stderr


def test_one_program_that_is_allowed_allows_no_other(lenient: Program, folder: Path) -> None:
    with Client(lenient.url) as client:
        for number, words in enumerate(("/usr/bin/env touch", "sh -c touch", "./touch", "touching")):
            client.create_machine(f"other-{number}", task(f"exec:{words} {folder / 'never'}"))
            assert client.start(f"other-{number}", wait=PATIENCE).status == "FAILED"
    assert not (folder / "never").exists()


# Workers


async def leave(store: str, reaches: dict[str, Reach]) -> None:
    """Start executions that wait, and leave it to others to go on with them."""
    async with open_engine(store, lambda _: None, member=Member(offers=Offers(()))) as engine:
        for name, reach in reaches.items():
            await start_execution(engine, waiting(reach.definition), Names(name), "x", INPUT)
    async with open_records(store) as records:
        for name in reaches:
            await records.signal(Names(name).execution_arn("x"), "go", None, patience=0)


def waiting(definition: Any) -> Any:
    """The same after a signal."""
    go = {"Type": "Task", "Resource": "signal:go", "ResultPath": None, "Next": definition["StartAt"]}
    return {"StartAt": "Go", "States": {"Go": go, **definition["States"]}}


async def look(store: str, names: list[str]) -> dict[str, tuple[str, str | None]]:
    """How executions stand: status and cause."""
    opened = open_store(store)
    await opened.open(engine=False)
    try:
        states = {name: (await recall(opened, Names(name).execution_arn("x")))[1] for name in names}
        return {name: (state.status, state.cause) for name, state in states.items()}
    finally:
        await opened.close()


@contextmanager
def worker(store: str, options: list[str]) -> Iterator[None]:
    with subprocess.Popen(
        [PROGRAM, "worker", "--store", store, *options], stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()


def ends(store: str, names: list[str], running: set[str]) -> dict[str, tuple[str, str | None]]:
    """How executions stand once no others are running than those that are meant to."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = asyncio.run(look(store, names))
        if {name for name, (status, _) in found.items() if status == RUNNING} <= running:
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_a_worker_reaches_what_it_was_allowed_and_nothing_else(
    tmp_path: Path, folder: Path, private: Private, options: list[str]
) -> None:
    store = str(tmp_path / "x.db")
    refused = {f"{kind}-worker": make(f"{kind}-worker", folder, private) for kind, make in KINDS.items()}
    asyncio.run(leave(store, refused))
    with worker(store, []):
        found = ends(store, list(refused), {"program-worker"})
        for name, reach in refused.items():
            status, cause = found[name]
            if name == "program-worker":  # what nobody does waits for somebody who does
                assert status == RUNNING
                continue
            assert (status, reach.refusal in (cause or "")) == ("FAILED", True), (name, found[name])
        assert not any(reach.got_it() for name, reach in refused.items() if name != "file_read-worker")
    allowed = {f"{kind}-allowed": make(f"{kind}-allowed", folder, private) for kind, make in KINDS.items()}
    asyncio.run(leave(store, allowed))
    with worker(store, options):
        found = ends(store, ["program-worker", *allowed], set())
        assert {status for status, _ in found.values()} == {"SUCCEEDED"}, found
        assert all(reach.got_it() for reach in [refused["program-worker"], *allowed.values()])
