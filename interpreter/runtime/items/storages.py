"""Which storage a place is in: files of this machine, the web, or S3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..handlers.guards import PUBLIC_ONLY, Guards
from ..handlers.http import HttpClient
from .errors import Unreadable, Unwritable
from .files import Files, local_path
from .s3 import S3
from .storage import Location, Storage
from .web import Web

_SCHEMES = ("file:", "http:", "https:")


class Storages:
    """``file_roots`` are the folders whose files may be read and written, None allows all; ``guards`` say which
    web servers may be asked."""

    def __init__(self, file_roots: Iterable[Path] | None = (), guards: Guards = PUBLIC_ONLY) -> None:
        self._client = HttpClient(guards)
        self._files: Storage = Files(file_roots)
        self._web: Storage = Web(self._client)
        self._s3: Storage = S3()

    def of(self, location: Location) -> Storage:
        """Where a location is."""
        if location.bucket.startswith("file:"):
            return self._files
        return self._web if location.bucket.startswith(("http:", "https:")) else self._s3

    async def close(self) -> None:
        """Give connections back."""
        await self._client.close()


def place_of(reader: Mapping[str, Any]) -> tuple[Location, bool]:
    """Where an ItemReader reads, and whether it lists what is there. Raises Unreadable.

    A Resource that is a URL names the place; so may the Bucket of the service's two calls.
    """
    resource, arguments = str(reader["resource"]), _arguments(reader, Unreadable)
    owner = arguments.get("ExpectedBucketOwner")
    if resource.startswith(_SCHEMES):
        if "Key" in arguments or "Prefix" in arguments:
            bucket, lists = resource, "Prefix" in arguments
        else:
            bucket, _, arguments["Key"] = (
                resource.rpartition("/") if "/" in resource else ("file:", "", resource[5:])
            )
            lists = resource.startswith("file:") and _is_folder(resource)
            if lists:
                bucket, arguments = resource, {"Prefix": ""}
    else:
        bucket, lists = _text(arguments, "Bucket", Unreadable), resource.endswith(":listObjectsV2")
    if lists:
        return Location(bucket, str(arguments.get("Prefix") or ""), None, owner), True
    return Location(bucket, _text(arguments, "Key", Unreadable), arguments.get("VersionId"), owner), False


def destination_of(writer: Mapping[str, Any]) -> Location:
    """Where a ResultWriter writes: a location whose key is a prefix. Raises Unwritable."""
    resource, arguments = str(writer["resource"]), _arguments(writer, Unwritable)
    bucket = resource if resource.startswith(_SCHEMES) else _text(arguments, "Bucket", Unwritable)
    prefix = str(arguments.get("Prefix") or "").strip("/")
    return Location(bucket, prefix, None, arguments.get("ExpectedBucketOwner"))


def _arguments(call: Mapping[str, Any], refusal: type[Exception]) -> dict[str, Any]:
    arguments = call["arguments"]
    if arguments is not None and not isinstance(arguments, dict):
        raise refusal("The arguments must be an object.")
    return dict(arguments or {})


def _text(arguments: Mapping[str, Any], name: str, refusal: type[Exception]) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise refusal(f"The field '{name}' is required but was missing.")
    return value


def _is_folder(url: str) -> bool:
    return url.endswith("/") or local_path(url).is_dir()
