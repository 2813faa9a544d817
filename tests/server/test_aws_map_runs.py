"""Distributed Maps over the AWS protocol: their runs, and the executions of these."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from .conftest import StartServer
from .test_aws_executions import PREFIX, create, ended, refused


def mapping(**fields: Any) -> str:
    body = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "T",
        "States": {"T": {"Type": "Task", "Resource": "task:work", "End": True}},
    }
    each = {"Type": "Map", "Label": "each", "ItemProcessor": body, "End": True, **fields}
    return json.dumps({"StartAt": "M", "States": {"M": each}})


def test_a_map_run_is_described_and_its_executions_are_listed(
    start_server: StartServer, boto: Callable[..., Any]
):
    sfn = boto(start_server(handlers={"work": lambda n: n * 2}))
    arn = create(sfn, definition=mapping(MaxConcurrency=2))
    execution = sfn.start_execution(stateMachineArn=arn, name="x", input="[1,2,3]")["executionArn"]
    assert ended(sfn, execution)["output"] == "[2,4,6]"
    (listed,) = sfn.list_map_runs(executionArn=execution)["mapRuns"]
    run = listed["mapRunArn"]
    assert run.startswith(f"{PREFIX}:mapRun:m/each:")
    assert (listed["executionArn"], listed["stateMachineArn"]) == (execution, f"{arn}/each")
    described = sfn.describe_map_run(mapRunArn=run)
    assert (described["status"], described["executionArn"]) == ("SUCCEEDED", execution)
    assert (described["maxConcurrency"], described["toleratedFailureCount"]) == (2, 0)
    assert (described["toleratedFailurePercentage"], described["redriveCount"]) == (0.0, 0)
    for counts in (described["itemCounts"], described["executionCounts"]):
        assert {name: count for name, count in counts.items() if count} == {"succeeded": 3, "total": 3}
    children = sfn.list_executions(mapRunArn=run)["executions"]
    assert [child["mapRunArn"] for child in children] == [run] * 3
    assert [found["name"] for found in sfn.list_executions(stateMachineArn=arn)["executions"]] == ["x"]
    child = sfn.describe_execution(executionArn=children[0]["executionArn"])
    assert (child["status"], child["mapRunArn"]) == ("SUCCEEDED", run)
    of_child = sfn.describe_state_machine_for_execution(executionArn=children[0]["executionArn"])
    assert (of_child["stateMachineArn"], of_child["label"]) == (f"{arn}/each", "each")
    assert of_child["mapRunArn"] == run
    assert sfn.describe_state_machine(stateMachineArn=f"{arn}/each")["label"] == "each"
    code, _ = refused(sfn.update_map_run, mapRunArn=run, maxConcurrency=1)
    assert code == "ValidationException"
    sfn.delete_state_machine(stateMachineArn=arn)
    create(sfn, definition=mapping())
    assert refused(sfn.describe_map_run, mapRunArn=run)[0] == "ResourceNotFound"
    gone = refused(sfn.describe_execution, executionArn=children[0]["executionArn"])
    assert gone[0] == "ExecutionDoesNotExist"


def test_the_limits_of_a_run_are_changed_while_it_runs(start_server: StartServer, boto: Callable[..., Any]):
    going = threading.Event()

    def work(n: Any) -> Any:
        assert going.wait(60)
        return n

    sfn = boto(start_server(handlers={"work": work}))
    arn = create(sfn, definition=mapping(MaxConcurrency=1))
    execution = sfn.start_execution(stateMachineArn=arn, input="[1,2,3]")["executionArn"]
    runs: list[dict[str, Any]] = []
    while not runs:
        runs = sfn.list_map_runs(executionArn=execution)["mapRuns"]
    run = runs[0]["mapRunArn"]
    sfn.update_map_run(mapRunArn=run, maxConcurrency=3, toleratedFailurePercentage=50.0)
    described = sfn.describe_map_run(mapRunArn=run)
    while described["maxConcurrency"] != 3:
        described = sfn.describe_map_run(mapRunArn=run)
    assert described["toleratedFailurePercentage"] == 50.0
    going.set()
    assert ended(sfn, execution)["status"] == "SUCCEEDED"


def test_express_children_are_described_too(start_server: StartServer, boto: Callable[..., Any]):
    sfn = boto(start_server(handlers={"work": lambda n: n}))
    definition = json.loads(mapping())
    definition["States"]["M"]["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = "EXPRESS"
    arn = create(sfn, definition=json.dumps(definition))
    execution = sfn.start_execution(stateMachineArn=arn, input="[1]")["executionArn"]
    assert ended(sfn, execution)["status"] == "SUCCEEDED"
    (run,) = sfn.list_map_runs(executionArn=execution)["mapRuns"]
    (child,) = sfn.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    assert child["executionArn"].startswith(f"{PREFIX}:express:m/each:")
    assert sfn.describe_execution(executionArn=child["executionArn"])["status"] == "SUCCEEDED"
