"""Where requests of AWS SDKs come in: an operation named by a header, errors in header and body (api, section 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from detent.core.values import JSON, encode
from detent.runtime.errors import EngineError

from ..exchange import Exchange
from ..refusals import Refused
from .call import Call, Delivery
from .errors import ServiceError
from .operations import OPERATIONS
from .shapes import checked
from .signing import Signed, verify

CONTENT_TYPE = "application/x-amz-json-1.0"
TARGET = "AWSStepFunctions."

#: What the service calls refusals that are made before it is known what is asked for.
_CODES: Mapping[str, str] = {
    "body-too-large": "RequestEntityTooLargeException",
    "internal-error": "InternalFailure",
    "rate-limited": "ThrottlingException",
    "request-timeout": "RequestTimeoutException",
    "store-unavailable": "ServiceUnavailableException",
    "too-many-requests": "ThrottlingException",
    "unauthorized": "UnrecognizedClientException",
}

_SCOPE = re.compile(r"Credential=[^/,\s]+/\d{8}/(?P<region>[a-z0-9-]+)/states/aws4_request")


async def answer(exchange: Exchange) -> web.StreamResponse:
    """Do what the operation asks for. Raises Refused."""
    request = exchange.request
    target = request.headers.get("X-Amz-Target", "")
    name = target.removeprefix(TARGET)
    operation = OPERATIONS.get(name) if target.startswith(TARGET) else None
    if operation is None:
        raise ServiceError("UnknownOperationException", f"there is no operation {target[:200]!r}")
    exchange.notes["operation"] = name
    call = Call(
        name,
        await _params(exchange, name),
        exchange.service,
        exchange.service.pages,
        _prefix(exchange),
        lambda: request.transport is not None and not request.transport.is_closing(),
    )
    try:
        said = await operation(call)
    except EngineError as error:
        if exchange.service.engine.upkeep.is_running:
            raise
        raise Refused(503, "store-unavailable", str(error), headers={"Retry-After": "1"}) from None
    if isinstance(said, Delivery):
        return await _deliver(exchange, said)
    return _response(exchange, said)


async def _params(exchange: Exchange, operation: str) -> dict[str, Any]:
    """What an operation is given, checked. Raises ServiceError."""
    body, desk = await exchange.body(), exchange.service.desk
    try:
        given = await desk.parse(body) if body.strip() else {}
        return await desk.do(len(body), lambda: checked(operation, given))
    except ValueError as error:
        raise ServiceError("SerializationException", f"the body is not JSON: {error}") from None


def _prefix(exchange: Exchange) -> str:
    """Where what a request makes belongs: the region it was signed for, and the account of this server."""
    settings = exchange.service.settings
    scope = _SCOPE.search(exchange.request.headers.get("Authorization", ""))
    region = settings.region if scope is None else scope["region"]
    return f"arn:{_partition(region)}:states:{region}:{settings.account}"


def _partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _response(exchange: Exchange, said: JSON) -> web.Response:
    return web.Response(body=encode(said), content_type=CONTENT_TYPE, headers=_identified(exchange.id))


def _identified(request_id: str | None) -> dict[str, str]:
    return {} if request_id is None else {"x-amzn-RequestId": request_id}


async def _deliver(exchange: Exchange, delivery: Delivery) -> web.StreamResponse:
    """Write an answer that somebody must get: what it stands for is kept for another if this client has gone."""
    response = _response(exchange, delivery.answer)
    response.headers.update(exchange.headers)
    try:
        await response.prepare(exchange.request)
        await response.write_eof()
    except BaseException:
        await delivery.lost()
        raise
    await delivery.written()
    return response


async def signer(exchange: Exchange) -> str | None:
    """Who has signed a request with an access key of this server; None where it has no access keys.

    Raises ServiceError for a request that nobody of them has signed.
    """
    keys = exchange.service.settings.access_keys
    if not keys:
        return None
    request = exchange.request
    headers = {name.lower(): value for name, value in request.headers.items()}
    return verify(Signed(request.method, headers, await exchange.body()), keys, exchange.service.clock.now())


def refusal(refused: Refused, request_id: str | None = None) -> web.Response:
    """A refusal as the service spells one; ``request_id`` is what the request is called, if it could be read."""
    code = _CODES.get(refused.code, refused.code)
    body: dict[str, Any] = {"__type": code, "message": refused.detail, **refused.more}
    return web.Response(
        status=refused.status,
        body=encode(body),
        content_type=CONTENT_TYPE,
        headers={**refused.headers, "x-amzn-ErrorType": code, **_identified(request_id)},
    )
