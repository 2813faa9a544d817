"""Tasks that POST to a URL, against a real server on the loopback address."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from detent.core.values import JSON
from detent.runtime.handlers.base import TaskError, task_key
from detent.runtime.handlers.guards import PUBLIC_ONLY, Guards
from detent.runtime.handlers.registry import Registry

from .conftest import Await, Do, call

SECRET = "Bearer s3cr3t-t0k3n"
LINK_LOCAL_ONLY = Guards(link_local=True)
PRIVATE_TOO = Guards(private=True)


class Server:
    """Answers every POST with what the test has put into ``answer``, and keeps the requests."""

    def __init__(self) -> None:
        self.answer = web.Response
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.arrived = asyncio.Event()
        self.url = ""

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((dict(request.headers), await request.read()))
        self.arrived.set()
        answer = self.answer()
        return await answer if asyncio.iscoroutine(answer) else answer

    def answers(self, body: bytes | str, status: int = 200, **more: Any) -> None:
        body = body.encode() if isinstance(body, str) else body
        self.answer = lambda: web.Response(status=status, body=body, **more)  # type: ignore[assignment]  # set by tests


@pytest.fixture
def server(on_loop: Await) -> Iterator[Server]:
    server = Server()
    runner = on_loop(server.start())
    yield server
    on_loop(runner.cleanup())


def failure(do: Do, resource: str, arguments: JSON = None) -> TaskError:
    with pytest.raises(TaskError) as caught:
        do(resource, arguments)
    return caught.value


def test_the_arguments_are_posted_as_json_with_the_idempotency_key(server: Server, do: Do) -> None:
    server.answers("{}")
    do(server.url + "/charge?a=1", {"amount": 2**70, "über": "\ud800"})
    [(headers, body)] = server.requests
    assert json.loads(body) == {"amount": 2**70, "über": "\ud800"}
    assert headers["Content-Type"] == "application/json"
    assert headers["Idempotency-Key"] == task_key("e-1", 7)
    assert headers["User-Agent"] == "detent"


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ('{"id": 12345678901234567890123, "rate": 1.0}', {"id": 12345678901234567890123, "rate": 1.0}),
        ("[]", []),
        ("null", None),
        ("", None),
        (" \n", None),
        ("plain text", "plain text"),
        ('{"n": NaN}', '{"n": NaN}'),
        ("1e400", "1e400"),
        ('{"half": ', '{"half": '),
        (b"\xff", "\ufffd"),
        pytest.param("[" * 500 + "]" * 500, "[" * 500 + "]" * 500, id="deep"),
        pytest.param("[" * 100_000, "[" * 100_000, id="very deep"),
        pytest.param("9" * 5000, "9" * 5000, id="long number"),
    ],
)
def test_the_result_is_the_bodys_value_or_its_text(
    server: Server, do: Do, body: bytes | str, result: JSON
) -> None:
    server.answers(body)
    assert do(server.url) == result


@pytest.mark.parametrize("status", [201, 204])
def test_every_success_is_one(server: Server, do: Do, status: int) -> None:
    server.answers("", status)
    assert do(server.url) is None


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_a_status_is_an_error_with_the_body_as_its_cause(server: Server, do: Do, status: int) -> None:
    server.answers("try later", status)
    error = failure(do, server.url)
    assert (error.error, error.cause) == (f"States.Http.StatusCode.{status}", "try later")


def test_a_long_cause_is_cut(server: Server, do: Do) -> None:
    server.answers("x" * 1_000_000, 500)
    assert failure(do, server.url).cause == "x" * 32_765 + "..."


def test_a_redirect_is_not_followed(server: Server, do: Do) -> None:
    server.answers("elsewhere", 307, headers={"Location": server.url + "/other"})
    assert failure(do, server.url).error == "States.Http.StatusCode.307"
    assert len(server.requests) == 1


def test_an_answer_beyond_all_bounds_is_refused(server: Server, do: Do) -> None:
    server.answers(b"1" * (8 * 1024 * 1024 + 1))
    error = failure(do, server.url)
    assert error.error == "States.DataLimitExceeded"
    assert "more than 8388608 bytes" in (error.cause or "")


def test_no_cookie_travels_from_task_to_task(server: Server, do: Do) -> None:
    server.answers("", headers={"Set-Cookie": "session=1"})
    do(server.url)
    do(server.url)
    assert all("Cookie" not in headers for headers, _ in server.requests)


def test_nobody_listening_is_a_socket_error(do: Do) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = failure(do, f"http://127.0.0.1:{port}/secret-path")
    assert error.error == "States.Http.Socket"
    assert f"no connection to 127.0.0.1:{port}: " in (error.cause or "")
    assert "secret-path" not in (error.cause or "")


def test_an_unknown_host_is_a_socket_error(do: Do) -> None:
    assert failure(do, "http://no-such-host.invalid/").error == "States.Http.Socket"


def test_an_answer_that_breaks_off_is_a_socket_error(on_loop: Await, do: Do) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    half_server = on_loop(asyncio.start_server(half, "127.0.0.1", 0))
    port = half_server.sockets[0].getsockname()[1]
    error = failure(do, f"http://127.0.0.1:{port}/")
    half_server.close()
    assert error.error == "States.Http.Socket"


def test_what_is_no_http_is_a_socket_error(on_loop: Await, do: Do) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n")
        writer.close()

    other = on_loop(asyncio.start_server(nonsense, "127.0.0.1", 0))
    error = failure(do, f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}/")
    other.close()
    assert error.error == "States.Http.Socket"


def test_a_cancelled_task_gives_its_connection_up(server: Server, registry: Registry, on_loop: Await) -> None:
    released = asyncio.Event()

    async def waiting() -> web.Response:
        await released.wait()
        return web.Response()

    async def scene() -> None:
        server.answer = waiting  # type: ignore[assignment]  # set by tests
        running = asyncio.ensure_future(registry.resolve(server.url).run(call(server.url), lambda: None))
        await server.arrived.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        released.set()

    on_loop(scene())


class TestConnections:
    """Headers that a definition must not hold."""

    @pytest.fixture
    def environment(self, server: Server) -> dict[str, str]:
        described = {"origin": server.url, "headers": {"Authorization": SECRET, "X-Tenant": "t1"}}
        return {"DETENT_CONNECTION_BILLING_EU": json.dumps(described)}

    @pytest.fixture
    def registry(self, environment: dict[str, str], on_loop: Await) -> Iterator[Registry]:
        registry = Registry(environment=environment)
        yield registry
        on_loop(registry.close())

    def test_a_named_connection_sends_its_headers(self, server: Server, do: Do) -> None:
        server.answers("1")
        do(server.url + "/x#connection=billing-eu")
        [(headers, _)] = server.requests
        assert (headers["Authorization"], headers["X-Tenant"]) == (SECRET, "t1")

    def test_without_its_name_nothing_is_sent(self, server: Server, do: Do) -> None:
        server.answers("1")
        do(server.url)
        assert "Authorization" not in server.requests[0][0]

    def test_secrets_are_blotted_out_of_causes(self, server: Server, do: Do) -> None:
        server.answers(f"bad token s3cr3t-t0k3n in '{SECRET}'", 401)
        cause = failure(do, server.url + "#connection=billing-eu").cause or ""
        assert cause == "bad token *** in '***'"

    @pytest.mark.parametrize(
        ("resource", "reason"),
        [
            (
                "https://elsewhere.example/#connection=billing-eu",
                "the connection 'billing-eu' is for http://",
            ),
            ("https://elsewhere.example/#connection=none", "set DETENT_CONNECTION_NONE to a JSON object"),
            ("https://elsewhere.example/#top", "after # only connection=NAME may stand"),
            (
                "https://elsewhere.example/#connection=a&connection=b",
                "after # only connection=NAME may stand",
            ),
            ("https:///path", "is no URL"),
            ("https://[::1/", "is no URL"),
            ("https://host:99999/", "is no URL"),
            ("https://user:secret@host/", "is no URL"),
            ("https://127.1/", "is no URL"),
            ("https://2130706433/", "is no URL"),
            ("https://①②⑦.0.0.1/", "is no URL"),
            ("https://127%2e0.0.1/", "is no URL"),
            ("https://host/a b", "is no URL"),
        ],
    )
    def test_what_cannot_be_sent_is_found_before_the_start(
        self, registry: Registry, resource: str, reason: str
    ) -> None:
        assert reason in (registry.refusal(resource) or "")
        assert registry.resolve(resource) is None

    @pytest.mark.parametrize(
        "text",
        [
            SECRET,
            "[]",
            "{}",
            json.dumps({"origin": 1}),
            json.dumps({"origin": "host", "headers": {"A": SECRET}}),
            json.dumps({"origin": "https://host", "header": {"A": SECRET}}),
            json.dumps({"origin": "https://host", "headers": [SECRET]}),
            json.dumps({"origin": "https://host", "headers": {"A": SECRET + "\r\nB: 1"}}),
            json.dumps({"origin": "https://host", "headers": {"A B": SECRET}}),
            json.dumps({"origin": "https://host", "headers": {"A": 1}}),
        ],
    )
    def test_a_connection_that_is_not_sound_is_refused_without_its_secrets(
        self, registry: Registry, environment: dict[str, str], text: str
    ) -> None:
        environment["DETENT_CONNECTION_ODD"] = text
        reason = registry.refusal("https://host/#connection=odd")
        assert "DETENT_CONNECTION_ODD" in (reason or "")
        assert "s3cr3t" not in (reason or "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_guards_keep_tasks_from_private_addresses(server: Server, on_loop: Await, host: str) -> None:
    registry = Registry(guards=PUBLIC_ONLY)
    resource = server.url.replace("127.0.0.1", host)
    with pytest.raises(TaskError) as caught:
        on_loop(registry.resolve(resource).run(call(resource), lambda: None))
    on_loop(registry.close())
    assert caught.value.error == "States.Permissions"
    assert server.requests == []


@pytest.mark.parametrize(
    ("address", "guards", "allowed"),
    [
        ("93.184.216.34", PUBLIC_ONLY, True),
        ("2606:2800:220:1::1", PUBLIC_ONLY, True),
        ("10.1.2.3", PUBLIC_ONLY, False),
        ("10.1.2.3", PRIVATE_TOO, True),
        ("100.64.0.1", PUBLIC_ONLY, False),
        ("0.0.0.0", PUBLIC_ONLY, False),
        ("224.0.0.1", PUBLIC_ONLY, False),
        ("::1", PUBLIC_ONLY, False),
        ("fd00:ec2::254", PUBLIC_ONLY, False),
        ("169.254.169.254", PRIVATE_TOO, False),
        ("169.254.169.254", LINK_LOCAL_ONLY, True),
        ("fe80::1%eth0", PRIVATE_TOO, False),
        ("::ffff:169.254.169.254", PRIVATE_TOO, False),
        ("64:ff9b::a9fe:a9fe", PRIVATE_TOO, False),
        ("2002:a9fe:a9fe::1", PRIVATE_TOO, False),
    ],
)
def test_what_the_guards_let_through(address: str, guards: Guards, allowed: bool) -> None:
    assert (guards.refusal(address) is None) is allowed


def test_a_registry_without_http_tasks_imports_no_http() -> None:
    code = "import sys; import detent.runtime.handlers.registry; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
