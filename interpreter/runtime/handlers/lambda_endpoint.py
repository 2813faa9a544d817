"""Lambda functions behind an HTTP endpoint that speaks the service's Invoke call (resources, section 4).

The endpoint is the service's own, or an emulator's: whoever runs detent names it in AWS_ENDPOINT_URL_LAMBDA. Calls
are not signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp

from ...core.errors import DATA_LIMIT_EXCEEDED
from ...core.resources import producer
from ...core.turn import too_large
from ...core.values import JSON, encode
from .base import TaskCall, TaskError
from .http import OWN_HEADERS, HttpClient
from .invocation import Invocation
from .metadata import refused, request_id, sdk_metadata
from .payloads import RESULT_BYTES_MAX, cut, parse, parse_or_text

#: The longest that a function may run, in seconds, and so an answer takes.
INVOCATION_SECONDS = 900
_UNKNOWN = "The cause could not be determined because Lambda did not return an error type. Returned payload: {payload}"


class LambdaEndpoint:
    """One endpoint."""

    def __init__(self, url: str, client: HttpClient) -> None:
        self._url = url
        self._client = client

    async def payload(self, task: TaskCall, invocation: Invocation) -> JSON:
        """What the function answers. Raises TaskError."""
        return _payload((await self._invoke(task, invocation))[2])

    async def answer(self, task: TaskCall, invocation: Invocation) -> JSON:
        """What the service answers to ``lambda:invoke``. Raises TaskError."""
        try:
            status, headers, body = await self._invoke(task, invocation)
        except TaskError as error:
            raise TaskError(error.error, _compact(error.cause)) from None
        identity = headers.get("x-amzn-RequestId", request_id(task))
        found: dict[str, JSON] = {
            "ExecutedVersion": headers.get("X-Amz-Executed-Version", "$LATEST"),
            "Payload": _payload(body),
            **sdk_metadata(dict(headers), identity),
            "StatusCode": status,
        }
        if "X-Amz-Log-Result" in headers:
            found["LogResult"] = headers["X-Amz-Log-Result"]
        return found

    async def _invoke(self, task: TaskCall, invocation: Invocation) -> tuple[int, Mapping[str, str], bytes]:
        name = quote(invocation.function, safe="")
        query = {} if invocation.qualifier is None else {"Qualifier": invocation.qualifier}
        try:
            async with self._client.session.post(
                f"{self._url}/2015-03-31/functions/{name}/invocations",
                params=query,
                data=invocation.body,
                headers=_headers(task, invocation),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=INVOCATION_SECONDS if task.deadline is None else None, sock_connect=60
                ),
            ) as response:
                body = await _body(response)
                status, headers = response.status, response.headers
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TaskError(
                "Lambda.SdkClientException", f"Unable to execute HTTP request: {_reason(error)}"
            ) from None
        if len(body) > RESULT_BYTES_MAX:
            raise TaskError(DATA_LIMIT_EXCEEDED, too_large(producer(task.resource)).cause)
        if not 200 <= status < 300:
            raise _refusal(status, headers, body, task)
        if "X-Amz-Function-Error" in headers:
            raise _failure(body)
        return status, headers, body


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The whole body; of one that is too long, a little more than is allowed."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > RESULT_BYTES_MAX:
            break
    return bytes(body)


def _headers(task: TaskCall, invocation: Invocation) -> dict[str, str]:
    headers = {
        **OWN_HEADERS,
        "Idempotency-Key": task.key,
        "X-Amz-Invocation-Type": invocation.kind,
        "X-Amz-Log-Type": invocation.log,
        "X-Amz-Client-Context": invocation.client_context,
    }
    return {name: value for name, value in headers.items() if value is not None}


def _payload(body: bytes) -> JSON:
    return parse_or_text(body) if body else {}


def _failure(body: bytes) -> TaskError:
    """The error of a function that failed: the object that its runtime wrote."""
    text = body.decode("utf-8", "replace")
    report = _object(body)
    kind = report.get("errorType")
    if isinstance(kind, str) and kind:
        return TaskError(kind, cut(text))
    if "Task timed out" in str(report.get("errorMessage")):
        return TaskError("Sandbox.Timedout", cut(text))
    return TaskError("Lambda.Unknown", cut(_UNKNOWN.format(payload=text)))


def _refusal(status: int, headers: Mapping[str, str], body: bytes, task: TaskCall) -> TaskError:
    """The error of a call that the service did not take."""
    said = _object(body)
    named = headers.get("x-amzn-ErrorType") or said.get("__type") or said.get("Code")
    code = (
        str(named).partition(":")[0].rpartition("#")[2] if named else _CODES.get(status, "AWSLambdaException")
    )
    message = said.get("Message") or said.get("message") or body.decode("utf-8", "replace")
    identity = headers.get("x-amzn-RequestId", request_id(task))
    return TaskError(f"Lambda.{code}", cut(refused("AWSLambda", code, str(message), identity, status=status)))


_CODES: Mapping[int, str] = {
    404: "ResourceNotFoundException",
    429: "TooManyRequestsException",
    500: "ServiceException",
    503: "ServiceException",
}


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = parse(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _compact(cause: str | None) -> str | None:
    """An error object without blanks; any other text as it is."""
    if cause is None or not cause.startswith("{"):
        return cause
    try:
        return encode(parse(cause.encode())).decode()
    except ValueError:
        return cause


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{error.host}: {error.os_error.strerror or error.os_error}"
    return str(error) or type(error).__name__
