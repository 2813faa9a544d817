"""Errors in the words of the language's reference: which argument of which function, and which values.

Each was said by jsonata 2.0.6, the version that the service runs.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from detent.core.errors import StateFailure
from detent.query.jsonata.blame import blamed
from detent.query.jsonata.engine import Outcome
from detent.query.jsonata.messages import TIME, EvaluationError
from detent.query.jsonata.parser import parse

from .evaluating import evaluate

INPUT = {
    "a": 1,
    "s": "Str",
    "none": None,
    "list": [{"x": 1}, {"x": 2}],
    "mixed": [{"y": "a", "z": {"w": "q"}}, {"y": 5, "z": {"w": 3}}],
}


def cause(text: str, input: Any) -> str:
    with pytest.raises(StateFailure) as caught:
        evaluate(text, input)
    return caught.value.cause or ""


def said(text: str) -> str:
    """What an evaluation ended with, behind the sentence that says where."""
    return cause(text, INPUT).partition("threw an error during evaluation. ")[2]


@pytest.mark.parametrize(
    ("text", "place", "function"),
    [
        ("$abs(1, 2)", 2, "abs"),
        ("$abs('1')", 1, "abs"),
        ("$substring('hello', 'x')", 2, "substring"),
        ("$substring('hello', 1, 'x')", 3, "substring"),
        ("$uppercase($lowercase(3))", 1, "lowercase"),
        ("$join($split('a b', ' '), 5)", 2, "join"),
        ("$contains(5, 'b')", 1, "contains"),
        ("$power('a', 2)", 1, "power"),
        ("$each({'a': 1}, 1)", 2, "each"),
        ("$clone(1)", 1, "clone"),
        ("$count(1, 2)", 2, "count"),
        ("[$length('a'), $length(1)]", 1, "length"),
        ("($b := {'q': 'z'}; $x := $b.q; $lowercase($b))", 1, "lowercase"),
        ("$states.input.s ~> $length() > $length(2)", 1, "length"),
        ("true and $lowercase(5)", 1, "and"),
        ("5 ~> $uppercase", 1, "uppercase"),
        ("'a' ~> $substring('x')", 2, "substring"),
        ("$states.input.mixed.$uppercase(y)", 1, "uppercase"),
        ("$states.input.mixed[$contains(y, 'a')]", 1, "contains"),
        ("$map($states.input.mixed, function($m) { $uppercase($m.y) })", 1, "uppercase"),
        ("$states.input.mixed ~> $map(function($m) { ($y := $m.y; $length($y)) })", 1, "length"),
        ("$map(['a', 5], $uppercase)", 1, "uppercase"),
        ("$each({'a': 1}, $uppercase)", 1, "uppercase"),
        ("$join($map([1, 2], $string), 5)", 2, "join"),
    ],
)
def test_the_argument_that_does_not_fit(text: str, place: int, function: str) -> None:
    assert said(text) == f'T0410: Argument {place} of function "{function}" does not match function signature'


@pytest.mark.parametrize(
    ("text", "function", "kind"),
    [
        ("$sum(['1', '2'])", "sum", "numbers"),
        ("$max('a')", "max", "numbers"),
        ("$average({})", "average", "numbers"),
        ("$merge([1])", "merge", "objects"),
        ("$join([1, 'a'])", "join", "strings"),
    ],
)
def test_lists_of_something_else(text: str, function: str, kind: str) -> None:
    assert said(text) == f'T0412: Argument 1 of function "{function}" must be an array of "{kind}"'


@pytest.mark.parametrize(
    ("text", "values", "operator"),
    [
        ("$states.input.a > 'x'", '1 and "x"', ">"),
        ("'x' <= $states.input.a", '"x" and 1', "<="),
        ("($a := 'x'; $a > 1)", '"x" and 1', ">"),
        ("{'k': [1, $states.input.s < 2]}", '"Str" and 2', "<"),
        ("'a' < 'b' and 2 < 'b'", '2 and "b"', "and"),
        ("$states.input.list[x > 'a']", '1 and "a"', ">"),
        ("$states.input.mixed.(y > 'A')", '5 and "A"', ">"),
        ("$states.input.mixed.z[w < 'r']", '3 and "r"', "<"),
        ("$states.input.mixed.(($v := y; $v > 'A'))", '5 and "A"', ">"),
        ("$filter($states.input.mixed, function($m) { $m.y >= 'a' })", '5 and "a"', ">="),
        ("$sift({'k': 1}, function($v, $k) { $v > $k })", '1 and "k"', ">"),
    ],
)
def test_values_that_cannot_be_compared(text: str, values: str, operator: str) -> None:
    assert (
        said(text)
        == f'T2009: The values {values} either side of operator "{operator}" must be of the same data type'
    )


@pytest.mark.parametrize(("text", "operator"), [("1 > null", ">"), ("$states.input.list <= 1", "<=")])
def test_what_is_not_compared_at_all(text: str, operator: str) -> None:
    assert said(text) == (
        f'T2010: The expressions either side of operator "{operator}" must evaluate to numeric or string values'
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-'a'", 'D1002: Cannot negate a non-numeric value: "a"'),
        ("-$states.input.s", 'D1002: Cannot negate a non-numeric value: "Str"'),
        ("$states.input.mixed.(-y)", 'D1002: Cannot negate a non-numeric value: "a"'),
        (
            "$states.input.mixed^(y)",
            'T2007: Type mismatch when comparing values "a" and 5 in order-by clause',
        ),
        (
            # Sorted half by half: of the four, the last two are compared before either meets the first two.
            "[{'k': 3}, {'k': 1}, {'k': 'a'}, {'k': 9}]^(>k)",
            'T2007: Type mismatch when comparing values "a" and 9 in order-by clause',
        ),
        (
            "[{'k': 1, 'l': 'b'}, {'k': 0, 'l': 1}, {}, {'k': 1, 'l': 2}]^(k, >l)",
            'T2007: Type mismatch when comparing values "b" and 2 in order-by clause',
        ),
        (
            "$states.input ~> |list|5|",
            "T2011: The insert/update clause of the transform expression must evaluate to an object: 5",
        ),
        (
            "$states.input ~> |list|x = 1 ? {} : 'no'|",
            'T2011: The insert/update clause of the transform expression must evaluate to an object: "no"',
        ),
        (
            "$states.input ~> |list|{}, [1]|",
            "T2012: The delete clause of the transform expression must evaluate to a string or array of strings: [1]",
        ),
        (
            "[null..3]",
            "T2003: The left side of the range operator (..) must evaluate to an integer",
        ),
        (
            "[$states.input.none..'x']",
            "T2003: The left side of the range operator (..) must evaluate to an integer",
        ),
        (
            "[1..$states.input.none]",
            "T2004: The right side of the range operator (..) must evaluate to an integer",
        ),
        ("$number(' 1')", 'D3030: Unable to cast value to a number: " 1"'),
        ("$map(['1', '2.'], $number)", 'D3030: Unable to cast value to a number: "2."'),
        (
            "[1..20000000]",
            "D2014: The size of the sequence allocated by the range operator (..) must not exceed 1e6.  Attempted to "
            "allocate 20000000.",
        ),
        ("$error()", "D3137: $error() function evaluated"),
        ("$error('')", "D3137: $error() function evaluated"),
        ("$assert(false)", "D3141: $assert() statement failed"),
        (
            "$split('a', function($x) { $x })",
            'T1010: The matcher function argument passed to function "split" does not return the correct object '
            "structure",
        ),
    ],
)
def test_other_words(text: str, message: str) -> None:
    assert said(text) == message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$clone({'a': [1]})", {"a": [1]}),
        ("$formatBase(2.5)", "2"),
        ("$formatBase(255, 16)", "ff"),
        ("$fromMillis(2.5)", "1970-01-01T00:00:00.002Z"),
        ("$fromMillis(-1.5)", "1969-12-31T23:59:59.999Z"),
        ("$encodeUrl('a b/ü?x=[1]')", "a%20b/%C3%BC?x=%5B1%5D"),
        ("'a b' ~> $encodeUrl", "a%20b"),
        ("$map(['a b', 'c'], $encodeUrl)", ["a%20b", "c"]),
        ("$reduce([1, 2], function($a, $b) { $a + $b })", 3),
        ("$reduce([], function($a, $b) { $a + $b }, 7)", 7),
        ("$reduce([1, 2], function($a, $b, $i) { $a + $i }, 7)", 8),
    ],
)
def test_functions_that_the_engine_has_otherwise(text: str, value: Any) -> None:
    assert evaluate(text, INPUT) == value


@pytest.mark.parametrize("text", [" 1", "1 ", "\t1", "+1", ".5", "-.5", "5.", "5.e3", "1.E2", "", "x", "1_0"])
def test_texts_that_are_no_numbers(text: str) -> None:
    with pytest.raises(StateFailure) as caught:
        evaluate("$number($states.input)", text)
    assert (caught.value.cause or "").endswith(f"D3030: Unable to cast value to a number: {json.dumps(text)}")


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), ("-0.50", -0.5), ("007", 7), ("1e5", 100_000), ("1E+2", 100), ("25e-1", 2.5), ("0x1F", 31)],
)
def test_texts_that_are_numbers(text: str, number: float) -> None:
    assert evaluate("$number($states.input)", text) == number
    assert evaluate("$states.input.$number()", text) == number
    assert evaluate("$states.input ~> $number", text) == number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1..$states.input.list[1].x]", [1, 2]),
        ("[$states.input.a..($states.input.a + 1)]", [1, 2]),
        ("$states.input.list.[0..x]", [[0, 1], [0, 1, 2]]),
        ("$map([1..2], function($n) { [$n..2] })", [[1, 2], [2]]),
        ("[[1..$count($states.input.list)], $states.input.a..$max([1, 2])]", [[1, 2], 1, 2]),
        ("[1..$states.input.nothing]", []),
    ],
)
def test_bounds_of_a_range(text: str, value: Any) -> None:
    assert evaluate(text, INPUT) == value


@pytest.mark.parametrize(
    "text",
    [
        "$reduce([], function($a, $b) { $a + $b })",
        "$lowercase()",
        "$abs()",
        "$substringBefore('a')",
        "$encodeUrl($states.input.nothing)",
    ],
)
def test_nothing_comes_of_nothing(text: str) -> None:
    """There is no context item that could stand for an argument that is left out."""
    assert cause(text, INPUT).endswith("returned nothing (undefined).")


def test_who_has_little_time_leaves_the_words_to_whoever_has_more() -> None:
    """Otherwise the words would depend on how busy the machine is."""
    text = "$count([1..5]) > 'x'"
    tree = parse(text)
    error = EvaluationError("T2009", "as the engine says it")
    limit = EvaluationError(None, TIME)
    assert blamed(error, text, tree, lambda part: Outcome("error", limit)) is limit
    assert blamed(error, text, tree, lambda part: None) is error
