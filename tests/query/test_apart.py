"""Evaluations in another process give what they give here; what is large, or multiplies, is bounded."""

from __future__ import annotations

from typing import Any

import pytest

from detent.core.errors import DATA_LIMIT_EXCEEDED, RUNTIME, StateFailure
from detent.core.evaluation import TOOK_TOO_LONG, TOOK_TOO_MUCH, BrokenOff, Evaluation
from detent.query.apart import answer_request
from detent.query.intrinsics import compile_intrinsic
from detent.query.jsonata.engine import SERVICE
from detent.query.jsonpath import PathSyntaxError, compile_path, invalid_path
from detent.query.template import MANY_PLACES, compile_template
from detent.runtime.evaluations import Evaluations

from .evaluating import bindings, load, same


class Elsewhere:
    """Every evaluation travels. ``answer`` is what comes back instead, if there is one."""

    def __init__(self, answer: bytes | None = None) -> None:
        self.count = 0
        self.answer = answer

    def __call__(self, evaluation: Evaluation) -> Any:
        self.count += 1
        return evaluation.outcome(self.answer or answer_request(evaluation.request(), SERVICE))


def outcome(evaluate: Any, document: Any, evaluator: Any) -> Any:
    seen = bindings(document, context={"Execution": {"Input": document}})
    seen.evaluator = evaluator
    try:
        return evaluate(document, seen)
    except StateFailure as failure:
        return [failure.error, failure.cause]


def path(text: str) -> Any:
    return compile_path(text, on_missing=invalid_path)


CALLS = load("intrinsics-vectors.json")["intrinsics"]


@pytest.mark.parametrize(
    "vector", [pytest.param(v, id=v["id"]) for v in CALLS if "output" in v or "error" in v]
)
def test_a_call_answers_alike(vector: dict[str, Any]) -> None:
    call = compile_intrinsic(vector["expression"])
    assert same(outcome(call, vector["input"], Elsewhere()), outcome(call, vector["input"], None))


def test_a_path_answers_alike() -> None:
    elsewhere = Elsewhere()
    for row in load("jsonpath-jayway.json"):
        try:
            select = path(row["selector"])
        except PathSyntaxError:
            continue
        document = row["document"]
        assert same(outcome(select, document, elsewhere), outcome(select, document, None)), row
    assert elsewhere.count > 100


def test_references_and_scalars_need_no_evaluator() -> None:
    elsewhere = Elsewhere()
    assert outcome(path("$.a.b"), {"a": {"b": 1}}, elsewhere) == 1
    assert outcome(compile_intrinsic("States.Format('{}-{}', $.a, 1)"), {"a": "x"}, elsewhere) == "x-1"
    assert elsewhere.count == 0


@pytest.mark.parametrize("ended", [TOOK_TOO_LONG, TOOK_TOO_MUCH])
def test_what_was_ended_elsewhere_is_a_failure_of_the_state(ended: bytes) -> None:
    for evaluate in (path("$..a"), compile_intrinsic("States.ArrayUnique($.a)")):
        error, cause = outcome(evaluate, {"a": [1]}, Elsewhere(ended))
        assert error == RUNTIME
        assert "takes too long, or too much memory" in cause


#: What takes more than others can spare, over a list of 60,000 numbers.
LONG = [
    path("$..*"),
    path("$.w[?(@ > 5)]"),
    path("$.w[?(@ in $.w)]"),
    compile_intrinsic("States.ArrayUnique($.w)"),
    compile_intrinsic("States.ArrayContains($.w, 7)"),
    compile_intrinsic("States.ArrayPartition($.w, 2)"),
    compile_intrinsic("States.JsonToString($)"),
    compile_intrinsic("States.JsonMerge($, $, false)"),
    compile_intrinsic("States.Format('{}', $)"),
    compile_intrinsic("States.Hash($, 'MD5')"),
]


@pytest.mark.parametrize("evaluate", LONG)
def test_what_takes_long_is_not_done_where_others_wait(
    evaluate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detent.runtime.evaluations.DECISION_SECONDS", 1000.0)
    document = {"w": list(range(60_000))}
    seen = bindings(document)
    seen.evaluator = Evaluations()
    with pytest.raises(BrokenOff) as broken:
        evaluate(document, seen)
    assert broken.value.request is not None


def test_what_took_long_is_tried_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detent.runtime.evaluations.DECISION_SECONDS", 1000.0)
    select = path("$.w[*]")

    def is_done_here(size: int) -> bool:
        document = {"w": [0] * size}
        seen = bindings(document)
        seen.evaluator = Evaluations()
        try:
            return len(select(document, seen)) == size
        except BrokenOff:
            return False

    assert is_done_here(3)
    assert not is_done_here(60_000)
    assert [is_done_here(3) for _ in range(12)] == [False] * 8 + [True] * 4


def test_outcomes_of_one_decision_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detent.runtime.evaluations.DECISION_SECONDS", 1000.0)
    monkeypatch.setattr("detent.runtime.evaluations.OUTCOME_WORDS", 1_000)
    document = {"w": [0] * 300, "v": list(range(300))}
    for select, kept in ((path("$.w[*]"), 3), (compile_intrinsic("States.ArrayUnique($.v)"), 0)):
        evaluations = Evaluations()
        found = [outcome(select, document, evaluations) for _ in range(5)]
        assert [len(each) == 300 for each in found] == [True] * kept + [False] * (5 - kept)
        assert found[-1][0] == RUNTIME
        evaluations.begin()
        again = [outcome(select, document, evaluations) for _ in range(5)]
        assert again == found, "made again it is the same"


# Values that one value is in many times


def deep(levels: int, bulk: str) -> Any:
    value: Any = bulk
    for _ in range(levels):
        value = [value]
    return value


def test_a_path_that_multiplies_is_bounded() -> None:
    document = deep(200, "x" * 200_000)
    for text in ("$..*", "$..*..*", "$[0,0,0,0,0,0,0,0,0,0]..*"):
        error, cause = outcome(path(text), document, None)
        assert (error, "selects more than" in cause) == (RUNTIME, True)


def test_a_template_that_multiplies_is_bounded() -> None:
    document = {"text": "x" * 100_000}
    many = {f"k{n}.$": "$" for n in range(500)}
    array = {"k.$": f"States.Array({', '.join(['$'] * 500)})"}
    for template in (many, array, {"inside": [many]}):
        error, cause = outcome(compile_template(template, field="Parameters"), document, None)
        assert error == DATA_LIMIT_EXCEEDED
        assert "'Parameters'" in cause
    few = {f"k{n}.$": "$" for n in range(MANY_PLACES)}
    assert outcome(compile_template(few, field="Parameters"), document, None)["k0"] == document


def test_a_format_that_multiplies_is_bounded() -> None:
    call = compile_intrinsic(f"States.Format('{'{}' * 100}'{', $' * 100})")
    error, cause = outcome(call, "x" * 100_000, None)
    assert error == RUNTIME
    assert "makes more than" in cause


def test_arguments_that_multiply_are_not_sent() -> None:
    call = compile_intrinsic(f"States.ArrayUnique(States.Array({', '.join(['$'] * 500)}))")
    _, cause = outcome(call, ["x" * 100_000], Evaluations())
    assert "is given too much" in cause
