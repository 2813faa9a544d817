"""Choice rules: what the service answered, and when a rule is looked at at all."""

from __future__ import annotations

from typing import Any

import pytest

from detent.core.errors import RUNTIME, StateFailure
from detent.query.choice import OPERATORS, ChoiceRuleError, compile_rule
from detent.query.jsonpath import PathSyntaxError
from detent.query.timestamps import parse_timestamp

from .evaluating import bindings, load

CASES = load("choice-vectors.json")["cases"]


def holds(rule: dict[str, Any], document: Any, **bound: Any) -> bool:
    return compile_rule(rule)(document, bindings(document, **bound))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES if "match" in case])
def test_matches_as_the_service(case: dict[str, Any]) -> None:
    assert holds(case["rule"], case["input"]) is case["match"]


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case["id"]) for case in CASES if "error" in case and "default" not in case],
)
def test_fails_as_the_service(case: dict[str, Any]) -> None:
    with pytest.raises(StateFailure) as caught:
        holds(case["rule"], case["input"])
    assert (caught.value.error, caught.value.cause) == (case["error"], case["cause"])


def test_there_are_39_operators() -> None:
    assert len(OPERATORS) == 39


def test_and_and_or_stop_at_the_rule_that_decides() -> None:
    failing = {"Variable": "$.missing", "NumericEquals": 1}
    guard = {"Variable": "$.missing", "IsPresent": True}
    assert not holds({"And": [guard, failing]}, {})
    assert holds({"Or": [{"Not": guard}, failing]}, {})
    with pytest.raises(StateFailure):
        holds({"And": [failing, guard]}, {})


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "", True),
        ("a*", "a", True),
        ("*a", "ba", True),
        ("a*a", "a", False),
        ("a**c", "abc", True),
        ("*b*", "abc", True),
        ("a?c", "abc", False),
        (r"a\*c", "a*c", True),
        (r"a\*c", "abc", False),
        (r"a\\*c", "a\\bc", True),
        ("*ab*ab", "ab", False),
        ("", "", True),
        ("log-*.txt", "log-1.txt.zip", False),
    ],
)
def test_wildcards(pattern: str, text: str, expected: bool) -> None:
    assert holds({"Variable": "$", "StringMatches": pattern}, text) is expected


def test_many_wildcards_do_not_hang() -> None:
    assert not holds({"Variable": "$", "StringMatches": "*a" * 2_000 + "b"}, "a" * 20_000)


def test_integers_compare_exactly_and_strings_by_code_unit() -> None:
    assert not holds({"Variable": "$", "NumericEquals": 2**60}, 2**60 + 1)
    assert holds({"Variable": "$", "NumericEquals": 1}, 1.0)
    assert holds({"Variable": "$", "NumericLessThan": 10**400}, 1.5)
    assert holds({"Variable": "$", "StringLessThan": "\uffff"}, "\U0001f600")


def test_variables_and_the_context_stand_at_either_side() -> None:
    rule = {"Variable": "$limit.max", "NumericLessThanPath": "$$.Attempt"}
    assert holds(rule, {}, variables={"limit": {"max": 3}}, context={"Attempt": 4})


def test_present_is_what_the_path_matches() -> None:
    assert holds({"Variable": "$.a", "IsPresent": True}, {"a": None})
    assert not holds({"Variable": "$.a[3]", "IsPresent": True}, {"a": [1]})
    assert not holds({"Variable": "$.a[?(@.x)]", "IsPresent": True}, {"a": [{}]})
    assert holds({"Variable": "$.a[?(@.x)]", "IsPresent": True}, {"a": [{"x": 1}]})
    assert not holds({"Variable": "$v", "IsPresent": True}, {})


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"Variable": "$.a"},
        {"Variable": "$.a", "IsNull": True, "IsString": True},
        {"NumericEquals": 1},
        {"Variable": "$.a", "NumericEquals": "1"},
        {"Variable": "$.a", "BooleanEquals": 1},
        {"Variable": "$.a", "TimestampEquals": "2025-01-01"},
        {"Variable": "$.a", "StringEqualsPath": 1},
        {"And": []},
        {"Not": "x"},
    ],
)
def test_what_is_no_rule(rule: dict[str, Any]) -> None:
    with pytest.raises(ChoiceRuleError):
        compile_rule(rule)


def test_rules_nested_too_deeply_are_refused() -> None:
    rule: dict[str, Any] = {"Variable": "$", "IsNull": True}
    for _ in range(5_000):
        rule = {"Not": rule}
    with pytest.raises(ChoiceRuleError):
        compile_rule(rule)


def test_a_bad_path_is_a_syntax_error() -> None:
    with pytest.raises(PathSyntaxError):
        compile_rule({"Variable": "status", "IsNull": True})


SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.5Z", SECOND * 3 // 2),
        ("2016-12-05T21:29:29.243167252Z", 1480973369243167252),
        ("1970-01-01T05:30:00+05:30", 0),
        ("1969-12-31T19:00:00-05:00", 0),
        ("2000-02-29T00:00:00Z", 951782400 * SECOND),
    ],
)
def test_timestamps(text: str, instant: int) -> None:
    assert parse_timestamp(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "05-12-2016T21:29:29Z",
        "2016-12-05 21:29:29Z",
        "2016-12-05T21:29:29",
        "2016-12-05T25:29:29Z",
        "2016-13-05T21:29:29Z",
        "2016-02-30T21:29:29Z",
        "2016-12-05",
        "2016-12-05T21:29Z",
        "2016-12-05t21:29:29z",
        "2016-12-05T21:29:60Z",
        "2016-12-05T24:00:00Z",
        "2016-12-05T21:29:29.Z",
        "2016-12-05T21:29:29.1234567890Z",
        "2016-12-05T21:29:29+25:00",
        "2016-12-05T21:29:29+05:60",
        "2016-12-05T21:29:29Z\n",
        "٢٠١٦-12-05T21:29:29Z",
        "0000-01-01T00:00:00Z",
        "",
    ],
)
def test_what_is_no_timestamp(text: str) -> None:
    assert parse_timestamp(text) is None


def test_failures_name_the_path_and_not_the_value() -> None:
    with pytest.raises(StateFailure) as caught:
        holds({"Variable": "$.a.b", "IsString": True}, {"a": 1})
    assert caught.value.error == RUNTIME
