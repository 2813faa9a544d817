"""How much a value is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detent.core.measure import weight, written_length

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text("ab", max_size=20),
    lambda inside: st.lists(inside) | st.dictionaries(st.text("ab", max_size=5), inside),
)


def parts(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(parts, inner))


@given(VALUES)
def test_every_value_inside_counts(value: Any) -> None:
    assert weight(value, 10**9) == parts(value)


def test_long_texts_count_for_more() -> None:
    assert weight("x" * 3_200, 10**9) == 101
    assert weight(["x" * 3_200, {"a": "x" * 3_200}], 10**9) == 2 + 100 + 1 + 1 + 100


def test_nothing_is_counted_beyond_the_bound() -> None:
    doubled: Any = []
    for _ in range(60):
        doubled = [doubled, doubled]
    assert 100 < weight(doubled, 100) < 200


@given(VALUES)
def test_the_length_is_about_that_of_the_text(value: Any) -> None:
    text = len(json.dumps(value, separators=(",", ":")))
    assert written_length(value, 10**9) / 4 - 4 <= text <= 2 * written_length(value, 10**9)


def test_what_appears_many_times_counts_as_often_and_is_looked_at_once() -> None:
    doubled: Any = ["x" * 100]
    for _ in range(60):
        doubled = [doubled, doubled]
    assert written_length(doubled, 2**100) > 2**60 * 100
    assert 1_000 < written_length(doubled, 1_000) < 3_000


def test_a_value_nested_too_deeply_has_no_length() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(RecursionError):
        written_length(deep, 10**9)
