"""Search attributes: what executions are found by, declared as paths into their input and output.

``{"customer": "$.input.customer.id", "total": "$.output.total"}`` declares two. What stands at a path when an
execution begins, or ends, becomes a *key*: bytes that compare as the values do, so that every store finds them by
its index. Objects, arrays and null have none.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from .core.errors import DetentError
from .core.values import JSON
from .query.cursor import PathSyntaxError
from .query.jsonpath.parser import parse_reference_path
from .query.jsonpath.walk import MISSES, keys_of, lane
from .store.base import Match

#: How many attributes a machine may declare.
ATTRIBUTES_MAX = 10
#: How many characters a path may have.
PATH_MAX = 256
#: How many bytes of a text (UTF-8) are kept; of a longer one also a hash.
TEXT_MAX = 256

NAME_PATTERN = "[A-Za-z_][A-Za-z0-9_-]{0,62}"
_NAME = re.compile(NAME_PATTERN)
_CONDITION = re.compile(r"([^<>=]*)(>=|<=|>|<|=)(.*)", re.DOTALL)
_INTEGER = re.compile(r"-?[0-9]{1,400}")
_NUMBER = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][-+]?[0-9]{1,3})?")

# The first byte of a key says what it is a key of.
_BOOLEAN, _NUMERIC, _TEXT = b"b", b"n", b"s"
_RESIDUE_MAX = 2**63 - 1

Root = Literal["input", "output"]


class SearchAttributeError(DetentError):
    """A search attribute cannot be declared so, or executions cannot be looked for so."""

    code = "SEARCH_ATTRIBUTE"


def check_declared(declared: Mapping[str, str]) -> None:
    """Raises SearchAttributeError for a declaration that cannot be meant."""
    if len(declared) > ATTRIBUTES_MAX:
        raise SearchAttributeError(
            f"a machine may declare {ATTRIBUTES_MAX} search attributes, and these are {len(declared)}"
        )
    for name, path in declared.items():
        if not _NAME.fullmatch(name):
            raise SearchAttributeError(
                f"{name[:100]!r} cannot be the name of a search attribute: write a letter or _, then up to 62 "
                "letters, digits, _ and -"
            )
        if len(path) > PATH_MAX:
            raise SearchAttributeError(f"the path of {name} has more than {PATH_MAX} characters")
        try:
            _reader(path)
        except PathSyntaxError as error:
            raise SearchAttributeError(
                f"{path!r} cannot be the path of {name}: {error}; write such as $.input.customer.id or $.output.total"
            ) from None


@lru_cache(maxsize=1000)
def _reader(path: str) -> Callable[[JSON], JSON]:
    """A function from ``{"input": ...}`` or ``{"output": ...}`` to what stands at a path. Raises PathSyntaxError."""
    parsed = parse_reference_path(path)
    if parsed.root != "$" or keys_of(parsed.steps)[:1] not in (("input",), ("output",)):
        raise PathSyntaxError("it leads neither into $.input nor into $.output", 1)
    return lane(parsed.steps)


def keys_at(declared: Mapping[str, str], root: Root, value: JSON) -> dict[str, bytes]:
    """The keys of the attributes that lead into the input, or the output; of those that have any."""
    document = {root: value}
    found: dict[str, bytes] = {}
    for name, path in declared.items():
        try:
            key = key_of(_reader(path)(document))
        except MISSES:
            continue
        if key is not None:
            found[name] = key
    return found


def key_of(value: JSON) -> bytes | None:
    """The key of a value: keys compare as numbers do, as texts do, and false comes before true."""
    match value:
        case bool():
            return _BOOLEAN + (b"1" if value else b"0")
        case str():
            return _key_of_text(value)
        case int() | float():
            return _key_of_number(value)
    return None


def _key_of_text(value: str) -> bytes:
    text = value.encode("utf-8", "surrogatepass")
    if len(text) <= TEXT_MAX:
        return _TEXT + text
    return _TEXT + text[:TEXT_MAX] + sha256(text).digest()


def _key_of_number(value: int | float) -> bytes:
    """The nearest double as a number whose order is that of its bytes, then what an integer is more than that."""
    try:
        near = float(value) + 0.0  # there is one zero
    except OverflowError:
        near = math.inf if value > 0 else -math.inf
    bits = int.from_bytes(struct.pack(">d", near), "big", signed=True)
    ordered = bits ^ (2**63 - 1) if bits < 0 else bits
    residue = value - int(near) if isinstance(value, int) and math.isfinite(near) else 0
    residue = max(-_RESIDUE_MAX, min(residue, _RESIDUE_MAX))
    return _NUMERIC + (ordered + 2**63).to_bytes(8, "big") + (residue + 2**63).to_bytes(8, "big")


def read_condition(text: str) -> Match:
    """What ``customer=Ada``, ``total>=100`` and the like ask of an attribute. Raises SearchAttributeError.

    What looks like a number, ``true`` or ``false`` means that and, after ``=``, also the text; in double quotes it
    means the text alone. Only values of the same type are compared.
    """
    found = _CONDITION.fullmatch(text)
    if found is None or not _NAME.fullmatch(found[1]):
        raise SearchAttributeError(
            f"{text[:100]!r} asks for no search attribute: write NAME=VALUE, or >, >=, <, <= in place of ="
        )
    name, operator, given = found.groups()
    keys = _keys_meant(given)
    if operator == "=":
        return Match(name, keys)
    key = keys[0]
    first, end = key[:1], bytes([key[0] + 1])
    # The shortest key that is greater.
    beyond = key + b"\0"
    match operator:
        case ">":
            return Match(name, low=beyond, below=end)
        case ">=":
            return Match(name, low=key, below=end)
        case "<":
            return Match(name, low=first, below=key)
    return Match(name, low=first, below=beyond)


def _keys_meant(given: str) -> tuple[bytes, ...]:
    """The keys of what a typed value may mean, the plain text last."""
    if len(given) >= 2 and given[0] == given[-1] == '"':
        return (_key_of_text(given[1:-1]),)
    text = _key_of_text(given)
    if given in ("true", "false"):
        return _BOOLEAN + (b"1" if given == "true" else b"0"), text
    if _NUMBER.fullmatch(given):
        number = int(given) if _INTEGER.fullmatch(given) else float(given)
        return _key_of_number(number), text
    return (text,)
