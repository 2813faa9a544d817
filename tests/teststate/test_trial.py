"""One state tried on its own: statuses, inspection data, and what is refused."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from detent.runtime.handlers.registry import Registry
from detent.runtime.trials import run_trial
from detent.teststate import Refused, Trial

TASK = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "End": True}


def trial(state: dict[str, Any], **members: Any) -> Trial:
    texts = ("input", "variables", "context")
    request = {name: json.dumps(value) if name in texts else value for name, value in members.items()}
    return Trial({"definition": json.dumps(state), **request}, now=1_700_000_000_000, seed="seed")


def answer(state: dict[str, Any], **members: Any) -> dict[str, Any]:
    return trial(state, **members).response


def refusal(state: dict[str, Any], **members: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        trial(state, **members)
    return caught.value.code, caught.value.message


def mocked(result: Any, **mode: str) -> dict[str, Any]:
    return {"result": json.dumps(result), **mode}


def failing(error: str, cause: str = "because") -> dict[str, Any]:
    return {"errorOutput": {"error": error, "cause": cause}}


def test_a_wait_is_not_waited_for() -> None:
    found = answer({"Type": "Wait", "Seconds": 250, "Next": "Then"}, input={"n": 1})
    assert found == {"status": "SUCCEEDED", "output": '{"n": 1}', "nextState": "Then"}


def test_variables_are_seen_and_shown() -> None:
    state = {"Type": "Pass", "Parameters": {"sum.$": "States.MathAdd($a, 1)"}, "End": True}
    found = answer(state, variables={"a": 41}, inspectionLevel="DEBUG")
    assert found["output"] == '{"sum": 42}'
    assert found["inspectionData"]["variables"] == '{"a": 41}'


def test_a_state_that_leads_to_itself_is_left_once() -> None:
    found = answer({"Type": "Pass", "Next": "StateName"}, variables={"a": 1})
    assert found["nextState"] == "StateName"


def test_an_empty_context_object_is_empty() -> None:
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.context %}", "End": True}
    assert answer(state, context={})["output"] == "{}"


@pytest.mark.parametrize(("retried", "seconds"), [(0, 1), (1, 2), (4, 10)])
def test_the_next_attempt_comes_later_each_time_up_to_the_maximum(retried: int, seconds: int) -> None:
    retrier = {"ErrorEquals": ["E"], "MaxAttempts": 5, "MaxDelaySeconds": 10}
    found = answer(
        {**TASK, "Retry": [retrier]},
        mock=failing("E"),
        stateConfiguration={"retrierRetryCount": retried},
        inspectionLevel="DEBUG",
    )
    assert (found["status"], found["error"], found["cause"]) == ("RETRIABLE", "E", "because")
    details = {"retryIndex": 0, "retryBackoffIntervalSeconds": seconds}
    assert found["inspectionData"]["errorDetails"] == details


def test_a_spent_retrier_gives_way_to_a_catcher() -> None:
    state = {
        **TASK,
        "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Mend", "ResultPath": "$.error"}],
    }
    found = answer(state, input={"a": 1}, mock=failing("E"), stateConfiguration={"retrierRetryCount": 1})
    assert found["status"] == "CAUGHT_ERROR"
    assert found["nextState"] == "Mend"
    assert json.loads(found["output"]) == {"a": 1, "error": {"Error": "E", "Cause": "because"}}


def test_what_cannot_be_evaluated_fails_without_a_place_in_a_history() -> None:
    state = {"Type": "Pass", "InputPath": "$.missing", "End": True}
    found = answer(state)
    assert found["status"] == "FAILED"
    assert found["error"] == "States.Runtime"
    assert "event id" not in found["cause"]


def test_a_percentage_of_failures_is_counted_of_the_items() -> None:
    state = {
        "Type": "Map",
        "ToleratedFailurePercentage": 50,
        "ItemProcessor": {"StartAt": "S", "States": {"S": {"Type": "Succeed"}}},
        "End": True,
    }
    for failures, status in ((2, "SUCCEEDED"), (3, "FAILED")):
        configuration = {"mapIterationFailureCount": failures}
        found = answer(state, input=[1, 2, 3, 4], mock=mocked([]), stateConfiguration=configuration)
        assert found["status"] == status


@pytest.mark.parametrize(
    ("field", "value", "cause"),
    [
        ("Count", -1, "ToleratedFailureCount cannot be negative."),
        ("Percentage", 101, "ToleratedFailurePercentage must be between 0 and 100."),
        (
            "Percentage",
            "many",
            'The ToleratedFailurePercentagePath field refers to value "many" which is not a valid float: $.most',
        ),
        ("Percentage", 12.5, None),
    ],
)
def test_what_a_map_tolerates_is_checked_as_in_a_run(field: str, value: Any, cause: str | None) -> None:
    state = {
        "Type": "Map",
        "ItemsPath": "$.items",
        f"ToleratedFailure{field}Path": "$.most",
        "ItemProcessor": {"StartAt": "S", "States": {"S": {"Type": "Succeed"}}},
        "End": True,
    }
    found = answer(state, input={"items": [1], "most": value}, mock=mocked([]), inspectionLevel="DEBUG")
    assert found.get("cause") == cause
    if cause is None:
        assert found["inspectionData"][f"toleratedFailure{field}"] == value


def test_the_selected_inputs_of_a_map_are_shown() -> None:
    state = {
        "Type": "Map",
        "ItemSelector": {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value"},
        "ItemProcessor": {"StartAt": "S", "States": {"S": {"Type": "Succeed"}}},
        "End": True,
    }
    found = answer(state, input=["a", "b"], mock=mocked([]), inspectionLevel="TRACE")
    shown = json.loads(found["inspectionData"]["afterItemSelector"])
    assert shown == [{"i": 0, "v": "a"}, {"i": 1, "v": "b"}]


def test_a_callback_has_a_token_in_its_context() -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"MessageBody.$": "$$.Task.Token"},
        "End": True,
    }
    found = answer(state, mock=mocked("anything"), inspectionLevel="DEBUG")
    assert json.loads(found["inspectionData"]["afterParameters"])["MessageBody"]
    assert found["output"] == '"anything"'


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        ({"MessageId": 1}, "Field 'MessageId' must be a string"),
        ({"MessageId": "1", "Whatever": 1}, None),
        ({}, None),
    ],
)
def test_a_result_has_the_shape_of_the_services_answer(result: Any, problem: str | None) -> None:
    if problem is None:
        assert answer(TASK, mock=mocked(result))["status"] == "SUCCEEDED"
    else:
        code, message = refusal(TASK, mock=mocked(result))
        assert (code, message) == (
            "ValidationException",
            f"Mock result schema validation error: {problem}",
        )
        assert answer(TASK, mock=mocked(result, fieldValidationMode="NONE"))["status"] == "SUCCEEDED"


def test_a_job_answers_as_its_last_poll() -> None:
    state = {**TASK, "Resource": "arn:aws:states:::states:startExecution.sync:2"}
    ended = {
        "ExecutionArn": "arn",
        "StateMachineArn": "arn",
        "StartDate": "2026-01-01",
        "Status": "SUCCEEDED",
        "Output": {"n": 1},
    }
    assert answer(state, mock=mocked(ended))["status"] == "SUCCEEDED"
    _, message = refusal(state, mock=mocked({**ended, "Status": "DONE"}))
    assert message.endswith("Field 'Status' is not an expected value")


@pytest.mark.parametrize(
    ("context", "problem"),
    [
        ({"Execution": {"Id": 1}}, "Execution.Id must be a string"),
        ({"Execution": {"Colour": 1}}, "Field 'Colour' is not allowed"),
        ({"Colour": {}}, "Field 'Colour' is not allowed"),
        ({"Map": {}}, "'Map' field is not supported when mocking a Context object"),
        (
            {"Task": {"Token": "t"}},
            "Context object contains 'Task' when state is not a Task state with a '.sync' or "
            "'.waitForTaskToken' service integration pattern",
        ),
    ],
)
def test_a_context_object_holds_what_the_services_has(context: Any, problem: str) -> None:
    code, message = refusal(TASK, mock=mocked({}), context=context)
    assert (code, message) == ("ValidationException", f"Invalid Context object provided: {problem}")


def test_a_mock_is_a_result_or_an_error() -> None:
    _, message = refusal(TASK, mock={**mocked({}), **failing("E")})
    assert message == "A test mock should have only one of the following fields: [result, errorOutput]."


def test_what_waits_for_somebody_outside_needs_a_mock() -> None:
    code, message = refusal({**TASK, "Resource": f"{TASK['Resource']}.waitForTaskToken"}, roleArn="arn")
    assert (code, message.split()[0:4]) == ("ValidationException", ["A", "mock", "is", "required"])


def test_a_task_without_a_mock_needs_a_role() -> None:
    assert refusal(TASK)[1] == "RoleArn must be specified when testing a Task state"


def test_an_input_that_is_no_json_is_refused_with_the_parsers_words() -> None:
    with pytest.raises(Refused) as caught:
        Trial({"definition": json.dumps(TASK), "input": "nothing"}, now=0, seed="")
    assert caught.value.code == "InvalidExecutionInput"
    assert "Unrecognized token 'nothing'" in caught.value.message


def test_the_work_of_a_task_is_done_by_its_handler() -> None:
    asyncio.run(_double())


async def _double() -> None:
    registry = Registry()
    registry.add("double", lambda event: event * 2)
    definition = json.dumps({"Type": "Task", "Resource": "task:double", "End": True})
    request = {"definition": definition, "input": "21", "roleArn": "arn:aws:iam::1:role/r"}
    try:
        assert await run_trial(request, registry.resolve) == {"status": "SUCCEEDED", "output": "42"}
    finally:
        await registry.close()


SIGNAL = {"Type": "Task", "Resource": "signal:approval", "Next": "Ship"}


def test_a_mock_answers_a_state_that_waits_for_a_signal() -> None:
    found = answer(SIGNAL, mock=mocked({"by": "Ada"}))
    assert found == {"status": "SUCCEEDED", "output": '{"by": "Ada"}', "nextState": "Ship"}
    assert answer(SIGNAL, mock=failing("Refused"))["status"] == "FAILED"
    assert "A mock is required" in refusal(SIGNAL)[1]
    assert "larger than what a signal may carry" in refusal(SIGNAL, mock=mocked("x" * 300_000))[1]
