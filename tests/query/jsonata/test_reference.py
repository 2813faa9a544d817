"""Functions of the language as its reference has them, version 2.0.6, where the engine answers otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from detent.core.errors import StateFailure
from detent.query.jsonata import ENTRY
from detent.query.jsonata.expression import expression_problems

from .evaluating import evaluate


def failure(text: str) -> str:
    """What the cause of a failure says after its opening."""
    with pytest.raises(StateFailure) as caught:
        evaluate(text, {})
    return (caught.value.cause or "").partition("evaluation")[2]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("$base64encode('abc')", "YWJj"),
        ("$base64encode('é')", "6Q=="),
        ("$base64encode('\\u0000\\u00ff')", "AP8="),
        ("$base64encode('Ā😀')", "AD0A"),
        ("$base64decode('6Q==')", "é"),
        ("$base64decode('w6k=')", "Ã©"),
        ("$base64decode('AP8=')", "\0ÿ"),
        ("$base64encode($base64decode('/wA='))", "/wA="),
    ],
)
def test_a_character_is_one_byte_in_base64(text: str, answer: str) -> None:
    assert evaluate(text) == answer


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        ("", ""),
        ("YWI", "ab"),
        ("a-_b", "kïÛ"),
        ("YWJj\\nZGVm", "abcdef"),
        ("Y!W.I=", "ab"),
        ("YQ==YQ==", "a"),
        ("Y", ""),
        ("=YWJj", ""),
    ],
)
def test_base64_is_read_leniently(encoded: str, text: str) -> None:
    assert evaluate(f"$base64decode('{encoded}')") == text


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("$encodeUrl('a b/?&=é')", "a%20b/?&=%C3%A9"),
        ('$encodeUrlComponent("a b/?&=é!\'()*~")', "a%20b%2F%3F%26%3D%C3%A9!'()*~"),
        ("$decodeUrl('a%20b%2F%3f%C3%A9')", "a b%2F%3fé"),
        ("$decodeUrlComponent('a%20b%2F%3f%C3%A9+')", "a b/?é+"),
        ("$decodeUrlComponent('%F0%9F%98%80')", "😀"),
    ],
)
def test_a_url_and_a_component_of_one(text: str, answer: str) -> None:
    assert evaluate(text) == answer


@pytest.mark.parametrize("function", ["decodeUrl", "decodeUrlComponent"])
@pytest.mark.parametrize("url", ["%", "%zz", "a%2", "%ff", "%E0%A4%A", "%C3%2F", "%ED%A0%80"])
def test_a_malformed_url_is_told(function: str, url: str) -> None:
    assert failure(f"${function}('{url}')") == f'. D3140: Malformed URL passed to ${function}(): "{url}"'


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("['a b', 'c'].$encodeUrl()", ["a%20b", "c"]),
        ("['%41', '%42'].$decodeUrlComponent()", ["A", "B"]),
        ("$map(['a', 'b'], $base64encode)", ["YQ==", "Yg=="]),
        ("'YQ==' ~> $base64decode ~> $uppercase", "A"),
        ("{'none': $base64encode($nothing), 'one': 1}", {"one": 1}),
        ("$exists($decodeUrl($nothing))", False),
    ],
)
def test_they_are_functions_of_the_language(text: str, answer: Any) -> None:
    assert evaluate(text) == answer


def test_they_take_one_text() -> None:
    assert failure("$decodeUrl('a', 'b')") == (
        '. T0410: Argument 2 of function "decodeUrl" does not match function signature'
    )
    assert failure("$base64encode([])") == (
        '. T0410: Argument 1 of function "base64encode" does not match function signature'
    )
    assert failure("[5].$encodeUrl()") == (
        '. T0411: Context value is not a compatible type with argument 1 of function "encodeUrl"'
    )


@pytest.mark.parametrize("width", ["3.5", "-3.5", "1.5"])
def test_a_text_is_not_padded_to_a_part_of_a_character(width: str) -> None:
    assert failure(f"$pad('x', {width})") == ": Invalid array length"


def test_where_there_is_nothing_to_pad_the_width_may_be_any() -> None:
    assert evaluate("$pad('xyz', 2.5)") == "xyz"
    assert evaluate("$pad('x', 3)") == "x  "
    assert evaluate("$exists($pad($nothing, 2.5))") is False


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        ("-0.50", -0.5),
        ("007", 7),
        ("1E3", 1000),
        ("1.5e-1", 0.15),
        ("1e20", 10**20),
        ("0x1F", 31),
        ("0b101", 5),
        ("0O17", 15),
    ],
)
def test_a_text_that_is_a_number(text: str, number: float) -> None:
    assert evaluate(f"$number('{text}')") == number


@pytest.mark.parametrize(
    "text",
    ["", " 5", "5 ", "+5", ".5", "5.", "-.5", "1.e3", "1e", "--1", "-0x1", "0b2", "1_000", "１", "NaN"],
)
def test_a_text_that_is_none(text: str) -> None:
    assert failure(f"$number('{text}')") == f'. D3030: Unable to cast value to a number: "{text}"'


def test_what_is_no_text_may_be_a_number_too() -> None:
    assert evaluate("[$number(5.5), $number(true), $number(false), $number($nothing)]") == [5.5, 1, 0]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("2 * 9223372036854775807", 18446744073709552000),
        ("1e20 + 0", 10**20),
        ("123456789012345678901 * 1", 123456789012345680000),
    ],
)
def test_a_large_whole_number_has_its_shortest_digits(text: str, answer: int) -> None:
    assert evaluate(text) == answer


def test_a_time_that_a_picture_does_not_tell() -> None:
    message = ". D3136: The date/time picture string is missing specifiers required to parse the timestamp"
    assert failure("$toMillis('2023 1', '[Y] [D]')") == message
    assert failure("$toMillis('25 dec 2023', '[D] [MNn,*-3] [Y]')") == message


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("{'a': $split('a b', 1), 'b': 2}", {"b": 2}),
        ("$substring(1, 2) & $substring(2, 3) & 'x'", "x"),
        ("($n := 1; $exists($uppercase($substring($n, 2))))", False),
        ("[$fromMillis('0'), $replace('abc', 'a', 1)]", []),
        ("$states.input.none.($substring(1, 2)) = 1", False),
    ],
)
def test_a_first_argument_that_only_a_context_item_could_be_is_undefined(text: str, answer: Any) -> None:
    assert evaluate(text, {}) == answer


def test_a_context_item_of_another_type_is_told() -> None:
    message = '. T0411: Context value is not a compatible type with argument 1 of function "substring"'
    assert failure("[5].$substring(1, 2)") == message


def test_an_escape_that_is_none_is_told_in_quotes() -> None:
    (problem,) = expression_problems("'\\x'", ENTRY)
    assert problem.message == 'Unsupported escape sequence: \\"x"'
