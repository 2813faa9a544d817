"""JSON: strict, with places, every mistake at once."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detent.core.values import encode
from detent.schema.diagnostics import Diagnostic, Position
from detent.schema.document import DocumentError, read_document, read_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def problems(text: str) -> list[Diagnostic]:
    with pytest.raises(DocumentError) as caught:
        read_document(text, format="json")
    with pytest.raises(DocumentError) as fast:
        read_json(text)
    assert fast.value.diagnostics == caught.value.diagnostics
    return caught.value.diagnostics


def same(left: object, right: object) -> bool:
    """Equal, and of equal types: 1 is not 1.0 and not true."""
    return repr(left) == repr(right)


@given(values, st.sampled_from([None, 1]), st.booleans())
def test_reads_what_the_standard_library_writes(value: object, indent: int | None, escape: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=escape)
    assert same(read_document(text, format="json").value, json.loads(text))
    assert same(read_json(text), json.loads(text))


@given(values)
def test_what_was_read_can_be_written(value: object) -> None:
    text = encode(value)
    assert encode(read_json(text)) == text


@given(st.text(alphabet='[]{},:"\\ \n0123e.-+truefalsn$/*#a', max_size=30))
def test_agrees_with_the_standard_library_on_what_is_json(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=pytest.fail)
        if "e" in text:
            encode(expected)
    except ValueError:
        with pytest.raises(DocumentError):
            read_json(text)
        return
    try:
        value = read_json(text)
    except DocumentError as error:
        codes = {problem.code for problem in error.diagnostics}
    else:
        codes = set()
        assert same(value, expected)
    assert codes <= {"duplicate-key", "number-range"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.0", 1.0),
        ("-0.0", -0.0),
        ("1E2", 100.0),
        ("12345678901234567890123456789", 12345678901234567890123456789),
        ("[9007199254740993]", [9007199254740993]),
        (r'"\ud800"', "\ud800"),
        (r'"\ud83d\ude00"', "\U0001f600"),
        ('\ufeff{"a": 1}', {"a": 1}),
    ],
)
def test_numbers_and_texts_survive(text: str, value: object) -> None:
    assert same(read_document(text, format="json").value, value)
    assert same(read_json(text), value)


@pytest.mark.parametrize(
    ("text", "code", "column", "says"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "duplicate-key", 18, "twice, first on line 1"),
        ('{"a": NaN}', "not-a-number", 7, "NaN"),
        ('{"a": -Infinity}', "not-a-number", 7, "-Infinity"),
        ("[1e400]", "number-range", 2, "double"),
        ("[-1e999]", "number-range", 2, "double"),
        (f"[{'9' * 4301}]", "number-range", 2, "4300 digits"),
        ('{"a": 1,}', "json-syntax", 8, "comma before '}'"),
        ("[1,]", "json-syntax", 3, "comma before ']'"),
        ("[1, /* one */ 2]", "json-syntax", 5, "no comments"),
        ('{"a": 1} // end', "json-syntax", 10, "no comments"),
        ("{'a': 1}", "json-syntax", 2, "double quotes"),
        ("['a']", "json-syntax", 2, "double quotes"),
        ("{a: 1}", "json-syntax", 2, "double quotes"),
        ('{"a" 1}', "json-syntax", 6, "colon"),
        ('{"a": True}', "json-syntax", 7, "True"),
        ('{"a": undefined}', "json-syntax", 7, "undefined"),
        ("[01]", "json-syntax", 2, "not a number"),
        ("[.5]", "json-syntax", 2, "not a number"),
        ("[1.]", "json-syntax", 2, "not a number"),
        ("[+1]", "json-syntax", 2, "not a number"),
        ("[1 2]", "json-syntax", 4, "comma or ']'"),
        ("[1}", "json-syntax", 3, "closes what '['"),
        ("[1,,2]", "json-syntax", 4, "value is expected"),
        ('{"a":}', "json-syntax", 6, "value is expected"),
        ('["a\tb"]', "json-syntax", 4, "a tab in a string"),
        (r'["\x41"]', "json-syntax", 3, "escape"),
        ("[1]]", "json-syntax", 4, "end of the document"),
        ('{"a": [1, {"b"', "json-syntax", 15, "ends too early"),
        ('["a', "json-syntax", 4, "ends too early"),
    ],
)
def test_each_mistake_has_its_place_and_sentence(text: str, code: str, column: int, says: str) -> None:
    (problem,) = problems(text)
    assert (problem.code, problem.position) == (code, Position(1, column))
    assert says in problem.message


def test_all_mistakes_that_can_be_read_past_come_at_once() -> None:
    found = problems('{"a": NaN,\n "b": [1e400, 2,],\n // why\n "a": 1}')
    assert [(problem.code, problem.json_pointer, problem.position) for problem in found] == [
        ("not-a-number", "/a", Position(1, 7)),
        ("number-range", "/b/0", Position(2, 8)),
        ("json-syntax", "/b", Position(2, 16)),
        ("json-syntax", "/b", Position(3, 2)),
        ("duplicate-key", "/a", Position(4, 2)),
    ]


def test_keys_and_values_know_their_place() -> None:
    document = read_document('{\r\n  "Start": "é",\r\n  "States": {"é": [1,\r  {"x": true}]}\r\n}')
    assert document.format == "json"
    assert document.position(()) == Position(1, 1)
    assert document.position(("Start",)) == Position(2, 12)
    assert document.position(("Start",), key=True) == Position(2, 3)
    assert document.position(("States", "é", 1, "x")) == Position(4, 9)
    assert document.position(("States", "é", 1, "x"), key=True) == Position(4, 4)


def test_a_place_that_does_not_exist_is_that_of_its_nearest_ancestor() -> None:
    document = read_document('{"a": {"b": 1}}')
    assert document.position(("a", "missing", 3), key=True) == Position(1, 7)
    assert document.position(("a", "b", "c")) == Position(1, 13)


@given(st.floats())
def test_no_number_that_json_lacks_comes_in(number: float) -> None:
    text = json.dumps(number)
    if math.isfinite(number):
        assert same(read_json(text), number)
    else:
        assert problems(text)[0].code == "not-a-number"
