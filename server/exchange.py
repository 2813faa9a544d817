"""One request on its way through the server, with what is known about it so far."""

from __future__ import annotations

import asyncio

from aiohttp import web

from .refusals import Refused
from .service import Service

#: What a request is called, by its client or by the server; every answer has it.
REQUEST_ID = "X-Request-Id"
#: What every answer names as its server: nobody outside needs to know what that is made of.
SERVER = {"Server": "detent"}


class Exchange:
    """``id`` is the request's, its client's own if that is one; ``notes`` is what the log says beside it.

    ``headers`` go with the answer, whatever it is. ``principal`` is whose request it is, None for anybody's.
    """

    __slots__ = ("_body", "headers", "id", "notes", "principal", "request", "service")

    def __init__(self, request: web.BaseRequest, service: Service, id: str) -> None:
        self.request = request
        self.service = service
        self.id = id
        self.headers = dict(SERVER)
        self.notes: dict[str, str] = {}
        self.principal: str | None = None
        self._body: bytes | None = None

    async def body(self) -> bytes:
        """The whole body, read once. Raises Refused for one that is too large, too slow or cut off."""
        if self._body is None:
            self._body = await self._whole()
        return self._body

    async def _whole(self) -> bytes:
        content = self.request.content
        limit = self.service.settings.body_bytes_max
        if content.is_eof() and content.total_bytes <= limit:
            return content.read_nowait()
        try:
            async with asyncio.timeout(self.service.settings.body_seconds):
                return await self._read(limit)
        except TimeoutError:
            raise Refused(408, "request-timeout", "the body did not arrive in time", headers=_CLOSE) from None
        except (web.RequestPayloadError, asyncio.IncompleteReadError, ConnectionError) as error:
            raise Refused(400, "malformed-body", f"the body is cut off: {error}", headers=_CLOSE) from None

    async def _read(self, limit: int) -> bytes:
        parts, size = [], 0
        async for part in self.request.content.iter_any():
            size += len(part)
            if size > limit:
                raise too_large(limit)
            parts.append(part)
        return b"".join(parts)


_CLOSE = {"Connection": "close"}


def too_large(limit: int) -> Refused:
    """The refusal of a body of more bytes than that."""
    return Refused(413, "body-too-large", f"a body may have {limit:,} bytes", headers=_CLOSE)
