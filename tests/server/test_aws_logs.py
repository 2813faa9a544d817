"""The logs of state machines, against what the service was recorded to write, and across restarts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from histories.comparing import Masks, first_difference, plain

from detent.server.aws.logs import file_name, is_kept
from detent.server.settings import Settings

from .conftest import running_server
from .test_aws_executions import PATIENCE, ROLE, ended

SETTINGS = Settings(port=0, drain_seconds=1.0)
RECORDED = json.loads((Path(__file__).with_name("recorded_logs") / "logs.json").read_text())["vectors"]
GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/orders:*"
FILE = "aws.vendedlogs.states.orders.jsonl"


def logging(**settings: Any) -> dict[str, Any]:
    return {**settings, "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}}]}


def logged(folder: Path) -> list[dict[str, Any]]:
    file = folder / FILE
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector["id"]) for vector in RECORDED])
def test_what_is_logged_is_what_the_service_logs(
    vector: dict[str, Any], tmp_path: Path, boto: Callable[..., Any]
):
    with running_server(replace(SETTINGS, state_logs=str(tmp_path), account="111111111111"), {}) as server:
        sfn = boto(server)
        arn = sfn.create_state_machine(
            name="statemachine_create_and_record_execution_1",
            definition=json.dumps(vector["definition"]),
            roleArn="arn:aws:iam::111111111111:role/snf_role_arn",
            loggingConfiguration=logging(**vector["logging"]),
        )["stateMachineArn"]
        started = sfn.start_execution(stateMachineArn=arn, input=json.dumps(vector.get("input", {})))
        ended(sfn, started["executionArn"])
    found = [{**one, "details": plain(one["details"])} for one in logged(tmp_path)]
    masks = Masks(list(vector["placeholders"]))
    assert first_difference(vector["logged_events"], found, masks) is None


def test_a_history_goes_on_in_the_log_after_a_restart(tmp_path: Path, boto: Callable[..., Any]):
    settings = replace(SETTINGS, store=str(tmp_path / "x.db"), state_logs=str(tmp_path))
    wait = {"Type": "Wait", "Seconds": 3600, "End": True}
    definition = json.dumps({"StartAt": "W", "States": {"W": wait}})
    with running_server(settings, {}) as server:
        sfn = boto(server)
        arn = sfn.create_state_machine(
            name="m", definition=definition, roleArn=ROLE, loggingConfiguration=logging(level="ALL")
        )["stateMachineArn"]
        execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    with running_server(settings, {}) as server:
        boto(server).stop_execution(executionArn=execution)
        until = time.monotonic() + PATIENCE
        while len(logged(tmp_path)) < 3 and time.monotonic() < until:
            time.sleep(0.02)
    assert [(one["id"], one["type"]) for one in logged(tmp_path)] == [
        ("1", "ExecutionStarted"),
        ("2", "WaitStateEntered"),
        ("3", "ExecutionAborted"),
    ]


@pytest.mark.parametrize(
    ("type", "levels"),
    [
        ("PassStateEntered", {"ALL"}),
        ("TaskFailed", {"ALL", "ERROR"}),
        ("LambdaFunctionTimedOut", {"ALL", "ERROR"}),
        ("MapIterationAborted", {"ALL", "ERROR"}),
        ("FailStateEntered", {"ALL", "ERROR"}),
        ("ExecutionAborted", {"ALL", "ERROR", "FATAL"}),
        ("ExecutionSucceeded", {"ALL"}),
    ],
)
def test_a_level_keeps_what_its_name_says(type, levels):
    assert {level for level in ("ALL", "ERROR", "FATAL", "OFF") if is_kept(level, type)} == levels


@pytest.mark.parametrize("group", ["/../../etc/passwd", "..", "/" * 9, "x" * 600, "a\0b", "."])
def test_the_name_of_a_log_group_is_no_path(group, tmp_path):
    assert (tmp_path / file_name(group)).resolve().parent == tmp_path.resolve()
    assert "/" not in file_name(group)
    assert len(file_name(group)) < 256
