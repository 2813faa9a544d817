"""Server-sent events: of one execution, and of all."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from detent.core.codec import Step
from detent.core.events import StateEntered
from detent.core.execution import Execution
from detent.core.signals import Fired
from detent.core.values import Payload
from detent.server.feed import WAITING_MAX
from detent.server.rest import events

from .api import HOLD, PASS, Api
from .conftest import Running


class Sent(NamedTuple):
    kind: str
    data: Any
    id: int | None


@pytest.fixture
def api(server: Running) -> Api:
    found = Api(server.url)
    found.machine("pass", PASS)
    found.machine("hold", HOLD)
    return found


Stream = Callable[..., HTTPResponse]


@pytest.fixture
def stream(api: Api) -> Iterator[Stream]:
    """Begins to follow: what comes is still to be read, and the server watches already."""
    with ExitStack() as stack:

        def begin(path: str, **headers: str) -> HTTPResponse:
            connection = stack.enter_context(closing(HTTPConnection(urlsplit(api.url).netloc, timeout=90)))
            connection.request("GET", path, headers=headers)
            response = stack.enter_context(connection.getresponse())
            assert response.getheader("Content-Type") == "text/event-stream"
            assert response.getheader("Server") == "detent"
            assert response.readline() == b":\n"
            return response

        yield begin


def sent(response: HTTPResponse) -> Iterator[Sent]:
    """Events until the stream ends."""
    fields: dict[str, str] = {}
    for line in map(bytes.decode, response):
        name, _, value = line.rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif "event" in fields:
            id = fields.get("id")
            yield Sent(fields["event"], json.loads(fields["data"]), None if id is None else int(id))
            fields = {}


def test_an_execution_that_has_ended_is_told_from_its_history(api: Api, stream: Stream) -> None:
    id = api("POST", "/v1/executions", {"machine": "pass"}, wait="60s")["id"]
    told = list(sent(stream(f"/v1/executions/{id}/events")))
    assert [(each.id, each.kind) for each in told] == [
        (1, "ExecutionStarted"),
        (2, "PassStateEntered"),
        (3, "PassStateExited"),
        (4, "ExecutionSucceeded"),
        (None, "end"),
    ]
    assert told[0].data == api("GET", f"/v1/executions/{id}/history")["events"][0]
    assert told[-1].data == {"execution": id, "status": "SUCCEEDED"}


def test_who_does_not_read_is_cut_off(api: Api, server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "WRITE_SECONDS", 0.2)
    chain = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(40)}
    api.machine("chain", {"StartAt": "S0", "States": chain | {"S40": {"Type": "Pass", "End": True}}})
    id = api("POST", "/v1/executions", {"machine": "chain", "input": "x" * 500_000}, wait="60s")["id"]
    place = urlsplit(api.url)
    watchers = server.server.service.feed._watchers
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(90)
        slow.connect((place.hostname, place.port))
        slow.sendall(f"GET /v1/executions/{id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert slow.recv(15) == b"HTTP/1.1 200 OK"
        while watchers:
            time.sleep(0.01)
        rest = bytearray()
        with suppress(ConnectionResetError):
            while part := slow.recv(1 << 20):
                rest += part
    assert not rest.endswith(b"0\r\n\r\n"), "it was sent to its end all the same"


def test_who_was_cut_off_goes_on_where_it_was(api: Api, stream: Stream) -> None:
    id = api("POST", "/v1/executions", {"machine": "pass"}, wait="60s")["id"]
    told = sent(stream(f"/v1/executions/{id}/events", **{"Last-Event-ID": "2"}))
    assert [each.kind for each in told] == ["PassStateExited", "ExecutionSucceeded", "end"]
    wrong = api("GET", f"/v1/executions/{id}/events", headers={"Last-Event-ID": "two"})
    assert (wrong.status, wrong["type"]) == (400, "urn:detent:problem:invalid-event-id")
    assert api("GET", "/v1/executions/pass:nobody/events").status == 404


def test_a_running_execution_is_followed_to_its_end(api: Api, stream: Stream) -> None:
    id = api.start("hold", {"seconds": 3600})["id"]
    told = sent(stream(f"/v1/executions/{id}/events"))
    assert [next(told).kind for _ in range(2)] == ["ExecutionStarted", "WaitStateEntered"]
    api("POST", f"/v1/executions/{id}/stop")
    assert [each.kind for each in told] == ["ExecutionAborted", "end"]


def test_all_executions_are_told_live(api: Api, stream: Stream) -> None:
    told = sent(stream("/v1/events"))
    id = api.start("pass")["id"]
    first, second, third = (next(told) for _ in range(3))
    assert [first.kind, second.kind, third.kind] == ["started", "entered", "succeeded"]
    assert (second.data["execution"], second.data["machine"], second.data["state"]) == (id, "pass", "A")


def test_the_end_of_the_server_ends_the_streams(server: Running, api: Api, stream: Stream) -> None:
    id = api.start("hold", {"seconds": 3600})["id"]
    one, every = sent(stream(f"/v1/executions/{id}/events")), sent(stream("/v1/events"))
    server.loop.call_soon_threadsafe(server.server.service.feed.close)
    assert [each.kind for each in one][-1] == "closed"
    assert [each.kind for each in every] == ["closed"]


def test_who_reads_too_slowly_is_told_and_cut_off(server: Running, api: Api, stream: Stream) -> None:
    response = stream("/v1/events")
    steps = [Step(Fired(1), 0, "", [StateEntered(0, "A", "Pass", Payload({}), 0, 0, 0)] * (WAITING_MAX + 1))]
    observe = server.server.service.feed.observe
    server.loop.call_soon_threadsafe(observe, Execution(id="e", machine_name="m"), steps)
    assert [each.kind for each in sent(response)] == ["overflow"]


def test_the_answer_has_the_id_of_the_request(api: Api) -> None:
    assert api("GET", "/v1/machines", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"] == "mine-1"
    assert len(api("GET", "/v1/machines").headers["x-request-id"]) == 32
