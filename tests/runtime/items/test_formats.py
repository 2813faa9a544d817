"""Items one by one out of JSON, JSON Lines and CSV."""

from __future__ import annotations

import io
from typing import Any

import pytest

from detent.runtime.items.errors import Unreadable
from detent.runtime.items.formats import HEADER_BYTES_MAX, read_csv, read_json, read_jsonl

NOT_ITERABLE = "Attempting to map over non-iterable node."


def file(text: str | bytes) -> io.BytesIO:
    return io.BytesIO(text.encode() if isinstance(text, str) else text)


def values(entries: Any) -> list[Any]:
    return [value for _, value in entries]


def test_the_elements_of_an_array_keep_what_they_are() -> None:
    text = '[1, 2.5, 12345678901234567890123, "ü", null, true, {"a": [1, {"b": 2}]}, []]'
    assert values(read_json(file(text), None)) == [
        1,
        2.5,
        12345678901234567890123,
        "ü",
        None,
        True,
        {"a": [1, {"b": 2}]},
        [],
    ]
    assert values(read_json(file(b"\xef\xbb\xbf[1]"), None)) == [1]


@pytest.mark.parametrize("text", ['{"Hello": "world"}', '"text"', "5", "null"])
def test_a_file_that_is_no_array_has_no_items(text: str) -> None:
    with pytest.raises(Unreadable, match=NOT_ITERABLE):
        values(read_json(file(text), None))


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/a", [1, 2]),
        ("/deep/b~1c/0", ["x"]),
        ("/deep/d~0", [7]),
        ("", NOT_ITERABLE),
        ("/none", "The ItemsPointer /none points to nothing in the file."),
        ("/a/7", "The ItemsPointer /a/7 points to nothing in the file."),
        ("/a/0", NOT_ITERABLE),
        ("a", "The ItemsPointer a is no JSON pointer: it begins with a slash."),
    ],
)
def test_a_pointer_leads_to_the_array_inside(pointer: str, expected: Any) -> None:
    text = '{"skip": {"a": [9]}, "a": [1, 2], "deep": {"b/c": [["x"], []], "d~": [7]}}'
    if isinstance(expected, str):
        with pytest.raises(Unreadable) as caught:
            values(read_json(file(text), pointer))
        assert str(caught.value) == expected
    else:
        assert values(read_json(file(text), pointer)) == expected


def test_a_pointer_to_an_object_gives_its_members() -> None:
    assert list(read_json(file('{"o": {"k": 1, "l": {"m": []}}}'), "/o")) == [("k", 1), ("l", {"m": []})]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[1, 2", "premature EOF"),
        ("", "premature EOF"),
        ("[1,,2]", "unallowed token at this point in JSON text"),
        ("nothing", "invalid string in json text."),
        ("[1] [2]", "trailing garbage"),
    ],
)
def test_what_is_no_json_is_said_to_be_none(text: str, why: str) -> None:
    with pytest.raises(Unreadable) as caught:
        values(read_json(file(text), None))
    assert str(caught.value) == f"The file is not valid JSON: {why}"


def test_a_line_is_an_item_unless_it_is_empty() -> None:
    assert values(read_jsonl(file('{"a": 1}\n\n  \n[2]\r\n"three"'))) == [{"a": 1}, [2], "three"]
    with pytest.raises(Unreadable, match="Line 2 of the file is not valid JSON"):
        values(read_jsonl(file("1\nnonsense\n")))


def test_rows_are_objects_of_texts() -> None:
    text = 'Col1,Col2,Col3\nValue1,,Value3,surplus\n,,,\ntrue,1,\'x\'\nNull,None\n\n   \n"a,b","c\nd",e\n'
    assert values(read_csv(file(text), "COMMA", None)) == [
        {"Col1": "Value1", "Col2": "", "Col3": "Value3"},
        {"Col1": "", "Col2": "", "Col3": ""},
        {"Col1": "true", "Col2": "1", "Col3": "'x'"},
        {"Col1": "Null", "Col2": "None", "Col3": ""},
        {"Col1": "   ", "Col2": "", "Col3": ""},
        {"Col1": "a,b", "Col2": "c\nd", "Col3": "e"},
    ]


@pytest.mark.parametrize(
    ("headers", "order"),
    [
        (["H1", ""], ["", "H1"]),
        (["0", "True", "{}"], ["0", "{}", "True"]),
        (["Col1", "Col2", "Col3"], ["Col1", "Col2", "Col3"]),
        # Twelve fill the service's table as it begins; with the thirteenth it has twice the room.
        ([*"zqponmlkjiha"], [*"pqahizjklmno"]),
        ([*"zqponmlkjiha0"], [*"ahijklmnop0qz"]),
        (["🜁", "ü", "name"], ["name", "ü", "🜁"]),
    ],
)
def test_members_of_a_row_stand_in_the_order_of_the_services_hash_table(
    headers: list[str], order: list[str]
) -> None:
    (row,) = values(read_csv(file(",".join(headers)), "COMMA", headers))
    assert list(row) == order
    assert row == {name: name for name in headers}


@pytest.mark.parametrize(
    ("name", "sign"), [("COMMA", ","), ("PIPE", "|"), ("SEMICOLON", ";"), ("SPACE", " "), ("TAB", "\t")]
)
def test_what_stands_between_fields(name: str, sign: str) -> None:
    assert values(read_csv(file(f"a{sign}b\n"), name, ["x", "y"])) == [{"x": "a", "y": "b"}]


@pytest.mark.parametrize("given", [None, ["a", "b", "a"]])
def test_headers_differ(given: list[str] | None) -> None:
    with pytest.raises(Unreadable, match=r"^CSV headers cannot contain duplicates\.$"):
        values(read_csv(file("a,a\n1,2\n"), "COMMA", given))


def test_headers_are_bounded_and_one_may_be_empty() -> None:
    assert values(read_csv(file(",b\n1,2\n"), "COMMA", None)) == [{"": "1", "b": "2"}]
    with pytest.raises(Unreadable, match="CSV headers cannot be larger"):
        values(read_csv(file("x" * (HEADER_BYTES_MAX + 1)), "COMMA", None))
    with pytest.raises(Unreadable, match="The file is not valid CSV"):
        values(read_csv(file(b"a\n\xff\n"), "COMMA", None))
