"""Connections: aiohttp's, with a deadline for what a client begins to send and does not finish."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.http_exceptions import LineTooLong

from .exchange import SERVER
from .refusals import Refused
from .settings import Settings

#: How often is looked for heads that are overdue, in seconds.
SWEEP_SECONDS = 1.0

Handler = Callable[[web.BaseRequest], Any]
#: Spells a refusal of what could not be read as a request.
Spell = Callable[[Refused, bytes], web.Response]
#: Bytes of a head that are kept, to see in which protocol its refusal is to be spelled.
_HEAD_MAX = 4096


_MALFORMED = Refused(400, "malformed-request", "the request is not well-formed HTTP")
_LATE = Refused(408, "request-timeout", "the head of the request did not arrive in time")


class Connection(web.RequestHandler):
    """``since`` is when the head under way began to arrive; None while a request is answered, or nothing comes.

    ``head`` is what came last, and so what could not be read where something could not.
    """

    __slots__ = ("busy", "head", "since", "spell")

    def __init__(self, manager: Listener, spell: Spell, **kwargs: Any) -> None:
        super().__init__(manager, **kwargs)
        self.spell = spell
        self.busy = False
        self.head = b""
        self.since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.since = self._loop.time()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if not self.busy:
            self.head = data
            if self.since is None:
                self.since = self._loop.time()
        try:
            super().data_received(data)
        except ValueError:  # a length of more digits than Python reads
            self.cut(_MALFORMED)

    def head_complete(self) -> None:
        """A whole head is here; its request is about to be answered."""
        self.busy, self.since = True, None

    async def finish_response(self, *arguments: Any) -> Any:
        finished = await super().finish_response(*arguments)
        self.busy = False
        return finished

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no HTTP, or breaks a bound of it."""
        if isinstance(exc, LineTooLong):
            refused = Refused(431, "head-too-large", "a line of the request's head is too long")
        elif status < 500:
            refused = _MALFORMED
        else:
            refused = Refused(500, "internal-error", "a defect of detent; its log says more")
            self.log_exception("a request could not be answered", exc_info=exc)
        response = self.spell(refused, self.head[:_HEAD_MAX])
        response.headers.update(SERVER)
        response.force_close()
        return response

    def cut(self, refused: Refused) -> None:
        """Give up on a head, because it does not come or is none."""
        if self.transport is not None:
            body = self.spell(refused, self.head[:_HEAD_MAX])
            text = body.body if isinstance(body.body, bytes) else b""
            head = (
                f"HTTP/1.1 {refused.status} {refused.title}\r\nContent-Type: {body.content_type}\r\n"
                f"Content-Length: {len(text)}\r\nServer: {SERVER['Server']}\r\nConnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + text)
        self.force_close()


class Listener(web.Server):
    """Makes connections, counts them, and ends those whose head is overdue."""

    def __init__(self, handler: Handler, spell: Spell, settings: Settings) -> None:
        super().__init__(handler, request_factory=self._make, loop=asyncio.get_running_loop())
        self._settings = settings
        self._spell = spell
        self._sweeping = asyncio.get_running_loop().create_task(self._sweep())

    def __call__(self) -> Connection:
        return Connection(
            self,
            self._spell,
            loop=self._loop,
            keepalive_timeout=self._settings.idle_seconds,
            auto_decompress=False,
            lingering_time=1.0,
            access_log=None,
        )

    def _make(
        self, message: Any, payload: Any, protocol: Any, writer: Any, task: asyncio.Task[None]
    ) -> web.BaseRequest:
        protocol.head_complete()
        if message.version not in (HttpVersion10, HttpVersion11):
            # An answer names the version of its request, and there is no HTTP/9.9.
            message = message._replace(version=HttpVersion10, should_close=True)
        return web.BaseRequest(message, payload, protocol, writer, task, self._loop)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self.connections) > self._settings.connections_max:
            transport.abort()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            overdue = self._loop.time() - self._settings.head_seconds
            for connection in self.connections:
                if isinstance(connection, Connection) and (connection.since or overdue) < overdue:
                    connection.cut(_LATE)

    async def shutdown(self, timeout: float | None = None) -> None:
        """End all connections; requests under way get ``timeout`` seconds."""
        self._sweeping.cancel()
        await super().shutdown(timeout)
