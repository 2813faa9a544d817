"""Items and results in files of this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from hashlib import md5
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ...core.values import JSON
from .errors import Unreadable, Unwritable
from .storage import Fetched, Location


class Files:
    """``roots`` are the folders below which files may be read and written; None allows all."""

    def __init__(self, roots: Iterable[Path] | None = None) -> None:
        self._roots = None if roots is None else [root.resolve() for root in roots]

    @asynccontextmanager
    async def fetch(self, location: Location) -> AsyncIterator[Fetched]:
        path = self._path(location, Unreadable)
        try:
            known = await asyncio.to_thread(path.stat)
        except OSError as error:
            raise Unreadable(f"The file {path} cannot be read: {error.strerror}.") from None
        if path.is_dir():
            raise Unreadable(f"{path} is a folder: list it with s3:listObjectsV2.")
        yield Fetched(path, f"{known.st_size}/{known.st_mtime_ns}")

    async def list(self, location: Location) -> Iterator[JSON]:
        root = self._path(Location(location.bucket, ""), Unreadable)
        if not root.is_dir():
            raise Unreadable(f"{root} is no folder.")
        return iter(await asyncio.to_thread(_objects, root, location.key))

    async def put(self, location: Location, content: Path) -> None:
        path = self._path(location, Unwritable)
        try:
            await asyncio.to_thread(_put, path, content)
        except OSError as error:
            raise Unwritable(f"The file {path} cannot be written: {error.strerror}.") from None

    def _path(self, location: Location, refusal: type[Exception]) -> Path:
        path = (local_path(location.bucket) / location.key).resolve()
        if self._roots is not None and not any(path.is_relative_to(root) for root in self._roots):
            raise refusal(f"The file {path} is outside the folders that may be used here.")
        return path


def local_path(url: str) -> Path:
    """The path of a file URL; ``file:a`` and ``file://./a`` are relative to where the engine was started."""
    parts = urlsplit(url)
    place = parts.netloc if parts.netloc != "localhost" else ""
    return Path(unquote(place + parts.path))


def _objects(root: Path, prefix: str) -> list[JSON]:
    """The files below a folder, in the order of their keys."""
    found = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            key = path.relative_to(root).as_posix()
            if key.startswith(prefix):
                found.append((key, path.stat()))
    return [
        {
            "Etag": f'"{md5(f"{known.st_size}/{known.st_mtime_ns}".encode(), usedforsecurity=False).hexdigest()}"',
            "LastModified": int(known.st_mtime),
            "Key": key,
            "Size": known.st_size,
            "StorageClass": "STANDARD",
        }
        for key, known in sorted(found, key=lambda one: one[0].encode())
    ]


def _put(path: Path, content: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as copy, content.open("rb") as source:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
