"""What the schema says about a definition, as sentences about its states."""

from __future__ import annotations

import pytest

from .cases import PASS_END, Case, choice, errors, machine, one, task

CASES = [
    Case(
        code="not-a-machine",
        definition=["not", "a", "machine"],
        pointer="",
        message="A definition must be an object, not a list",
    ),
    Case(
        code="missing-field",
        definition={"States": {"S": PASS_END}},
        pointer="",
        message="The state machine has no StartAt",
    ),
    Case(
        code="missing-field",
        definition=machine(Charge={"Type": "Task", "End": True}),
        pointer="/States/Charge",
        message="State 'Charge' (Task) has no Resource",
    ),
    Case(
        code="missing-field",
        definition=machine(Charge={"Resource": "task:charge", "End": True}),
        pointer="/States/Charge",
        message="State 'Charge' has no Type",
    ),
    Case(
        code="missing-field",
        definition=task(Catch=[{"ErrorEquals": ["Late"]}]),
        pointer="/States/S/Catch/0",
        message="Catch[0] of state 'S' (Task) has no Next",
    ),
    Case(
        code="missing-field",
        definition=one(Type="Wait"),
        pointer="/States/S",
        message="State 'S' (Wait) needs Seconds, SecondsPath, Timestamp or TimestampPath",
    ),
    Case(
        code="unknown-field",
        definition=machine(Charge={"Type": "Task", "Resource": "task:x", "Resouce": "task:y", "End": True}),
        pointer="/States/Charge/Resouce",
        message="Unknown field 'Resouce' in state 'Charge' (Task)",
        hint="did you mean 'Resource'?",
    ),
    Case(
        code="unknown-field",
        definition=one(Type="Pass", Branches=[]),
        pointer="/States/S/Branches",
        message="A Pass state has no field 'Branches' (state 'S' (Pass))",
        hint="'Branches' is for Parallel",
    ),
    Case(
        code="unknown-field",
        definition=choice({"Not": {"Variable": "$.a", "IsNull": True, "Next": "D"}}),
        pointer="/States/C/Choices/0/Not/Next",
        message="'Next' in Choices[0].Not of state 'C' (Choice) belongs to the outermost rule",
        hint="move 'Next' up to the rule in Choices",
    ),
    Case(
        code="wrong-value",
        definition=task(Retry=[{"ErrorEquals": ["Late"], "MaxAttempts": -1}]),
        pointer="/States/S/Retry/0/MaxAttempts",
        message="'MaxAttempts' must be a whole number from 0 to 99999998, not -1, in Retry[0] of state 'S' (Task)",
    ),
    Case(
        code="wrong-value",
        definition=task(Retry=[{"ErrorEquals": ["Late", 7]}]),
        pointer="/States/S/Retry/0/ErrorEquals/1",
        message="'ErrorEquals[1]' must be a text, not 7, in Retry[0] of state 'S' (Task)",
    ),
    Case(
        code="wrong-value",
        definition=one(Type="task", Resource="task:x"),
        pointer="/States/S/Type",
        message="'Type' must be 'Task', 'Pass', 'Choice', 'Wait', 'Succeed', 'Fail', 'Parallel', 'Map' or 'Success', "
        "not 'task', in state 'S'",
        hint="did you mean 'Task'?",
    ),
    Case(
        code="wrong-value",
        definition=task(TimeoutSeconds="soon"),
        pointer="/States/S/TimeoutSeconds",
        message="'TimeoutSeconds' must be a whole number from 1 to 99999998 or a JSONata expression between "
        "'{%' and '%}', not 'soon', in state 'S' (Task)",
    ),
    Case(
        code="wrong-value",
        definition=machine(S=PASS_END, T=5),
        pointer="/States/T",
        message="'T' must be an object, not 5, in States of the state machine",
    ),
    Case(
        code="empty-value",
        definition=one(Type="Parallel", Branches=[]),
        pointer="/States/S/Branches",
        message="'Branches' must not be empty, in state 'S' (Parallel)",
    ),
    Case(
        code="empty-value",
        definition=choice({"And": []}),
        pointer="/States/C/Choices/0/And",
        message="'And' must not be empty, in Choices[0] of state 'C' (Choice)",
    ),
    Case(
        code="conflicting-fields",
        definition=task(TimeoutSeconds=5, TimeoutSecondsPath="$.t"),
        pointer="/States/S/TimeoutSecondsPath",
        message="State 'S' (Task) has 'TimeoutSeconds' and 'TimeoutSecondsPath'",
        hint="keep only one of them",
    ),
    Case(
        code="conflicting-fields",
        definition=one(Type="Wait", Seconds=1, Timestamp="2030-01-01T00:00:00Z"),
        pointer="/States/S/Timestamp",
        message="State 'S' (Wait) has 'Seconds' and 'Timestamp'",
        hint="keep only one of them",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_found(case: Case) -> None:
    case.check()


def test_success_is_another_name_of_succeed() -> None:
    assert errors(one(Type="Success")) == []


@pytest.mark.parametrize(
    "definition",
    [
        one(Type="Pass", Parameters=[1, {"a.$": "$.b"}]),
        one(Type="Pass", Parameters="a literal"),
        one(Type="Pass", QueryLanguage="JSONata", Output=None),
        task(Retry=[{"ErrorEquals": ["States.ALL"], "BackoffRate": 2}]),
        task(Retry=[], Catch=[]),
        one(Type="Fail"),
        one(Type="Pass", InputPath=None, ResultPath=None, OutputPath=None),
    ],
)
def test_what_the_service_tolerates_is_tolerated(definition: object) -> None:
    assert errors(definition) == []
