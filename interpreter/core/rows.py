"""Rows: what signals and events are in the log, ``[code, field, ...]`` with the fields in the order of their class.

They are made for every state that is entered and written soon after, so they are structs of msgspec, which does both
in C: a fourth of the time that a dataclass takes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.json import encode as encode_quickly
from msgspec.structs import replace as replaced

from .values import JSON

__all__ = ["Record", "Row", "code_of", "encode_rows", "fields_of", "replaced"]


class Record(Struct, array_like=True, gc=False):
    """Fields that are written as the list of their values. None is part of a cycle, so there is nothing to collect."""


class Row(Record):
    """A record whose class has a code, given as ``tag``, which is written before the values."""

    @property
    def code(self) -> str:
        """The first item of the row."""
        return code_of(self.__class__)


def code_of(kind: type[Row]) -> str:
    """The code of the rows of a class."""
    return str(kind.__struct_config__.tag)


def fields_of(kind: type[Row]) -> dict[str, str]:
    """The fields of the rows of a class in their order, with their types as they are written there."""
    return {name: kind.__annotations__[name] for name in kind.__struct_fields__}


def encode_rows(rows: JSON, reference: Callable[[Any], JSON]) -> bytes:
    """The compact JSON text of rows and of what they stand in: ``reference`` says what stands for other objects.

    Raises what ``reference`` raises.
    """
    try:
        return encode_quickly(rows, enc_hook=reference)
    except UnicodeEncodeError:  # a lone surrogate, which JSON can spell
        return json.dumps(_spread(rows, reference), separators=(",", ":")).encode()


def _spread(part: Any, reference: Callable[[Any], JSON]) -> JSON:
    """Rows as lists, and what they refer to as what stands for it."""
    if isinstance(part, Struct):
        return [_spread(item, reference) for item in _items(part)]
    if isinstance(part, (list, tuple)):
        return [_spread(item, reference) for item in part]
    if isinstance(part, dict):
        return {name: _spread(value, reference) for name, value in part.items()}
    return part if part is None or isinstance(part, (str, int, float)) else reference(part)


def _items(row: Struct) -> Iterator[Any]:
    if row.__struct_config__.tag is not None:
        yield row.__struct_config__.tag
    for name in row.__struct_fields__:
        yield getattr(row, name)
