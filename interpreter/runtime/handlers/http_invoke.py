"""Tasks of ``http:invoke``: one request to an HTTP API for each attempt (resources, section 4).

What a request must not carry in a definition comes from the connection that it names. Redirects are not followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from ...core.errors import DATA_LIMIT_EXCEEDED
from ...core.limits import AWS
from ...core.parameters import connection_name, connection_of
from ...core.turn import too_large
from ...core.values import JSON
from .base import Beat, Note, TaskCall, TaskError
from .connections import Connection, connection_named, origin_of, require_origin
from .errors import HandlersError
from .http import SOCKET_SECONDS, HttpClient, socket_failure
from .http_request import headers_text, request_of
from .payloads import cut, parse

#: Errors of a connection that is not there, or must not be used for the request.
NOT_FOUND, ACCESS_DENIED = "Events.ConnectionResource.NotFound", "Events.ConnectionResource.AccessDenied"

#: Bytes of a body that are read: one more than the service asks for.
_BODY_BYTES_MAX = AWS.payload_bytes + 1
_REGION = "us-east-1"


class HttpInvokeHandler:
    """Makes the requests of ``http:invoke``. ``environment`` describes connections."""

    slots = None

    def __init__(
        self, client: HttpClient, environment: Mapping[str, str], *, seconds: float = SOCKET_SECONDS
    ) -> None:
        self._client = client
        self._environment = environment
        self._timeout = aiohttp.ClientTimeout(total=seconds)

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        return await self.run_noting(task, _unnoted, reveal=False)

    async def run_noting(self, task: TaskCall, note: Note, *, reveal: bool) -> JSON:
        """Do a task, noting ``request`` and ``response``; ``reveal`` shows what the connection adds, too."""
        parameters = task.arguments
        connection = self._connection(parameters)
        region = (task.execution.split(":") + [""] * 4)[3] or _REGION
        request = request_of(parameters, connection, region=region)
        shown = request if reveal else request_of(parameters, None, region=region)
        note("request", shown.described())
        origin = origin_of(request.url)
        if origin is None:
            raise TaskError("States.Runtime", f"{parameters['ApiEndpoint']!r} is no URL that can be called.")
        self._client.check(origin[1])
        try:
            answer = await self._exchange(request.method, request.url, [*request.headers], request.body, task)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise socket_failure(error, f"{origin[1]}:{origin[2]}") from None
        note("response", answer.described(origin[0]))
        if len(answer.body) >= _BODY_BYTES_MAX:
            raise TaskError(DATA_LIMIT_EXCEEDED, too_large("http").cause)
        if not 200 <= answer.status < 300:
            cause = answer.text if connection is None else connection.without_secrets(answer.text)
            raise TaskError(f"States.Http.StatusCode.{answer.status}", cut(cause))
        return answer.result()

    def _connection(self, parameters: Mapping[str, JSON]) -> Connection | None:
        name = connection_name(connection_of(parameters))
        if name is None:
            return None
        try:
            connection = connection_named(name, self._environment)
        except HandlersError as error:
            raise TaskError(NOT_FOUND, str(error)) from None
        origin = origin_of(parameters["ApiEndpoint"])
        if origin is not None:
            try:
                require_origin(connection, name, origin)
            except HandlersError as error:
                raise TaskError(ACCESS_DENIED, str(error)) from None
        return connection

    async def _exchange(
        self, method: str, url: str, headers: list[tuple[str, str]], body: bytes | None, task: TaskCall
    ) -> Answer:
        if not any(name.lower() == "idempotency-key" for name, _ in headers):
            headers.append(("Idempotency-Key", task.key))
        async with self._client.session.request(
            method,
            URL(url, encoded=True),
            data=body,
            headers=headers,
            skip_auto_headers=("Content-Type",),
            allow_redirects=False,
            timeout=self._timeout,
        ) as response:
            read = bytearray()
            async for chunk in response.content.iter_any():
                read += chunk
                if len(read) >= _BODY_BYTES_MAX:
                    break
            return Answer(
                response.status,
                response.reason or "",
                [(name.lower(), value) for name, value in response.headers.items()],
                bytes(read[:_BODY_BYTES_MAX]),
            )


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def described(self, protocol: str) -> dict[str, JSON]:
        """How TestState shows it."""
        return {
            "protocol": protocol,
            "statusCode": str(self.status),
            "statusMessage": self.reason,
            "headers": headers_text(self.headers),
            "body": self.text,
        }

    def result(self) -> JSON:
        """The result of the task: the body is a value where it says that it is JSON, a text where not."""
        headers: dict[str, JSON] = {}
        for name, value in self.headers:
            headers.setdefault(name, []).append(value)
        return {
            "Headers": headers,
            "ResponseBody": self._content(),
            "StatusCode": self.status,
            "StatusText": self.reason,
        }

    def _content(self) -> JSON:
        kinds = (value for name, value in self.headers if name == "content-type")
        kind = next(kinds, "").partition(";")[0].strip().lower()
        if kind == "application/json" or kind.endswith("+json"):
            try:
                return parse(self.body)
            except ValueError:
                pass
        return self.text


def _unnoted(name: str, value: JSON) -> None:
    """Nobody wants to know."""
