"""Read the items of a Map Run, page by page, from wherever its ItemReader says (language, section 2.7).

A page says where the next one begins. The file stays open between two pages; a run that is resumed elsewhere
has it opened again and what was read before passed over, provided it is still the same file.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any, BinaryIO, cast

from ...core.errors import ITEM_READER_FAILED
from ...core.values import JSON, encode
from ..handlers.base import Beat, TaskCall, TaskError
from .errors import Unreadable
from .formats import ITEM_BYTES_MAX, Entry, read_csv, read_json, read_jsonl
from .storage import Location
from .storages import Storages, place_of

#: Bytes of a page, unless a single item has more.
PAGE_BYTES = 4 * 1024 * 1024
#: Map Runs whose file stays open between two pages.
OPEN_MAX = 64

_TYPES = {".csv": "CSV", ".jsonl": "JSONL", ".ndjson": "JSONL"}


class Reader:
    """The handler of what Map Runs want read."""

    slots = None

    def __init__(self, storages: Storages) -> None:
        self._storages = storages
        self._open: dict[str, _Reading] = {}

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        """The next items, and where to read on. Raises TaskError."""
        wanted: Mapping[str, Any] = task.arguments
        reading = self._open.pop(task.execution, None)
        try:
            if reading is None or reading.done != wanted["read"]:
                await _close(reading)
                reading = _Reading(self._storages, wanted["state"], wanted["cursor"])
                await reading.skip(wanted["read"])
            page = await reading.page(wanted["items"])
        except Unreadable as error:
            await _close(reading)
            raise TaskError(ITEM_READER_FAILED, str(error)) from None
        except BaseException:
            await _close(reading)
            raise
        if page["cursor"] is None:
            await reading.close()
        else:
            self._open[task.execution] = reading
            if len(self._open) > OPEN_MAX:
                await _close(self._open.pop(next(iter(self._open))))
        return page

    async def close(self) -> None:
        """Close every file."""
        while self._open:
            await _close(self._open.popitem()[1])


async def _close(reading: _Reading | None) -> None:
    if reading is not None:
        await reading.close()


class _Reading:
    """One pass over the items of a run."""

    def __init__(self, storages: Storages, reader: Mapping[str, Any], cursor: JSON) -> None:
        self._storages = storages
        self._reader = reader
        self._config: Mapping[str, Any] = reader["config"] or {}
        self._identity: str | None = None if cursor is None else cursor["identity"]
        self._most = _most(self._config.get("MaxItems", 0))
        self._location, self._lists = place_of(reader)
        self._parts = self._all_parts()
        self._part: Iterator[Entry] | None = None
        self.done = 0

    async def skip(self, count: int) -> None:
        """Pass over items that were read before."""
        while self.done < count:
            entries = await self._next(min(count - self.done, 10_000), PAGE_BYTES)
            if not entries:
                raise Unreadable(f"{self._location} has fewer items than when it was first read.")

    async def page(self, count: int) -> JSON:
        """So many items, or fewer."""
        entries = await self._next(count, PAGE_BYTES)
        keys = [key for key, _ in entries if key is not None]
        return {
            "items": [value for _, value in entries],
            **({"keys": keys} if keys else {}),
            "cursor": {"identity": self._identity} if entries else None,
            "source": str(self._location),
        }

    async def close(self) -> None:
        """Give back what is open."""
        self._part = None
        await self._parts.aclose()

    async def _next(self, count: int, bytes_most: int) -> list[Entry]:
        if self._most:
            count = min(count, self._most - self.done)
        entries: list[Entry] = []
        while not entries and count > 0:
            if self._part is None:
                self._part = await anext(self._parts, None)
                if self._part is None:
                    break
            entries = await asyncio.to_thread(_take, self._part, count, bytes_most)
            if not entries:
                self._part = None
        self.done += len(entries)
        return entries

    async def _all_parts(self) -> AsyncGenerator[Iterator[Entry], None]:
        """The items, file by file."""
        storage = self._storages.of(self._location)
        if self._lists:
            objects = await storage.list(self._location)
            if self._config.get("Transformation") != "LOAD_AND_FLATTEN":
                yield ((None, found) for found in objects)
                return
            for found in await asyncio.to_thread(list, objects):
                part = Location(self._location.bucket, found["Key"], None, self._location.owner)
                async with self._opened(part) as file:
                    yield self._entries(file, part.key)
        elif self._config.get("ManifestType") == "ATHENA_DATA":
            for part in await self._listed():
                async with self._opened(part) as file:
                    yield self._entries(file, part.key)
        elif self._config.get("InputType") == "MANIFEST" or "ManifestType" in self._config:
            bucket, keys, headers = await self._inventory()
            for key in keys:
                async with self._opened(Location(bucket, key)) as file:
                    with gzip.open(file) as rows:
                        yield read_csv(cast(BinaryIO, rows), "COMMA", headers)
        else:
            async with self._opened(self._location, first=True) as file:
                yield self._entries(file, self._location.key)

    @asynccontextmanager
    async def _opened(self, location: Location, *, first: bool = False) -> AsyncIterator[BinaryIO]:
        """An object for reading; the first one's identity says whether the items are still the same."""
        async with self._storages.of(location).fetch(location) as fetched:
            if first:
                if self._identity not in (None, fetched.identity):
                    raise Unreadable(f"{location} has changed since it was first read.")
                self._identity = fetched.identity
            with fetched.path.open("rb") as file:
                yield file

    def _entries(self, file: BinaryIO, key: str) -> Iterator[Entry]:
        config = self._config
        suffix = next((end for end in _TYPES if key.endswith(end)), "")
        kind = config.get("InputType") or _TYPES.get(suffix, "JSON")
        if kind == "CSV":
            given = config.get("CSVHeaders") if config.get("CSVHeaderLocation") == "GIVEN" else None
            return read_csv(file, config.get("CSVDelimiter", "COMMA"), given)
        if kind == "JSONL":
            return read_jsonl(file)
        if kind == "JSON":
            return read_json(file, config.get("ItemsPointer"))
        raise Unreadable(f"Items of the InputType {kind} cannot be read here.")

    async def _inventory(self) -> tuple[str, list[str], list[str]]:
        """Bucket and keys of the files of an S3 inventory, and the names of their columns."""
        async with self._opened(self._location, first=True) as file:
            manifest = await asyncio.to_thread(_manifest, file)
        bucket = str(manifest["destinationBucket"]).rpartition(":::")[2]
        if ":" in self._location.bucket:
            bucket = self._location.bucket  # a copy of the inventory, in a folder or behind a URL
        keys = [str(found["key"]) for found in manifest["files"]]
        return bucket, keys, [name.strip() for name in str(manifest["fileSchema"]).split(",")]

    async def _listed(self) -> list[Location]:
        """The files that a manifest of data names, one URI a line."""
        async with self._opened(self._location, first=True) as file:
            lines = (await asyncio.to_thread(file.read)).decode(errors="replace").split()
        uris = [line.strip('",').removeprefix("s3://").partition("/") for line in lines]
        return [Location(bucket, key) for bucket, _, key in uris]


def _take(entries: Iterator[Entry], count: int, bytes_most: int) -> list[Entry]:
    """The next items, so many or so large together. Raises Unreadable."""
    taken: list[Entry] = []
    size = 0
    for entry in islice(entries, count):
        bytes_of_item = len(encode(entry[1]))
        if bytes_of_item > ITEM_BYTES_MAX:
            raise Unreadable(f"An item has {bytes_of_item} bytes; it may have {ITEM_BYTES_MAX}.")
        taken.append(entry)
        size += bytes_of_item
        if size >= bytes_most:
            break
    return taken


def _most(value: JSON) -> int:
    """MaxItems; 0 is no limit. Raises Unreadable."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise Unreadable(f"field MaxItems must be an integer but was: {encode(value).decode()}")
    if value < 0:
        raise Unreadable("field MaxItems must be positive")
    return int(value)


def _manifest(file: BinaryIO) -> Mapping[str, Any]:
    try:
        manifest = json.load(file)
        if manifest["fileFormat"] != "CSV":
            raise Unreadable(f"An inventory of the format {manifest['fileFormat']} cannot be read here.")
        return cast(
            Mapping[str, Any], {name: manifest[name] for name in ("destinationBucket", "files", "fileSchema")}
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"The file is not the manifest of an S3 inventory: {error!r}") from None
