"""What a scalar without quotes means: the core schema of YAML 1.2 (section 10.3.2), and numbers of JSON.

``true``, ``null`` and numbers are what they look like; everything else is text. So ``on``, ``yes``, ``No``,
``1_000``, ``12:30`` and ``2024-01-01`` are text, as their authors meant, while ``0o17`` and ``0x1F`` are
integers, since the core schema knows them as such and YAML 1.1's ``017`` and ``0b1`` it does not
(``017`` is seventeen). ``.inf`` and ``.nan`` are numbers in YAML that JSON cannot hold: they are refused.
"""

from __future__ import annotations

import math
import re

from .frontdoor import MAX_INTEGER_DIGITS

Scalar = str | int | float | bool | None

_INTEGER = re.compile(r"[-+]?[0-9]++\Z")
_BASED = {"0o": (re.compile(r"0o[0-7]++\Z"), 8), "0x": (re.compile(r"0x[0-9a-fA-F]++\Z"), 16)}
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_NUMERIC_START = frozenset("0123456789.+-")

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}


class NumberRangeError(ValueError):
    """A number that is written well and that no JSON value of ours can hold."""


class NotFiniteError(ValueError):
    """An infinity or NaN, in YAML's spelling."""


def plain_scalar(text: str) -> Scalar:
    """The value of a scalar that was written without quotes.

    Raises NumberRangeError for numbers too large, NotFiniteError for infinities and NaN.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if _INTEGER.match(text):
        return read_integer(text)
    if based := _BASED.get(text[:2]):
        pattern, base = based
        return _based_integer(text[2:], base) if pattern.match(text) else text
    if _FLOAT.match(text):
        return read_float(text)
    if _NOT_FINITE.match(text):
        raise NotFiniteError(f"{text} is not a number that JSON can hold")
    return text


def read_integer(text: str) -> int:
    """The integer, kept exactly. Raises NumberRangeError beyond MAX_INTEGER_DIGITS digits."""
    if len(text) > MAX_INTEGER_DIGITS:
        raise NumberRangeError(f"the integer has more than {MAX_INTEGER_DIGITS} digits")
    return int(text)


def read_float(text: str) -> float:
    """The IEEE double nearest to the number. Raises NumberRangeError if that is an infinity."""
    number = float(text)
    if not math.isfinite(number):
        raise NumberRangeError("the number is beyond what a double can hold")
    return number


def _based_integer(digits: str, base: int) -> int:
    number = int(digits, base)
    if number.bit_length() > MAX_INTEGER_DIGITS * 3.32:
        raise NumberRangeError(f"the integer has more than {MAX_INTEGER_DIGITS} digits")
    return number
