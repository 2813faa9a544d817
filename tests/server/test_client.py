"""The client of a server: what it answers, what it repeats, what it raises."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import msgspec
import pytest

from detent.client import AsyncClient, Client, ClientError, Execution, ExecutionSummary, Machine
from detent.client.shapes import Activity, Judgement, MachineSummary, Task, Tried, Version
from detent.server.rest import definitions, executions, machines, tasks, trials, versions

from .api import FAIL, HOLD, PASS
from .conftest import Running, StartServer

ASK = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": "signal:answer", "End": True}}}


@pytest.fixture
def client(server: Running) -> Iterator[Client]:
    with Client(server.url) as client:
        for name, definition in {"pass": PASS, "hold": HOLD, "fail": FAIL, "ask": ASK}.items():
            client.create_machine(name, definition)
        yield client


# Machines


def test_a_machine_is_created_found_and_changed(client: Client) -> None:
    assert [machine.name for machine in client.machines()] == ["pass", "hold", "fail", "ask"]
    machine = client.machine("pass")
    assert machine.definition == PASS
    changed = client.update_machine("pass", FAIL, etag=machine.etag)
    assert (changed.definition, changed.etag == machine.etag) == (FAIL, False)
    with pytest.raises(ClientError) as refused:
        client.update_machine("pass", PASS, etag=machine.etag)
    assert (refused.value.problem, refused.value.status) == ("definition-changed", 412)


def test_versions_are_published_and_deployed(client: Client) -> None:
    version = client.publish_version("pass", description="the first")
    client.deploy("pass", version.version)
    assert [(one.version, one.aliases) for one in client.versions("pass")] == [(1, ["live"])]
    assert client.start("pass", alias="live", wait=60).alias == f"{client.machine('pass').arn}:live"


def test_a_version_is_deprecated_and_deleted(client: Client) -> None:
    client.publish_version("pass")
    assert client.deprecate("pass", 1).deprecated_at is not None
    with pytest.raises(ClientError) as refused:
        client.start("pass", version=1)
    assert refused.value.problem == "version-deprecated"
    assert client.deprecate("pass", 1, deprecated=False).deprecated_at is None
    client.delete_version("pass", 1)
    assert client.versions("pass") == []


def test_a_machine_is_copied_judged_tried_and_drawn(client: Client) -> None:
    assert client.clone_machine("pass", "copy").definition == PASS
    assert client.validate(PASS).valid
    judged = client.validate({"StartAt": "Nowhere", "States": {}})
    assert (judged.valid, "missing-target" in {found["code"] for found in judged.findings}) == (False, True)
    tried = client.test("ask", "Ask", {"n": 1}, mock={"result": 42})
    assert (tried.status, tried.output, tried.error) == ("SUCCEEDED", 42, None)
    failed = client.test("ask", mock={"error": "Broken"}, inspection_level="DEBUG")
    assert (failed.status, failed.error, "input" in failed.inspection) == ("FAILED", "Broken", True)
    assert client.graph("pass").startswith("<svg")
    assert "A" in client.graph("pass", format="mermaid")


# Tasks


def test_a_worker_takes_tasks_and_answers_them(client: Client) -> None:
    activity = client.create_activity("reviews")
    assert [one.arn for one in client.activities()] == [activity.arn]
    assert client.poll("reviews", wait=0.01) is None
    work = {"Type": "Task", "Resource": activity.arn, "HeartbeatSeconds": 600, "End": True}
    client.create_machine("work", {"StartAt": "W", "States": {"W": work}})
    good, bad = client.start("work", {"n": 1}), client.start("work", {"n": 2})
    for _ in (good, bad):
        task = client.poll("reviews", worker="me", wait=60)
        assert task is not None
        client.heartbeat(task.token)
        if task.input == {"n": 1}:
            client.succeed(task.token, "fine")
        else:
            client.fail(task.token, error="Refused", cause="of reasons")
    assert client.wait(good.id).output == "fine"
    assert (client.wait(bad.id).error, client.wait(bad.id).cause) == ("Refused", "of reasons")
    with pytest.raises(ClientError) as refused:
        client.succeed("no token")
    assert refused.value.problem == "invalid-token"
    client.delete_activity("reviews")
    assert list(client.activities()) == []


def test_a_machine_is_deleted(client: Client) -> None:
    client.delete_machine("pass")
    assert "pass" not in [machine.name for machine in client.machines()]


def test_a_definition_that_cannot_run_is_refused_with_everything_found_in_it(client: Client) -> None:
    with pytest.raises(ClientError) as refused:
        client.create_machine("bad", {"StartAt": "Nowhere", "States": {}})
    assert refused.value.status == 400
    assert {"missing-target"} <= {found["code"] for found in refused.value.more["diagnostics"]}


# Executions


def test_who_waits_gets_the_end(client: Client) -> None:
    ended = client.start("pass", {"n": 1}, wait=60)
    assert (ended.status, ended.output, ended.started_at.tzinfo) == ("SUCCEEDED", {"n": 1}, UTC)
    assert client.wait(client.start("fail").id).error == "Broken"


def test_who_waits_in_vain_gets_how_it_stands(client: Client) -> None:
    started = client.start("hold", {"seconds": 3600}, wait=0.01)
    assert (started.status, started.states) == ("RUNNING", ["Hold"])
    assert client.execution("hold:" + started.name) == started


def test_a_key_and_a_name_start_one_execution(client: Client) -> None:
    assert client.start("pass", key="order-7") == client.start("pass", key="order-7")
    assert client.start("ask", name="seven").id == client.start("ask", name="seven").id
    for key, problem in ((None, "execution-exists"), ("seven", "execution-exists")):
        with pytest.raises(ClientError) as refused:
            client.start("ask", {"other": 1}, name="seven", key=key)
        assert refused.value.problem == problem
    with pytest.raises(ClientError) as refused:
        client.start("pass", {"other": 1}, key="order-7")
    assert refused.value.problem == "idempotency-key-reused"
    assert len(list(client.executions())) == 2


def test_every_page_of_a_search_is_read(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detent.client.asynchronous.PAGE", 2)
    started = [client.start("pass", wait=60).id for _ in range(5)]
    client.start("fail", wait=60)
    assert [one.id for one in client.executions(status="SUCCEEDED", machine="pass")] == started[::-1]
    later = datetime.now(UTC) + timedelta(days=1)
    assert list(client.executions(started_after=later)) == []
    assert len(list(client.executions(started_before=later))) == 6


def test_the_history_is_read_to_its_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detent.client.asynchronous.HISTORY_PAGE", 2)
    ended = client.start("pass", wait=60)
    told = [event["type"] for event in client.history(ended.id)]
    assert told == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    assert [event["type"] for event in client.follow(ended.id)] == told


def test_events_are_followed_until_the_end(client: Client) -> None:
    started = client.start("ask")
    told = []
    for event in client.follow(started.id):
        told.append(event["type"])
        if event["type"] == "TaskScheduled":
            client.signal(started.id, "answer", 42)
    assert (told[0], told[-1]) == ("ExecutionStarted", "ExecutionSucceeded")
    assert client.execution(started.id).output == 42


def test_executions_are_paused_resumed_stopped_redriven_and_forgotten(client: Client) -> None:
    id = client.start("ask").id
    client.pause(id)
    until(client, id, paused=True)
    client.resume(id, "by hand")
    assert client.wait(id).output == "by hand"
    id = client.start("ask").id
    assert client.stop(id, error="Enough", cause="it is late").cause == "it is late"
    assert client.redrive(id) >= client.execution(id).started_at
    client.signal(id, "answer")
    assert client.wait(id).status == "SUCCEEDED"
    client.delete(id)
    with pytest.raises(ClientError) as refused:
        client.execution(id)
    assert (refused.value.problem, refused.value.status) == ("not-found", 404)


def until(client: Client, id: str, *, paused: bool) -> None:
    while client.execution(id).paused is not paused:
        client.wait(id, 0.05)


def test_an_exported_execution_is_the_file_of_the_command(client: Client) -> None:
    from detent.recording import read_recording

    recording = read_recording(client.export(client.start("pass", wait=60).id))
    assert (recording.facts.status, recording.definition) == ("SUCCEEDED", PASS)


def test_programs_with_an_event_loop_wait_for_many_at_once(client: Client, server: Running) -> None:
    async def many() -> list[Execution]:
        async with AsyncClient(server.url) as client:
            return await asyncio.gather(*[client.start("pass", n, wait=60) for n in range(20)])

    assert [ended.output for ended in asyncio.run(many())] == list(range(20))


def test_both_clients_do_the_same() -> None:
    def methods(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert methods(Client) == methods(AsyncClient)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Execution, executions.ExecutionDetails),
        (ExecutionSummary, executions.ExecutionSummary),
        (Machine, machines.Machine),
        (MachineSummary, machines.MachineSummary),
        (Version, versions.MachineVersion),
        (Judgement, definitions.Judgement),
        (Tried, trials.Tried),
        (Activity, tasks.Activity),
        (Task, tasks.TaskForWorker),
    ],
)
def test_the_client_knows_every_member_of_an_answer(ours: Any, theirs: Any) -> None:
    def names(shape: Any) -> set[str]:
        return {field.encode_name for field in msgspec.structs.fields(shape)}

    assert names(ours) - {"etag"} == names(theirs)


# What goes wrong


def test_a_key_is_sent(start_server: StartServer) -> None:
    from detent.server.keys import Keys

    running = start_server()
    key = running.call(Keys(running.server.service.engine.store).create("me", 0))
    with Client(running.url, api_key=key) as client:
        assert list(client.machines()) == []


class Unwilling(HTTPServer):
    """Answers with some statuses, one after the other, and then well; status 0 hangs up."""

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.statuses = statuses
        self.keys: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Unwilling

    def do_POST(self) -> None:
        self.server.keys.append(self.headers["Idempotency-Key"])
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 0:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        body = b'{"redrivenAt": "2026-11-21T10:15:00Z"}' if status == 200 else b"busy"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """One event after the last that was read, the second of which is cut off; then the end."""
        seen = int(self.headers["Last-Event-ID"])
        self.server.keys.append(str(seen))
        event = f'id: {seen + 1}\nevent: Any\ndata: {{"id": {seen + 1}}}\n\n'
        text = f":\n\n{event}id: {seen + 2}\ndata: half" if seen < 2 else "event: end\ndata: {}\n\n"
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def unwilling() -> Iterator[Any]:
    begun: list[tuple[Unwilling, threading.Thread]] = []

    def begin(*statuses: int) -> Unwilling:
        server = Unwilling(list(statuses))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        begun.append((server, thread))
        return server

    yield begin
    for server, thread in begun:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [429, 503, 0])
def test_what_is_busy_or_hangs_up_is_asked_again_with_the_same_key(unwilling: Any, status: int) -> None:
    server = unwilling(status, status)
    with Client(server.url) as client:
        client.redrive("a:b")
    assert (len(server.keys), len(set(server.keys)), None in server.keys) == (3, 1, False)


def test_a_stream_that_is_cut_off_goes_on_after_the_last_event(unwilling: Any) -> None:
    server = unwilling()
    with Client(server.url) as client:
        assert [event["id"] for event in client.follow("a:b")] == [1, 2]
    assert server.keys == ["0", "1", "2"]


def test_after_so_many_tries_it_gives_up(unwilling: Any) -> None:
    server = unwilling(503, 503, 503)
    with Client(server.url, retries=1) as client, pytest.raises(ClientError) as refused:
        client.redrive("a:b")
    assert (len(server.keys), refused.value.status, refused.value.problem) == (2, 503, "no-problem")


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with Client(url, retries=1) as client, pytest.raises(ClientError, match=f"{url} does not answer"):
            client.machine("pass")
    with pytest.raises(ClientError, match="write http://HOST:PORT"):
        Client("localhost:8083")
