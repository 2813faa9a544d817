"""ResultPath: where a result goes in the raw input."""

from __future__ import annotations

from typing import Any

import pytest

from detent.core.errors import RUNTIME, StateFailure
from detent.query.jsonpath import PathSyntaxError
from detent.query.result_path import compile_result_path


@pytest.mark.parametrize(
    ("path", "document", "expected"),
    [
        ("$", {"a": 1}, "R"),
        ("$.r", {"a": 1}, {"a": 1, "r": "R"}),
        ("$.a", {"a": 1, "b": 2}, {"a": "R", "b": 2}),
        ("$.x.y.z", {"a": 1}, {"a": 1, "x": {"y": {"z": "R"}}}),
        ("$.x.y", {"x": None}, {"x": {"y": "R"}}),
        ("$['a b']", {}, {"a b": "R"}),
        ("$.l[1].x", {"l": [{"x": 1}, {"x": 2}]}, {"l": [{"x": 1}, {"x": "R"}]}),
        ("$[0]", [1, 2], ["R", 2]),
        ("$.r", 5, {"r": "R"}),
        ("$.r.s", [1], {"r": {"s": "R"}}),
    ],
)
def test_places_the_result(path: str, document: Any, expected: Any) -> None:
    assert compile_result_path(path)(document, "R") == expected


def test_shares_all_but_the_spine_and_leaves_the_input_alone() -> None:
    document = {"a": {"b": {"c": 1}, "d": [1]}, "e": {"f": 1}}
    placed = compile_result_path("$.a.b.c")(document, 2)
    assert document["a"]["b"]["c"] == 1
    assert placed["a"]["b"]["c"] == 2
    assert placed["a"]["d"] is document["a"]["d"]
    assert placed["e"] is document["e"]


@pytest.mark.parametrize(
    ("path", "document", "cause"),
    [
        ("$[0]", {}, 'Reference path "$" must point to array.'),
        ("$.l[0]", {}, 'Reference path "$.l" must point to array.'),
        ("$.l[2]", {"l": [1, 2]}, 'Reference path "$.l" must point to array.'),
        ("$.a.b", {"a": 1}, 'Reference path "$.a" must point to object.'),
    ],
)
def test_fails_where_the_path_leads_through_something_else(path: str, document: Any, cause: str) -> None:
    with pytest.raises(StateFailure) as caught:
        compile_result_path(path)(document, "R")
    assert (caught.value.error, caught.value.cause) == (RUNTIME, cause)


@pytest.mark.parametrize("path", ["$$.x", "$v.x", "$.a[*]", "$..a", "$.a[-1]", "a", ""])
def test_is_a_reference_path_of_the_input(path: str) -> None:
    with pytest.raises(PathSyntaxError):
        compile_result_path(path)
