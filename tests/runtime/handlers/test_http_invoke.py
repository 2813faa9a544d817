"""``http:invoke``: requests to a real server on the loopback address."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from detent.core.values import JSON
from detent.runtime.handlers.base import TaskError, task_key
from detent.runtime.handlers.guards import EVERYTHING, PUBLIC_ONLY
from detent.runtime.handlers.http import HttpClient
from detent.runtime.handlers.http_invoke import HttpInvokeHandler
from detent.runtime.handlers.registry import Registry

from .conftest import Await, call

INVOKE = "arn:aws:states:::http:invoke"
SECRET = "Bearer s3cr3t-t0k3n"
CONNECTION = "arn:aws:events:eu-west-1:123456789012:connection/billing/0a1b"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:orders:nightly"


class Api:
    """Answers every request with ``answer``, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {"text": "{}", "content_type": "application/json"}
        self.requests: list[web.Request] = []
        self.bodies: list[str] = []
        self.url = ""

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _handle(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        self.bodies.append(await request.text())
        return web.Response(**self.answer)


@pytest.fixture
def api(on_loop: Await) -> Iterator[Api]:
    api = Api()
    runner = on_loop(api.start())
    yield api
    on_loop(runner.cleanup())


def connected(api: Api, **described: Any) -> dict[str, str]:
    """An environment that describes the connection."""
    return {"DETENT_CONNECTION_BILLING": json.dumps({"origin": api.url, **described})}


@pytest.fixture
def invoke(api: Api, on_loop: Await) -> Iterator[Any]:
    opened: list[HttpClient] = []

    def invoke(
        method: str = "GET",
        path: str = "/a",
        *,
        described: dict[str, Any] | None = None,
        seconds: float = 60,
        **members: JSON,
    ) -> JSON:
        client = HttpClient(EVERYTHING)
        opened.append(client)
        environment = {} if described is None else connected(api, **described)
        if described is not None:
            members.setdefault("Authentication", {"ConnectionArn": CONNECTION})
        parameters = {"ApiEndpoint": api.url + path, "Method": method, **members}
        handler = HttpInvokeHandler(client, environment, seconds=seconds)
        return on_loop(handler.run(call(INVOKE, parameters, execution=EXECUTION), lambda: None))

    yield invoke
    for client in opened:
        on_loop(client.close())


def failure(invoke: Any, *args: Any, **members: Any) -> TaskError:
    with pytest.raises(TaskError) as caught:
        invoke(*args, **members)
    return caught.value


def test_the_answer_has_headers_in_lists_a_body_and_a_status(api: Api, invoke: Any) -> None:
    api.answer = {"text": '{"n": [1, 2.0]}', "content_type": "application/json", "status": 201}
    api.answer["headers"] = {"X-Made": "here"}
    found = invoke()
    assert found["ResponseBody"] == {"n": [1, 2.0]}
    assert (found["StatusCode"], found["StatusText"]) == (201, "Created")
    assert found["Headers"]["x-made"] == ["here"]
    assert found["Headers"]["content-type"] == ["application/json; charset=utf-8"]
    assert list(found) == ["Headers", "ResponseBody", "StatusCode", "StatusText"]


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        ("[1]", "application/problem+json", [1]),
        ("[1]", "text/plain", "[1]"),
        ("<p>", "text/html", "<p>"),
        ("no json", "application/json", "no json"),
        ("", "application/json", ""),
    ],
)
def test_only_what_says_that_it_is_json_is_parsed(
    api: Api, invoke: Any, body: str, kind: str, value: JSON
) -> None:
    api.answer = {"text": body, "content_type": kind}
    assert invoke()["ResponseBody"] == value


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_every_method_is_sent(api: Api, invoke: Any, method: str) -> None:
    assert invoke(method)["StatusCode"] == 200
    assert api.requests[0].method == method


def test_the_headers_of_the_service_go_with_every_request(api: Api, invoke: Any) -> None:
    invoke("GET", Headers={"X-One": "1", "X-Two": ["2", 3, True]})
    headers = api.requests[0].headers
    assert headers["User-Agent"] == "Amazon|StepFunctions|HttpInvoke|eu-west-1"
    assert headers["Range"] == "bytes=0-262144"
    assert headers["X-One"] == "1"
    assert headers.getall("X-Two") == ["2", "3", "true"]
    assert headers["Idempotency-Key"] == task_key(EXECUTION, 7)
    assert "Content-Type" not in headers


def test_query_parameters_are_added_to_those_of_the_endpoint(api: Api, invoke: Any) -> None:
    invoke(path="/a%2Fb?x=%20", QueryParameters={"a b": "c&d", "many": [1, "z"], "none": None})
    assert api.requests[0].raw_path == "/a%2Fb?x=%20&a%20b=c%26d&many=1&many=z"


@pytest.mark.parametrize(
    ("given", "body"),
    [({"a": [1, None]}, '{"a":[1,null]}'), ([1], "[1]"), (0, "0"), ("plain", "plain")],
)
def test_a_body_is_json_unless_it_is_a_text(api: Api, invoke: Any, given: JSON, body: str) -> None:
    invoke("POST", RequestBody=given)
    assert api.bodies == [body]
    assert api.requests[0].headers["Content-Type"] == "application/json"


def test_a_body_may_have_another_type(api: Api, invoke: Any) -> None:
    invoke("POST", RequestBody="<a/>", Headers={"content-type": "text/xml"})
    assert api.requests[0].headers.getall("Content-Type") == ["text/xml"]


@pytest.mark.parametrize(
    ("arrays", "body"),
    [
        (None, "a=1%202&l[0]=x&l[1]=true&o[p]=&o[q][0]=3"),
        ("INDICES", "a=1%202&l[0]=x&l[1]=true&o[p]=&o[q][0]=3"),
        ("REPEAT", "a=1%202&l=x&l=true&o[p]=&o[q]=3"),
        ("BRACKETS", "a=1%202&l[]=x&l[]=true&o[p]=&o[q][]=3"),
        ("COMMAS", "a=1%202&l=x,true&o[p]=&o[q]=3"),
        ("NONE", "a=1%202&l=%5B%22x%22%2Ctrue%5D&o[p]=&o[q]=%5B3%5D"),
    ],
)
def test_a_body_may_be_a_form(api: Api, invoke: Any, arrays: str | None, body: str) -> None:
    transform: dict[str, JSON] = {"RequestBodyEncoding": "URL_ENCODED"}
    if arrays is not None:
        transform["RequestEncodingOptions"] = {"ArrayFormat": arrays}
    given = {"a": "1 2", "l": ["x", True], "o": {"p": None, "q": [3]}}
    invoke("POST", RequestBody=given, Transform=transform)
    assert api.bodies == [body]
    assert api.requests[0].headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_what_is_no_object_is_no_form(invoke: Any) -> None:
    error = failure(invoke, "POST", RequestBody="a", Transform={"RequestBodyEncoding": "URL_ENCODED"})
    assert (error.error, error.cause) == (
        "States.Runtime",
        "The RequestBody must be an object to be URL_ENCODED.",
    )


def test_a_connection_adds_to_the_request_and_its_values_hold(api: Api, invoke: Any) -> None:
    described = {
        "headers": {"Authorization": SECRET},
        "query": {"key": "k", "b": 2},
        "body": {"user": "me", "n": 1},
    }
    invoke(
        "POST",
        described=described,
        Headers={"authorization": "mine", "X-Other": "o"},
        QueryParameters={"key": "mine", "a": "1"},
        RequestBody={"user": "you", "m": 0},
    )
    [request] = api.requests
    assert request.headers.getall("Authorization") == [SECRET]
    assert request.headers["X-Other"] == "o"
    assert request.raw_path == "/a?key=k&a=1&b=2"
    assert json.loads(api.bodies[0]) == {"user": "me", "m": 0, "n": 1}


def test_the_connection_may_stand_in_the_invocation_config(api: Api, invoke: Any) -> None:
    config = {"ConnectionArn": CONNECTION}
    invoke(described={"headers": {"X-Key": "k"}}, Authentication={}, InvocationConfig=config)
    assert api.requests[0].headers["X-Key"] == "k"


def test_a_connection_cannot_add_to_a_text(invoke: Any) -> None:
    error = failure(invoke, "POST", described={"body": {"a": 1}}, RequestBody="text")
    assert error.error == "States.Runtime"


def test_a_connection_that_is_not_described_is_not_found(invoke: Any) -> None:
    error = failure(invoke, Authentication={"ConnectionArn": CONNECTION})
    assert error.error == "Events.ConnectionResource.NotFound"
    assert "set DETENT_CONNECTION_BILLING to" in (error.cause or "")


def test_what_a_connection_adds_goes_to_its_own_place_only(api: Api, invoke: Any) -> None:
    error = failure(invoke, described={"origin": "https://elsewhere.example", "headers": {"A": SECRET}})
    assert error.error == "Events.ConnectionResource.AccessDenied"
    assert api.requests == []


@pytest.mark.parametrize("status", [300, 302, 400, 404, 500])
def test_any_other_status_fails_with_the_body_as_cause(api: Api, invoke: Any, status: int) -> None:
    api.answer = {"text": "went wrong", "status": status, "headers": {"Location": api.url + "/b"}}
    error = failure(invoke)
    assert (error.error, error.cause) == (f"States.Http.StatusCode.{status}", "went wrong")
    assert len(api.requests) == 1


def test_a_cause_shows_nothing_of_the_connection(api: Api, invoke: Any) -> None:
    api.answer = {"text": f"what is {SECRET} and p4ssw0rd?", "status": 401}
    described = {"headers": {"Authorization": SECRET}, "body": {"deep": [{"password": "p4ssw0rd"}]}}
    error = failure(invoke, "POST", described=described)
    assert error.cause == "what is *** and ***?"


def test_an_answer_over_the_limit_is_refused(api: Api, invoke: Any) -> None:
    api.answer = {"text": "x" * 262_144}
    assert len(invoke()["ResponseBody"]) == 262_144
    api.answer = {"text": "x" * 262_145}
    error = failure(invoke)
    assert error.error == "States.DataLimitExceeded"
    assert "'http' returned a result with a size exceeding the maximum number of bytes" in (error.cause or "")


def test_who_does_not_answer_in_time_is_a_broken_socket(invoke: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = failure(invoke, ApiEndpoint=f"http://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.2)
    assert error.error == "States.Http.Socket"
    assert "did not answer within" in (error.cause or "")


def test_who_is_not_there_is_a_broken_socket(invoke: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    error = failure(invoke, ApiEndpoint=f"http://127.0.0.1:{port}/")
    assert error.error == "States.Http.Socket"


def test_the_guards_hold(api: Api, on_loop: Await) -> None:
    registry = Registry(guards=PUBLIC_ONLY, environment={})
    handler = registry.resolve(INVOKE)
    assert handler is not None
    parameters = {"ApiEndpoint": api.url, "Method": "GET"}
    with pytest.raises(TaskError) as caught:
        on_loop(handler.run(call(INVOKE, parameters), lambda: None))
    on_loop(registry.close())
    assert caught.value.error == "States.Permissions"
    assert api.requests == []


def test_a_missing_connection_is_known_before_anything_runs() -> None:
    registry = Registry(environment={})
    parameters = {"Authentication": {"ConnectionArn": CONNECTION}}
    assert "there is no connection 'billing'" in (registry.refusal(INVOKE, parameters) or "")
    assert registry.refusal(INVOKE, {"Method": "GET"}) is None
    assert registry.refusal(INVOKE) is None
