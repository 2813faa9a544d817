"""Gather the results of a Map Run: in one value, or in files elsewhere (language, section 2.7).

Results are read from the logs of the children, one after the other, so that no more than a few of them are in
memory. Gathering once more, after a crash, writes the same files again.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from ...core.errors import DATA_LIMIT_EXCEEDED, RESULT_WRITER_FAILED
from ...core.execution import SUCCEEDED, Execution
from ...core.turn import too_large
from ...core.values import JSON, encode
from ...store.base import StoreUnavailable
from ..handlers.base import Beat, TaskCall, TaskError
from .errors import Unwritable
from .outcomes import Read, ended_children, transformed
from .shards import Shards
from .storage import Location
from .storages import Storages, destination_of


class Results:
    """The handler of what Map Runs want gathered."""

    slots = None

    def __init__(self, read: Read, storages: Storages) -> None:
        self._read = read
        self._storages = storages

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        """The results, and how many of them were written elsewhere. Raises TaskError."""
        wanted: Mapping[str, Any] = task.arguments
        writer: Mapping[str, Any] = wanted["state"] or {"resource": None, "config": {}}
        children = ended_children(
            self._read,
            task.execution,
            task.machine_name,
            wanted["children"],
            express=wanted["express"],
            renamed=wanted["renamed"],
        )
        try:
            if writer["resource"] is None:
                return await _inline(children, writer["config"] or {}, wanted["limit"], task.state)
            return await self._export(children, writer, wanted["waiting"], task.execution)
        except Unwritable as error:
            raise TaskError(RESULT_WRITER_FAILED, str(error)) from None
        except StoreUnavailable:
            # The engine is closing. Whoever resumes the run has its results gathered again.
            return await asyncio.get_running_loop().create_future()

    async def _export(
        self, children: AsyncIterator[Execution], writer: Mapping[str, Any], waiting: list[JSON], run: str
    ) -> JSON:
        """Write files of results and a manifest that names them. Raises Unwritable."""
        config = writer["config"] or {}
        home = destination_of(writer)
        storage = self._storages.of(home)
        place = "/".join(filter(None, (home.key, run.rpartition(":")[2])))
        written = 0
        with tempfile.TemporaryDirectory(prefix="detent-") as folder:
            shards = Shards(Path(folder), lines=config.get("OutputType") == "JSONL")
            async for child in children:
                good = child.status == SUCCEEDED
                for result in transformed(child, config.get("Transformation", "NONE")):
                    shards.add("SUCCEEDED" if good else "FAILED", result)
                written += 1
            for input in waiting:
                shards.add("PENDING", {"Input": encode(input).decode(), "InputDetails": {"Included": True}})
            files: dict[str, list[JSON]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
            for kind, path in shards.finished():
                key = f"{place}/{path.name}"
                await storage.put(Location(home.bucket, key, None, home.owner), path)
                files[kind].append({"Key": key, "Size": path.stat().st_size})
            manifest = Path(folder) / "manifest.json"
            manifest.write_bytes(
                encode({"DestinationBucket": home.bucket, "MapRunArn": run, "ResultFiles": files})
            )
            # Last: who finds the manifest finds the files.
            await storage.put(Location(home.bucket, f"{place}/manifest.json", None, home.owner), manifest)
        details = {"Bucket": home.bucket, "Key": f"{place}/manifest.json"}
        return {"output": {"MapRunArn": run, "ResultWriterDetails": details}, "written": written}


async def _inline(
    children: AsyncIterator[Execution], config: Mapping[str, Any], limit: int, state: str
) -> JSON:
    """The results as the output of the state, if they are not too large for one. Raises TaskError."""
    results: list[JSON] = []
    size = 2
    async for child in children:
        for result in transformed(child, config.get("Transformation", "COMPACT")):
            size += len(encode(result)) + bool(results)
            if size > limit:
                raise TaskError(DATA_LIMIT_EXCEEDED, too_large(state).cause)
            results.append(result)
    return {"output": results, "written": 0}
