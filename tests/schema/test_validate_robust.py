"""Whatever a definition holds, validating it ends with findings and never with an exception."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from detent.schema.validate import validate_value

from .cases import PASS_END, TASK, choice, errors, machine, one


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
