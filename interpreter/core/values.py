"""JSON values: the one place that turns them into text and back.

Values are plain Python (dict, list, str, int, float, bool, None) and immutable by convention: who wants
another value builds one. Integers of any size and lone surrogates survive the round trip; NaN and the
infinities do not exist.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeAlias

import orjson

#: A JSON value. (A recursive alias would make every dict invariant in its values; the name documents the intent.)
JSON: TypeAlias = Any

_LONG_NUMBER = re.compile(rb"[0-9]{18}")


def encode(value: JSON) -> bytes:
    """The compact JSON text of a value, UTF-8, keys in their order.

    Raises TypeError for what JSON cannot hold, ValueError for NaN and infinities or a nesting too deep.
    """
    try:
        text = orjson.dumps(value)
    except TypeError:
        # Integers beyond 64 bits, lone surrogates and depths beyond 254 are JSON, but not orjson's.
        return _encode_slowly(value)
    if b"null" in text:
        _refuse_non_finite(value)
    return text


def decode(text: bytes) -> JSON:
    """The value of a JSON text that :func:`encode` wrote. Raises ValueError if it is none."""
    if _LONG_NUMBER.search(text):
        return json.loads(text)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def _encode_slowly(value: JSON) -> bytes:
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except RecursionError:
        raise ValueError("the value is nested too deeply") from None
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _refuse_non_finite(value: JSON) -> None:
    """orjson writes NaN and infinities as null without a word."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, float):
            if not math.isfinite(item):
                raise ValueError(f"{item} is not a JSON number")
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, (list, tuple)):
            stack.extend(item)
