"""Requests that are sent again under the same Idempotency-Key: one effect and one answer, whoever answers."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from store.databases import named, run
from store.server import shared_server

from detent.server.keys import open_keys
from detent.server.rest.api import OPERATIONS

from .api import FAIL, HOLD, PASS, Api, Told
from .conftest import StartServer

ASK = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": "signal:answer", "End": True}}}
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:review"
WORK = {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": ACTIVITY, "End": True}}}
KEY = {"Idempotency-Key": "once"}


class Request(NamedTuple):
    """One that changes something. ``other`` is another body; ``again`` the status after a crash before the answer,
    where that is another one."""

    method: str
    path: str
    body: Any = None
    other: Any = None
    again: int | None = None


def running(api: Api) -> str:
    return f"/v1/executions/{api.start('ask')['id']}"


def paused(api: Api) -> str:
    path = running(api)
    api("POST", f"{path}/pause")
    while not api("GET", path, wait="10ms")["paused"]:
        pass
    return path


def ended(api: Api, machine: str) -> str:
    return f"/v1/executions/{api('POST', '/v1/executions', {'machine': machine}, wait='30s')['id']}"


def published(api: Api) -> str:
    assert api("POST", "/v1/machines/ask/versions").status == 201
    return "/v1/machines/ask"


def token(api: Api) -> str:
    api("POST", "/v1/activities", {"name": "review"})
    api.machine("work", WORK)
    api.start("work")
    given: str = api("POST", "/v1/activities/review/poll")["token"]
    return given


def created(api: Api) -> str:
    api("POST", "/v1/activities", {"name": "rest"})
    return "/v1/activities/rest"


#: By the name of the operation: a request of it, for which something may have to be done before.
REQUESTS: dict[str, Callable[[Api], Request]] = {
    "start_execution": lambda _: Request("POST", "/v1/executions", {"machine": "ask"}, {"machine": "hold"}),
    "stop_execution": lambda api: Request("POST", f"{running(api)}/stop", {"error": "E"}, {"error": "F"}),
    "redrive_execution": lambda api: Request("POST", f"{ended(api, 'fail')}/redrive"),
    "delete_execution": lambda api: Request("DELETE", ended(api, "pass"), again=404),
    "signal_execution": lambda api: Request(
        "POST", f"{running(api)}/signal", {"name": "answer", "value": 1}, {"name": "answer", "value": 2}
    ),
    "pause_execution": lambda api: Request("POST", f"{running(api)}/pause"),
    # It has ended the execution.
    "resume_execution": lambda api: Request(
        "POST", f"{paused(api)}/resume", {"value": 1}, {"value": 2}, again=409
    ),
    "create_machine": lambda _: Request(
        "POST",
        "/v1/machines",
        {"name": "new", "definition": PASS},
        {"name": "newer", "definition": PASS},
        again=200,
    ),
    "update_machine": lambda _: Request(
        "PUT", "/v1/machines/ask", {"definition": PASS}, {"definition": HOLD}
    ),
    "delete_machine": lambda _: Request("DELETE", "/v1/machines/pass", again=404),
    "clone_machine": lambda _: Request("POST", "/v1/machines/ask/clone", {"name": "a"}, {"name": "b"}),
    "publish_version": lambda _: Request("POST", "/v1/machines/ask/versions", {}, {"description": "x"}),
    "deprecate_version": lambda api: Request(
        "POST", f"{published(api)}/versions/1/deprecate", {}, {"deprecated": False}
    ),
    "deploy_version": lambda api: Request(
        "POST", f"{published(api)}/deploy", {"version": 1}, {"version": 1, "alias": "other"}
    ),
    "delete_version": lambda api: Request("DELETE", f"{published(api)}/versions/1"),
    "succeed_task": lambda api: Request(
        "POST",
        "/v1/tasks/succeed",
        {"token": (given := token(api))},
        {"token": given, "output": 1},
        again=409,
    ),
    "fail_task": lambda api: Request(
        "POST", "/v1/tasks/fail", {"token": (given := token(api))}, {"token": given, "error": "E"}, again=409
    ),
    "create_activity": lambda _: Request("POST", "/v1/activities", {"name": "a"}, {"name": "b"}),
    "delete_activity": lambda api: Request("DELETE", created(api), again=404),
}
#: What only looks, and what may be done any number of times, or must not be told twice.
NOT_KEYED = {"validate_definition", "try_state", "beat_task", "poll_activity"}


def test_every_operation_that_changes_something_takes_a_key() -> None:
    keyed = {operation.name for operation in OPERATIONS if operation.keyed}
    changing = {operation.name for operation in OPERATIONS if operation.method != "GET"}
    assert keyed == changing - NOT_KEYED == set(REQUESTS)


class Place:
    """A store in a file, and servers on it one after the other."""

    def __init__(self, path: Path, start: Callable[[Path], Any]) -> None:
        self._path = path
        self._start = start
        self._running = self._start(path)
        self.api = Api(self._running.url)

    def restart(self, change: str | None = None) -> None:
        """End the server and start another one, after a change of the store."""
        self._running.end()
        if change is not None:
            with closing(sqlite3.connect(self._path)) as file, file:
                assert file.execute(change).rowcount == 1
        self._running = self._start(self._path)
        self.api = Api(self._running.url)

    def effects(self) -> Any:
        """What there is: executions, letters to them, and everything that has a name."""
        with closing(sqlite3.connect(self._path)) as file:
            executions = file.execute("SELECT id, started_at FROM execution ORDER BY id").fetchall()
            letters = file.execute("SELECT execution, dedupe FROM inbox ORDER BY 1, 2").fetchall()
            documents = file.execute("SELECT collection, id, body, revision FROM document ORDER BY 1, 2")
            return executions, letters, documents.fetchall()


@pytest.fixture
def place(start_server: StartServer, tmp_path: Path) -> Place:
    made = Place(tmp_path / "x.db", lambda path: start_server(store=str(path)))
    for name, definition in {"pass": PASS, "hold": HOLD, "fail": FAIL, "ask": ASK}.items():
        made.api.machine(name, definition)
    return made


def send(api: Api, request: Request, body: Any = None, key: dict[str, str] = KEY) -> Told:
    return api(request.method, request.path, request.body if body is None else body, key)


def said(told: Told) -> Any:
    return told.status, told.body, told.headers.get("etag"), told.headers.get("location")


@pytest.mark.parametrize("operation", REQUESTS)
def test_a_repetition_gets_the_same_answer_and_changes_nothing(place: Place, operation: str) -> None:
    request = REQUESTS[operation](place.api)
    first = send(place.api, request)
    assert first.status < 300, first.body
    assert "idempotent-replayed" not in first.headers
    effects = place.effects()
    again = send(place.api, request)
    assert said(again) == said(first)
    assert again.headers["idempotent-replayed"] == "true"
    place.restart()
    assert said(send(place.api, request)) == said(first)
    assert place.effects() == effects
    if request.other is not None:
        other = send(place.api, request, request.other)
        assert (other.status, other["type"]) == (422, "urn:detent:problem:idempotency-key-reused")
        assert send(place.api, request, request.other, {"Idempotency-Key": "other"}).status < 500


@pytest.mark.parametrize("operation", REQUESTS)
def test_what_was_done_when_the_server_died_before_its_answer_is_not_done_again(
    place: Place, operation: str
) -> None:
    request = REQUESTS[operation](place.api)
    first = send(place.api, request)
    effects = place.effects()
    place.restart("UPDATE reservation SET holder = 'a server that died', answer = x'' WHERE holder IS NULL")
    again = send(place.api, request)
    assert again.status == (request.again or first.status), again.body
    assert place.effects() == effects


@pytest.mark.parametrize("name", [None, "seven"])
def test_a_start_whose_answer_was_lost_is_found_also_when_it_has_ended(
    place: Place, name: str | None
) -> None:
    body = {"machine": "pass"} | ({} if name is None else {"name": name})
    first = place.api("POST", "/v1/executions", body, KEY, wait="30s")
    assert first["status"] == "SUCCEEDED"
    place.restart("DELETE FROM reservation")
    assert place.api("POST", "/v1/executions", body, KEY)["id"] == first["id"]
    place.restart("DELETE FROM reservation")
    other = place.api("POST", "/v1/executions", body | {"input": 1}, KEY)
    assert (other.status, other["type"]) == (422, "urn:detent:problem:idempotency-key-reused")
    assert len(place.api("GET", "/v1/executions")["executions"]) == 1


def test_what_was_refused_may_be_asked_again(place: Place) -> None:
    body = {"machine": "new"}
    assert place.api("POST", "/v1/executions", body, KEY).status == 404
    place.api.machine("new", PASS)
    assert place.api("POST", "/v1/executions", body, KEY).status == 202


@pytest.mark.parametrize("key", ["x" * 256, "a\tb", ""])
def test_a_key_has_1_to_255_printable_characters(place: Place, key: str) -> None:
    told = place.api("POST", "/v1/executions", {"machine": "pass"}, {"Idempotency-Key": key})
    assert (told.status, told["type"]) == (400, "urn:detent:problem:invalid-idempotency-key")
    assert place.api("GET", "/v1/executions")["executions"] == []


def test_a_key_belongs_to_who_sent_it_and_to_what_it_was_sent_for(
    start_server: StartServer, tmp_path: Path
) -> None:
    async def make_keys() -> list[str]:
        async with open_keys(str(tmp_path / "x.db")) as keys:
            return [await keys.create(name, 0) for name in ("me", "you")]

    mine, yours = ({"Authorization": f"Bearer {key}"} for key in asyncio.run(make_keys()))
    api = Api(start_server(store=str(tmp_path / "x.db")).url)
    for name, who in (("a", mine), ("b", yours)):
        body = {"name": name, "definition": PASS}
        assert api("POST", "/v1/machines", body, KEY | who).status == 201
        assert api("POST", f"/v1/machines/{name}/versions", {}, KEY | mine).status == 201


# Two servers on one database, and many clients that ask at once


@pytest.fixture
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.getbasetemp()
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    with shared_server(folder if worker is None else folder.parent) as postgres:
        name = f"detent_{worker or 'main'}_idempotency"
        run(postgres, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        run(postgres, f"CREATE DATABASE {name}")
        yield named(postgres, name)
        run(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def test_of_many_at_once_on_two_servers_one_has_an_effect(database: str, start_server: StartServer) -> None:
    servers = [Api(start_server(store=database).url) for _ in range(2)]
    servers[0].machine("ask", ASK)
    starts = [("POST", "/v1/executions", {"machine": "ask", "input": n}, f"start-{n}") for n in range(10)]
    publish = [("POST", "/v1/machines/ask/versions", {}, "publish")]
    with ThreadPoolExecutor(16) as pool:

        def ask(number: int, request: tuple[str, str, Any, str]) -> Told:
            method, path, body, key = request
            return servers[number % 2](method, path, body, {"Idempotency-Key": key})

        told = {
            request[3]: [pool.submit(ask, number, request) for number in range(8)]
            for request in starts + publish
        }
        answers = {
            key: {(each.result().status, each.result().body) for each in of} for key, of in told.items()
        }
    assert {len(each) for each in answers.values()} == {1}, answers
    assert {status for each in answers.values() for status, _ in each} == {201, 202}
    found = servers[1]("GET", "/v1/executions", limit=100)["executions"]
    assert sorted(one["id"] for one in found) == sorted(
        json.loads(body)["id"] for key, each in answers.items() if key != "publish" for _, body in each
    )
    ((_, version),) = answers["publish"]
    assert json.loads(version)["version"] == 1


def test_a_name_is_one_execution_whichever_server_starts_it(
    database: str, start_server: StartServer, boto: Callable[..., Any]
) -> None:
    """Without any key: the same input while it runs is the same execution, anything else is a conflict."""
    servers = [start_server(store=database) for _ in range(2)]
    apis = [Api(each.url) for each in servers]
    arn = apis[0].machine("ask", ASK)["arn"]
    clients = [boto(each) for each in servers]

    def start(number: int) -> str:
        if number % 4 < 2:
            given: str = clients[number % 2].start_execution(
                stateMachineArn=arn, name="one", input='{"n": 1}'
            )["executionArn"]
            return given
        told = apis[number % 2].start("ask", {"n": 1}, name="one")
        assert told.status == 202, told.body
        return str(told["id"])

    with ThreadPoolExecutor(16) as pool:
        (id,) = set(pool.map(start, range(16)))
    assert len(apis[0]("GET", "/v1/executions")["executions"]) == 1
    conflict = "urn:detent:problem:execution-exists"
    assert apis[1].start("ask", {"n": 2}, name="one")["type"] == conflict
    with pytest.raises(clients[1].exceptions.ExecutionAlreadyExists):
        clients[1].start_execution(stateMachineArn=arn, name="one", input='{"n": 2}')
    apis[1]("POST", f"/v1/executions/{id}/stop")
    assert apis[0]("GET", f"/v1/executions/{id}", wait="60s")["status"] == "ABORTED"
    assert apis[1].start("ask", {"n": 1}, name="one")["type"] == conflict
    with pytest.raises(clients[0].exceptions.ExecutionAlreadyExists):
        clients[0].start_execution(stateMachineArn=arn, name="one", input='{"n": 1}')
