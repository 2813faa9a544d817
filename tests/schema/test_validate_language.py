"""Fields and expressions of the wrong query language, and the delimiters of JSONata."""

from __future__ import annotations

import pytest

from .cases import PASS_END, Case, choice, errors, machine, one, task

CASES = [
    Case(
        code="language-downgrade",
        definition={"QueryLanguage": "JSONata", **one(Type="Pass", QueryLanguage="JSONPath")},
        pointer="/States/S/QueryLanguage",
        message="State 'S' (Pass) cannot be JSONPath in a machine whose QueryLanguage is JSONata",
        hint="leave QueryLanguage out of the machine and set it to JSONata where it is wanted",
    ),
    Case(
        code="wrong-query-language",
        definition=task(Arguments={}),
        pointer="/States/S/Arguments",
        message="'Arguments' is JSONata, but state 'S' (Task) speaks JSONPath",
        hint="use Parameters",
    ),
    Case(
        code="wrong-query-language",
        definition={"QueryLanguage": "JSONata", **task(ResultPath="$.x")},
        pointer="/States/S/ResultPath",
        message="'ResultPath' is JSONPath, but state 'S' (Task) speaks JSONata",
        hint="use Output",
    ),
    Case(
        code="wrong-query-language",
        definition=task(TimeoutSeconds="{% 1 + 1 %}"),
        pointer="/States/S/TimeoutSeconds",
        message="'TimeoutSeconds' is JSONata, but state 'S' (Task) speaks JSONPath",
        hint="set QueryLanguage to JSONata",
    ),
    Case(
        code="wrong-query-language",
        definition=choice({"Condition": "{% true %}", "StringEquals": "a"}, QueryLanguage="JSONata"),
        pointer="/States/C/Choices/0/StringEquals",
        message="'StringEquals' is JSONPath, but Choices[0] of state 'C' (Choice) speaks JSONata",
        hint="use Condition",
    ),
    Case(
        code="jsonata-delimiter",
        definition=one(Type="Pass", QueryLanguage="JSONata", Output={"a": ["{% 1 + 1"]}),
        pointer="/States/S/Output/a/0",
        message="'0' in state 'S' (Pass) begins with '{%' but does not end with '%}'",
        hint="an expression stands between '{%' and '%}', with nothing around them",
    ),
    Case(
        code="jsonata-delimiter",
        definition=one(Type="Pass", QueryLanguage="JSONata", Output="1 + 1 %}"),
        pointer="/States/S/Output",
        message="'Output' in state 'S' (Pass) ends with '%}' but does not begin with '{%', so it is plain text",
        hint="an expression stands between '{%' and '%}', with nothing around them",
        severity="warning",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_found(case: Case) -> None:
    case.check()


def test_a_jsonata_state_may_stand_in_a_jsonpath_machine() -> None:
    jsonata = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input %}", "Next": "T"}
    assert errors(machine(S=jsonata, T={**PASS_END, "OutputPath": "$.a"})) == []


def test_inner_states_inherit_the_language_of_the_machine_and_not_of_the_map_around_them() -> None:
    inner = {"StartAt": "I", "States": {"I": {**PASS_END, "ResultPath": "$.a"}}}
    each = {"Type": "Map", "QueryLanguage": "JSONata", "Items": [1], "ItemProcessor": inner, "End": True}
    assert errors(machine(M=each)) == []


def test_a_placeholder_decides_the_language_later() -> None:
    assert errors({"QueryLanguage": "${Language}", **task(Arguments={})}) == []


@pytest.mark.parametrize("text", ["{% 1 %}", "{%1%}", "{% $x%}", "{%\n$x\n%}", " {% 1 %} "])
def test_blanks_inside_the_delimiters_do_not_matter(text: str) -> None:
    assert errors(one(Type="Pass", QueryLanguage="JSONata", Output=text)) == []


def test_a_field_that_the_state_has_in_no_language_is_said_once() -> None:
    assert errors(one(Type="Wait", Seconds=1, Arguments={})) == ["unknown-field"]
