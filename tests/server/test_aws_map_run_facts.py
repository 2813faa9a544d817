"""What is told of Map Runs over the AWS protocol: counts of items and executions, limits, redrives."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Running

ROLE = "arn:aws:iam::123456789012:role/detent"
PREFIX = "arn:aws:states:us-east-1:123456789012"
#: For how long something that is under way is waited for, in seconds.
PATIENCE = 60.0
LARGE = {"Variable": "$", "NumericGreaterThan": 2, "Next": "F"}
STATES = {
    "C": {"Type": "Choice", "Choices": [LARGE], "Default": "S"},
    "F": {"Type": "Fail", "Error": "Large"},
    "S": {"Type": "Succeed"},
}
WAITING = {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}


@pytest.fixture
def sfn(server: Running, boto: Callable[..., Any]) -> Any:
    return boto(server)


def start(sfn: Any, states: dict[str, Any], input: Any, **fields: Any) -> str:
    """Start an execution of the machine ``m``, a distributed Map; its ARN."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    processor = {"ProcessorConfig": config, "StartAt": next(iter(states)), "States": states}
    each = {"Type": "Map", "Label": "items", "ItemProcessor": processor, "End": True, **fields}
    definition = json.dumps({"StartAt": "M", "States": {"M": each}})
    arn = sfn.create_state_machine(name="m", definition=definition, roleArn=ROLE)["stateMachineArn"]
    execution: str = sfn.start_execution(stateMachineArn=arn, input=json.dumps(input))["executionArn"]
    return execution


def until(look: Callable[[], Any], done: Callable[[Any], bool]) -> Any:
    """Look again until it is done, or patience is over."""
    end = time.monotonic() + PATIENCE
    while not done(found := look()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def ended(sfn: Any, execution: str) -> Any:
    return until(
        lambda: sfn.describe_execution(executionArn=execution), lambda one: one["status"] != "RUNNING"
    )


def the_run(sfn: Any, execution: str) -> str:
    found = until(lambda: sfn.list_map_runs(executionArn=execution)["mapRuns"], bool)
    run: str = found[0]["mapRunArn"]
    return run


def test_a_map_run_is_listed_and_described(sfn: Any) -> None:
    execution = start(sfn, STATES, [1, 2, 3], MaxConcurrency=5, ToleratedFailurePercentage=50)
    assert ended(sfn, execution)["status"] == "SUCCEEDED"
    (listed,) = sfn.list_map_runs(executionArn=execution)["mapRuns"]
    assert listed["executionArn"] == execution
    assert listed["stateMachineArn"] == f"{PREFIX}:stateMachine:m/items"
    assert listed["mapRunArn"].startswith(f"{PREFIX}:mapRun:m/items:")
    run = sfn.describe_map_run(mapRunArn=listed["mapRunArn"])
    assert (run["status"], run["maxConcurrency"], run["redriveCount"]) == ("SUCCEEDED", 5, 0)
    assert (run["toleratedFailurePercentage"], run["toleratedFailureCount"]) == (50.0, 0)
    assert run["stopDate"] >= run["startDate"]
    counts = {
        "pending": 0,
        "running": 0,
        "succeeded": 2,
        "failed": 1,
        "timedOut": 0,
        "aborted": 0,
        "total": 3,
        "resultsWritten": 0,
        "failuresNotRedrivable": 0,
        "pendingRedrive": 0,
    }
    assert run["itemCounts"] == run["executionCounts"] == counts


def test_its_children_are_executions_with_histories(sfn: Any) -> None:
    execution = start(sfn, STATES, [1, 2, 3], ItemBatcher={"MaxItemsPerBatch": 2})
    ended(sfn, execution)
    run = the_run(sfn, execution)
    children = sfn.list_executions(mapRunArn=run)["executions"]
    assert sorted(child["itemCount"] for child in children) == [1, 2]
    for child in children:
        assert child["mapRunArn"] == run
        described = sfn.describe_execution(executionArn=child["executionArn"])
        assert described["mapRunArn"] == run
        assert described["stateMachineArn"] == f"{PREFIX}:stateMachine:m/items"
        events = sfn.get_execution_history(executionArn=child["executionArn"])["events"]
        assert [event["type"] for event in events][:2] == ["ExecutionStarted", "ChoiceStateEntered"]
    page = sfn.list_executions(mapRunArn=run, maxResults=1)
    rest = sfn.list_executions(mapRunArn=run, maxResults=1, nextToken=page["nextToken"])
    assert page["executions"] + rest["executions"] == children
    # Those of the machine itself are what was started of it.
    (own,) = sfn.list_executions(stateMachineArn=f"{PREFIX}:stateMachine:m")["executions"]
    assert own["executionArn"] == execution


def test_what_failed_is_redriven_by_its_run_only(sfn: Any) -> None:
    execution = start(sfn, STATES, [3])
    ended(sfn, execution)
    (child,) = sfn.list_executions(mapRunArn=the_run(sfn, execution), statusFilter="FAILED")["executions"]
    described = sfn.describe_execution(executionArn=child["executionArn"])
    assert described["redriveStatus"] == "REDRIVABLE_BY_MAP_RUN"
    sfn.redrive_execution(executionArn=execution)
    assert ended(sfn, execution)["status"] == "FAILED"
    run = sfn.describe_map_run(mapRunArn=the_run(sfn, execution))
    assert (run["redriveCount"], run["itemCounts"]["failed"]) == (1, 1)


def test_limits_are_changed_until_it_has_ended(sfn: Any) -> None:
    execution = start(sfn, WAITING, [1, 2], MaxConcurrency=1)
    run = the_run(sfn, execution)
    sfn.update_map_run(mapRunArn=run, maxConcurrency=2, toleratedFailureCount=1)

    def describe() -> Any:
        return sfn.describe_map_run(mapRunArn=run)

    changed = until(describe, lambda one: one["itemCounts"]["running"] == 2)
    assert (changed["maxConcurrency"], changed["toleratedFailureCount"]) == (2, 1)
    sfn.stop_execution(executionArn=execution)
    assert until(describe, lambda one: one["status"] != "RUNNING")["itemCounts"]["aborted"] == 2
    with pytest.raises(ClientError) as refused:
        sfn.update_map_run(mapRunArn=run, maxConcurrency=1)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["reason"] == "CANNOT_UPDATE_COMPLETED_MAP_RUN"


def test_what_is_no_map_run_is_not_found(sfn: Any) -> None:
    with pytest.raises(ClientError) as refused:
        sfn.describe_map_run(mapRunArn=f"{PREFIX}:mapRun:m/items:11111111-2222-3333-4444-555555555555")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFound"
