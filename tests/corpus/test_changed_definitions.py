"""Whatever is changed in a definition, validating it ends with findings and never with an exception."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from detent.schema.document import DocumentError
from detent.schema.validate import MachineType, validate_value

from .data import Published, published
from .mutation import JUNK, changed

RICH = {
    "StartAt": "Charge",
    "TimeoutSeconds": 60,
    "States": {
        "Charge": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "f", "Payload.$": "States.Format('{}', $.a)", "list": [{"b.$": "$.b"}]},
            "ResultSelector": {"x.$": "$.Payload"},
            "ResultPath": "$.charge",
            "TimeoutSeconds": 5,
            "HeartbeatSeconds": 2,
            "Credentials": {"RoleArn.$": "$.role"},
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "BackoffRate": 1.5}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed", "Assign": {"why.$": "$.Error"}}],
            "Next": "Fork",
        },
        "Fork": {
            "Type": "Choice",
            "Choices": [
                {"And": [{"Variable": "$.a", "IsPresent": True}, {"Not": {"Variable": "$.b", "NumericEquals": 1}}],
                 "Next": "Each"},
                {"Variable": "$.at", "TimestampLessThan": "2030-01-01T00:00:00Z", "Next": "Pause"},
            ],
            "Default": "Both",
        },
        "Pause": {"Type": "Wait", "Seconds": 1, "Next": "Both"},
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}},
            "ItemBatcher": {"MaxItemsPerBatch": 3},
            "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}},
            "Label": "each",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Item",
                "States": {"Item": {"Type": "Pass", "Assign": {"n": 1}, "End": True}},
            },
            "Next": "Both",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "L", "States": {"L": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% 1 %}",
                                                  "End": True}}},
                {"StartAt": "R", "States": {"R": {"Type": "Succeed"}}},
            ],
            "End": True,
        },
        "Failed": {"Type": "Fail", "ErrorPath": "$.e", "Cause": "it failed"},
    },
}  # fmt: skip


def is_readable(definition: Published) -> bool:
    try:
        definition.read()
    except DocumentError:
        return False
    return True


PUBLISHED = st.sampled_from(published()).filter(is_readable).map(lambda definition: definition.read().value)


def test_the_definition_to_begin_with_is_sound() -> None:
    assert validate_value(RICH) == []


@settings(max_examples=100, deadline=None)
@given(definition=changed(st.just(RICH)), machine_type=st.sampled_from(["STANDARD", "EXPRESS"]))
def test_a_changed_definition_never_raises(definition: Any, machine_type: MachineType) -> None:
    assert all(finding.message for finding in validate_value(definition, machine_type=machine_type))


@settings(max_examples=100, deadline=None)
@given(definition=changed(PUBLISHED))
def test_a_changed_published_definition_never_raises(definition: Any) -> None:
    assert all(finding.message for finding in validate_value(definition))


@given(value=JUNK)
def test_any_value_can_be_judged(value: Any) -> None:
    assert all(finding.message for finding in validate_value(value))
