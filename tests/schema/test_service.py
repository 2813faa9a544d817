"""Findings in the service's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detent.schema.jackson import complaint
from detent.schema.service import invalid_definition, validate_definition

END = {"Type": "Succeed"}


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("not", "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token", 4),
        (
            "{'a': 1}",
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
            3,
        ),
        ('{"a": 1', "Unexpected end-of-input", 8),
        ('{"a": 1 "b"}', "Unexpected character ('\"' (code 34)): was expecting comma to separate Object", 10),
        ("[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 5),
        ('{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon", 7),
    ],
)
def test_a_text_that_is_no_json(text: str, message: str, column: int) -> None:
    found = complaint(text)
    assert found is not None
    assert found.message.startswith(message)
    assert found.column == column


def test_json_is_not_complained_of() -> None:
    assert complaint('{"a": [1, 2.5, null, "x"]}') is None


@pytest.mark.parametrize(
    ("states", "machine_type", "message"),
    [
        (
            {"A": {"Type": "Task", "End": True}},
            "STANDARD",
            "SCHEMA_VALIDATION_FAILED: These fields are required: [Resource] at /States/A",
        ),
        (
            {"A": {"Type": "Wait", "Timestamp": "soon", "End": True}},
            "STANDARD",
            "SCHEMA_VALIDATION_FAILED: String does not match RFC3339 timestamp at /States/A/Timestamp",
        ),
        (
            {"A": {"Type": "Parallel", "Branches": [], "End": True}},
            "STANDARD",
            "SCHEMA_VALIDATION_FAILED: Value cannot be empty at /States/A/Branches",
        ),
        (
            {"A": {"Type": "Pass", "Parameters": {"x.$": "input"}, "End": True}},
            "STANDARD",
            "SCHEMA_VALIDATION_FAILED: The value for the field 'x.$' must be a valid JSONPath or a valid "
            "intrinsic function call at /States/A/Parameters",
        ),
        (
            {
                "A": {
                    "Type": "Pass",
                    "Parameters": {"x.$": "States.StringToJson('{\\\"a\\\":1}')"},
                    "End": True,
                }
            },
            "STANDARD",
            "SCHEMA_VALIDATION_FAILED: The value for the field 'x.$' must be a valid JSONPath or a valid "
            "intrinsic function call at /States/A/Parameters",
        ),
        (
            {"A": {"Type": "Pass", "Parameters": {"x": {"y.$": "$.a["}}, "End": True}},
            "STANDARD",
            "SCHEMA_VALIDATION_FAILED: The value for the field 'y.$' must be a valid JSONPath or a valid "
            "intrinsic function call at /States/A/Parameters/x",
        ),
        (
            {
                "A": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                    "End": True,
                }
            },
            "EXPRESS",
            "SCHEMA_VALIDATION_FAILED: Express state machine does not support '.waitForTaskToken' service "
            "integration  at /States/A/Resource",
        ),
        (
            {"A": {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "End": True}},
            "EXPRESS",
            "SCHEMA_VALIDATION_FAILED: Express state machine does not support '.sync' service integration "
            "at /States/A/Resource",
        ),
        (
            {"A": {"Type": "Choice", "Choices": [{"Variable": "status", "IsNull": True, "Next": "Z"}]}},
            "STANDARD",
            "SCHEMA_VALIDATION_FAILED: Value is not a Reference Path: Reference path didn't start with '$' at "
            "/States/A/Choices[0]/Variable",
        ),
        (
            {
                "A": {
                    "Type": "Pass",
                    "QueryLanguage": "JSONata",
                    "Output": {"x": ["{% 1 + phone %}"]},
                    "Next": "Z",
                }
            },
            "STANDARD",
            "UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'phone' at the top level is not supported. at "
            "/States/A/Output/x[0]",
        ),
        (
            {
                "A": {
                    "Type": "Pass",
                    "QueryLanguage": "JSONata",
                    "Output": "{% $states.result %}",
                    "Next": "Z",
                }
            },
            "STANDARD",
            "UNSUPPORTED_JSONATA_EXPRESSION: Field '$states.result' does not exist. at /States/A/Output",
        ),
        (
            {"A": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% 1 + %}", "Next": "Z"}},
            "STANDARD",
            "INVALID_JSONATA_EXPRESSION: Unexpected end of expression at /States/A/Output",
        ),
        (
            {"A": {"Type": "Pass", "Next": "B"}},
            "STANDARD",
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next",
        ),
    ],
)
def test_the_message_of_an_invalid_definition(states: Any, machine_type: Any, message: str) -> None:
    text = json.dumps({"StartAt": "A", "States": {"Z": END, **states}})
    found = invalid_definition(text, machine_type)
    assert found is not None
    assert message in found


def test_a_sound_definition_has_no_message() -> None:
    assert invalid_definition(json.dumps({"StartAt": "A", "States": {"A": END}})) is None


def test_a_variable_that_an_enclosing_scope_sets_too_is_taken_as_the_service_takes_it() -> None:
    inner = {"StartAt": "B", "States": {"B": {"Type": "Pass", "Assign": {"v": 1}, "End": True}}}
    catch = [{"ErrorEquals": ["States.ALL"], "Assign": {"v": 2}, "Next": "Z"}]
    states = {"A": {"Type": "Parallel", "Branches": [inner], "Catch": catch, "End": True}, "Z": END}
    text = json.dumps({"StartAt": "A", "States": states})
    assert invalid_definition(text) is None
    (found,) = validate_definition({"definition": text, "severity": "WARNING"})["diagnostics"]
    assert found["location"] == "/States/A/Branches[0]/States/B/Assign/v"


def test_an_empty_text_has_no_place() -> None:
    found = validate_definition({"definition": ""})
    problem = {
        "severity": "ERROR",
        "code": "SCHEMA_VALIDATION_FAILED",
        "message": "Definition must be a valid JSON object",
    }
    assert found == {"result": "FAIL", "diagnostics": [problem], "truncated": False}


def test_warnings_are_told_to_who_asks_for_them() -> None:
    task = {"Type": "Task", "Resource": "somebody:else", "End": True}
    text = json.dumps({"StartAt": "A", "States": {"A": task}})
    assert validate_definition({"definition": text})["diagnostics"] == []
    found = validate_definition({"definition": text, "severity": "WARNING"})
    assert [one["severity"] for one in found["diagnostics"]] == ["WARNING"]
    assert found["result"] == "OK"


def test_an_answer_holds_as_many_findings_as_were_asked_for() -> None:
    states = {f"S{n}": {"Type": "Task", "End": True} for n in range(3)}
    text = json.dumps({"StartAt": "S0", "States": states})
    found = validate_definition({"definition": text, "maxResults": 2})
    assert len(found["diagnostics"]) == 2
    assert found["truncated"] is True
