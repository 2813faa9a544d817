"""The functions that the service adds to the language, as captured there, and chance that can be drawn again."""

from __future__ import annotations

import re
from typing import Any

import pytest

from detent.core.errors import QUERY_EVALUATION_ERROR, StateFailure
from detent.query.jsonata.engine import SERVICE

from ..evaluating import load, same
from .evaluating import evaluate

VECTORS = load("intrinsics-vectors.json")["jsonata_functions"]


@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector["id"]) for vector in VECTORS])
def test_answers_as_the_service(vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    # A busy machine may take its time: the other limits are what counts here.
    monkeypatch.setattr("detent.query.jsonata.expression.SERVICE", SERVICE._replace(milliseconds=60_000))
    if "error" in vector:
        with pytest.raises(StateFailure) as caught:
            evaluate(vector["expression"], vector["states_input"])
        assert caught.value.error == vector["error"] == QUERY_EVALUATION_ERROR
        assert vector["cause_tail"] in (caught.value.cause or "")
        return
    answer = evaluate(vector["expression"], vector["states_input"])
    if "output" in vector:
        assert same(answer, vector["output"])
    elif "matches" in vector["check"]:
        assert re.fullmatch(vector["check"]["matches"], answer)
    else:
        low, high = vector["check"]["number_in"]
        assert low <= answer < high


@pytest.mark.parametrize(
    "expression",
    ["$random()", "$uuid()", "$shuffle([1..50])", "[$random(), $random()]", "$now()", "$millis()"],
)
def test_chance_and_time_are_those_of_the_decision(expression: str) -> None:
    assert evaluate(expression, seed=7) == evaluate(expression, seed=7)


def test_each_draw_is_another() -> None:
    assert len(set(evaluate("[$random(), $random(), $uuid(), $uuid()]"))) == 4
    assert evaluate("$uuid()", seed=1) != evaluate("$uuid()", seed=2)


def test_the_instant_is_the_decision_s() -> None:
    assert evaluate("$now()", now=1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
    assert evaluate("$millis()", now=1_700_000_000_123) == 1_700_000_000_123
    assert evaluate("$now('[Y0001]/[M01]', '+0200')", now=1_700_000_000_123) == "2023/11"


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("$map(['1', '[2]'], $parse)", [1, [2]]),
        ("$states.input.text ~> $hash('MD5')", "9dd4e461268c8034f5c8564e155c67a6"),
        ("$partition([1, 2, 3], ?)(2)", [[1, 2], [3]]),
        ("$range(5, 1, -2)", [5, 3, 1]),
        ("$exists($range(1, 0, 1))", False),
        ("$sort($shuffle([3, 1, 2]))", [1, 2, 3]),
        ("$shuffle('a')", ["a"]),
    ],
)
def test_they_are_functions_like_any_other(expression: str, answer: Any) -> None:
    assert evaluate(expression, {"text": "x"}) == answer


def test_a_range_is_bounded() -> None:
    with pytest.raises(StateFailure, match="memory limit exceeded"):
        evaluate("$range(1, 400000, 1)")
