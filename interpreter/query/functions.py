"""The eighteen intrinsic functions, each a plain function of its arguments.

A function raises :class:`Fault` for arguments it does not take. Numbers are *cut off* towards zero unless
said otherwise. The figures are those of the service, which is written in Java and shows it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import uuid
from collections.abc import Callable
from typing import TypeAlias

from ..core.values import JSON, encode
from .bindings import Bindings
from .javaish import Random48, hash_set_order, java_text

#: Characters Base64Encode, Base64Decode and Hash take.
MAX_TEXT_LENGTH = 10_000
#: Characters that Format makes: more than any profile takes as a payload.
MAX_FORMATTED = 4 * 1024 * 1024
#: Items ArrayRange makes.
MAX_RANGE = 1_000

_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1

Function: TypeAlias = Callable[[list[JSON], Bindings], JSON]


class Fault(Exception):
    """Why a call failed: the text behind the sentence that names the whole expression."""

    @classmethod
    def invalid(cls, function: str) -> Fault:
        return cls(f"Invalid arguments in {function}")


class _Refused(Exception):
    """An argument of the wrong type, size or range; the table below knows in which function."""


def _array(value: JSON) -> list[JSON]:
    if not isinstance(value, list):
        raise _Refused
    return value


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise _Refused
    return value


def _short_text(value: JSON) -> str:
    if len(_text(value)) > MAX_TEXT_LENGTH:
        raise _Refused
    return _text(value)


def _number(value: JSON) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Refused
    return value


def _cut(value: JSON) -> int:
    return math.trunc(_number(value))


def _int(number: int) -> int:
    """The number, if Java's int holds it."""
    if not _INT_MIN <= number <= _INT_MAX:
        raise _Refused
    return number


def as_text(value: JSON) -> str:
    """A string as it is, anything else as compact JSON."""
    return value if isinstance(value, str) else encode(value).decode()


def _array_of(arguments: list[JSON], bindings: Bindings) -> JSON:
    return list(arguments)


def _partition(arguments: list[JSON], bindings: Bindings) -> JSON:
    array, size = _array(arguments[0]), _cut(arguments[1])
    if size < 1:
        raise _Refused
    return [array[start : start + size] for start in range(0, len(array), size)]


def _contains(arguments: list[JSON], bindings: Bindings) -> JSON:
    # Texts are compared: the order of an object's members counts, and 1 equals "1".
    array, wanted = _array(arguments[0]), as_text(arguments[1])
    return any(as_text(item) == wanted for item in array)


def _range(arguments: list[JSON], bindings: Bindings) -> JSON:
    first, last, step = map(_cut, arguments)
    if step == 0:
        raise _Refused
    items = range(first, last + (1 if step > 0 else -1), step)
    if (last - first) // step >= MAX_RANGE:
        raise _Refused
    return list(items)


def _get_item(arguments: list[JSON], bindings: Bindings) -> JSON:
    array, index = _array(arguments[0]), _cut(arguments[1])
    if not array:
        return None
    if not 0 <= index < len(array):
        raise _Refused
    return array[index]


def _length(arguments: list[JSON], bindings: Bindings) -> JSON:
    return len(_array(arguments[0]))


def _unique(arguments: list[JSON], bindings: Bindings) -> JSON:
    return hash_set_order(_array(arguments[0]))


def _base64_encode(arguments: list[JSON], bindings: Bindings) -> JSON:
    return base64.b64encode(_short_text(arguments[0]).encode("utf-8", "replace")).decode()


_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def _base64_decode(arguments: list[JSON], bindings: Bindings) -> JSON:
    """Lenient: skips what is outside the alphabet, ends at the first padding, needs none."""
    source = _short_text(arguments[0]).partition("=")[0].replace("-", "+").replace("_", "/")
    digits = bytes(byte for byte in source.encode("utf-8", "replace") if byte in _BASE64)
    if len(digits) % 4 == 1:
        digits = digits[:-1]  # six bits are no byte
    return base64.b64decode(digits + b"=" * (-len(digits) % 4)).decode("utf-8", "replace")


_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-1": lambda data: hashlib.sha1(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
    "SHA-384": lambda data: hashlib.sha384(data).hexdigest(),
    "SHA-512": lambda data: hashlib.sha512(data).hexdigest(),
}


def _hash(arguments: list[JSON], bindings: Bindings) -> JSON:
    digest = _HASHES.get(_text(arguments[1]))
    if digest is None:
        raise _Refused
    return digest(_short_text(as_text(arguments[0])).encode("utf-8", "replace"))


def _merge(arguments: list[JSON], bindings: Bindings) -> JSON:
    left, right, deep = arguments
    if not isinstance(left, dict) or not isinstance(right, dict) or deep is True:
        raise _Refused  # there is no deep merge; any flag but true means false
    return {**left, **right}


def _round(value: JSON) -> int:
    """To the nearest integer, halves upward, as ``Math.round``."""
    number = _number(value)
    whole = math.floor(number)
    return whole + 1 if number - whole >= 0.5 else whole


def _add(arguments: list[JSON], bindings: Bindings) -> JSON:
    left, right = (_int(_round(argument)) for argument in arguments)
    return _int(left + right)


def _random(arguments: list[JSON], bindings: Bindings) -> JSON:
    """From start, which is included, to end, which is not."""
    start, end = (_int(_cut(argument)) for argument in arguments[:2])
    if start >= end:
        raise _Refused
    if len(arguments) == 3:
        return start + Random48(_cut(arguments[2])).next_int(_int(end - start))
    return bindings.chance.randrange(start, end)


def _split(arguments: list[JSON], bindings: Bindings) -> JSON:
    """At any single character of the second text; empty pieces are dropped."""
    text, separators = map(_text, arguments)
    if separators:
        first = separators[0]
        text = text.translate(dict.fromkeys(map(ord, separators), first))
        return [piece for piece in text.split(first) if piece]
    return [text] if text else []


def _string_to_json(arguments: list[JSON], bindings: Bindings) -> JSON:
    text = _text(arguments[0]).strip()
    if not text:
        return None
    try:
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Fault(
            f"Cannot convert String to Json in States.StringToJson, caused by: {_reason(error)}"
        ) from None


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _no_constant(name: str) -> JSON:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is out of range")
    return number


def _json_to_string(arguments: list[JSON], bindings: Bindings) -> JSON:
    return encode(arguments[0]).decode()


def _format(arguments: list[JSON], bindings: Bindings) -> JSON:
    return format_values(format_parts(_text(arguments[0])), arguments[1:])


def format_parts(template: str) -> tuple[str, ...]:
    r"""The texts around the ``{}`` of a template; ``\{``, ``\}``, ``\'`` and ``\\`` are escapes."""
    parts = [""]
    position = 0
    while position < len(template):
        character = template[position]
        following = template[position + 1 : position + 2]
        if character == "\\" and following and following in "'{}\\":
            parts[-1] += following
            position += 1
        elif character == "{":
            if following != "}":
                raise Fault("Invalid template in States.Format: matching '}' not found for '{'.")
            parts.append("")
            position += 1
        elif character == "}":
            raise Fault("Invalid template in States.Format: matching '{' not found for '}'.")
        else:
            parts[-1] += character
        position += 1
    return tuple(parts)


def format_values(parts: tuple[str, ...], values: list[JSON]) -> str:
    """The template with a value for each ``{}``; objects and arrays are shown the Java way."""
    if len(values) != len(parts) - 1:
        raise Fault.invalid("States.Format")
    pieces = [parts[0]]
    length = len(parts[0])
    for value, part in zip(values, parts[1:], strict=True):
        pieces += [java_text(value) if isinstance(value, (dict, list)) else as_text(value), part]
        length += len(pieces[-2]) + len(part)
        if length > MAX_FORMATTED:
            raise Fault(f"States.Format makes more than {MAX_FORMATTED:,} characters")
    return "".join(pieces)


def _uuid(arguments: list[JSON], bindings: Bindings) -> JSON:
    return str(uuid.UUID(int=bindings.chance.getrandbits(128), version=4))


def _named(name: str, function: Function) -> Function:
    """The function, refusing arguments in the service's words."""

    def named(arguments: list[JSON], bindings: Bindings) -> JSON:
        try:
            return function(arguments, bindings)
        except _Refused:
            raise Fault.invalid(name) from None

    return named


_PLAIN: dict[str, Function] = {
    "States.Array": _array_of,
    "States.ArrayPartition": _partition,
    "States.ArrayContains": _contains,
    "States.ArrayRange": _range,
    "States.ArrayGetItem": _get_item,
    "States.ArrayLength": _length,
    "States.ArrayUnique": _unique,
    "States.Base64Encode": _base64_encode,
    "States.Base64Decode": _base64_decode,
    "States.Hash": _hash,
    "States.JsonMerge": _merge,
    "States.MathAdd": _add,
    "States.MathRandom": _random,
    "States.StringSplit": _split,
    "States.StringToJson": _string_to_json,
    "States.JsonToString": _json_to_string,
    "States.Format": _format,
    "States.UUID": _uuid,
}

#: Function name -> (arguments, bindings) -> value; raises :class:`Fault`.
IMPLEMENTATIONS: dict[str, Function] = {name: _named(name, function) for name, function in _PLAIN.items()}
