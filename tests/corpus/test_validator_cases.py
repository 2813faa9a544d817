"""The cases of eight other validators, and of the service itself: we say what they say, but for the table below."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from detent.schema.diagnostics import Severity
from detent.schema.document import DocumentError
from detent.schema.validate import validate

from .data import Stated, stated

#: Where the service's own answer, or its documentation, is against the case: such a case does not count.
SETTLED = {
    "asl-ls-072c15fe": "names are unique in the whole machine",
    "asl-ls-26ea9767": "names are unique in the whole machine",
    "cfn-lint-203b7e01": "a transition must lead to a state that exists",
    "asl-validator-d4f03884": "a variable cannot be called `top-level`",
    "asl-validator-f9b6948a": "Credentials need a RoleArn",
    "floe-b8027ff9": "Credentials need a RoleArn",
    "floe-219ee94c": "Credentials need a RoleArn",
    "statelint-a605bdff": "Credentials need a RoleArn",
    "taro-statelint-54bbc231": "Credentials need a RoleArn",
    "floe-ce586d10": "every state must be reachable",
    "floe-ba492907": "every state must be reachable",
    "floe-58cdf3f2": "every state must be reachable",
    "floe-b41624c3": "every state must be reachable",
    "floe-8c2c23af": "every state must be reachable",
    "floe-4b01fa11": "every state must be reachable",
    "taro-statelint-75917189": "a rule of a Choice makes one test",
    "taro-statelint-332f9ee5": "an expression cannot begin with a bare name",
    "asl-validator-de4a3579": "blanks inside `{% %}` are free",
    "asl-validator-2d994b64": "blanks inside `{% %}` are free",
    "asl-validator-e3a55816": "text that only ends in `%}` is plain text",
    "floe-7d96ec1e": "MaxConcurrency 0 means no limit",
    "taro-statelint-d8eb802d": "a BackoffRate may be a whole number",
}

#: Where we knowingly differ, and nothing of the service is known that would settle it.
OPEN = {
    "asl-ls-41dbb7f8": "arguments of an intrinsic function without commas between them are refused",
    "asl-ls-f7608ef7": "arguments of an intrinsic function without commas between them are refused",
    "taro-statelint-e15ea70d": "an ItemBatcher without any limit is refused",
    "taro-statelint-aae5adad": "a plain name as Resource is a warning: it may be somebody's handler",
}
DIFFERENCES = SETTLED | OPEN
DOCUMENT = Path(__file__).parents[2] / "docs" / "validation.md"


@pytest.mark.parametrize("case", [case for case in stated() if case.id not in DIFFERENCES], ids=str)
def test_we_say_what_they_say(case: Stated) -> None:
    assert (errors(case) == []) is case.valid, errors(case)


@pytest.mark.parametrize("case", [case for case in stated() if case.id in DIFFERENCES], ids=str)
def test_where_we_differ_we_still_do(case: Stated) -> None:
    assert (errors(case) == []) is not case.valid, errors(case)


def test_we_never_differ_from_the_service() -> None:
    assert [case.id for case in stated() if case.authority == "aws-recorded" and case.id in DIFFERENCES] == []


def test_the_figures_in_the_document_are_these() -> None:
    counted = [case for case in stated() if case.id not in SETTLED]
    rows = []
    for authority, of in (("aws-recorded", 0), ("aws-tool", 1), ("third-party", 2)):
        cases = [case for case in counted if case.authority == authority]
        caught = [case for case in cases if not case.valid and errors(case)]
        refused = [case for case in cases if case.valid and errors(case)]
        bad = sum(not case.valid for case in cases)
        rows.append((of, len(caught), bad, len(refused), len(cases) - bad))
    said = re.findall(
        r"^\| [^|]+ \| (\d+) of (\d+) \| (\d+) of (\d+) \|$", DOCUMENT.read_text(), re.MULTILINE
    )
    assert [tuple(map(int, row)) for row in said] == [row[1:] for row in rows]
    assert sum(row[1] for row in rows) >= 0.97 * sum(row[2] for row in rows)
    assert sum(row[3] for row in rows) <= 0.01 * sum(row[4] for row in rows)


def test_every_difference_stands_in_the_document() -> None:
    said = re.findall(r"^- (.+) \((\d+)\)$", DOCUMENT.read_text(), re.MULTILINE)
    assert Counter({reason: int(times) for reason, times in said}) == Counter(DIFFERENCES.values())


def errors(case: Stated) -> list[str]:
    try:
        found = validate(case.read(), machine_type="EXPRESS" if case.express else "STANDARD")
    except DocumentError as error:
        found = list(error.diagnostics)
    return [str(finding) for finding in found if finding.severity is Severity.ERROR]
