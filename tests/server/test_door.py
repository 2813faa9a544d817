"""Who comes in, who does not, and how that is said: with both of aiohttp's parsers."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from .conftest import PROGRAM, Running, Serve, StartServer
from .wire import Answer, Rest, connect, exchange, read_answer, request


@pytest.fixture(scope="module", params=["compiled", "python"])
def door(request: pytest.FixtureRequest, serving_program: Any) -> str:
    """The URL of a server as a process, with one of aiohttp's parsers; deadlines are short."""
    environment = {"AIOHTTP_NO_EXTENSIONS": "1"} if request.param == "python" else {}
    program = serving_program("--store", "memory:", environment=environment)
    return str(program.url)


def ask(url: str, *arguments: Any, **words: Any) -> Answer:
    answer = exchange(url, request(*arguments, **words))
    assert answer is not None
    return answer


def test_a_web_page_cannot_reach_it_by_a_name_of_its_own(door: str) -> None:
    answer = ask(door, "GET", "/healthz", host="rebound.example.com")
    assert answer.status == 421
    assert "--allow-host" in answer.json["detail"]


@pytest.mark.parametrize(
    "host", ["localhost:8083", "127.0.0.1", "[::1]:8083", "sync-localhost", "a.localhost"]
)
def test_names_of_this_machine_are_known(door: str, host: str) -> None:
    assert ask(door, "GET", "/healthz", host=host).status == 200


def test_a_request_of_a_foreign_page_is_refused_and_one_of_its_own_is_not(door: str) -> None:
    assert ask(door, "GET", "/healthz", "Origin: https://evil.example.com").status == 403
    assert ask(door, "GET", "/healthz", "Origin: null").status == 403
    own = ask(door, "GET", "/healthz", "Origin: http://localhost")
    assert own.status == 200
    assert "access-control-allow-origin" not in own.headers


@pytest.mark.parametrize(
    ("bytes_sent", "status"),
    [
        pytest.param(b"GET /healthz HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: b\r\n\r\n", 400, id="two hosts"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, id="TLS"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, id="HTTP/2"),
        pytest.param(b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, id="a null in the path"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nA\r\n\r\n", 400, id="a header without colon"),
        pytest.param(b"G\xe9T / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, id="a method that is none"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400, id="a negative length"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            id="two ways to end",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            400,
            id="no chunk",
        ),
        pytest.param(request("GET", "/" + "a" * 10_000), 431, id="a long path"),
        pytest.param(request("GET", "/", "A: " + "a" * 10_000), 431, id="a long header"),
        pytest.param(request("GET", "/", *[f"A{n}: b" for n in range(500)]), 400, id="many headers"),
        pytest.param(request("POST", "/", "Content-Encoding: gzip", body=b"x"), 415, id="compressed"),
        pytest.param(request("GET", "/", "Connection: Upgrade", "Upgrade: websocket"), 400, id="upgrade"),
        pytest.param(request("POST", "/", "Expect: miracles", body=b"{}"), 417, id="an expectation"),
        pytest.param(
            request("POST", "/", f"Content-Length: {10**9}", "X-Amz-Target: A.B"), 413, id="a large body"
        ),
        pytest.param(request("DELETE", "/healthz"), 405, id="a method that is not for it"),
    ],
)
def test_what_is_wrong_gets_one_clean_answer(door: str, bytes_sent: bytes, status: int) -> None:
    answer = exchange(door, bytes_sent)
    assert answer is not None
    assert (answer.status, answer.json.get("status", status)) == (status, status)
    assert answer.headers["content-type"].startswith("application/")


def test_what_is_no_http_is_refused_in_the_protocol_it_seems_to_speak(door: str) -> None:
    torn = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AWSStepFunctions.ListActivities\r\nA\r\n\r\n"
    aws, rest = exchange(door, torn), exchange(door, torn.replace(b"X-Amz-Target", b"X-Other"))
    assert aws is not None
    assert aws.headers["content-type"] == "application/x-amz-json-1.0"
    assert aws.json["__type"]
    assert rest is not None
    assert rest.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(request("GET", "/healthz"), id="an answer"),
        pytest.param(request("GET", "/nowhere"), id="a refusal"),
        pytest.param(request("POST", "/", "X-Amz-Target: AWSStepFunctions.ListActivities"), id="AWS"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nA\r\n\r\n", id="no HTTP"),
    ],
)
def test_what_it_is_made_of_is_nobodys_business(door: str, sent: bytes) -> None:
    answer = exchange(door, sent)
    assert answer is not None
    assert answer.headers["server"] == "detent"


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PATCH", "PUT"])
def test_a_method_that_is_not_for_a_path_is_told_which_are(door: str, method: str) -> None:
    answer = ask(door, method, "/v1/machines")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert ask(door, method, "/nowhere").status == 404


def test_a_head_has_no_body(door: str) -> None:
    for path, status in (("/v1/machines", 200), ("/healthz", 200), ("/nowhere", 404)):
        with connect(door) as connection:
            connection.sendall(request("HEAD", path))
            said = b"".join(iter(lambda: connection.recv(65536), b""))
        assert said.startswith(b"HTTP/1.1 %d " % status)
        assert said.endswith(b"\r\n\r\n")


def test_whoever_waits_for_it_is_told_to_send_the_body(door: str) -> None:
    answer = ask(door, "POST", "/", "Expect: 100-continue", body=b"{}")
    assert answer.headers["content-type"] == "application/x-amz-json-1.0"


def test_a_request_keeps_its_id(door: str) -> None:
    assert ask(door, "GET", "/nowhere", "X-Request-Id: mine-7").headers["x-request-id"] == "mine-7"
    other = ask(door, "GET", "/nowhere", "X-Request-Id: not allowed\t!").headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", other)


def test_connections_are_kept_and_requests_in_a_row_answered(door: str) -> None:
    once = request("GET", "/healthz", close=False)
    with connect(door) as connection:
        connection.sendall(once + once)
        reader = Rest(connection)
        answers = [read_answer(reader) for _ in range(2)]
    assert [answer and answer.status for answer in answers] == [200, 200]


def test_half_sent_heads_are_cut(start_server: StartServer) -> None:
    server = start_server(head_seconds=0.1)
    connections = [connect(server.url) for _ in range(50)]
    for connection in connections[:40]:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: local")  # and ten say nothing at all
    try:
        answers = [read_answer(connection) for connection in connections]
    finally:
        for connection in connections:
            connection.close()
    assert {answer and (answer.status, answer.headers["server"]) for answer in answers} == {(408, "detent")}


def test_a_second_head_that_does_not_come_is_cut_as_well(start_server: StartServer) -> None:
    server = start_server(head_seconds=0.1)
    with connect(server.url) as connection:
        connection.sendall(request("GET", "/healthz", close=False))
        first = read_answer(connection)
        connection.sendall(b"GET /hea")
        second = read_answer(connection)
    assert [answer and answer.status for answer in (first, second)] == [200, 408]


def test_half_sent_bodies_are_cut(start_server: StartServer) -> None:
    server = start_server(body_seconds=0.1)
    with connect(server.url) as connection:
        connection.sendall(request("POST", "/v1/executions", "Content-Length: 100", close=False) + b"{")
        answer = read_answer(connection)
        assert answer is not None
        assert answer.status in (408, 404)
        assert connection.recv(1) == b""


def test_who_comes_when_there_is_no_room_is_turned_away(start_server: StartServer) -> None:
    server = start_server(connections_max=2)
    kept = [connect(server.url) for _ in range(2)]
    for connection in kept:
        connection.sendall(request("GET", "/healthz", close=False))
        assert read_answer(connection) is not None
    assert exchange(server.url, request("GET", "/healthz")) is None
    for connection in kept:
        connection.close()


def test_one_client_is_rationed_and_told_how(start_server: StartServer) -> None:
    server = start_server(requests_per_second=1.0)
    first, second, third = (ask(server.url, "GET", "/nowhere") for _ in range(3))
    assert (first.status, second.status, third.status) == (404, 404, 429)
    assert first.headers["ratelimit-limit"] == "2"
    assert (first.headers["ratelimit-remaining"], third.headers["ratelimit-remaining"]) == ("1", "0")
    assert int(third.headers["retry-after"]) >= 1
    assert ask(server.url, "GET", "/healthz").status == 200


def test_with_a_key_in_the_store_every_request_needs_one(serve: Serve, tmp_path: Path) -> None:
    key = keys(tmp_path, "create", "somebody").strip()
    assert key not in (tmp_path / "d.db").read_bytes().decode("latin-1")
    program = serve("--store", "d.db")
    assert ask(program.url, "GET", "/nowhere").status == 401
    assert ask(program.url, "GET", "/nowhere", f"Authorization: Bearer {key}").status == 404
    assert ask(program.url, "GET", "/nowhere", f"Authorization: Bearer {key}x").status == 401
    aws = ask(program.url, "POST", "/", "X-Amz-Target: AWSStepFunctions.ListActivities", body=b"{}")
    assert aws.status == 401
    assert aws.json["__type"]
    assert ask(program.url, "GET", "/healthz").status == 200
    (line,) = [line for line in keys(tmp_path, "list").splitlines() if "somebody" in line]
    keys(tmp_path, "revoke", line.split()[0])
    assert keys(tmp_path, "list", "--output", "json").strip() == "[]"


def test_it_listens_to_others_only_with_keys_or_on_request(serve: Serve, tmp_path: Path) -> None:
    refused = subprocess.run(
        [PROGRAM, "serve", "--host", "0.0.0.0", "--port", "0", "--store", "d.db"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert refused.returncode == 2
    assert "--unsafe-no-auth" in refused.stderr
    assert serve("--host", "0.0.0.0", "--store", "d.db", "--unsafe-no-auth").end() == 0
    keys(tmp_path, "create", "somebody")
    assert serve("--host", "0.0.0.0", "--store", "d.db").end() == 0


def test_other_names_are_known_when_they_are_allowed(start_server: StartServer) -> None:
    server = start_server(host_names=frozenset({"detent.internal"}))
    assert ask(server.url, "GET", "/healthz", host="Detent.Internal:80").status == 200


def test_it_is_ready_while_the_store_answers(server: Running) -> None:
    answer = ask(server.url, "GET", "/readyz")
    assert (answer.status, answer.json["checks"]) == (
        200,
        {"store": "ok", "migrations": "ok", "engine": "ok"},
    )
    server.call(server.server.service.engine.store.close())
    answer = ask(server.url, "GET", "/readyz")
    assert (answer.status, answer.json["checks"]["engine"]) == (503, "ok")


def test_it_is_not_ready_on_the_layout_of_another_release(start_server: StartServer, tmp_path: Path) -> None:
    url = start_server(store=str(tmp_path / "d.db")).url
    with closing(sqlite3.connect(tmp_path / "d.db")) as connection:
        connection.execute("PRAGMA user_version = 9999")
    answer = ask(url, "GET", "/readyz")
    assert (answer.status, answer.json["status"]) == (503, "unavailable")
    assert answer.json["checks"] == {
        "store": "ok",
        "migrations": "cannot be told: StoreTooNew",
        "engine": "ok",
    }


def keys(folder: Path, *arguments: str) -> str:
    """What ``detent keys`` prints."""
    command = [PROGRAM, "keys", *arguments, "--store", "d.db"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout
