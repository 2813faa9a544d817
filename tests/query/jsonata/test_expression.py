"""Expressions of a state: what they see, what they answer, how they fail, and the engine's traps."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detent.core.errors import QUERY_EVALUATION_ERROR, StateFailure
from detent.query.jsonata import CATCH, EXIT, JSONataError, Stage, compile_expression
from detent.query.jsonata.engine import SERVICE, Document, Program
from detent.query.jsonata.parser import parse
from detent.query.jsonata.references import references

from .evaluating import bindings, evaluate

INPUT = {"order": {"id": 7, "lines": [{"sku": "a", "n": 2}, {"sku": "b", "n": 3}]}, "none": None, "one": [1]}


def cause(text: str, input: Any = None, **given: Any) -> str:
    with pytest.raises(StateFailure) as caught:
        evaluate(text, input, **given)
    assert caught.value.error == QUERY_EVALUATION_ERROR
    assert caught.value.location == given.get("place", "Output")
    return caught.value.cause or ""


# What they see


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("$states.input.order.id", 7),
        ("$states.input.order.lines.sku", ["a", "b"]),
        ("$states.input.order.lines[n > 2].sku", "b"),
        ("$sum($states.input.order.lines.n)", 5),
        ("$states.input.none", None),
        ("$states.input.one", [1]),
        ("$states.context.State.Name & '!'", "S!"),
        ("$total + 1", 11),
        ("$list.a", [1, 2]),
        ("$count + $length", 9),
        ("{'kept': $states.input.order.id, 'left out': $states.input.missing}", {"kept": 7}),
        ("$states.input.order.lines.($.n * 2)", [4, 6]),
        ("$map($states.input.order.lines, function($l) { $l.sku })", ["a", "b"]),
        ("1 /* a comment at the end */", 1),
    ],
)
def test_input_context_and_variables(text: str, answer: Any) -> None:
    variables = {"total": 10, "list": [{"a": 1}, {"a": 2}], "count": 4, "length": 5}
    assert evaluate(text, INPUT, context={"State": {"Name": "S"}}, variables=variables) == answer


def test_functions_of_an_expression_may_call_one_another() -> None:
    text = """(
        $even := function($n) { $n = 0 ? true : $odd($n - 1) };
        $odd := function($n) { $n = 0 ? false : $even($n - 1) };
        $even($states.input)
    )"""
    assert evaluate(text, 4) is True
    assert evaluate(text, 3, variables={"even": 1, "other": 2}) is False


def test_a_name_that_no_variable_has_is_nothing() -> None:
    assert evaluate("$exists($nowhere)", None) is False
    assert evaluate("[$nowhere, 1]", None, variables={"other": 2}) == [1]


def test_result_and_error_output_where_they_exist() -> None:
    assert evaluate("$states.result.x", available=EXIT, result={"x": 1}) == 1
    assert evaluate("$states.errorOutput.Error & ''", available=CATCH, error={"Error": "E"}) == "E"


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("$states.result.x", "Field '$states.result' does not exist.", 1),
        ("1 + $states.errorOutput", "Field '$states.errorOutput' does not exist.", 5),
        ("phone", "Reference to 'phone' at the top level is not supported.", 1),
        ("{'a': order.id}", "Reference to 'order' at the top level is not supported.", 7),
        ("$$.a", "Reference to '$$' at the top level is not supported.", 1),
        ("$", "Reference to '$' at the top level is not supported.", 1),
        ("1 +", "Unexpected end of expression", 4),
        ("$states.input.a ?? 1", 'The symbol "?" cannot be used as a unary operator', 18),
        ("$states.input.a ?: 1", 'The symbol ":" cannot be used as a unary operator', 18),
        ("('abc", "String literal must be terminated by a matching quote", 2),
        ("$states.input.%.%", "The object representing the 'parent' cannot be derived", 1),
    ],
)
def test_what_the_service_refuses_does_not_compile(text: str, message: str, column: int) -> None:
    with pytest.raises(JSONataError) as caught:
        evaluate(text)
    assert message in str(caught.value)
    assert f"(column {column} of" in str(caught.value)


def test_the_root_of_the_engine_is_out_of_sight() -> None:
    assert "undefined" in cause("function() { $ }()")
    assert "undefined" in cause("$states.input.lines[$$.states].x", {"lines": [{"x": 1}]})


@pytest.mark.parametrize("name", ["input", "states", "variables", "now", "total", "*", "**", "$"])
def test_what_stands_in_a_function_finds_nothing_of_what_a_state_sees(name: str) -> None:
    text = f"[$exists($states.input) and $total = 3 and $now() != '', $map([1], function($v) {{ {name} }})]"
    assert evaluate(text, {"a": 1}, variables={"total": 3}) == [True]


# What they answer


def test_a_context_item_stands_in_where_there_is_one() -> None:
    assert evaluate("[1, 2].$string()") == ["1", "2"]
    assert evaluate("$states.input ~> $keys()", {"a": 1, "b": 2}) == ["a", "b"]
    assert evaluate("($each := function($x) { $x }; $each(5))") == 5


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1/0", "Infinity"),
        ("[-1/0]", ["-Infinity"]),
        ("{'a': 0/0}", {"a": "NaN"}),
        ("1e20 + 0", 100_000_000_000_000_000_000),
        ("0.1 + 0.2", 0.1 + 0.2),
        ("10 / 2", 5),
    ],
)
def test_numbers_are_the_doubles_of_javascript(text: str, answer: Any) -> None:
    assert evaluate(text) == answer


def test_integers_of_any_size_pass_unharmed_and_are_computed_with_as_doubles() -> None:
    large = {"n": 2**80 + 1, "list": [2**64], "huge": 10**400}
    assert evaluate("$states.input.n", large) == 2**80 + 1
    assert evaluate("$states.input", large) == large
    assert evaluate("$states.input.n * 1", large) == float(2**80)
    assert evaluate("$x[0] = $y", variables={"x": [2**64], "y": 2.0**64}) is True
    assert "D1001: Number out of range" in cause("$states.input.huge * 1", large)


def test_half_a_surrogate_pair_passes_and_cannot_be_computed_with() -> None:
    assert evaluate("$states.input.s", {"s": "\ud800"}) == "\ud800"
    assert "surrogate" in cause("$states.input.s & 'x'", {"s": "\ud800"})


names = st.sampled_from(["a", "b", "c"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text("xyz", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


@given(values, st.lists(names, max_size=3))
def test_following_names_is_what_the_engine_does(value: Any, path: list[str]) -> None:
    text = ".".join(["$states.input", *path])
    tree = parse(text)
    engine = Program(text, tree, references(tree)).run(Document({"input": value}, {}, 0), None, SERVICE)
    try:
        assert engine.value == evaluate(text, value)
    except StateFailure:
        assert engine.type == "undefined"


# How they fail


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("$states.input.missing", "returned nothing (undefined)."),
        ("$nosuch", "returned nothing (undefined)."),
        ("$string()", "returned nothing (undefined)."),
        ("$each(function($value, $key) { $key })", "returned nothing (undefined)."),
        ("($f := function() { $keys() }; $f())", "returned nothing (undefined)."),
        ("function($x) { $x }", "returned an unsupported result type."),
        ("$sum", "returned an unsupported result type."),
        (
            "'a' + 1",
            'threw an error during evaluation. T2001: The left side of the "+" operator must evaluate to a number',
        ),
        ("$nosuch(1)", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        ("$eval('1')", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        ("$error('no stock')", "threw an error during evaluation. D3137: no stock"),
        (
            "$length(5)",
            'threw an error during evaluation. T0410: Argument 1 of function "length" does not match function '
            "signature",
        ),
        ("$number('x')", 'threw an error during evaluation. D3030: Unable to cast value to a number: "x"'),
        (
            "$sum([1, 'x'])",
            'threw an error during evaluation. T0412: Argument 1 of function "sum" must be an array of "numbers"',
        ),
        (
            "$join([1, 2])",
            'threw an error during evaluation. T0412: Argument 1 of function "join" must be an array of "strings"',
        ),
        ("$substring(1, 2)", "returned nothing (undefined)."),
        (
            "[5].$substring(1, 2)",
            "threw an error during evaluation. T0411: Context value is not a compatible type with argument 1 of "
            'function "substring"',
        ),
        (
            "$formatBase(10, 1)",
            "threw an error during evaluation. D3100: The radix of the formatBase function must be between 2 and 36.  "
            "It was given 1",
        ),
        (
            "$fromMillis(1, '[Q]')",
            'threw an error during evaluation. D3132: Unknown component specifier "Q" in date/time picture string',
        ),
        (
            "$single([1, 2], function($x) { true })",
            "threw an error during evaluation. D3138: The $single() function expected exactly 1 matching result.  "
            "Instead it matched more.",
        ),
        (
            "null < 1",
            'threw an error during evaluation. T2010: The expressions either side of operator "<" must evaluate to '
            "numeric or string values",
        ),
        (
            "$formatNumber(1, '#,,0')",
            "threw an error during evaluation. D3089: The sub-picture must not contain two adjacent instances of the "
            "'grouping-separator' character",
        ),
        (
            "$formatInteger(1, '①')",
            "threw an error during evaluation. D3130: Formatting or parsing an integer as a sequence starting with "
            '"①" is not supported by this implementation',
        ),
    ],
)
def test_causes_are_those_of_the_service(text: str, tail: str) -> None:
    assert cause(text, {}) == f"The JSONata expression '{text}' specified for the field 'Output' {tail}"


def test_the_place_is_in_the_cause() -> None:
    assert "specified for the field 'Arguments/Payload[0]' returned" in cause(
        "$x", place="Arguments/Payload[0]"
    )


@pytest.mark.parametrize(
    ("value", "expected", "found"),
    [
        ("1", "array", "'number' for value: 1"),
        ("'x'", "array", "'string' for value: \"x\""),
        ("null", "array", "'null' for value: null"),
        ("{'a': 1}", "array", "'object' for value: {\"a\":1}"),
        ("[1]", "string", "'array' for value: [1]"),
        ("true", "number", "'boolean' for value: true"),
    ],
)
def test_a_value_of_another_type(value: str, expected: str, found: str) -> None:
    tail = f"returned an unexpected result type. Expected '{expected}', but was {found}"
    assert cause(value, expected=expected).endswith(tail)


# The traps of the engine


def test_each_thread_has_a_program_of_its_own() -> None:
    expression = compile_expression("$sum($states.input) + $random() * 0", place="Output", stage=Stage())
    answers: list[Any] = []

    def work() -> None:
        answers.extend(expression(None, bindings([1, 2, 3])) for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [6] * 400


def test_the_engine_may_be_imported_by_any_thread_first() -> None:
    program = """
import threading
from tests.query.jsonata.evaluating import evaluate
def work():
    assert evaluate("$count([1, 2])") == 2
for _ in range(3):
    thread = threading.Thread(target=work); thread.start(); thread.join()
work()
"""
    subprocess.run([sys.executable, "-c", program], check=True)
