"""Requests and their answers: the key, the time limits, and what is asked again."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import msgspec

from detent.core.values import decode, encode

from .errors import ClientError

T = TypeVar("T")

#: How long a stream of events may say nothing, in seconds; a server sends a sign of life every 15.
SILENT_SECONDS = 60.0
#: Bytes of a line of a stream: an event with the largest payloads there are.
LINE_BYTES = 16 * 1024 * 1024
#: How long a request may take beyond what it waits for, in seconds.
SECONDS = 60.0
#: The pause before the first repetition, doubled for each one after it; and the longest, in seconds.
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
#: Answers that mean: not now.
BUSY = (429, 503)
#: The problem of a request that another process is at work on, having been asked before.
AT_WORK = "request-at-work"


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer."""

    status: int
    body: bytes
    etag: str | None

    def read(self, shape: type[T]) -> T:
        """The body as a shape. Raises ClientError."""
        try:
            return msgspec.json.decode(self.body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ClientError("not-understood", f"the server answered something else: {error}") from None


class Connection:
    """Asks one server. Answers that mean "not now" and lost connections are followed by another try.

    ``retries`` is how many; the pause before each grows, with some chance in it, or is what the server asks for.
    """

    def __init__(self, url: str, api_key: str | None, retries: int) -> None:
        if not url.startswith(("http://", "https://")):
            raise ClientError("invalid-url", f"{url!r} is no address of a server: write http://HOST:PORT")
        self.url = url.rstrip("/")
        self._headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._retries = retries
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Give the sockets back."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
        waits: float = 0.0,
    ) -> Answer:
        """The answer to a request. ``waits`` are the seconds that it asks the server to wait.

        ``key`` is the idempotency key of what changes something; one is made if there is none, so that what is asked
        again, because the answer was lost, is done once. Raises ClientError.
        """
        sent = dict(headers or {})
        if method != "GET":
            sent["Idempotency-Key"] = key or secrets.token_hex(16)
        lost = False
        for attempt in range(self._retries + 1):
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1.0)
            try:
                return await self._ask(method, path, query or {}, body, sent, waits)
            except ClientError as error:
                if lost and method == "DELETE" and error.status == 404:
                    return Answer(204, b"", None)  # the first try has deleted it
                again = error.status in BUSY or error.problem == AT_WORK
                if not again or attempt == self._retries:
                    raise
                pause = max(pause, min(LONGEST_PAUSE, float(error.more.get("retryAfter", 0))))
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                lost = True
                if attempt == self._retries:
                    raise ClientError(
                        "unreachable", f"{self.url} does not answer: {_reason(error)}"
                    ) from None
            await asyncio.sleep(pause)
        raise AssertionError("the last try answers or raises")

    async def stream(
        self, path: str, headers: Mapping[str, str]
    ) -> AsyncIterator[tuple[str, str | None, Any]]:
        """Server-sent events: kind, id and data of each, until the server ends the stream or the connection is lost.

        Raises ClientError if it cannot be opened.
        """
        for attempt in range(self._retries + 1):
            opened = False
            try:
                async with self._opened().get(
                    f"{self.url}{path}",
                    headers={**self._headers, **headers},
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=SECONDS, sock_read=SILENT_SECONDS),
                    read_bufsize=LINE_BYTES,
                ) as response:
                    if response.status >= 300:
                        raise _refusal(response, await response.read())
                    opened = True
                    async for event in _events(response.content):
                        yield event
                    return
            except ClientError as error:
                if error.status not in BUSY or attempt == self._retries:
                    raise
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if opened:
                    return
                if attempt == self._retries:
                    raise ClientError(
                        "unreachable", f"{self.url} does not answer: {_reason(error)}"
                    ) from None
            await asyncio.sleep(min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt) * random.uniform(0.5, 1.0))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(auto_decompress=False)
        return self._session

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int | None],
        body: Any,
        headers: Mapping[str, str],
        waits: float,
    ) -> Answer:
        text = None if body is None else encode(body)
        sent = {**self._headers, **headers} | ({} if text is None else {"Content-Type": "application/json"})
        async with self._opened().request(
            method,
            f"{self.url}{path}",
            params={name: value for name, value in query.items() if value is not None},
            data=text,
            headers=sent,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=SECONDS + waits),
        ) as response:
            told = await response.read()
            if response.status >= 300:
                raise _refusal(response, told)
            return Answer(response.status, told, response.headers.get("ETag"))


async def _events(lines: aiohttp.StreamReader) -> AsyncIterator[tuple[str, str | None, Any]]:
    """The events of a stream; one that is cut off in the middle is none."""
    fields: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.decode().rstrip("\r\n").partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif not line.startswith(b":"):
            if "data" in fields:
                yield fields.get("event", "message"), fields.get("id"), decode(fields["data"].encode())
            fields = {}


def _refusal(response: aiohttp.ClientResponse, text: bytes) -> ClientError:
    try:
        told = decode(text)
    except ValueError:
        told = None
    problem: dict[str, Any] = dict(told) if isinstance(told, dict) else {}
    code = str(problem.pop("type", "no-problem")).rpartition(":")[2]
    detail = str(problem.pop("detail", f"the server answered {response.status} {response.reason}"))
    more = {name: value for name, value in problem.items() if name not in ("title", "status")}
    after = response.headers.get("Retry-After", "")
    return ClientError(
        code, detail, response.status, more | ({"retryAfter": int(after)} if after.isdecimal() else {})
    )


def _reason(error: Exception) -> str:
    """Why a server does not answer, in the words of the operating system where it is to blame."""
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno or 0
        return os.strerror(number) if number > 0 else error.os_error.strerror or str(error.os_error)
    return str(error) or type(error).__name__
