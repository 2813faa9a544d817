"""Names, targets, reachability, ends."""

from __future__ import annotations

from typing import Any

import pytest

from .cases import PASS_END, TASK, Case, errors, machine, one


def map_over(inner: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return machine(Each={"Type": "Map", "ItemProcessor": inner, "Next": "Done", **fields}, Done=PASS_END)


CASES = [
    Case(
        code="missing-target",
        definition=machine(
            Charge={**TASK, "Catch": [{"ErrorEquals": ["Late"], "Next": "Refnd"}]}, Refund=PASS_END
        ),
        pointer="/States/Charge/Catch/0/Next",
        message="Next of Catch[0] of state 'Charge' (Task) names 'Refnd', which does not exist",
        hint="did you mean 'Refund'?",
    ),
    Case(
        code="missing-target",
        definition={"StartAt": "Begin", "States": {"S": PASS_END}},
        pointer="/StartAt",
        message="StartAt of the state machine names 'Begin', which does not exist",
    ),
    Case(
        code="target-out-of-scope",
        definition=map_over(
            {"StartAt": "Item", "States": {"Item": {"Type": "Pass", "Next": "Done"}, "X": PASS_END}}
        ),
        pointer="/States/Each/ItemProcessor/States/Item/Next",
        message="Next of state 'Item' (Pass) names 'Done', a state of the state machine",
        hint="a transition stays inside its scope, here ItemProcessor of state 'Each' (Map)",
    ),
    Case(
        code="missing-transition",
        definition=machine(S={"Type": "Pass"}, T={"Type": "Succeed"}),
        pointer="/States/S",
        message="State 'S' (Pass) has neither Next nor End",
        hint="add Next with the name of a state, or End: true",
        also=("unreachable-state",),
    ),
    Case(
        code="next-with-end",
        definition=machine(S={"Type": "Pass", "Next": "T", "End": True}, T=PASS_END),
        pointer="/States/S/End",
        message="State 'S' (Pass) has both Next and End",
        hint="keep Next to go on, End to stop here",
    ),
    Case(
        code="unreachable-state",
        definition=machine(S=PASS_END, Lost={"Type": "Pass", "Next": "Lost"}),
        pointer="/States/Lost",
        message="State 'Lost' (Pass) cannot be reached",
        hint="no transition of the state machine leads to it",
    ),
    Case(
        code="no-terminal-state",
        definition=machine(A={"Type": "Pass", "Next": "B"}, B={"Type": "Pass", "Next": "A"}),
        pointer="/States",
        message="No state ends the state machine",
        hint="one state needs End: true, or the type Succeed or Fail",
    ),
    Case(
        code="name-too-long",
        definition=machine(**{"x" * 81: PASS_END}),
        pointer=f"/States/{'x' * 81}",
        message=f"The name of state '{'x' * 77}...' (Pass) has 81 characters",
        hint="at most 80 are allowed",
    ),
    Case(
        code="duplicate-name",
        definition=map_over({"StartAt": "Done", "States": {"Done": PASS_END}}),
        pointer="/States/Each/ItemProcessor/States/Done",
        message="State 'Done' (Pass) in ItemProcessor of state 'Each' (Map) has the name of a state in "
        "the state machine",
        hint="names are unique in the whole machine, nested scopes included",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_found(case: Case) -> None:
    case.check()


def test_a_choice_leads_to_its_default_too() -> None:
    rule = {"Variable": "$.a", "IsPresent": True, "Next": "A"}
    fork = {"Type": "Choice", "Choices": [rule], "Default": "B"}
    assert errors(machine(Fork=fork, A=PASS_END, B=PASS_END)) == []


def test_end_false_beside_next_is_no_end() -> None:
    assert errors(machine(S={"Type": "Pass", "Next": "T", "End": False}, T=PASS_END)) == []


@pytest.mark.parametrize(
    "definition",
    [
        machine(S={"Type": "Pass", "Next": "${Target}"}, T=PASS_END),
        machine(S={"Type": "Pass", "Next": "T"}, **{"${Name}": PASS_END}),
        one(Type="${Kind}", Anything=1),
        machine(S={"!Sub": "..."}),
    ],
)
def test_a_placeholder_may_be_the_missing_link(definition: object) -> None:
    assert errors(definition) == []
