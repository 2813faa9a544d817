"""The front: every request comes in here, is told apart by its path, and leaves with a well-formed answer."""

from __future__ import annotations

import logging
import secrets

from aiohttp import web

from detent.core.values import encode

from .aws import endpoint as aws
from .exchange import Exchange
from .refusals import Refused
from .service import Service

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"


class Front:
    """Answers requests to one service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        exchange = Exchange(request, self._service, secrets.token_hex(8))
        try:
            return await self._answer(exchange)
        except Refused as refused:
            return self.refusal(exchange, refused)
        except Exception:
            log.exception("the request %s could not be answered", exchange.id)
            return self.refusal(
                exchange, Refused(500, "internal-error", "a defect of detent; its log says more")
            )

    async def _answer(self, exchange: Exchange) -> web.StreamResponse:
        request = exchange.request
        if speaks_aws(request):
            return await aws.answer(exchange)
        raise Refused(404, "not-found", f"there is nothing at {request.path[:200]}")

    def refusal(self, exchange: Exchange, refused: Refused) -> web.Response:
        """A refusal in the protocol that was spoken."""
        if speaks_aws(exchange.request):
            return aws.refusal(refused)
        return problem(refused)


def speaks_aws(request: web.BaseRequest) -> bool:
    """Whether a request is one of an AWS SDK."""
    return request.method == "POST" and request.path == "/"


def problem(refused: Refused) -> web.Response:
    """A refusal as problem details (RFC 9457)."""
    return web.Response(
        status=refused.status,
        body=encode(
            {
                "type": f"urn:detent:problem:{refused.code}",
                "title": refused.title,
                "status": refused.status,
                "detail": refused.detail,
            }
        ),
        content_type=PROBLEM,
        headers=refused.headers,
    )
