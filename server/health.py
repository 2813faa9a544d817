"""Whether the server lives, whether it can work, and how it does."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from detent.store.base import StoreError

from .exchange import Exchange
from .metrics import MEDIA_TYPE

#: How long the store may take to answer, in seconds.
STORE_SECONDS = 5.0


async def alive(exchange: Exchange) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "ok"})


async def ready(exchange: Exchange) -> web.Response:
    """The store can be reached, has the layout of this release, and the engine runs."""
    # Both at once: a store that says nothing keeps each of them waiting.
    store, migrations = await asyncio.gather(_store(exchange), exchange.service.layout.state())
    checks = {"store": store, "migrations": migrations, "engine": _engine(exchange)}
    sound = all(said == "ok" for said in checks.values())
    body = {"status": "ok" if sound else "unavailable", "checks": checks}
    return web.Response(status=200 if sound else 503, text=json.dumps(body), content_type="application/json")


async def measured(exchange: Exchange) -> web.Response:
    """The measurements, for Prometheus."""
    text = await exchange.service.metrics.text()
    return web.Response(body=text, headers={"Content-Type": MEDIA_TYPE})


async def _store(exchange: Exchange) -> str:
    try:
        async with asyncio.timeout(STORE_SECONDS):
            await exchange.service.engine.store.document("health", "probe")
    except (StoreError, TimeoutError) as error:
        return f"cannot be reached: {type(error).__name__}"
    return "ok"


def _engine(exchange: Exchange) -> str:
    return "ok" if exchange.service.engine.upkeep.is_running else "has ended"
