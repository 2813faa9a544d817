"""The REST API as a whole: its operations, how they are found, and the document that describes them."""

from __future__ import annotations

from functools import cache

from aiohttp import web

from detent.core.values import encode
from detent.runtime.compose import RELEASE

from ..exchange import Exchange
from . import admin, definitions, events, executions, exports, machines, steering, tasks, trials, versions
from .openapi import document
from .operation import JSON_TYPE
from .routes import Routes

OPERATIONS = (
    *machines.OPERATIONS,
    *definitions.OPERATIONS,
    *versions.OPERATIONS,
    *trials.OPERATIONS,
    *executions.OPERATIONS,
    *exports.OPERATIONS,
    *steering.OPERATIONS,
    *tasks.OPERATIONS,
    *events.OPERATIONS,
    *admin.OPERATIONS,
)
ROUTES = Routes(OPERATIONS)


@cache
def _document() -> bytes:
    return encode(document(OPERATIONS, RELEASE))


async def describe(exchange: Exchange) -> web.Response:
    """The OpenAPI document."""
    return web.Response(body=_document(), content_type=JSON_TYPE)
