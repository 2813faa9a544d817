"""Items from a web server. Nothing is written there, and nothing can be listed."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from ...core.values import JSON
from ..handlers.base import TaskError
from ..handlers.http import HttpClient
from .errors import Unreadable, Unwritable
from .storage import Fetched, Location

#: Seconds without a byte before a server is given up.
SILENCE_SECONDS = 60
_CHUNK_BYTES = 1024 * 1024


class Web:
    """Files are fetched whole before they are read: a server that is slow, or closes early, costs no items."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    @asynccontextmanager
    async def fetch(self, location: Location) -> AsyncIterator[Fetched]:
        url = str(location)
        with tempfile.TemporaryDirectory(prefix="detent-") as folder:
            path = Path(folder) / "content"
            try:
                identity = await self._download(url, path)
            except (aiohttp.ClientError, TimeoutError, TaskError) as error:
                raise Unreadable(f"{url} cannot be read: {str(error) or type(error).__name__}") from None
            yield Fetched(path, identity)

    async def _download(self, url: str, path: Path) -> str:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=SILENCE_SECONDS, sock_read=SILENCE_SECONDS)
        self._client.check(urlsplit(url).hostname or "")
        async with self._client.session.get(url, timeout=timeout, allow_redirects=False) as response:
            if response.status != 200:
                raise Unreadable(f"{url} answers with the status {response.status}.")
            file = await asyncio.to_thread(path.open, "wb")
            with file:
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    await asyncio.to_thread(file.write, chunk)
                size = file.tell()
            headers = response.headers
            return headers.get("ETag") or f"{size}/{headers.get('Last-Modified', '')}"

    async def list(self, location: Location) -> Iterator[JSON]:
        raise Unreadable(f"{location} is on a web server, whose files cannot be listed.")

    async def put(self, location: Location, content: Path) -> None:
        raise Unwritable(f"{location} is on a web server, where nothing can be written.")
