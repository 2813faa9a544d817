"""JSON values: written compactly, read back the same, whatever the library underneath can carry."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detent.core.values import Payload, Written, decode, encode, encode_anywhere

NINES = 10**18 - 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        1.5e300,
        NINES,
        -NINES,
        2**63,
        2**64 - 1,
        2**64,
        -(2**63) - 1,
        10**40,
        [1, {"far": 10**40}, "near"],
        "1" * 40,
        {"1" * 18: 123456789012345678.0},
        "null",
        "half \ud800",
    ],
    ids=repr,
)
def test_a_value_is_read_back_as_it_was_written(value: Any) -> None:
    again = decode(encode(value))
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": None, "b": -float("inf")}], ids=repr)
def test_what_is_no_number_in_json_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        encode(value)


NUMBERS = st.floats() | st.sampled_from([1.7976931348623157e308, 5e-324, -0.0])
VALUES = st.recursive(
    st.none() | NUMBERS | st.integers() | st.text() | st.just("g" + "\x7f" * 9),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
)


def floats(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from floats(inner)


@given(VALUES)
def test_of_all_values_those_with_such_a_number_are_refused(value: Any) -> None:
    if all(map(math.isfinite, floats(value))):
        assert decode(encode(value)) == value
    else:
        with pytest.raises(ValueError):
            encode(value)


FINITE = st.recursive(
    st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
)


@given(FINITE, FINITE)
def test_what_is_written_already_is_part_of_a_value_as_if_it_were_read(value: Any, other: Any) -> None:
    text = encode_anywhere(value)
    if text is not None:
        assert text == encode(value)
        assert encode({"a": [other, Written(text)], "b": other}) == encode({"a": [other, value], "b": other})


def test_of_what_is_written_beforehand_no_number_is_lost() -> None:
    with pytest.raises(ValueError):
        encode_anywhere([float("nan")])


def nested(levels: int) -> Any:
    value: Any = 1e16
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", [2**64, {"a": [10**40]}, "half \ud800", nested(200)], ids=repr)
def test_what_its_neighbours_would_write_otherwise_is_not_written_beforehand(value: Any) -> None:
    assert encode_anywhere(value) is None


def test_what_is_no_json_is_not_written() -> None:
    with pytest.raises(TypeError):
        encode([{1, 2}])
    with pytest.raises(TypeError):
        encode([{1, 2}, 2**64])


def test_a_payload_at_rest_reads_its_value_anew() -> None:
    value = {"far": 10**40}
    payload = Payload(value)
    payload.rest()
    assert payload.value is value, "nothing was written yet: the value is all there is"
    assert payload.text == b'{"far":%d}' % 10**40
    payload.rest()
    assert payload.value == value
    assert payload.value is not value
