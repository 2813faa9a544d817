"""Where the service shows that it is written in Java: texts of values, order of strings, equality.

Pure helpers; each says which Java rule it follows. Nothing here knows an expression language.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from ..core.values import JSON

#: How deep a value may nest to be shown the Java way; deeper parts are shown as "...".
MAX_TEXT_DEPTH = 200


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
