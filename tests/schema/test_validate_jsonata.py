"""JSONata expressions: syntax with its column, and what they may refer to."""

from __future__ import annotations

from typing import Any

import pytest

from .cases import Case, choice, errors, one, task


def jsonata(definition: dict[str, Any]) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", **definition}


FALLBACK = {"ErrorEquals": ["States.ALL"], "Next": "S"}

CASES = [
    Case(
        code="bad-jsonata",
        definition=jsonata(one(Type="Pass", Output={"a": ["{% 10 + * 2 %}"]})),
        pointer="/States/S/Output/a/0",
        message="'a' in state 'S' (Pass) is refused: Syntax error: \"2\" at column 8 of '10 + * 2'",
    ),
    Case(
        code="bad-jsonata",
        definition=jsonata(task(Arguments="{% $states.input.a ?? 1 %}")),
        pointer="/States/S/Arguments",
        message="'Arguments' in state 'S' (Task) is refused: The symbol \"?\" cannot be used as a unary operator at "
        "column 18 of '$states.input.a ?? 1'",
    ),
    Case(
        code="bad-jsonata",
        definition=jsonata(task(Arguments={"to": "{% phone %}"})),
        pointer="/States/S/Arguments/to",
        message="'to' in state 'S' (Task) is refused: Reference to 'phone' at the top level is not supported at "
        "column 1 of 'phone'",
        hint="an expression starts from $states or from a variable",
    ),
    Case(
        code="bad-jsonata",
        definition=jsonata(one(Type="Pass", Output="{% $states.result %}")),
        pointer="/States/S/Output",
        message="'Output' in state 'S' (Pass) is refused: Field '$states.result' does not exist at column 1 of "
        "'$states.result'",
        hint="only Output and Assign of a Task, Parallel or Map have a result",
    ),
    Case(
        code="bad-jsonata",
        definition=jsonata(task(Assign={"e": "{% $states.errorOutput.Error %}"})),
        pointer="/States/S/Assign/e",
        message="'e' in state 'S' (Task) is refused: Field '$states.errorOutput' does not exist at column 1 of "
        "'$states.errorOutput.Error'",
        hint="only Output and Assign of a catcher have an error output",
    ),
    Case(
        code="bad-jsonata",
        definition=choice({"Condition": "{% $states.input.a = %}"}, QueryLanguage="JSONata"),
        pointer="/States/C/Choices/0/Condition",
        message="'Condition' in Choices[0] of state 'C' (Choice) is refused: Unexpected end of expression at column 18 "
        "of '$states.input.a ='",
    ),
    Case(
        code="missing-function",
        definition=jsonata(one(Type="Pass", Output="{% $eval('1') %}")),
        pointer="/States/S/Output",
        message="'Output' in state 'S' (Pass) will fail: the service has no function $eval",
        hint="$parse reads JSON text",
        severity="warning",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_finding(case: Case) -> None:
    case.check()


@pytest.mark.parametrize(
    "fields",
    [
        {"Output": "{% $states.result.Payload %}", "Arguments": "{%$states.context.Execution.Id%}"},
        {"Assign": {"a": "{% $states.result %}"}, "Output": {"b": [1, "{% $a %}", "{% x"[:1]]}},
        {
            "Catch": [
                {**FALLBACK, "Output": "{% $states.errorOutput %}", "Assign": {"e": "{% $states.input %}"}}
            ]
        },
        {"TimeoutSeconds": "{% $states.input.limit %}", "Credentials": {"RoleArn": "{% $role %}"}},
        {"Arguments": {"x": "{% $states.input.items[price > 3].{'a': name, 'b': $} %}"}},
        {"Arguments": {"x": "{% ($f := function($x) { $x * 2 }; $map($states.input, $f)) %}"}},
        {"Arguments": {"x": "{% $states.input ~> |orders|{'seen': true}| %}"}},
        {"Arguments": {"x": "{% $states.input^(>price, name) %}"}},
        {"Arguments": {"x": "{% ${Hole} + %}"}},
    ],
)
def test_what_the_service_accepts(fields: dict[str, Any]) -> None:
    assert errors(jsonata(task(**fields))) == []


def test_another_language_is_not_looked_into() -> None:
    assert errors(one(Type="Pass", Result="{% 1 + %}")) == []
