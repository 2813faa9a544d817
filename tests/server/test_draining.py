"""A server that is told to end lets tasks at work end, within bounds."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from detent.server.settings import Settings

from .conftest import running_server
from .test_aws_executions import create, ended

TASK = json.dumps({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "task:work", "End": True}}})


def test_a_task_at_work_ends_and_is_not_done_again(tmp_path: Path, boto: Callable[..., Any]) -> None:
    begun, may_end = threading.Event(), threading.Event()
    calls: list[Any] = []

    def work(value: Any) -> str:
        calls.append(value)
        begun.set()
        may_end.wait(60)
        return "done"

    settings = Settings(store=str(tmp_path / "a.db"), port=0, drain_seconds=60.0)
    with running_server(settings, {"work": work}) as server:
        sfn = boto(server)
        execution = sfn.start_execution(stateMachineArn=create(sfn, definition=TASK))["executionArn"]
        begun.wait(60)
        threading.Timer(0.5, may_end.set).start()
    with running_server(settings, {"work": work}) as server:
        assert ended(boto(server), execution)["output"] == '"done"'
    assert len(calls) == 1
