"""The dialect of the service: what three versions of Jayway JsonPath answer."""

from __future__ import annotations

from typing import Any

import pytest

from detent.core.errors import StateFailure
from detent.query.jsonpath import PathSyntaxError, parse_path

from .evaluating import load, read, read_plain, same

#: Rows where detent does on purpose what Jayway does not.
DIFFERENT = {
    "nums-217": "a path of the language starts with '$'",
    "nums-219": "a path of the language starts with '$'",
    "keys-329": "a path of the language starts with '$'",
    "keys-330": "a name behind '$' is a workflow variable",
    "keys-332": "'$$' is the context object",
    "null-408": "a state may have the input null; '$' is that input",
    "mixed-237": "the service counts null as absent under '!', as Jayway 2.0 does",
    "emptyobj-434": "the service answers [] where a path that can match many misses its prefix, as Jayway 2.0 does",
    "emptyobj-435": "the same",
    "emptyobj-438": "the same",
    "str-407": "Jayway drops arguments in single quotes without a word; detent refuses them",
    "sums-470": "the same",
}

#: Reasons that are about the language, and not about the evaluation of a path.
_OF_THE_LANGUAGE = ("a path of the language", "a name behind", "'$$' is")

ROWS = load("jsonpath-jayway.json")
REFUSED = {"not_found", "eval_error"}


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row["id"]) for row in ROWS if row["id"] not in DIFFERENT]
)
def test_answers_as_jayway(row: dict[str, Any]) -> None:
    expected = row["jayway_new"]
    if expected["status"] == "invalid_path":
        with pytest.raises(PathSyntaxError):
            parse_path(row["selector"])
        return
    assert parse_path(row["selector"]).definite == row["definite"]
    if expected["status"] in REFUSED:
        with pytest.raises(StateFailure):
            read(row["selector"], row["document"])
    else:
        assert same(read(row["selector"], row["document"]), expected["result"])


@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in ROWS if row["id"] in DIFFERENT])
def test_a_known_difference_is_still_one(row: dict[str, Any]) -> None:
    expected = row["jayway_new"]
    try:
        parse_path(row["selector"])
    except PathSyntaxError:
        assert expected["status"] != "invalid_path"
        return
    try:
        answer = read(row["selector"], row["document"])
    except StateFailure:
        assert expected["status"] not in REFUSED
    else:
        assert not same(answer, expected.get("result", "no answer"))


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row["id"])
        for row in ROWS
        if row["oracles_agree"] and DIFFERENT.get(row["id"], "").startswith(_OF_THE_LANGUAGE)
    ],
)
def test_what_the_language_writes_otherwise_is_read_alike(row: dict[str, Any]) -> None:
    """The roots are the language's; what stands behind them is the evaluator's."""
    expected = row["jayway_new"]
    if expected["status"] == "ok":
        assert same(read_plain(row["selector"], row["document"]), expected["result"])
    else:
        with pytest.raises((PathSyntaxError, StateFailure)):
            read_plain(row["selector"], row["document"])
