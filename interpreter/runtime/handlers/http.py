"""Tasks that POST their arguments to a URL.

The answer's body is the result: its value where it is JSON, its text where it is not. Redirects are not
followed: they would carry arguments and headers to where no definition sent them. A name is resolved
once, its addresses are checked against the guards, and exactly those are connected to.
"""

from __future__ import annotations

import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from ...core.errors import DATA_LIMIT_EXCEEDED
from ...core.limits import CAUSE_CHARACTERS_MAX
from ...core.values import JSON, encode
from .base import Beat, TaskCall, TaskError
from .connections import Target
from .guards import PERMISSIONS, Guards
from .payloads import RESULT_BYTES_MAX, cut, parse_or_text

#: Seconds for the whole exchange where the task has no TimeoutSeconds of its own, and for connecting in any case.
SOCKET_SECONDS = 60
#: Seconds an idle connection is kept. Servers close theirs after five or more: one that is being closed
#: would fail the next task, since a POST must not be sent twice on suspicion.
_KEEP_ALIVE_SECONDS = 4
_CHUNK_BYTES = 64 * 1024
SOCKET_ERROR = "States.Http.Socket"


#: What says who sends a POST, and what it sends.
OWN_HEADERS = {"User-Agent": "detent", "Content-Type": "application/json"}


class HttpClient:
    """The connections that all HTTP tasks share. Opened by the first of them, on its loop."""

    def __init__(self, guards: Guards) -> None:
        self._guards = guards
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=_GuardedResolver(self._guards), limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def check(self, host: str) -> None:
        """Hold a host that is an address, which nobody resolves, against the guards. Raises TaskError."""
        try:
            refusal = self._guards.refusal(host)
        except ValueError:
            return
        if refusal is not None:
            raise TaskError(PERMISSIONS, refusal)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


class HttpHandler:
    """Does the tasks of one target."""

    slots = None

    def __init__(self, target: Target, client: HttpClient) -> None:
        self._target = target
        self._client = client

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        self._client.check(self._target.origin[1])
        try:
            status, body = await self._exchange(task)
        except _TooLarge:
            raise TaskError(
                DATA_LIMIT_EXCEEDED,
                f"the answer of {self._target.place} has more than {RESULT_BYTES_MAX} bytes",
            ) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise socket_failure(error, self._target.place) from None
        if not 200 <= status < 300:
            cause = self._target.without_secrets(body.decode("utf-8", "replace"))
            raise TaskError(f"States.Http.StatusCode.{status}", cut(cause))
        return parse_or_text(body)

    async def _exchange(self, task: TaskCall) -> tuple[int, bytes]:
        async with self._client.session.post(
            self._target.url,
            data=encode(task.arguments),
            headers={**OWN_HEADERS, "Idempotency-Key": task.key, **self._target.headers},
            allow_redirects=False,
            timeout=_timeout(task),
        ) as response:
            succeeded = 200 <= response.status < 300
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                body += chunk
                if succeeded and len(body) > RESULT_BYTES_MAX:
                    raise _TooLarge
                if not succeeded and len(body) > 4 * CAUSE_CHARACTERS_MAX:
                    break
            return response.status, bytes(body)


def _timeout(task: TaskCall) -> aiohttp.ClientTimeout:
    """A task with a deadline has the engine as its clock."""
    total = SOCKET_SECONDS if task.deadline is None else None
    return aiohttp.ClientTimeout(total=total, sock_connect=SOCKET_SECONDS)


def socket_failure(error: Exception, place: str) -> TaskError:
    """What a task fails with whose exchange with a place did not come to an end."""
    if isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error.os_error, _Refused):
            return TaskError(PERMISSIONS, str(error.os_error))
        reason = error.os_error.strerror or str(error.os_error)
        return TaskError(SOCKET_ERROR, f"no connection to {place}: {reason}")
    if isinstance(error, TimeoutError):
        return TaskError(SOCKET_ERROR, f"{place} did not answer within {SOCKET_SECONDS} seconds")
    # The class alone: a message may quote the URL or a header.
    return TaskError(SOCKET_ERROR, f"the exchange with {place} broke off: {type(error).__name__}")


class _TooLarge(Exception):
    pass


class _Refused(OSError):
    """Nothing that a name stands for may be connected to. An OSError, as every failure to resolve."""


class _GuardedResolver(AbstractResolver):
    """Resolves names to the addresses that the guards allow."""

    def __init__(self, guards: Guards) -> None:
        self._guards = guards
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        refusals = [self._guards.refusal(result["host"]) for result in found]
        allowed = [result for result, refusal in zip(found, refusals, strict=True) if refusal is None]
        if found and not allowed:
            raise _Refused(f"{host}: {refusals[0]}")
        return allowed

    async def close(self) -> None:
        await self._system.close()
