"""Where the service shows that it is written in Java: texts of values, order of strings, equality.

Pure helpers; each says which Java rule it follows. Nothing here knows an expression language.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

from ..core.values import JSON

#: How deep a value may nest to be shown the Java way; deeper parts are shown as "...".
MAX_TEXT_DEPTH = 200

_MASK = 0xFFFFFFFF


def number_text(number: float) -> str:
    """``Integer.toString`` or ``Double.toString``: ``1``, ``1.5``, ``1.0E10``, ``1.0E-5``."""
    if isinstance(number, int):
        return str(number)
    magnitude = abs(number)
    if number == 0 or 1e-3 <= magnitude < 1e7:
        return repr(number)
    digits = f"{Decimal(repr(number)).normalize():E}"
    mantissa, _, exponent = digits.partition("E")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{int(exponent)}"


def java_text(value: JSON, depth: int = 0) -> str:
    """``toString`` of the value as Java collections: ``{a=1, b=[x, null]}``, strings without quotes."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    if depth >= MAX_TEXT_DEPTH:
        return "..."
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}={java_text(v, depth + 1)}" for k, v in value.items()) + "}"
    return "[" + ", ".join(java_text(item, depth + 1) for item in value) + "]"


def decimal_of(text: str) -> Decimal | None:
    """``new BigDecimal(text)``, or None where Java throws."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and text.strip() == text and "_" not in text else None


def code_units(text: str) -> bytes:
    """A key that orders strings by UTF-16 code unit, as ``String.compareTo`` does."""
    return text.encode("utf-16-be", "surrogatepass")


def same_json(left: JSON, right: JSON) -> bool:
    """``equals`` of two JSON trees: order of keys is free, 1, 1.0 and true are three values."""
    pending = [(left, right)]
    while pending:
        a, b = pending.pop()
        if a.__class__ is not b.__class__:
            return False
        if a.__class__ is dict:
            if a.keys() != b.keys():
                return False
            pending.extend((a[key], b[key]) for key in a)
        elif a.__class__ is list:
            if len(a) != len(b):
                return False
            pending.extend(zip(a, b, strict=True))
        elif a != b:
            return False
    return True


class Random48:
    """``java.util.Random``: the linear congruence of 48 bits, so that seeded draws equal the service's."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = (seed ^ 0x5DEECE66D) & 0xFFFFFFFFFFFF

    def _next(self, bits: int) -> int:
        self._state = (self._state * 0x5DEECE66D + 0xB) & 0xFFFFFFFFFFFF
        return self._state >> (48 - bits)

    def next_int(self, bound: int) -> int:
        """An integer in [0, bound); the bound is positive and fits 31 bits."""
        if bound & (bound - 1) == 0:
            return (bound * self._next(31)) >> 31
        while True:
            drawn = self._next(31)
            result = drawn % bound
            if drawn - result + (bound - 1) < 1 << 31:
                return result

    def next_double(self) -> float:
        """A number in [0, 1)."""
        return ((self._next(26) << 27) + self._next(27)) * 2.0**-53


def hash_set_order(values: list[JSON]) -> list[JSON]:
    """The distinct values in the order a ``java.util.HashSet`` made of the list walks them."""
    size = 16
    while size < int(len(values) / 0.75) + 1:
        size *= 2
    buckets: dict[int, list[JSON]] = {}
    # Texts find the doubles: values chosen to share a bucket must not make this quadratic.
    distinct: dict[str, JSON] = {}
    for value in values:
        distinct.setdefault(json.dumps(value, sort_keys=True), value)
    for value in distinct.values():
        buckets.setdefault(_bucket(value, size), []).append(value)
    return [value for index in sorted(buckets) for value in buckets[index]]


def hash_map_order(keys: Sequence[str]) -> list[str]:
    """Distinct keys in the order a ``java.util.HashMap`` walks them that got one after the other."""
    size = 16
    while len(keys) > size * 0.75:
        size *= 2
    return sorted(keys, key=lambda key: _bucket(key, size))


def _bucket(value: JSON, size: int) -> int:
    """Where a hash table of ``size`` buckets, a power of 2, keeps a value."""
    code = _hash_code(value)
    return (code ^ (code >> 16)) & (size - 1)


def _hash_code(value: JSON) -> int:
    """``hashCode`` as an unsigned integer of 32 bits."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1231 if value else 1237
    if isinstance(value, str):
        return _polynomial(_units(value), 0)
    if isinstance(value, int):
        return _hash_of_integer(value)
    if isinstance(value, float):
        bits = int.from_bytes(struct.pack(">d", value), "big")
        return (bits ^ (bits >> 32)) & _MASK
    if isinstance(value, list):
        return _polynomial(map(_hash_code, value), 1)
    return sum(_hash_code(key) ^ _hash_code(item) for key, item in value.items()) & _MASK


def _hash_of_integer(value: int) -> int:
    if -(1 << 31) <= value < 1 << 31:
        return value & _MASK
    if -(1 << 63) <= value < 1 << 63:
        return (value ^ ((value & 0xFFFFFFFFFFFFFFFF) >> 32)) & _MASK
    words = abs(value).to_bytes((value.bit_length() + 31) // 32 * 4, "big")
    code = _polynomial(struct.unpack(f">{len(words) // 4}I", words), 0)
    return code if value > 0 else -code & _MASK


def _polynomial(parts: Iterable[int], start: int) -> int:
    code = start
    for part in parts:
        code = (31 * code + part) & _MASK
    return code


def _units(text: str) -> tuple[int, ...]:
    data = code_units(text)
    return struct.unpack(f">{len(data) // 2}H", data)
