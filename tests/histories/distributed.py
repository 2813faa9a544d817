"""Recordings with a distributed Map, acted out by an engine: Map Runs and their children are executions, too."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from detent.compile import compile_text, digest_of
from detent.core.codec import Step
from detent.core.execution import Execution
from detent.core.values import Payload, encode
from detent.history import project
from detent.runtime.engine import Engine
from detent.runtime.handlers.base import Beat, TaskCall
from detent.runtime.items.errors import Unreadable
from detent.runtime.items.storage import Fetched, Location
from detent.runtime.items.storages import Storages
from detent.runtime.machines import Machines
from detent.runtime.names import Names
from detent.runtime.recall import recall_steps
from detent.store.base import ExecutionRecord, MachineRecord
from detent.store.memory import MemoryStore

ACCOUNT = "111111111111"


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


class Anything:
    """What tasks answered in the children is not recorded, and shows nowhere."""

    slots = None

    async def run(self, task: TaskCall, beat: Beat) -> Any:
        return {}


def act_out(recording: dict[str, Any]) -> tuple[Execution, list[dict[str, Any]]]:
    """The end of a recorded execution and its history, as the protocol spells it, without times."""
    state, steps = asyncio.run(_run(recording))
    events = [event.as_json() for event in project(steps)]
    return state, [{key: value for key, value in event.items() if key != "timestamp"} for event in events]


async def _run(recording: dict[str, Any]) -> tuple[Execution, list[Step]]:
    store = MemoryStore()
    buckets: Any = Buckets(recording.get("mocks", {}).get("setup", []))
    storages: Storages = buckets
    names = Names(recording["state_machine_name"], account=ACCOUNT)
    definition = recording["definition"]
    value = recording.get("input", {})
    # The tests behind the recordings spelled their inputs as Python's json does.
    spelling = None if isinstance(value, dict) else Payload(json.dumps(value))
    engine = Engine(
        store, Machines(store, compile_text), lambda resource: Anything(), release="1", storages=storages
    )
    await engine.open()
    try:
        digest = digest_of(definition)
        await engine.machines.publish(MachineRecord(digest, names.machine_arn, encode(definition), 0))
        record = ExecutionRecord(
            names.execution_arn("run-1"), "run-1", names.machine_arn, digest, "aws", 1_700_000_000_000
        )
        await engine.start(record, Payload(value), role=recording["role_arn"], spelling=spelling)
        state = await engine.result(record.id)
        _, steps = await recall_steps(store, record.id)
        return state, steps
    finally:
        await engine.close()
