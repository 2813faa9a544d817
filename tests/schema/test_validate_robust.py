"""Whatever a definition holds, validating it ends with findings and never with an exception."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detent.schema.validate import validate_value

from .cases import PASS_END, TASK, choice, errors, machine, one

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

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["$.a", "$..", "States.Format(", "{%", "${Hole}", "\ud800", "arn:", "JSONata", "Map", "Succeed"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with every key in it."""
    found, waiting = [], [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            keys: list[Any] = list(item)
        elif isinstance(item, list):
            keys = list(range(len(item)))
        else:
            continue
        found.extend((item, key) for key in keys)
        waiting.extend(item[key] for key in keys)
    return found


def test_the_definition_to_begin_with_is_sound() -> None:
    assert validate_value(RICH) == []


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_changed_definition_never_raises(data: st.DataObject) -> None:
    definition = copy.deepcopy(RICH)
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(definition)))
        change = data.draw(st.sampled_from(["delete", "replace", "rename", "move"]))
        if change == "delete":
            del container[key]
        elif change == "rename" and isinstance(container, dict):
            container[data.draw(st.text(max_size=8) | st.sampled_from([*RICH["States"], "Next", "${X}"]))] = (  # type: ignore[misc]
                container.pop(key)
            )
        elif change == "move":
            other, other_key = data.draw(st.sampled_from(places(definition)))
            container[key] = copy.deepcopy(other[other_key])
        else:
            container[key] = data.draw(JUNK)
        if not places(definition):
            break
    for finding in validate_value(
        definition, machine_type=data.draw(st.sampled_from(["STANDARD", "EXPRESS"]))
    ):
        assert finding.message


@given(value=JUNK)
def test_any_value_is_a_definition_to_judge(value: Any) -> None:
    found = validate_value(value)
    assert [finding.severity for finding in found][:1] == ["error"]


def nested(depth: int, wrap: Any, core: Any) -> Any:
    for _ in range(depth):
        core = wrap(core)
    return core


@pytest.mark.parametrize(
    ("definition", "found"),
    [
        (
            nested(300, lambda inner: one(Type="Parallel", Branches=[inner]), one(**PASS_END)),
            "duplicate-name",
        ),
        (choice(nested(5_000, lambda inner: {"Not": inner}, {"Variable": "x", "IsNull": True})), "bad-path"),
        (one(Type="Pass", Parameters=nested(5_000, lambda inner: [inner], {"a.$": 1})), "bad-expression"),
    ],
)
def test_no_depth_is_too_deep(definition: Any, found: str) -> None:
    assert found in errors(definition)


def test_a_number_of_any_size_can_be_named() -> None:
    assert errors(machine(S={**TASK, "TimeoutSeconds": 10**5_000})) == ["wrong-value"]
    assert errors(machine(S={**TASK, "TimeoutSeconds": float("nan")})) == ["wrong-value"]


@pytest.mark.parametrize("field", ["States", "StartAt", "Comment", "TimeoutSeconds"])
def test_a_deep_value_in_the_wrong_place_is_only_wrong(field: str) -> None:
    assert "wrong-value" in errors({**machine(S=PASS_END), field: nested(5_000, lambda inner: [inner], 1)})


def test_no_message_is_longer_than_a_reader_is_patient() -> None:
    long = "x" * 100_000
    for definition in (
        machine(**{long: {"Type": "Wait", "Seconds": long, long: 1}}),
        machine(S={**TASK, "Retry": [{"ErrorEquals": ["States." + long]}]}),
        one(Type="Task", Resource=f"a {long}"),
        one(Type="Task", Resource="arn:aws:states:::" + long),
        one(Type="Fail", Error="States." + long, ErrorPath=long),
        one(Type="Pass", Assign={long + "-": 1}, Next=long, InputPath="$." + long + "["),
        choice({long: 1, "Variable": long}, Default=long),
    ):
        found = validate_value(definition)
        assert found != []
        assert [finding.message[:99] for finding in found if len(finding.message) > 500] == []


def test_the_same_definition_reads_the_same_twice() -> None:
    broken = machine(S={"Type": "Task", "Nxt": "T"}, T={"Type": "Wait"}, U={"Type": "Nap"})
    assert validate_value(broken) == validate_value(copy.deepcopy(broken))
