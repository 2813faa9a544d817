"""A process that runs executions until somebody kills it: ``python victim.py STORE FOLDER``.

It starts what has not been started yet, notes each start that was acknowledged, takes over the rest, and
writes one byte to stdout for every commit. It ends by itself when all executions have ended.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

from detent.compile import digest_of
from detent.core.execution import RUNNING
from detent.core.values import Payload, encode
from detent.runtime.compose import Names, open_engine
from detent.runtime.engine import Engine
from detent.runtime.errors import ExecutionExists
from detent.runtime.handlers.base import Beat, TaskCall, TaskError
from detent.store.base import ExecutionRecord, MachineRecord

EXECUTIONS = 200
NAMES = Names("torture")

DEFINITION: Any = {
    "StartAt": "First",
    "States": {
        "First": {
            "Type": "Task",
            "Resource": "task:first",
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2}],
            "Next": "Pause",
        },
        "Pause": {"Type": "Wait", "Seconds": 1, "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "MaxConcurrency": 2,
            "ItemProcessor": {
                "StartAt": "Inner",
                "States": {
                    "Inner": {"Type": "Task", "Resource": "task:inner", "Next": "Done"},
                    "Done": {"Type": "Pass", "End": True},
                },
            },
            "Next": "Last",
        },
        "Last": {"Type": "Task", "Resource": "task:last", "End": True},
    },
}


class Effects:
    """The handler of every task: leaves a line behind that no crash can take back, then answers."""

    slots = None

    def __init__(self, folder: Path) -> None:
        self.file = os.open(folder / "effects", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def run(self, task: TaskCall, beat: Beat) -> Any:
        line = f"{task.key} {task.execution_name} {task.pending} {task.attempt} {os.getpid()}\n"
        os.write(self.file, line.encode())
        await asyncio.sleep(0.01)
        if task.state == "First" and task.attempt == 1 and task.execution_name.endswith("7"):
            raise TaskError("NotYet")
        return task.arguments


async def main(store: str, folder: Path) -> None:
    effects = Effects(folder)
    acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    digest = digest_of(DEFINITION)
    async with open_engine(store, lambda resource: effects, takes_over=True) as engine:
        engine.observe(lambda execution, steps: void(os.write(1, b".")))
        await engine.machines.publish(MachineRecord(digest, NAMES.machine_arn, encode(DEFINITION), 0))
        await asyncio.gather(
            *(client(engine, f"e{number}", digest, acknowledged) for number in range(EXECUTIONS))
        )


async def client(engine: Engine, name: str, digest: str, acknowledged: int) -> None:
    id = NAMES.execution_arn(name)
    now = time.time_ns() // 1_000_000
    record = ExecutionRecord(id, name, NAMES.machine_arn, digest, "detent", now)
    try:
        await engine.start(record, Payload({"items": [1, 2, 3]}))
        os.write(acknowledged, f"{name}\n".encode())
    except ExecutionExists:
        pass
    # One that was interrupted runs here as soon as the engine has taken it over.
    while (await engine.result(id)).status == RUNNING:  # noqa: ASYNC110
        await asyncio.sleep(0.2)


def void(_: object) -> None:
    return None


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
