"""The functions that the service adds to JSONata, and those it sees otherwise (jsonata, "Added functions").

Each takes the arguments that were given, in order; what is undefined is not among them. What one
answers is a value, or UNDEFINED. Nothing here draws or reads a clock: chance comes with the call.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from random import Random
from typing import NoReturn
from urllib.parse import quote
from uuid import UUID

from ...core.values import JSON
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


def encode_url(arguments: list[JSON], chance: Random) -> JSON:
    """``$encodeUrl(text)``: of the language itself, whose engine leaves blanks as they are."""
    _at_most(arguments, 1, "encodeUrl")
    if not arguments or arguments[0] is UNDEFINED:
        return UNDEFINED
    text = _text(arguments, 0, "encodeUrl")
    return quote(text, safe=";,/?:@&=+$-_.!~*'()#", errors="surrogatepass")


def parse(arguments: list[JSON], chance: Random) -> JSON:
    """``$parse(text)``: the value of a JSON text."""
    text = _text(arguments, 0, "parse")
    _at_most(arguments, 1, "parse")
    try:
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite, parse_int=_integer)
    except (ValueError, RecursionError):
        raise EvaluationError("D3137", "Invalid JSON") from None


#: By name in an expression.
FUNCTIONS: dict[str, Callable[[list[JSON], Random], JSON]] = {
    "partition": partition,
    "range": range_,
    "hash": hash_,
    "random": random,
    "shuffle": shuffle,
    "uuid": uuid,
    "parse": parse,
    "encodeUrl": encode_url,
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
