"""Variables, timestamps, durations, labels, credentials, choice rules."""

from __future__ import annotations

from typing import Any

import pytest

from .cases import PASS_END, TASK, Case, choice, errors, machine, one, task


def assign(**variables: Any) -> dict[str, Any]:
    return one(Type="Pass", Assign=variables)


def inner_assign(name: str, **config: Any) -> dict[str, Any]:
    """A Map that sets a variable, before it a state that sets 'total'."""
    inner = {"StartAt": "I", "States": {"I": {**PASS_END, "Assign": {name: 2}}}, "ProcessorConfig": config}
    each = {"Type": "Map", "ItemProcessor": inner, "End": True}
    return machine(S={"Type": "Pass", "Assign": {"total": 1}, "Next": "M"}, M=each)


CASES = [
    Case(
        code="bad-variable-name",
        definition=assign(states=1),
        pointer="/States/S/Assign/states",
        message="'states' is reserved, in Assign of state 'S' (Pass)",
        hint="choose another name",
    ),
    Case(
        code="bad-variable-name",
        definition=assign(**{"order.total": 1}),
        pointer="/States/S/Assign/order.total",
        message="'order.total' is no variable name, in Assign of state 'S' (Pass)",
        hint="a variable is set as a whole, not in parts",
    ),
    Case(
        code="bad-variable-name",
        definition=assign(**{"1st.$": "$.a"}),
        pointer="/States/S/Assign/1st.$",
        message="'1st' is no variable name, in Assign of state 'S' (Pass)",
        hint="a name begins with a letter; letters, digits and underscores follow",
    ),
    Case(
        code="outer-variable",
        definition=inner_assign("total"),
        pointer="/States/M/ItemProcessor/States/I/Assign/total",
        message="Assign in state 'I' (Pass) sets 'total', a variable of the state machine",
        hint="an inner scope reads outer variables and cannot set them; use another name",
    ),
    Case(
        code="bad-timestamp",
        definition=one(Type="Wait", Timestamp="2024-08-18 17:33:00"),
        pointer="/States/S/Timestamp",
        message="'2024-08-18 17:33:00' in Timestamp of state 'S' (Wait) is no RFC 3339 timestamp",
        hint="2024-08-18T17:33:00Z, for example: upper-case T, and Z or an offset",
    ),
    Case(
        code="bad-timestamp",
        definition=choice({"Not": {"Variable": "$.at", "TimestampLessThan": "tomorrow"}}),
        pointer="/States/C/Choices/0/Not/TimestampLessThan",
        message="'tomorrow' in TimestampLessThan of Choices[0].Not of state 'C' (Choice) is no RFC 3339 timestamp",
        hint="2024-08-18T17:33:00Z, for example: upper-case T, and Z or an offset",
    ),
    Case(
        code="heartbeat-too-long",
        definition=task(HeartbeatSeconds=60, TimeoutSeconds=60),
        pointer="/States/S/HeartbeatSeconds",
        message="HeartbeatSeconds (60) of state 'S' (Task) is not below TimeoutSeconds (60)",
        hint="a heartbeat has to be missed before the task times out",
    ),
    Case(
        code="bad-label",
        definition=machine(
            M={
                "Type": "Map",
                "Label": "a b",
                "ItemProcessor": {"StartAt": "I", "States": {"I": PASS_END}},
                "End": True,
            }
        ),
        pointer="/States/M/Label",
        message="Label of state 'M' (Map) contains ' '",
        hint="letters, digits, '-', '_' and '.' are safe",
    ),
    Case(
        code="missing-field",
        definition=task(Credentials={"roleArn": "arn:aws:iam::123456789012:role/r"}),
        pointer="/States/S/Credentials",
        message="Credentials of state 'S' (Task) has no RoleArn",
        hint="'roleArn' is not RoleArn",
    ),
    Case(
        code="not-one-test",
        definition=choice({"Variable": "$.a", "StringEquals": "b", "IsPresent": True}),
        pointer="/States/C/Choices/0",
        message="Choices[0] of state 'C' (Choice) has 'StringEquals' and 'IsPresent'",
        hint="a rule makes one test; join several with And",
    ),
    Case(
        code="not-one-test",
        definition=choice({"Variable": "$.a"}),
        pointer="/States/C/Choices/0",
        message="Choices[0] of state 'C' (Choice) has Variable but no operator",
        hint="add one, such as StringEquals or IsPresent",
    ),
    Case(
        code="missing-field",
        definition=choice({"StringEquals": "b"}),
        pointer="/States/C/Choices/0",
        message="Choices[0] of state 'C' (Choice) has no Variable",
        hint="a rule has Variable and one operator, or And, Or or Not",
    ),
    Case(
        code="missing-field",
        definition=choice({}, QueryLanguage="JSONata"),
        pointer="/States/C/Choices/0",
        message="Choices[0] of state 'C' (Choice) has no Condition",
        hint="a boolean, or a JSONata expression that yields one",
    ),
    Case(
        code="conflicting-fields",
        definition=choice({"Variable": "$.a", "And": [{"Variable": "$.a", "IsNull": True}]}),
        pointer="/States/C/Choices/0/Variable",
        message="Choices[0] of state 'C' (Choice) has 'Variable' beside 'And'",
        hint="Variable stands in the rules inside And",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_found(case: Case) -> None:
    case.check()


def test_a_distributed_map_sees_no_outer_variables_and_may_use_their_names() -> None:
    assert errors(inner_assign("total", Mode="DISTRIBUTED", ExecutionType="STANDARD")) == []


def test_sibling_branches_may_set_the_same_variable() -> None:
    branches = [{"StartAt": name, "States": {name: {**PASS_END, "Assign": {"x": 1}}}} for name in "ab"]
    assert errors(one(Type="Parallel", Branches=branches)) == []


@pytest.mark.parametrize("name", ["total", "Größe", "total_2", "名前"])
def test_a_variable_may_be_called(name: str) -> None:
    assert errors(assign(**{name: 1})) == []


@pytest.mark.parametrize(
    "definition",
    [
        task(Credentials={"RoleArn.$": "$.role"}),
        machine(S={**TASK, "QueryLanguage": "JSONata", "Credentials": {"RoleArn": "{% $role %}"}}),
        task(HeartbeatSeconds="${Beat}", TimeoutSeconds=5),
        one(Type="Wait", Timestamp="${Instant}"),
        one(Type="Wait", Timestamp="2024-08-18T17:33:00.000000+02:00"),
        one(Type="Wait", QueryLanguage="JSONata", Timestamp="{% $states.input.at %}"),
    ],
)
def test_what_is_right_or_could_be(definition: object) -> None:
    assert errors(definition) == []
