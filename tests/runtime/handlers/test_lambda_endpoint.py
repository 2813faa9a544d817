"""Lambda functions behind an endpoint: what is sent, what its answers become, and who is asked first."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from detent.runtime.handlers.base import TaskError, task_key
from detent.runtime.handlers.payloads import RESULT_BYTES_MAX
from detent.runtime.handlers.registry import Registry

from .conftest import Await, call

ARN = "arn:aws:lambda:us-east-1:123456789012:function:there"
INVOKE = "arn:aws:states:::lambda:invoke"


class Lambda:
    """Answers every invocation with what the test has put into ``answer``, and keeps the requests."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = {"text": "{}"}
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/2015-03-31/functions/{name}/invocations", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _handle(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        self.bodies.append(await request.read())
        return web.Response(**self.answer)


@pytest.fixture
def there(on_loop: Await) -> Iterator[Lambda]:
    endpoint = Lambda()
    runner = on_loop(endpoint.start())
    yield endpoint
    on_loop(runner.cleanup())


@pytest.fixture
def registry(on_loop: Await, there: Lambda) -> Iterator[Registry]:
    made = Registry(environment={"AWS_ENDPOINT_URL_LAMBDA": there.url})
    yield made
    on_loop(made.close())


def do(on_loop: Await, registry: Registry, resource: str, arguments: Any) -> Any:
    handler = registry.resolve(resource)
    assert handler is not None
    return on_loop(handler.run(call(resource, arguments), lambda: None))


def failure(on_loop: Await, registry: Registry, resource: str, arguments: Any) -> TaskError:
    with pytest.raises(TaskError) as caught:
        do(on_loop, registry, resource, arguments)
    return caught.value


def test_an_arn_sends_the_event_and_gets_the_payload(
    there: Lambda, registry: Registry, on_loop: Await
) -> None:
    there.answer = {"text": '[1, "two"]'}
    assert do(on_loop, registry, ARN, {"n": 1}) == [1, "two"]
    assert there.requests[0].match_info["name"] == ARN
    assert there.bodies == [b'{"n":1}']


def test_invoke_answers_as_the_service(there: Lambda, registry: Registry, on_loop: Await) -> None:
    log = base64.b64encode(b"START").decode()
    headers = {"X-Amz-Executed-Version": "7", "X-Amz-Log-Result": log, "x-amzn-RequestId": "r-1"}
    there.answer = {"text": '{"ok": true}', "headers": headers, "content_type": "application/json"}
    arguments = {"FunctionName": "there", "Payload": {"n": 1}, "Qualifier": "live", "LogType": "Tail"}
    found = do(on_loop, registry, INVOKE, arguments)
    assert {name: found[name] for name in ("ExecutedVersion", "Payload", "StatusCode", "LogResult")} == {
        "ExecutedVersion": "7",
        "Payload": {"ok": True},
        "StatusCode": 200,
        "LogResult": log,
    }
    assert found["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert found["SdkHttpMetadata"]["AllHttpHeaders"]["X-Amz-Executed-Version"] == ["7"]
    assert found["SdkResponseMetadata"] == {"RequestId": "r-1"}
    request = there.requests[0]
    assert request.query["Qualifier"] == "live"
    assert request.headers["X-Amz-Log-Type"] == "Tail"
    assert request.headers["X-Amz-Invocation-Type"] == "RequestResponse"
    assert request.headers["Idempotency-Key"] == task_key("e-1", 7)


@pytest.mark.parametrize(
    ("payload", "body"), [(None, b"{}"), ('"x"', b'"x"'), ("null", b"null"), ([1], b"[1]"), (0, b"0")]
)
def test_what_is_sent_of_a_payload(
    there: Lambda, registry: Registry, on_loop: Await, payload: Any, body: bytes
) -> None:
    do(on_loop, registry, INVOKE, {"FunctionName": "there", "Payload": payload})
    assert there.bodies == [body]


def test_a_long_answer_is_read_to_its_end(there: Lambda, registry: Registry, on_loop: Await) -> None:
    there.answer = {"text": json.dumps("a" * 900_000)}
    assert do(on_loop, registry, ARN, {}) == "a" * 900_000


@pytest.mark.parametrize(
    ("resource", "arguments", "told"), [(ARN, {}, ARN), (INVOKE, {"FunctionName": "there"}, "lambda")]
)
def test_an_answer_that_is_too_long_fails_in_the_services_words(
    there: Lambda, registry: Registry, on_loop: Await, resource: str, arguments: Any, told: str
) -> None:
    there.answer = {"text": json.dumps("a" * (RESULT_BYTES_MAX + 1))}
    error = failure(on_loop, registry, resource, arguments)
    assert (error.error, error.cause) == (
        "States.DataLimitExceeded",
        f"The state/task '{told}' returned a result with a size exceeding the maximum number of bytes service limit.",
    )


def test_a_function_that_failed(there: Lambda, registry: Registry, on_loop: Await) -> None:
    report = {"errorMessage": "no", "errorType": "Refused"}
    there.answer = {"text": json.dumps(report), "headers": {"X-Amz-Function-Error": "Unhandled"}}
    error = failure(on_loop, registry, ARN, {})
    assert (error.error, error.cause) == ("Refused", '{"errorMessage": "no", "errorType": "Refused"}')
    error = failure(on_loop, registry, INVOKE, {"FunctionName": "there"})
    assert (error.error, error.cause) == ("Refused", '{"errorMessage":"no","errorType":"Refused"}')


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"errorMessage": "2026-01-01 r-1 Task timed out after 3.00 seconds"}', "Sandbox.Timedout"),
        ('{"errorMessage": "RequestId: r-1 Error: Runtime exited"}', "Lambda.Unknown"),
        ("no json", "Lambda.Unknown"),
    ],
)
def test_a_runtime_that_ended(
    there: Lambda, registry: Registry, on_loop: Await, text: str, name: str
) -> None:
    there.answer = {"text": text, "headers": {"X-Amz-Function-Error": "Unhandled"}}
    assert failure(on_loop, registry, ARN, {}).error == name


@pytest.mark.parametrize(
    ("status", "headers", "body", "name"),
    [
        (
            404,
            {"x-amzn-ErrorType": "ResourceNotFoundException"},
            {"Message": "none"},
            "ResourceNotFoundException",
        ),
        (429, {}, {"message": "slow"}, "TooManyRequestsException"),
        (500, {}, {}, "ServiceException"),
        (
            400,
            {},
            {"__type": "com.amazonaws#InvalidRequestContentException"},
            "InvalidRequestContentException",
        ),
        (418, {}, {}, "AWSLambdaException"),
    ],
)
def test_a_call_that_the_service_refuses(
    there: Lambda, registry: Registry, on_loop: Await, status: int, headers: Any, body: Any, name: str
) -> None:
    there.answer = {
        "status": status,
        "headers": {**headers, "x-amzn-RequestId": "r-1"},
        "text": json.dumps(body),
    }
    error = failure(on_loop, registry, INVOKE, {"FunctionName": "there"})
    assert error.error == f"Lambda.{name}"
    assert error.cause is not None
    assert error.cause.endswith(
        f"(Service: AWSLambda; Status Code: {status}; Error Code: {name}; Request ID: r-1; Proxy: null)"
    )


def test_nobody_listening_is_the_clients_error(on_loop: Await) -> None:
    registry = Registry(environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    try:
        error = failure(on_loop, registry, ARN, {})
    finally:
        on_loop(registry.close())
    assert error.error == "Lambda.SdkClientException"
    assert str(error.cause).startswith("Unable to execute HTTP request: 127.0.0.1: ")


def test_a_registered_function_is_asked_first(there: Lambda, registry: Registry, on_loop: Await) -> None:
    registry.add("there", lambda event, context: context.function_name)
    assert do(on_loop, registry, ARN, {}) == "there"
    assert there.requests == []


def test_a_function_that_is_not_registered_may_be_there(registry: Registry) -> None:
    assert registry.refusal(ARN) is None
    assert registry.refusal(INVOKE, {"FunctionName": "there"}) is None
    assert Registry(environment={}).refusal(ARN) is not None
