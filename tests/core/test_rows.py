"""Rows of the log: a code and the values of the fields, and what stands for a payload in their place."""

from __future__ import annotations

import pytest

from detent.core.codec import Step, decode_log, encode_segment
from detent.core.events import Forked, StateExited, TaskFailed, TimerFired
from detent.core.rows import code_of, encode_rows, fields_of
from detent.core.signals import Failed, Fired
from detent.core.values import Payload, decode


def test_a_row_is_its_code_and_its_values() -> None:
    assert encode_rows([TimerFired(0, 7)], repr) == b'[["Fi",0,7]]'
    assert (TimerFired(0, 7).code, code_of(TimerFired)) == ("Fi", "Fi")
    assert fields_of(TimerFired) == {"frame": "int", "pending": "int"}


def test_a_payload_is_written_by_reference_wherever_it_stands() -> None:
    row = StateExited(0, Payload(1), {"a": Payload(2), "b": Payload(3)}, None, 5, 4)
    assert decode(encode_rows(row, lambda payload: payload.value * 10)) == [
        "Ex",
        0,
        10,
        {"a": 20, "b": 30},
        None,
        5,
        4,
    ]


def test_what_has_no_place_in_the_log_is_not_written() -> None:
    with pytest.raises(TypeError, match="object has no place in the log"):
        encode_segment(0, "1.0", [Step(Fired(3), 5, "seed", [TimerFired(object(), 3)])])  # type: ignore[arg-type]


@pytest.mark.parametrize("error", ["Boom", "half \ud800", 'tab\t"é\x00\x7f\u2028'], ids=ascii)
def test_a_text_is_read_as_it_was_whatever_it_holds(error: str) -> None:
    items = Payload([error])
    events = [
        TaskFailed(0, 3, error, None, None, 4, 3),
        StateExited(0, Payload(error), {error: items}, error, 5, 4),
        Forked(0, 2, 1, (error, "b"), items, 6, 5),
    ]
    written = [Step(Failed(3, error, None), 17, "seed", events)]
    segment = encode_segment(2, "1.0", written)
    assert decode(segment.payloads) == [error, [error]]
    assert list(decode_log([(2, segment.control)])) == written
