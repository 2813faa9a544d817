"""What the AWS protocol has acknowledged is there after the server was killed, and started again."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .conftest import Serve
from .test_aws_executions import ROLE, ended
from .test_aws_logs import logging


def test_everything_acknowledged_survives_a_kill(serve: Serve, boto: Callable[..., Any], tmp_path: Path):
    store = str(tmp_path / "x.db")
    program = serve("--store", store)
    sfn = boto(program)
    wait = json.dumps({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}})
    settings = {"loggingConfiguration": logging(level="FATAL"), "tags": [{"key": "a", "value": "b"}]}
    arn = sfn.create_state_machine(name="m", definition=wait, roleArn=ROLE, publish=True, **settings)[
        "stateMachineArn"
    ]
    sfn.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": f"{arn}:1", "weight": 100}]
    )
    activity = sfn.create_activity(name="work")["activityArn"]
    executions = [
        sfn.start_execution(stateMachineArn=f"{arn}:live", name=f"x{n}", input=str(n))["executionArn"]
        for n in range(5)
    ]
    before = sfn.describe_state_machine(stateMachineArn=f"{arn}:1")
    token = sfn.list_executions(stateMachineArn=arn, maxResults=2)["nextToken"]
    program.end(signal.SIGKILL)

    sfn = boto(serve("--store", store))
    after = sfn.describe_state_machine(stateMachineArn=f"{arn}:1")
    assert after | {"ResponseMetadata": None} == before | {"ResponseMetadata": None}
    assert sfn.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "a", "value": "b"}]
    assert sfn.describe_activity(activityArn=activity)["name"] == "work"
    rest = sfn.list_executions(stateMachineArn=arn, nextToken=token)["executions"]
    assert [found["name"] for found in rest] == ["x2", "x1", "x0"]
    for n, execution in enumerate(executions):
        described = sfn.describe_execution(executionArn=execution)
        assert (described["status"], described["input"]) == ("RUNNING", str(n))
        assert described["stateMachineAliasArn"] == f"{arn}:live"
        again = sfn.start_execution(stateMachineArn=f"{arn}:live", name=f"x{n}", input=str(n))
        assert again["startDate"] == described["startDate"]
        sfn.stop_execution(executionArn=execution)
        assert ended(sfn, execution)["status"] == "ABORTED"


def test_a_deletion_goes_on_after_a_kill(serve: Serve, boto: Callable[..., Any], tmp_path: Path):
    store = str(tmp_path / "x.db")
    program = serve("--store", store)
    sfn = boto(program)
    wait = json.dumps({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}})
    arn = sfn.create_state_machine(name="m", definition=wait, roleArn=ROLE)["stateMachineArn"]
    for n in range(20):
        sfn.start_execution(stateMachineArn=arn, name=f"x{n}")
    sfn.delete_state_machine(stateMachineArn=arn)
    program.end(signal.SIGKILL)

    sfn = boto(serve("--store", store))
    while sfn.list_state_machines()["stateMachines"]:
        pass
    again = sfn.create_state_machine(name="m", definition=wait, roleArn=ROLE)["stateMachineArn"]
    assert sfn.list_executions(stateMachineArn=again)["executions"] == []
