"""Intrinsic functions: what the service answered, what cannot be parsed, what is drawn."""

from __future__ import annotations

import contextlib
import itertools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detent.core.errors import RUNTIME, StateFailure
from detent.query.intrinsics import (
    FUNCTIONS,
    IntrinsicSyntaxError,
    arity_problems,
    compile_intrinsic,
    parse_intrinsic,
    variables_in_intrinsic,
)

from .evaluating import bindings, load, same

VECTORS = load("intrinsics-vectors.json")["intrinsics"]


def evaluate(expression: str, document: Any = None, **bound: Any) -> Any:
    return compile_intrinsic(expression)(document, bindings(document, **bound))


def of_vector(vector: dict[str, Any]) -> Any:
    return evaluate(vector["expression"], vector["input"], context={"Execution": {"Input": vector["input"]}})


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["id"]) for v in VECTORS if "output" in v])
def test_answers_as_the_service(vector: dict[str, Any]) -> None:
    assert same(of_vector(vector), vector["output"])


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["id"]) for v in VECTORS if "error" in v])
def test_fails_as_the_service(vector: dict[str, Any]) -> None:
    with pytest.raises(StateFailure) as caught:
        of_vector(vector)
    cause = caught.value.cause or ""
    assert caught.value.error == vector["error"]
    assert cause == vector.get("cause", cause)
    assert vector.get("check", {}).get("cause_contains", "") in cause


@pytest.mark.parametrize(
    "vector", [pytest.param(v, id=v["id"]) for v in VECTORS if "output" not in v and "error" not in v]
)
def test_answers_something_of_the_kind(vector: dict[str, Any]) -> None:
    answer, check = of_vector(vector), vector["check"]
    if "integer_in" in check:
        low, high = check["integer_in"]
        assert isinstance(answer, int)
        assert low <= answer < high
    if "matches" in check:
        assert re.match(check["matches"], answer)


@pytest.mark.parametrize(
    ("expression", "column", "message"),
    [
        ("States.Format('{}', $.a", 24, "to close States.Format("),
        ("States.Fromat('{}', $.a)", 1, "did you mean States.Format?"),
        ("States.Array(1, States.arraylength($.a))", 17, "did you mean States.ArrayLength?"),
        ("States.Array(1,)", 16, "expected an argument"),
        ("States.Array(1) x", 17, "nothing may follow"),
        ("States.Array('a)", 14, "not closed"),
        ("States.StringToJson('{\\\"a\\\": 1}')", 23, "is no escape"),
        (r"States.Format('a\n')", 17, "is no escape"),
        ("States.Array(1 2)", 16, "expected ')'"),
        ("States.Array($.a[)", 18, "after '['"),
        ("States.Array(undefined)", 14, "there is no intrinsic function undefined"),
        ("States.Array(1e999)", 14, "out of range"),
        ("States.UUID", 12, "expected '('"),
        ("States.Array(" * 11 + ")" * 11, 131, "nest 10 deep"),
        ("States.Array(" * 5_000, 131, "nest 10 deep"),
    ],
)
def test_what_cannot_be_parsed(expression: str, column: int, message: str) -> None:
    with pytest.raises(IntrinsicSyntaxError) as caught:
        parse_intrinsic(expression)
    assert message in caught.value.message
    assert caught.value.column == column


def test_a_wrong_number_of_arguments_is_a_problem_and_a_failure() -> None:
    intrinsic = parse_intrinsic("States.Array(States.Hash('x'), States.UUID(1), States.MathRandom(1))")
    assert arity_problems(intrinsic) == [
        ("States.Hash takes 2 arguments, not 1", 14),
        ("States.UUID takes 0 arguments, not 1", 32),
        ("States.MathRandom takes 2 to 3 arguments, not 1", 48),
    ]
    with pytest.raises(StateFailure, match="Invalid arguments in States\\.Hash"):
        compile_intrinsic(intrinsic)(None, bindings())


def test_escapes_in_a_template() -> None:
    assert evaluate(r"States.Format('\{{}\} \'{}\' \\', 1, 2)") == "{1} '2' \\"
    assert evaluate(r"States.Array('\{\'\\')") == ["{'\\"]


@pytest.mark.parametrize("template", ["{", "a}b", "{{}}", "{0}"])
def test_a_bad_template_fails_when_it_runs(template: str) -> None:
    with pytest.raises(StateFailure, match="Invalid template in States\\.Format"):
        evaluate(f"States.Format('{template}', 1)")
    with pytest.raises(StateFailure, match="Invalid template in States\\.Format"):
        evaluate("States.Format($.t, 1)", {"t": template})


def test_variables_and_the_context_are_arguments() -> None:
    expression = "States.Array($name, $list[1], $$.State.Name, States.Format('{}', $deep.a))"
    bound = {"name": "n", "list": [1, 2], "deep": {"a": "b"}}
    assert evaluate(expression, variables=bound, context={"State": {"Name": "S"}}) == ["n", 2, "S", "b"]
    assert variables_in_intrinsic(parse_intrinsic(expression)) == {"name", "list", "deep"}


def test_a_context_argument_that_misses_is_shown_with_one_dollar() -> None:
    with pytest.raises(StateFailure) as caught:
        evaluate("States.Array($$.Execution.Nope)", {"a": 1})
    assert caught.value.cause == (
        "The function 'States.Array($$.Execution.Nope)' had the following error: The JsonPath argument for "
        "the field '$.Execution.Nope' could not be found in the input '{\"a\":1}'"
    )


def test_chance_comes_from_the_bindings() -> None:
    for expression in ("States.UUID()", "States.MathRandom(0, 1000000)"):
        assert evaluate(expression, seed=7) == evaluate(expression, seed=7)
        assert evaluate(expression, seed=7) != evaluate(expression, seed=8)


def test_the_table_of_functions_is_complete() -> None:
    assert len(FUNCTIONS) == 18
    assert {f"States.{vector['fn']}" for vector in VECTORS} == FUNCTIONS.keys()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(VALUES, max_size=4))
def test_no_argument_makes_anything_but_a_failure(name: str, arguments: list[Any]) -> None:
    expression = f"{name}({', '.join(f'$[{place}]' for place in range(len(arguments)))})"
    try:
        evaluate(expression, arguments)
    except StateFailure as failure:
        cause = failure.cause
    else:
        return
    assert cause
    assert expression in cause


@given(st.text("States.FormatArray(){}',$.ab[]0-9 \\", max_size=40))
def test_parsing_raises_nothing_but_syntax_errors(text: str) -> None:
    for expression in (text, f"States.Format({text})", f"States.Format('{text}')"):
        with contextlib.suppress(IntrinsicSyntaxError):
            compile_intrinsic(expression)


def test_failures_are_runtime_errors() -> None:
    with pytest.raises(StateFailure) as caught:
        evaluate("States.JsonToString(States.StringToJson($.t))", {"t": "[" * 20_000})
    assert caught.value.error == RUNTIME


def test_values_that_share_a_bucket_take_no_longer() -> None:
    colliding = ["".join(pair) for pair in itertools.product(["Aa", "BB"], repeat=14)]
    assert sorted(evaluate("States.ArrayUnique($)", colliding * 2)) == sorted(colliding)
