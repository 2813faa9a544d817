"""Where requests of AWS SDKs come in: the operation is named by a header, errors by header and body."""

from __future__ import annotations

from aiohttp import web

from detent.core.values import encode

from ..exchange import Exchange
from ..refusals import Refused

CONTENT_TYPE = "application/x-amz-json-1.0"


async def answer(exchange: Exchange) -> web.Response:
    """Do what the operation asks for. Raises Refused."""
    raise Refused(400, "UnknownOperationException", "")


def signer(exchange: Exchange) -> str | None:
    """Who has signed a request with an access key of this server; None if nobody has."""
    return None


def refusal(refused: Refused) -> web.Response:
    """A refusal as the service spells one (api, section 1)."""
    return web.Response(
        status=refused.status,
        body=encode({"__type": refused.code, "message": refused.detail}),
        content_type=CONTENT_TYPE,
        headers={**refused.headers, "x-amzn-ErrorType": refused.code},
    )
