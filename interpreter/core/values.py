"""JSON values: the one place that turns them into text and back.

Values are plain Python (dict, list, str, int, float, bool, None) and immutable by convention: who wants
another value builds one. Integers of any size and lone surrogates survive the round trip; NaN and the
infinities do not exist.
"""

from __future__ import annotations

import json
import marshal
import math
import re
from typing import Any, TypeAlias

import orjson

#: A JSON value. (A recursive alias would make every dict invariant in its values; the name documents the intent.)
JSON: TypeAlias = Any

#: Every digit becomes a zero, and nothing else does: so many in a row are found fifteen times faster than by a pattern.
_AS_ZEROS = bytes(ord("0") if chr(byte) in "0123456789" else 0 for byte in range(256))
_LONG_NUMBER = b"0" * 18


#: Texts up to this size are copied out of the buffer that they were written to, in bytes: what the writer answers
#: holds on to all of it, and texts are kept.
_BUFFER = 16_384

#: So many lists and objects may stand around a value that was written to stand anywhere.
_LEVELS_AROUND = 160


class Written:
    """A JSON value as its text, in place of a value that nobody looks into: it is only good for being written again.

    The text is what :func:`encode` writes wherever the value stands (:func:`encode_anywhere`).
    """

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text = text


def encode(value: JSON) -> bytes:
    """The compact JSON text of a value, UTF-8, keys in their order. What is Written may be part of it.

    Raises TypeError for what JSON cannot hold, ValueError for NaN and infinities or a nesting too deep.
    """
    try:
        text = orjson.dumps(value, _as_fragment)
    except TypeError:
        # Integers beyond 64 bits, lone surrogates and depths beyond 254 are JSON, but not orjson's.
        return _encode_slowly(value)
    if text.partition(b"null")[1]:  # in a short text it is found sooner so than by find
        _refuse_non_finite(value)
    return b"%b" % text if len(text) < _BUFFER else text


def encode_anywhere(value: JSON) -> bytes | None:
    """The compact JSON text of a value if it is the same wherever the value stands, also deep inside others; None where
    what stands around it may make a difference. Raises ValueError for NaN and infinities."""
    around = value
    for _ in range(_LEVELS_AROUND):
        around = [around]
    try:
        text = orjson.dumps(around)[_LEVELS_AROUND:-_LEVELS_AROUND]
    except TypeError:
        return None
    if text.find(b"null") >= 0:
        _refuse_non_finite(value)
    return text


def decode(text: bytes) -> JSON:
    """The value of a JSON text that :func:`encode` wrote. Raises ValueError if it is none, or nested too deeply."""
    try:
        return decode_quickly(text)
    except ValueError:
        return _decode_slowly(text)


def decode_quickly(text: bytes) -> JSON:
    """The value of a JSON text whose numbers are finite and fit 64 bits. Raises ValueError for other texts, and some
    that are fine."""
    if text.translate(_AS_ZEROS).find(_LONG_NUMBER) >= 0:
        raise ValueError("there may be a large integer")
    return orjson.loads(text)  # its error is a ValueError


def _as_fragment(part: object) -> orjson.Fragment:
    if part.__class__ is Written:
        return orjson.Fragment(part.text)
    raise TypeError(f"{part.__class__.__name__} is no type of JSON")


def _as_value(part: object) -> JSON:
    if isinstance(part, Written):
        return decode(part.text)
    raise TypeError(f"{part.__class__.__name__} is no type of JSON")


def _decode_slowly(text: bytes) -> JSON:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("the text is nested too deeply") from None


def _encode_slowly(value: JSON) -> bytes:
    try:
        text = json.dumps(
            value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_as_value
        )
    except RecursionError:
        raise ValueError("the value is nested too deeply") from None
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_as_value).encode()


#: The version of Python's own format that writes each value where it stands, and a float as ``g`` and eight bytes.
_BARE = 2
#: A float whose exponent has no bit that is not set.
_NON_FINITE = re.compile(rb"g.{6}[\xf0-\xff][\x7f\xff]", re.DOTALL)


def _refuse_non_finite(value: JSON) -> None:
    """orjson writes NaN and infinities as null without a word."""
    # Nearly always nulls are nulls. The bytes of the numbers tell so, several times as fast as a walk, which goes on
    # for them alone that look otherwise.
    try:
        if not _NON_FINITE.search(marshal.dumps(value, _BARE)):
            return
    except ValueError:
        pass  # too deep, or a kind of value of which a walk knows more
    # Level by level, in comprehensions: a value may have a million parts.
    level = [value]
    while level:
        for number in [item for item in level if isinstance(item, float)]:
            if not math.isfinite(number):
                raise ValueError(f"{number} is not a JSON number")
        inner = [item for item in level if isinstance(item, (dict, list, tuple))]
        level = [part for item in inner for part in (item.values() if isinstance(item, dict) else item)]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


#: In place of a value that is not at hand.
MISSING: Any = _Missing()


class Payload:
    """A JSON value on its way through states and log: held once, shared by reference, stored once.

    ``held`` is the value where it is at hand, MISSING where it is yet to be read: ``value`` does so.
    ``ref`` says where the log keeps it: ``(segment, index)`` in the payloads of the segment that begins
    after that event id, or the digest of a blob; None while it is not stored. A payload that a fold met
    has a ``ref`` and no value until someone loads it.
    """

    __slots__ = ("_text", "held", "ref")

    def __init__(
        self, value: JSON = MISSING, text: bytes | None = None, ref: tuple[int, int] | str | None = None
    ):
        self.held = value
        self._text = text
        self.ref = ref

    @classmethod
    def stored(cls, ref: tuple[int, int] | str) -> Payload:
        """A payload that the log holds and nobody has loaded yet."""
        return cls(ref=ref)

    @property
    def loaded(self) -> bool:
        return self.held is not MISSING or self._text is not None

    def load(self, text: bytes) -> None:
        """Give a stored payload its text."""
        self._text = text

    def set(self, value: JSON) -> None:
        """Give a stored payload its value."""
        self.held = value

    @property
    def value(self) -> JSON:
        """The value. Never changed by anyone."""
        if self.held is MISSING:
            if self._text is None:
                raise LookupError(f"the payload {self.ref} was not loaded")
            self.held = decode(self._text)
        return self.held

    def rest(self) -> None:
        """Keep no more than the text, if there is one: whoever asks for the value gets it read anew."""
        if self._text is not None:
            self.held = MISSING

    @property
    def text(self) -> bytes:
        """The compact JSON text. Raises what :func:`encode` raises for a value that is not JSON."""
        text = self._text
        if text is None:
            text = self._text = encode(self.value)
        return text

    def __eq__(self, other: object) -> bool:
        """Equal payloads have equal texts, or stand at the same place of the log."""
        if not isinstance(other, Payload):
            return NotImplemented
        if not self.loaded or not other.loaded:
            return self.ref is not None and self.ref == other.ref
        return self.text == other.text

    def __deepcopy__(self, memo: object) -> Payload:
        """Another payload of the same value: the value itself is never changed, and so not copied."""
        return Payload(self.held, self._text, self.ref)

    __hash__ = None  # type: ignore[assignment]  # equality is by content, and content may be loaded later

    def __repr__(self) -> str:
        return f"Payload({self.text.decode()})" if self.loaded else f"Payload(ref={self.ref})"
