"""The objects that stood in S3 when recordings were made: what Map states read, and what they write beside them."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from detent.runtime.items.errors import Unreadable
from detent.runtime.items.storage import Fetched, Location


class Buckets:
    """The objects that stood in S3 when a recording was made, and what is written beside them."""

    def __init__(self, setup: list[dict[str, Any]]) -> None:
        calls = (call["params"] for call in setup if call["operation"] == "PutObject")
        self.objects = {(call["Bucket"], call["Key"]): _text(call["Body"]).encode() for call in calls}

    def of(self, location: Location) -> Buckets:
        return self

    @asynccontextmanager
    async def fetch(self, location: Location) -> AsyncIterator[Fetched]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "content"
            try:
                path.write_bytes(self.objects[location.bucket, location.key])
            except KeyError:
                raise Unreadable("The specified key does not exist.") from None
            yield Fetched(path, "1")

    async def list(self, location: Location) -> Iterator[Any]:
        return iter(
            {"Etag": '"1"', "Key": key, "LastModified": 1, "Size": len(body), "StorageClass": "STANDARD"}
            for (bucket, key), body in sorted(self.objects.items())
            if bucket == location.bucket and key.startswith(location.key)
        )

    async def put(self, location: Location, content: Path) -> None:
        self.objects[location.bucket, location.key] = await asyncio.to_thread(content.read_bytes)

    async def close(self) -> None:
        """Nothing is open."""


def _text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)
