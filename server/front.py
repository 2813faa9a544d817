"""The front: every request comes in here, is told apart by its path, and leaves with a well-formed answer."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic

from aiohttp import web

from detent.core.values import encode
from detent.store.base import StoreUnavailable

from . import health
from .aws import endpoint as aws
from .door import Door
from .exchange import REQUEST_ID, Exchange
from .keys import Keyring
from .refusals import PROBLEM, Refused
from .rest import api, page
from .service import Service

log = logging.getLogger(__name__)

#: Characters of a path that are logged.
PATH_MAX = 500
_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

Answer = Callable[[Exchange], Awaitable[web.StreamResponse]]

#: What anybody may ask who reaches the port: those who look whether the server lives have no key.
OPEN: Mapping[str, Answer] = {"/healthz": health.alive, "/readyz": health.ready}
#: What is only read, beside the REST API.
PAGES: Mapping[str, Answer] = {
    "/openapi.json": api.describe,
    "/metrics": health.measured,
    **dict.fromkeys(page.PATHS, page.show),
}


class Front:
    """Answers requests to one service."""

    def __init__(self, service: Service, keyring: Keyring) -> None:
        self._service = service
        self._door = Door(service.settings, keyring)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        begun = monotonic()
        exchange = Exchange(request, self._service, _request_id(request))
        exchange.headers[REQUEST_ID] = exchange.id
        try:
            response = await self._answer(exchange)
        except Refused as refused:
            response = refusal(exchange, refused)
        except StoreUnavailable as error:
            log.warning("a request could not be answered: %s", error, extra={"request": exchange.id})
            response = refusal(exchange, _UNAVAILABLE)
        except Exception:
            log.exception("a request could not be answered", extra={"request": exchange.id})
            response = refusal(exchange, _DEFECT)
        if not response.prepared:
            response.headers.update(exchange.headers)
        if log.isEnabledFor(logging.INFO):
            facts = {
                "request": exchange.id,
                "method": request.method,
                "path": request.rel_url.raw_path[:PATH_MAX],
                "status": response.status,
                "seconds": round(monotonic() - begun, 6),
            }
            log.info("request answered", extra=facts)
        return response

    async def _answer(self, exchange: Exchange) -> web.StreamResponse:
        request = exchange.request
        self._door.check(request)
        if "Expect" in request.headers:
            await _go_on(request)
        path = request.rel_url.raw_path
        if path in OPEN:
            return await _only_read(exchange, OPEN[path])
        is_aws = speaks_aws(request)
        exchange.principal = await self._door.admit(exchange, await aws.signer(exchange) if is_aws else None)
        if is_aws:
            return await aws.answer(exchange)
        if path in PAGES:
            return await _only_read(exchange, PAGES[path])
        return await api.ROUTES.answer(exchange)


async def _only_read(exchange: Exchange, answer: Answer) -> web.StreamResponse:
    if exchange.request.method not in ("GET", "HEAD"):
        raise Refused(405, "method-not-allowed", "GET and nothing else", headers={"Allow": "GET, HEAD"})
    return await answer(exchange)


def speaks_aws(request: web.BaseRequest) -> bool:
    """Whether a request is one of an AWS SDK."""
    return request.method == "POST" and request.rel_url.raw_path == "/"


def refusal(exchange: Exchange, refused: Refused) -> web.Response:
    """A refusal in the protocol that was spoken."""
    is_aws = speaks_aws(exchange.request)
    response = aws.refusal(refused, exchange.id) if is_aws else problem(refused)
    response.headers[REQUEST_ID] = exchange.id
    if refused.headers.get("Connection") == "close":
        response.force_close()
    return response


def malformed(refused: Refused, head: bytes) -> web.Response:
    """A refusal of what could not be read as a request, in the protocol that its ``head`` seems to speak."""
    is_aws = b"x-amz-target" in head.lower()
    return aws.refusal(refused) if is_aws else problem(refused)


def problem(refused: Refused) -> web.Response:
    """A refusal as problem details (RFC 9457)."""
    details = {
        "type": f"urn:detent:problem:{refused.code}",
        "title": refused.title,
        "status": refused.status,
        "detail": refused.detail,
        **refused.more,
    }
    return web.Response(
        status=refused.status,
        body=encode(details),
        content_type=PROBLEM,
        headers=refused.headers,
    )


_DEFECT = Refused(500, "internal-error", "a defect of detent; its log says more")
_UNAVAILABLE = Refused(
    503, "store-unavailable", "the store cannot answer now; try again", headers={"Retry-After": "1"}
)


def _request_id(request: web.BaseRequest) -> str:
    """The id that the client has given its request, or a new one."""
    given = request.headers.get(REQUEST_ID)
    return given if given is not None and _ID.fullmatch(given) else secrets.token_hex(16)


async def _go_on(request: web.BaseRequest) -> None:
    """Tell a client that waits for it to send its body. Raises Refused for any other expectation."""
    if request.headers["Expect"].lower() != "100-continue":
        raise Refused(417, "unknown-expectation", "no expectation but 100-continue is known")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # what was sent is not yet the answer
