"""The functions that the service adds to JSONata, and those it sees otherwise (jsonata, "Added functions").

Each takes the arguments that were given, in order; what is undefined is not among them. What one
answers is a value, or UNDEFINED. Nothing here draws or reads a clock: chance comes with the call.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from random import Random
from typing import NoReturn
from urllib.parse import quote, unquote_to_bytes
from uuid import UUID

from ...core.values import JSON, encode
from ..javaish import Random48
from .messages import MEMORY, EvaluationError

#: Items that ``$range`` makes at most, and ``$partition`` chunks.
RANGE_MAX = 360_000

_ALGORITHMS = {"SHA-1": "sha1", "SHA-384": "sha384", "SHA-256": "sha256", "SHA-512": "sha512", "MD5": "md5"}


class _Undefined:
    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: JSON = _Undefined()


def partition(arguments: list[JSON], chance: Random) -> JSON:
    """``$partition(array, size)``: chunks of a list, the last one perhaps shorter."""
    _at_most(arguments, 2, "partition")
    items = arguments[0]
    if items is UNDEFINED:
        return UNDEFINED
    if not isinstance(items, list):
        raise EvaluationError("T0412", 'Argument 1 of function "partition" must be an array of undefined')
    if len(arguments) < 2 or arguments[1] is UNDEFINED:
        return [items]
    size = _whole(arguments, 1, "partition")
    if size < 0:
        raise EvaluationError("D3137", "Second argument must be zero or greater")
    if size == 0:
        return UNDEFINED
    return [items[start : start + size] for start in range(0, len(items), size)]


def range_(arguments: list[JSON], chance: Random) -> JSON:
    """``$range(first, last, step)``: the last number included; a list of one is that number."""
    _at_most(arguments, 3, "range")
    if len(arguments) < 3 or any(argument is UNDEFINED for argument in arguments):
        return UNDEFINED
    first, last, step = (_whole(arguments, place, "range") for place in range(3))
    if step == 0:
        return UNDEFINED
    numbers = range(first, last + (1 if step > 0 else -1), step)
    count = max(0, (last - first) // step + 1)
    if count > RANGE_MAX:
        raise EvaluationError(None, MEMORY)
    if count == 0:
        return UNDEFINED
    return numbers[0] if count == 1 else list(numbers)


def items_of(name: str, arguments: list[JSON]) -> int:
    """How many items a call goes through, or makes."""
    if name == "range" and len(arguments) == 3:
        first, last, step = (part if isinstance(part, (int, float)) else 0 for part in arguments)
        return int(abs(last - first) / abs(step)) if step else 0
    return sum(len(part) for part in arguments if isinstance(part, list))


def hash_(arguments: list[JSON], chance: Random) -> JSON:
    """``$hash(text, algorithm)``: hexadecimal digits."""
    text, algorithm = _text(arguments, 0, "hash"), _text(arguments, 1, "hash")
    _at_most(arguments, 2, "hash")
    name = _ALGORITHMS.get(algorithm)
    if name is None:
        raise EvaluationError(
            "D3137", f"Hash algorithm '{algorithm}' must be one of {', '.join(_ALGORITHMS)}"
        )
    return hashlib.new(name, text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def random(arguments: list[JSON], chance: Random) -> JSON:
    """``$random()`` and ``$random(seed)``: a number in [0, 1)."""
    _at_most(arguments, 1, "random")
    if not arguments:
        return chance.random()
    return Random48(_whole(arguments, 0, "random")).next_double()


def uuid(arguments: list[JSON], chance: Random) -> JSON:
    """``$uuid()``: version 4."""
    _at_most(arguments, 0, "uuid")
    return str(UUID(int=chance.getrandbits(128), version=4))


def shuffle(arguments: list[JSON], chance: Random) -> JSON:
    """``$shuffle(array)``: of the language itself, but with chance that can be drawn again."""
    _at_most(arguments, 1, "shuffle")
    if not arguments:
        return UNDEFINED
    items = list(arguments[0]) if isinstance(arguments[0], list) else [arguments[0]]
    chance.shuffle(items)
    return items


def parse(arguments: list[JSON], chance: Random) -> JSON:
    """``$parse(text)``: the value of a JSON text."""
    text = _text(arguments, 0, "parse")
    _at_most(arguments, 1, "parse")
    try:
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite, parse_int=_integer)
    except (ValueError, RecursionError):
        raise EvaluationError("D3137", "Invalid JSON") from None


# Functions of the language itself, of one text each

#: Characters that separate the parts of a URL, and those that always stand for themselves beside letters and digits.
_RESERVED = ";/?:@&=+$,#"
_UNRESERVED = "-_.!~*'()"
_ENCODED_RESERVED = re.compile(
    "(%(?:" + "|".join(f"{ord(mark):x}" for mark in _RESERVED) + "))", re.IGNORECASE
)
_NO_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_NOT_BASE64 = re.compile("[^A-Za-z0-9+/]")
_OF_URLS = str.maketrans("-_", "+/")


def encode_url(text: str) -> str:
    """``$encodeUrl(text)``; the engine leaves blanks as they are."""
    return quote(text, safe=_RESERVED + _UNRESERVED)


def encode_url_component(text: str) -> str:
    """``$encodeUrlComponent(text)``; the engine encodes marks that a URL may hold."""
    return quote(text, safe=_UNRESERVED)


def decode_url(text: str) -> str:
    """``$decodeUrl(text)``: what separates parts of a URL stays encoded; the engine decodes it, too."""
    return _decoded(text, _ENCODED_RESERVED.split(text), "decodeUrl")


def decode_url_component(text: str) -> str:
    """``$decodeUrlComponent(text)``; the engine passes on what is malformed."""
    return _decoded(text, [text], "decodeUrlComponent")


def _decoded(text: str, parts: list[str], function: str) -> str:
    """A text, of which every other part stays as it is."""
    try:
        if _NO_ESCAPE.search(text):
            raise ValueError
        parts[::2] = [unquote_to_bytes(part).decode() for part in parts[::2]]
    except ValueError:
        message = f"Malformed URL passed to ${function}(): {encode(text).decode()}"
        raise EvaluationError("D3140", message) from None
    return "".join(parts)


def base64_encode(text: str) -> str:
    """``$base64encode(text)``: each character is one byte, of more than that the lower one."""
    return b64encode(text.encode("utf-16-le")[::2]).decode()


def base64_decode(text: str) -> str:
    """``$base64decode(text)``: each byte becomes one character.

    Either alphabet will do, also without padding; what belongs to neither is passed over.
    """
    digits = _NOT_BASE64.sub("", text.partition("=")[0].translate(_OF_URLS))
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return b64decode(digits + "=" * (-len(digits) % 4)).decode("latin-1")


def _of_text(function: Callable[[str], str]) -> Callable[[list[JSON], Random], JSON]:
    """A function of a text, which answers nothing where there is none; its signature sees to the type."""
    return lambda arguments, chance: function(arguments[0]) if arguments else UNDEFINED


#: Functions of the language itself that take a text, or the context item.
OF_TEXT: dict[str, Callable[[str], str]] = {
    "encodeUrl": encode_url,
    "encodeUrlComponent": encode_url_component,
    "decodeUrl": decode_url,
    "decodeUrlComponent": decode_url_component,
    "base64encode": base64_encode,
    "base64decode": base64_decode,
}

#: By name in an expression.
FUNCTIONS: dict[str, Callable[[list[JSON], Random], JSON]] = {
    "partition": partition,
    "range": range_,
    "hash": hash_,
    "random": random,
    "shuffle": shuffle,
    "uuid": uuid,
    "parse": parse,
    **{name: _of_text(function) for name, function in OF_TEXT.items()},
}


def _mismatch(place: int, function: str) -> NoReturn:
    raise EvaluationError(
        "T0410", f'Argument {place + 1} of function "{function}" does not match function signature'
    )


def _at_most(arguments: list[JSON], count: int, function: str) -> None:
    if len(arguments) > count:
        _mismatch(count, function)


def _text(arguments: list[JSON], place: int, function: str) -> str:
    if place < len(arguments) and isinstance(arguments[place], str):
        return str(arguments[place])
    _mismatch(place, function)


def _whole(arguments: list[JSON], place: int, function: str) -> int:
    """A number, cut off towards zero."""
    value = arguments[place]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        _mismatch(place, function)
    return int(value)


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _integer(text: str) -> float:
    """Numbers are doubles in an expression; those of up to 64 bits are kept whole."""
    return int(text) if len(text) < 19 else _finite(text)
