"""Paths, reference paths, intrinsic functions, payload templates."""

from __future__ import annotations

import pytest

from .cases import Case, choice, errors, one, task

CASES = [
    Case(
        code="bad-path",
        definition=one(Type="Pass", InputPath="order.total"),
        pointer="/States/S/InputPath",
        message="'InputPath' in state 'S' (Pass) is no JSONPath: a path must start with '$' at column 1 of "
        "'order.total'",
    ),
    Case(
        code="bad-path",
        definition=one(Type="Wait", SecondsPath="$.waits[*]"),
        pointer="/States/S/SecondsPath",
        message="'SecondsPath' in state 'S' (Wait) is no reference path: a reference path names one node, so the "
        "wildcard '*' cannot stand in it at column 8 of '$.waits[*]'",
    ),
    Case(
        code="bad-path",
        definition=one(Type="Pass", ResultPath="$order.total"),
        pointer="/States/S/ResultPath",
        message="ResultPath '$order.total' of state 'S' (Pass) does not lead into the state's input",
        hint="it begins with '$.'; Assign sets variables",
    ),
    Case(
        code="bad-path",
        definition=choice({"Variable": "total", "NumericEqualsPath": "$.limit"}),
        pointer="/States/C/Choices/0/Variable",
        message="'Variable' in Choices[0] of state 'C' (Choice) is no JSONPath: a path must start with '$' at "
        "column 1 of 'total'",
    ),
    Case(
        code="bad-expression",
        definition=task(Parameters={"order": [{"id.$": "order.id"}]}),
        pointer="/States/S/Parameters/order/0/id.$",
        message="'order.id' in 'id.$' of state 'S' (Task) is neither a JSONPath nor an intrinsic function",
        hint="a literal stands under the key 'id'",
    ),
    Case(
        code="bad-expression",
        definition=one(Type="Pass", Assign={"total.$": 3}),
        pointer="/States/S/Assign/total.$",
        message="3 in 'total.$' of state 'S' (Pass) is neither a JSONPath nor an intrinsic function",
        hint="a literal stands under the key 'total'",
    ),
    Case(
        code="bad-intrinsic",
        definition=one(Type="Fail", ErrorPath="States.MathAdd(1, 2)"),
        pointer="/States/S/ErrorPath",
        message="ErrorPath of state 'S' (Fail) calls States.MathAdd, which does not answer a text",
        hint="use a function that does, such as States.Format",
    ),
    Case(
        code="bad-intrinsic",
        definition=one(Type="Pass", Parameters={"n.$": "States.ArrayLenght($.a)"}),
        pointer="/States/S/Parameters/n.$",
        message="'n.$' in state 'S' (Pass) is no intrinsic function: there is no intrinsic function "
        "States.ArrayLenght; did you mean States.ArrayLength? at column 1 of 'States.ArrayLenght($.a)'",
    ),
    Case(
        code="wrong-arguments",
        definition=one(Type="Pass", Parameters={"n.$": "States.Array(States.MathAdd(1))"}),
        pointer="/States/S/Parameters/n.$",
        message="'n.$' in state 'S' (Pass) will fail: States.MathAdd takes 2 arguments, not 1, at column 14 of "
        "'States.Array(States.MathAdd(1))'",
        severity="warning",
    ),
    Case(
        code="conflicting-keys",
        definition=task(Parameters={"id": 1, "id.$": "$.id"}),
        pointer="/States/S/Parameters/id.$",
        message="State 'S' (Task) has both 'id' and 'id.$' in one object of Parameters",
        hint="keep only one of them",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_found(case: Case) -> None:
    case.check()


@pytest.mark.parametrize(
    "text",
    [
        "States.Defaults($.a, 1)",
        "States.Format('{}' $.a)",
        "States.Format('{}', $.a",
        "States.UUID",
    ],
)
def test_an_intrinsic_function_is_known_and_whole(text: str) -> None:
    assert errors(one(Type="Pass", Parameters={"a.$": text})) == ["bad-intrinsic"]


@pytest.mark.parametrize(
    "text",
    ["$", "$$", "$.[0]", "$.a.[0]", "$$.Execution.Id", "$order.total", "$.a[?(@.b == 1)].c", "$.a-b", "$..x"],
)
def test_a_path_may_be(text: str) -> None:
    assert errors(one(Type="Pass", InputPath=text, Parameters={"a.$": text})) == []


@pytest.mark.parametrize("text", ["$.a", "$$.Execution.Input.wait", "$wait", "$.a['b c'][0]"])
def test_a_reference_path_may_be(text: str) -> None:
    assert errors(one(Type="Wait", SecondsPath=text)) == []


def test_a_result_is_literal() -> None:
    assert errors(one(Type="Pass", Result={"a": 1, "a.$": "anything"})) == []


@pytest.mark.parametrize("text", ["${Path}", "$.a.${Member}", "States.Format('{}', ${Argument})"])
def test_a_placeholder_in_an_expression_could_be_right(text: str) -> None:
    assert errors(one(Type="Pass", InputPath="${Path}", Parameters={"a.$": text})) == []


def test_an_undelimited_literal_in_a_jsonata_state_is_no_path() -> None:
    assert errors(one(Type="Pass", QueryLanguage="JSONata", Output={"a.$": "anything"})) == []
