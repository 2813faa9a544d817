"""Items and results in S3, or whatever speaks its protocol.

The client is botocore's, which comes with the extra ``s3``. So endpoint, region and credentials are configured
as for every tool of AWS (``AWS_ENDPOINT_URL_S3``, ``AWS_ENDPOINT_URL``, ``AWS_PROFILE``, ...). Where there are
no credentials requests are not signed; an endpoint of one's own gets the bucket in the path.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from ...core.values import JSON
from .errors import Unreadable, Unwritable
from .storage import Fetched, Location

_CHUNK_BYTES = 1024 * 1024
_REGION = "us-east-1"


class S3:
    """One client for all buckets, made when it is first needed."""

    @asynccontextmanager
    async def fetch(self, location: Location) -> AsyncIterator[Fetched]:
        with tempfile.TemporaryDirectory(prefix="detent-") as folder:
            path = Path(folder) / "content"
            yield Fetched(path, await asyncio.to_thread(self._download, location, path))

    async def list(self, location: Location) -> Iterator[JSON]:
        return self._pages(location)

    async def put(self, location: Location, content: Path) -> None:
        await asyncio.to_thread(self._upload, location, content)

    def _download(self, location: Location, path: Path) -> str:
        with self._trouble(Unreadable), path.open("wb") as file:
            wanted = {"Key": location.key, **_bucket(location)}
            if location.version is not None:
                wanted["VersionId"] = location.version
            answer = self._client.get_object(**wanted)
            for chunk in answer["Body"].iter_chunks(_CHUNK_BYTES):
                file.write(chunk)
            return str(answer["ETag"])

    def _pages(self, location: Location) -> Iterator[JSON]:
        with self._trouble(Unreadable):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Prefix=location.key, **_bucket(location)):
                for found in page.get("Contents", ()):
                    yield {
                        "Etag": found["ETag"],
                        "LastModified": int(found["LastModified"].timestamp()),
                        "Key": found["Key"],
                        "Size": found["Size"],
                        "StorageClass": found.get("StorageClass", "STANDARD"),
                    }

    def _upload(self, location: Location, content: Path) -> None:
        with self._trouble(Unwritable), content.open("rb") as body:
            self._client.put_object(Key=location.key, Body=body, **_bucket(location))

    @cached_property
    def _client(self) -> Any:
        try:
            import botocore.session  # type: ignore[import-untyped]
            from botocore import UNSIGNED
            from botocore.config import Config  # type: ignore[import-untyped]
        except ImportError:
            raise Unreadable("S3 is reached with the extra s3: pip install 'detent[s3]'.") from None
        session = botocore.session.get_session()
        own_endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        config = Config(
            signature_version=UNSIGNED if session.get_credentials() is None else None,
            s3={"addressing_style": "path" if own_endpoint else "auto"},
        )
        region = session.get_config_variable("region") or _REGION
        return session.create_client("s3", region_name=region, config=config)

    @staticmethod
    def _trouble(refusal: type[Exception]) -> Any:
        return _Trouble(refusal)


class _Trouble:
    """Turns what the client raises into ``refusal``, with the service's own message."""

    def __init__(self, refusal: type[Exception]) -> None:
        self._refusal = refusal

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if type(error).__module__.startswith("botocore"):
            response = getattr(error, "response", {}).get("Error", {})
            message = response.get("Message") or str(error)
            code = response.get("Code")
            raise self._refusal(
                f"{message} (Service: S3, Error Code: {code})" if code else message
            ) from error


def _bucket(location: Location) -> dict[str, str]:
    owner = {} if location.owner is None else {"ExpectedBucketOwner": location.owner}
    return {"Bucket": location.bucket, **owner}
