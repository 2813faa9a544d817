"""A running server: a service, its front, and the port it listens on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from detent.runtime.handlers.registry import Registry

from .connection import Listener
from .errors import Exposed
from .front import Front, malformed
from .keys import Keyring, Keys
from .service import Service, open_service
from .settings import Settings


@dataclass(frozen=True, slots=True)
class Server:
    """``url`` is where it listens."""

    service: Service
    url: str


@asynccontextmanager
async def open_server(settings: Settings, handlers: Registry) -> AsyncIterator[Server]:
    """Serve until the block is left; requests under way are answered before it ends.

    Raises StoreError, Exposed, and OSError if the port cannot be had.
    """
    async with open_service(settings, handlers) as service:
        keyring = Keyring(Keys(service.engine.store))
        open_to_all = not (settings.access_keys or await keyring.known())
        if open_to_all and not (settings.is_local or settings.unsafe_no_auth):
            raise Exposed(
                f"{settings.host} is reached from outside and nobody would need a key: make one with "
                "`detent keys create NAME`, give --access-keys, or say --unsafe-no-auth"
            )
        listener = Listener(Front(service, keyring), malformed, settings)
        runner = web.ServerRunner(listener, shutdown_timeout=settings.drain_seconds)
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.host, settings.port)
            await site.start()
            yield Server(service, _url(settings.host, runner.addresses[0][1]))
        finally:
            service.feed.close()
            await runner.cleanup()


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
