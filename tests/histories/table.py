"""The figures of conformance: how many recordings of each family are met, and how many answers of each suite."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from query import test_choice as choice
from query import test_intrinsics as intrinsics
from query import test_jsonpath_jayway as jsonpath
from query.evaluating import same
from query.jsonata import test_functions as functions
from query.jsonata import test_suite as suite
from query.jsonata.evaluating import evaluate

from detent.core.errors import DetentError, StateFailure
from detent.teststate import Trial

from .asking import DATA, difference, recorded
from .lists import CHANGED_SINCE, NEEDS_THE_SERVICE, name
from .performing import EXACT, VERDICT, WRONG, judged

#: What a recording can come to, in the order of the columns.
LISTED = "listed"
KINDS = (EXACT, VERDICT, WRONG, LISTED)


@dataclass
class Table:
    """Recordings of one kind: how each family was met, and those that were not."""

    families: dict[str, Counter[str]] = field(default_factory=dict)
    unmet: list[tuple[str, object]] = field(default_factory=list)

    def count(self, family: str, kind: str) -> None:
        self.families.setdefault(family, Counter())[kind] += 1

    @property
    def total(self) -> Counter[str]:
        return sum(self.families.values(), Counter())


@dataclass
class Suite:
    """A suite of expressions: how many answers are right."""

    name: str
    right: int
    cases: int


def executions(folder: Path = DATA) -> Table:
    """Every recorded execution, acted out by the engine."""
    table = Table()
    for vector in recorded("execution", folder):
        family = _family(vector)
        if name(vector) in NEEDS_THE_SERVICE | CHANGED_SINCE:
            table.count(family, LISTED)
            continue
        outcome = judged(vector)
        table.count(family, outcome.kind)
        if outcome.kind != EXACT:
            table.unmet.append((vector["id"], outcome.difference))
    return table


def requests(kind: str, folder: Path = DATA) -> Table:
    """Every recorded request of a kind: an answer is exact, or wrong."""
    table = Table()
    for vector in recorded(kind, folder):
        found = difference(vector)
        table.count(_family(vector), EXACT if found is None else WRONG)
        if found is not None:
            table.unmet.append((vector["id"], found))
    return table


def _family(vector: dict[str, Any]) -> str:
    return str(vector["family"])


def suites() -> list[Suite]:
    """The suites of the expression languages."""
    official = [case for case in suite.CASES if case["group"] != "function-eval"]
    agreed = [row for row in jsonpath.ROWS if row["oracles_agree"]]
    return [
        _suite(
            "JSONata, the official suite of 2.0.6 without its group `function-eval`",
            official,
            lambda case: suite.alike(suite.answer(case), case["expect"]),
        ),
        _suite("JSONata, functions that the service adds", functions.VECTORS, _function),
        _suite("JSONPath, where three versions of the reference agree", agreed, _path),
        _suite("intrinsic functions, values and causes", intrinsics.VECTORS, _intrinsic),
        _suite("Choice rules, matches and causes", choice.CASES, _rule),
    ]


def _suite(title: str, cases: Iterable[dict[str, Any]], is_right: Callable[[dict[str, Any]], bool]) -> Suite:
    answers = [is_right(case) for case in cases]
    return Suite(title, sum(answers), len(answers))


def _held(prove: Callable[[dict[str, Any]], None], case: dict[str, Any]) -> bool:
    try:
        prove(case)
    except (AssertionError, StateFailure, DetentError):
        return False
    return True


def _path(row: dict[str, Any]) -> bool:
    # All kinds of error count as one, and a path that finds nothing apart, as in "oracles_agree".
    expected = row["jayway_new"]
    try:
        answer = jsonpath.read_plain(row["selector"], row["document"])
    except jsonpath.PathSyntaxError:
        return bool(expected["status"] in ("invalid_path", "eval_error"))
    except StateFailure:
        return expected["status"] != "ok"
    return bool(expected["status"] == "ok" and same(answer, expected["result"]))


def _intrinsic(vector: dict[str, Any]) -> bool:
    try:
        answer = intrinsics.of_vector(vector)
    except StateFailure as failure:
        cause = failure.cause or ""
        wanted = vector.get("check", {}).get("cause_contains", "")
        return bool(
            failure.error == vector.get("error") and cause == vector.get("cause", cause) and wanted in cause
        )
    if "error" in vector:
        return False
    if "output" in vector:
        return bool(same(answer, vector["output"]))
    return _held(intrinsics.test_answers_something_of_the_kind, vector)


def _rule(case: dict[str, Any]) -> bool:
    if "default" in case:
        return _state_without_default(case)
    try:
        return choice.holds(case["rule"], case["input"]) is case.get("match")
    except StateFailure as failure:
        return (failure.error, failure.cause) == (case.get("error"), case.get("cause"))


def _state_without_default(case: dict[str, Any]) -> bool:
    """No rule matches, and so it is the state that fails."""
    state = {"Type": "Choice", "Choices": [{**case["rule"], "Next": "Next"}]}
    request = {"definition": json.dumps(state), "input": json.dumps(case["input"])}
    answer = Trial(request, now=0, seed="").response
    return (answer.get("error"), answer.get("cause")) == (case["error"], case["cause"])


def _function(vector: dict[str, Any]) -> bool:
    try:
        answer = evaluate(vector["expression"], vector["states_input"])
    except StateFailure as failure:
        return failure.error == vector.get("error") and vector["cause_tail"] in (failure.cause or "")
    if "output" in vector:
        return bool(same(answer, vector["output"]))
    return "error" not in vector


def report(folder: Path = DATA) -> list[tuple[str, Table]]:
    """All tables of recordings, by title."""
    return [
        ("Executions", executions(folder)),
        ("TestState", requests("test_state", folder)),
        ("ValidateStateMachineDefinition", requests("validate_definition", folder)),
    ]
