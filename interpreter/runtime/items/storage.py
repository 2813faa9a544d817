"""Where items are and results go: objects in a bucket, whatever a bucket is.

A *bucket* is the name of one in S3, or a folder (``file:...``), or the beginning of a URL (``http://...``).
A *key* is what leads on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ...core.values import JSON


@dataclass(frozen=True, slots=True)
class Location:
    """``version`` and ``owner`` (an account) are S3's, None where they do not matter."""

    bucket: str
    key: str
    version: str | None = None
    owner: str | None = None

    def __str__(self) -> str:
        """As the context object calls it: ``Map.Item.Source``."""
        if self.bucket.endswith(":"):
            return self.bucket + self.key
        if ":" in self.bucket:
            return f"{self.bucket.rstrip('/')}/{self.key}" if self.key else self.bucket
        return f"S3://{self.bucket}/{self.key}" if self.key else f"S3://{self.bucket}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object as a file of this machine. ``identity`` differs when its content does."""

    path: Path
    identity: str


class Storage(Protocol):
    """One kind of place. What cannot be done is an Unreadable or an Unwritable."""

    def fetch(self, location: Location) -> AbstractAsyncContextManager[Fetched]:
        """An object's content, for as long as the context lasts."""

    async def list(self, location: Location) -> Iterator[JSON]:
        """The objects whose keys begin with the location's: ``Etag``, ``LastModified``, ``Key``, ``Size``,
        ``StorageClass`` of each (language, section 2.7)."""

    async def put(self, location: Location, content: Path) -> None:
        """Write an object; who reads it sees it whole or not at all."""
