"""Values and texts that cross from user code, servers and processes into an execution.

What comes from outside is copied into plain JSON values, so that nobody can change it later, or refused
with its place. Sizes of payloads are the core's business; here stand only the bounds that keep a reader
of foreign bytes from filling the memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...core.limits import CAUSE_CHARACTERS_MAX
from ...core.values import JSON, decode, decode_quickly

#: Nesting of arrays and objects in a result: as deep as a definition may be.
DEPTH_MAX = 200
#: Bytes read of an HTTP response or of a process's output. The payload limit of the execution is tighter, but
#: is measured on compact JSON: an answer printed with blanks may be several times as long.
RESULT_BYTES_MAX = 8 * 1024 * 1024
#: Most integers are smaller.
_SMALL = 10**18
#: Beyond this, Python refuses to write an integer in decimal.
_INTEGER_MAX = 10**4000


#: Characters of a place in a value that a message shows.
PATH_MAX = 80


class NotJSON(Exception):
    """A value that JSON cannot hold. ``path`` is where it stands (``$.lines[2].price``), ``problem`` what it is."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = ""

    def __str__(self) -> str:
        path = self.path if len(self.path) <= PATH_MAX else f"{self.path[:PATH_MAX]}..."
        return f"{self.problem} at ${path}"


def plain(value: Any, depth: int = 0) -> JSON:
    """A copy of the value made of dict, list, str, int, float, bool and None alone; tuples become lists.

    Raises NotJSON for other types, for keys that are no text, for NaN and the infinities, and for a
    nesting deeper than DEPTH_MAX.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int or kind is float:
        return _number(value)
    if kind is dict:
        return _object(value, depth)
    if kind is list or kind is tuple:
        return _array(value, depth)
    for base, convert in _SUBTYPES:
        if isinstance(value, base):
            return plain(convert(value), depth)
    raise NotJSON(f"a value of type {kind.__qualname__}")


#: Enums, named tuples, ordered and default dicts... are what they extend.
_SUBTYPES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (dict, dict),
    (list, list),
    (tuple, list),
)


def _number(value: Any) -> JSON:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotJSON(f"{value}, which is no JSON number,")
    elif not -_INTEGER_MAX < value < _INTEGER_MAX:
        raise NotJSON("an integer of more than 4000 digits")
    return value


def _object(value: dict[Any, Any], depth: int) -> dict[str, JSON]:
    if depth >= DEPTH_MAX:
        raise NotJSON(_TOO_DEEP)
    copied = {}
    for key, member in value.items():
        if type(key) is not str:
            if not isinstance(key, str):
                raise NotJSON(f"an object with a key of type {type(key).__qualname__}")
            key = str.__str__(key)
        kind = type(member)
        if kind is str or kind is bool or member is None:
            copied[key] = member
            continue
        try:
            copied[key] = plain(member, depth + 1)
        except NotJSON as error:
            error.path = f".{key}{error.path}"
            raise
    return copied


def _array(value: Any, depth: int) -> list[JSON]:
    if depth >= DEPTH_MAX:
        raise NotJSON(_TOO_DEEP)
    copied = []
    for index, item in enumerate(value):
        kind = type(item)
        if kind is str or kind is bool or item is None or (kind is int and -_SMALL < item < _SMALL):
            copied.append(item)
            continue
        try:
            copied.append(plain(item, depth + 1))
        except NotJSON as error:
            error.path = f"[{index}]{error.path}"
            raise
    return copied


_TOO_DEEP = f"a value nested deeper than {DEPTH_MAX} levels (does it contain itself?)"


def parse(text: bytes) -> JSON:
    """The value of a JSON text from outside. Raises ValueError for what is not strictly JSON, or too deep."""
    try:
        try:
            value = decode_quickly(text)
        except ValueError:
            return plain(decode(text))
        # All that can be wrong with it is its depth.
        is_deep = text.count(b"[") + text.count(b"{") > DEPTH_MAX and _is_deep(value)
        return plain(value) if is_deep else value
    except NotJSON as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _is_deep(value: JSON) -> bool:
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        level = [item for item in level if type(item) is dict or type(item) is list]
        if not level:
            return False
        level = [part for item in level for part in (item.values() if type(item) is dict else item)]
    return True


def parse_or_text(body: bytes) -> JSON:
    """The value of an answer: null where it is empty, parsed where it is JSON, its text where it is not."""
    if not body.strip():
        return None
    try:
        return parse(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def cut(cause: str) -> str:
    """A cause no longer than an execution keeps."""
    if len(cause) <= CAUSE_CHARACTERS_MAX:
        return cause
    return cause[: CAUSE_CHARACTERS_MAX - 3] + "..."
