"""Executions over the AWS protocol: how they are started, looked at, stopped and redriven."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Running, StartServer

ROLE = "arn:aws:iam::123456789012:role/detent"
PREFIX = "arn:aws:states:us-east-1:123456789012"
#: For how long something that is under way is waited for, in seconds.
PATIENCE = 60.0


def machine(**states: Any) -> str:
    return json.dumps({"StartAt": next(iter(states)), "States": states})


PASS = machine(P={"Type": "Pass", "End": True})
WAIT = machine(W={"Type": "Wait", "Seconds": 3600, "End": True})
FAIL = machine(F={"Type": "Fail", "Error": "Broken", "Cause": "on purpose"})


@pytest.fixture
def sfn(server: Running, boto: Callable[..., Any]) -> Any:
    return boto(server)


def create(sfn: Any, name: str = "m", definition: str = PASS, **settings: Any) -> str:
    created = sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE, **settings)
    arn: str = created["stateMachineArn"]
    return arn


def refused(call: Callable[..., Any], **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**params)
    said = error.value.response["Error"]
    return said["Code"], said["Message"]


def ended(sfn: Any, execution: str) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE
    while True:
        described: dict[str, Any] = sfn.describe_execution(executionArn=execution)
        if described["status"] != "RUNNING" or time.monotonic() > until:
            return described
        time.sleep(0.02)


def test_an_execution_keeps_its_input_as_it_was_spelled(sfn):
    arn = create(sfn)
    started = sfn.start_execution(stateMachineArn=arn, name="x", input='{ "a" : 1 }', traceHeader="Root=1-2")
    described = ended(sfn, started["executionArn"])
    assert described["input"] == '{ "a" : 1 }'
    assert described["output"] == '{"a":1}'
    assert described["traceHeader"] == "Root=1-2"
    assert described["startDate"] == started["startDate"]
    events = sfn.get_execution_history(executionArn=started["executionArn"])["events"]
    assert events[0]["executionStartedEventDetails"]["input"] == '{ "a" : 1 }'


@pytest.mark.parametrize("input", ["1", '"text"', "null", "[1,2]", "{}", "true"])
def test_any_json_is_an_input(sfn, input):
    started = sfn.start_execution(stateMachineArn=create(sfn), input=input)
    assert ended(sfn, started["executionArn"])["output"] == input


@pytest.mark.parametrize(
    ("input", "message"),
    [
        ("", "Invalid execution input."),
        (
            "not json",
            "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token 'null', 'true' "
            "or 'false')",
        ),
        (
            "{'a': 1}",
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
        ),
    ],
)
def test_what_is_no_json_is_no_input(sfn, input, message):
    code, said = refused(sfn.start_execution, stateMachineArn=create(sfn), input=input)
    assert (code, said) == ("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{message}'")


def test_the_same_start_again_is_the_same_execution_while_it_runs(sfn):
    arn = create(sfn, definition=WAIT)
    first = sfn.start_execution(stateMachineArn=arn, name="x", input='{"a": 1}')
    again = sfn.start_execution(stateMachineArn=arn, name="x", input='{"a": 1}')
    assert (again["executionArn"], again["startDate"]) == (first["executionArn"], first["startDate"])
    other = refused(sfn.start_execution, stateMachineArn=arn, name="x", input='{"a": 2}')
    taken = ("ExecutionAlreadyExists", f"Execution Already Exists: '{first['executionArn']}'")
    assert other == taken
    sfn.stop_execution(executionArn=first["executionArn"])
    assert refused(sfn.start_execution, stateMachineArn=arn, name="x", input='{"a": 1}') == taken


def test_a_stopped_execution_says_why(sfn):
    started = sfn.start_execution(stateMachineArn=create(sfn, definition=WAIT))
    stopped = sfn.stop_execution(executionArn=started["executionArn"], error="Enough", cause="is enough")
    described = ended(sfn, started["executionArn"])
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Enough", "is enough")
    assert described["stopDate"] == stopped["stopDate"]
    again = sfn.stop_execution(executionArn=started["executionArn"])
    assert again["stopDate"] == stopped["stopDate"]


def test_what_is_left_out_of_a_description_is_named(sfn):
    started = sfn.start_execution(stateMachineArn=create(sfn), input='{"a":1}')
    ended(sfn, started["executionArn"])
    bare = sfn.describe_execution(executionArn=started["executionArn"], includedData="METADATA_ONLY")
    assert (bare["inputDetails"], bare["outputDetails"]) == ({"included": False}, {"included": False})
    assert not {"input", "output"} & bare.keys()


def test_a_history_is_read_page_by_page_in_both_directions(sfn):
    arn = create(sfn, definition=machine(P={"Type": "Pass", "Next": "Q"}, Q={"Type": "Pass", "End": True}))
    execution = sfn.start_execution(stateMachineArn=arn, input='{"a":1}')["executionArn"]
    ended(sfn, execution)
    for reverse in (False, True):
        pages = sfn.get_paginator("get_execution_history").paginate(
            executionArn=execution, reverseOrder=reverse, PaginationConfig={"PageSize": 2}
        )
        ids = [event["id"] for page in pages for event in page["events"]]
        assert ids == [6, 5, 4, 3, 2, 1] if reverse else [1, 2, 3, 4, 5, 6]
    bare = sfn.get_execution_history(executionArn=execution, includeExecutionData=False)["events"]
    assert bare[1]["stateEnteredEventDetails"] == {"name": "P"}
    assert "output" not in bare[-1].get("executionSucceededEventDetails", {})


def test_a_token_is_good_for_the_question_it_was_given_for(sfn):
    for name in ("a", "b", "c"):
        create(sfn, name)
    page = sfn.list_state_machines(maxResults=1)
    assert [found["name"] for found in page["stateMachines"]] == ["a"]
    rest = sfn.list_state_machines(nextToken=page["nextToken"])
    assert [found["name"] for found in rest["stateMachines"]] == ["b", "c"]
    invalid = ("InvalidToken", "Invalid Token: 'Invalid token'")
    assert refused(sfn.list_activities, nextToken=page["nextToken"]) == invalid
    forged = page["nextToken"][:-2] + ("AA" if not page["nextToken"].endswith("AA") else "BB")
    assert refused(sfn.list_state_machines, nextToken=forged) == invalid
    assert refused(sfn.list_state_machines, nextToken="\u00e9") == invalid


def test_executions_are_listed_by_status_version_and_alias(sfn):
    arn = create(sfn, definition=PASS, publish=True)
    sfn.update_state_machine(stateMachineArn=arn, definition=WAIT, publish=True)
    sfn.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": f"{arn}:2", "weight": 100}]
    )
    started = {
        name: sfn.start_execution(stateMachineArn=f"{arn}{qualifier}", name=name)["executionArn"]
        for name, qualifier in (("plain", ""), ("one", ":1"), ("live", ":live"))
    }
    ended(sfn, started["one"])

    def names(**query: Any) -> list[str]:
        return [found["name"] for found in sfn.list_executions(**query)["executions"]]

    assert names(stateMachineArn=arn) == ["live", "one", "plain"]
    assert names(stateMachineArn=arn, statusFilter="RUNNING") == ["live", "plain"]
    assert names(stateMachineArn=arn, statusFilter="SUCCEEDED") == ["one"]
    assert names(stateMachineArn=f"{arn}:1") == ["one"]
    assert names(stateMachineArn=f"{arn}:2") == ["live"]
    assert names(stateMachineArn=f"{arn}:live") == ["live"]
    described = sfn.describe_execution(executionArn=started["live"])
    assert described["stateMachineAliasArn"] == f"{arn}:live"
    assert described["stateMachineVersionArn"] == f"{arn}:2"
    assert described["stateMachineArn"] == arn
    assert "stateMachineAliasArn" not in sfn.describe_execution(executionArn=started["one"])

    def began(name: str) -> dict[str, str]:
        """What the first event of the history says of how the execution was started."""
        first = sfn.get_execution_history(executionArn=started[name], maxResults=1)["events"][0]
        details = first["executionStartedEventDetails"]
        return {key: value for key, value in details.items() if key.startswith("stateMachine")}

    assert began("plain") == {}
    assert began("one") == {"stateMachineVersionArn": f"{arn}:1"}
    assert began("live") == {"stateMachineAliasArn": f"{arn}:live", "stateMachineVersionArn": f"{arn}:2"}


def test_a_failed_execution_is_redriven(start_server: StartServer, boto: Callable[..., Any]):
    repaired = threading.Event()

    def mend(input: Any) -> Any:
        if not repaired.is_set():
            raise ValueError("broken")
        return {"mended": True}

    sfn = boto(start_server(handlers={"mend": mend}))
    arn = create(sfn, definition=machine(T={"Type": "Task", "Resource": "task:mend", "End": True}))
    execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    failed = ended(sfn, execution)
    assert (failed["status"], failed["redriveStatus"], failed["redriveCount"]) == ("FAILED", "REDRIVABLE", 0)
    repaired.set()
    redriven = sfn.redrive_execution(executionArn=execution, clientToken="once")
    again = sfn.redrive_execution(executionArn=execution, clientToken="once")
    assert again["redriveDate"] == redriven["redriveDate"]
    described = ended(sfn, execution)
    assert (described["status"], described["redriveCount"]) == ("SUCCEEDED", 1)
    assert described["redriveDate"] == redriven["redriveDate"]
    sfn.start_execution(stateMachineArn=arn, name="other")
    (listed,) = sfn.list_executions(stateMachineArn=arn, redriveFilter="REDRIVEN")["executions"]
    assert (listed["executionArn"], listed["redriveCount"]) == (execution, 1)
    (listed,) = sfn.list_executions(stateMachineArn=arn, redriveFilter="NOT_REDRIVEN")["executions"]
    assert (listed["name"], listed["redriveCount"]) == ("other", 0)
    other, first = sfn.list_executions(stateMachineArn=arn)["executions"]
    assert (other["redriveCount"], "redriveDate" in other) == (0, False)
    assert (first["redriveCount"], first["redriveDate"]) == (1, redriven["redriveDate"])
    code, message = refused(sfn.redrive_execution, executionArn=execution)
    assert (code, message) == ("ExecutionNotRedrivable", "Execution is SUCCEEDED and cannot be redriven")


@pytest.mark.parametrize("name", ["nowhere", "function:nowhere"])
def test_a_missing_function_fails_when_it_is_called(sfn, name):
    invoke = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    arn = create(sfn, definition=machine(L={**invoke, "Parameters": {"FunctionName": name}}))
    described = ended(sfn, sfn.start_execution(stateMachineArn=arn)["executionArn"])
    assert (described["status"], described["error"]) == ("FAILED", "Lambda.ResourceNotFoundException")
    function = "arn:aws:lambda:us-east-1:123456789012:function:nowhere:$LATEST"
    assert described["cause"].startswith(
        f"Function not found: {function} (Service: AWSLambda; Status Code: 404;"
    )


def test_a_machine_that_is_not_there_has_no_versions(sfn):
    missing = f"{PREFIX}:stateMachine:none"
    assert sfn.list_state_machine_versions(stateMachineArn=missing)["stateMachineVersions"] == []


def test_an_express_machine_answers_at_once(sfn):
    arn = create(sfn, definition=PASS, type="EXPRESS")
    answer = sfn.start_sync_execution(stateMachineArn=arn, name="x", input='{"a":1}')
    assert (answer["status"], answer["output"], answer["name"]) == ("SUCCEEDED", '{"a":1}', "x")
    assert answer["executionArn"].startswith(f"{PREFIX}:express:m:x:")
    assert answer["billingDetails"] == {"billedDurationInMilliseconds": 100, "billedMemoryUsedInMB": 64}
    failed = sfn.start_sync_execution(stateMachineArn=create(sfn, "f", FAIL, type="EXPRESS"))
    assert (failed["status"], failed["error"], failed["cause"]) == ("FAILED", "Broken", "on purpose")
    first = sfn.start_execution(stateMachineArn=arn, name="x")
    second = sfn.start_execution(stateMachineArn=arn, name="x")
    assert first["executionArn"] != second["executionArn"]
    express = ("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: express'")
    for call in (sfn.describe_execution, sfn.stop_execution, sfn.get_execution_history):
        assert refused(call, executionArn=first["executionArn"]) == express
    unsupported = (
        "StateMachineTypeNotSupported",
        "This operation is not supported by this type of state machine",
    )
    assert refused(sfn.list_executions, stateMachineArn=arn) == unsupported
    assert refused(sfn.start_sync_execution, stateMachineArn=create(sfn, "s")) == unsupported


def test_a_test_case_answers_in_the_place_of_tasks(
    start_server: StartServer, boto: Callable[..., Any], tmp_path: Path
):
    def configured(answer: Any) -> str:
        return json.dumps(
            {
                "StateMachines": {"m": {"TestCases": {"Happy": {"T": "Answer"}}}},
                "MockedResponses": {"Answer": {"0": {"Return": answer}}},
            }
        )

    mock = tmp_path / "MockConfigFile.json"
    mock.write_text(configured({"mocked": 1}))
    sfn = boto(start_server(mock=str(mock)))
    function = "arn:aws:lambda:us-east-1:123456789012:function:f"
    arn = create(sfn, definition=machine(T={"Type": "Task", "Resource": function, "End": True}))
    first = sfn.start_execution(stateMachineArn=f"{arn}#Happy")["executionArn"]
    assert ended(sfn, first)["output"] == '{"mocked":1}'
    assert sfn.describe_execution(executionArn=first)["stateMachineArn"] == arn
    mock.write_text(configured({"mocked": "again"}))
    second = sfn.start_execution(stateMachineArn=f"{arn}#Happy")["executionArn"]
    assert ended(sfn, second)["output"] == '{"mocked":"again"}'
    code, _ = refused(sfn.start_execution, stateMachineArn=f"{arn}#Unknown")
    assert code == "ValidationException"
    sync = create(sfn, "e", definition=PASS, type="EXPRESS")
    assert refused(sfn.start_sync_execution, stateMachineArn=f"{sync}#Happy")[0] == "ValidationException"


def test_a_deleted_machine_takes_its_executions_along(sfn):
    arn = create(sfn, definition=WAIT)
    execution = sfn.start_execution(stateMachineArn=arn, name="x")["executionArn"]
    sfn.delete_state_machine(stateMachineArn=arn)
    until = time.monotonic() + PATIENCE
    gone = None
    while gone is None and time.monotonic() < until:
        try:
            assert sfn.describe_state_machine(stateMachineArn=arn)["status"] == "DELETING"
        except ClientError as error:
            gone = error.response["Error"]["Code"]
    assert gone == "StateMachineDoesNotExist"
    assert refused(sfn.describe_execution, executionArn=execution)[0] == "ExecutionDoesNotExist"
    create(sfn, definition=PASS)
    assert sfn.list_executions(stateMachineArn=arn)["executions"] == []
    assert (
        ended(sfn, sfn.start_execution(stateMachineArn=arn, name="x")["executionArn"])["status"]
        == "SUCCEEDED"
    )
    sfn.delete_state_machine(stateMachineArn=f"{PREFIX}:stateMachine:never")
