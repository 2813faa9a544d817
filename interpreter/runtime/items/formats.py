"""Items in the formats of an ItemReader, read one by one from a file that is open (language, section 2.7).

Each function is a generator that holds one item at a time, however long the file is. What is wrong with a
file is said in the service's words where they are known.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, BinaryIO

import ijson

from ...core.values import JSON, decode
from ...query.javaish import hash_map_order
from .errors import Unreadable

#: Bytes of one item, and of all headers of a CSV file.
ITEM_BYTES_MAX = 8 * 1024 * 1024
HEADER_BYTES_MAX = 10 * 1024

DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}

#: An item, with its name where it is the member of an object.
Entry = tuple[str | None, JSON]

_NOT_ITERABLE = "Attempting to map over non-iterable node."


def read_json(file: BinaryIO, pointer: str | None) -> Iterator[Entry]:
    """The elements of an array; with a pointer, those of an array or the members of an object inside the file."""
    path = _segments(pointer)
    events = _inside(_events(file), path)
    try:
        opening = next(events, None)
        if opening is None:
            raise Unreadable(f"The ItemsPointer {pointer} points to nothing in the file.")
        if opening[0] == "start_array":
            yield from ((None, value) for value in _elements(events))
            if not path:
                for _ in events:  # whatever follows the array has no place there
                    pass
        elif opening[0] == "start_map" and path:
            yield from _members(events)
        else:
            raise Unreadable(_NOT_ITERABLE)
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise Unreadable(f"The file is not valid JSON: {_in_a_line(error)}") from None


def _in_a_line(error: Exception) -> str:
    """What a parser says, without the drawing below it."""
    return str(error).partition("\n")[0].strip().removeprefix("parse error: ").removeprefix("lexical error: ")


def _segments(pointer: str | None) -> list[str]:
    """The steps of a JSON pointer (RFC 6901)."""
    if not pointer:
        return []
    if not pointer.startswith("/"):
        raise Unreadable(f"The ItemsPointer {pointer} is no JSON pointer: it begins with a slash.")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


Event = tuple[str, Any]


def _events(file: BinaryIO) -> Iterator[Event]:
    """What a parser meets, with numbers as the rest of detent has them: integers of any size, else floats."""
    for event, value in ijson.basic_parse(_without_mark(file)):
        yield event, float(value) if isinstance(value, Decimal) else value


def _inside(events: Iterator[Event], path: Sequence[str]) -> Iterator[Event]:
    """The events of the value that a path leads to: its opening first. Nothing if there is no such value."""
    for segment in path:
        opening = next(events, None)
        if opening is None or not _step(events, opening[0], segment):
            return
    yield from events


def _step(events: Iterator[Event], opening: str, segment: str) -> bool:
    """Move to the value of a member or an element; False if there is none."""
    if opening == "start_map":
        for event, value in events:
            if event == "end_map":
                return False
            if value == segment:
                return True
            _build(events)
    elif opening == "start_array" and segment.isdecimal():
        return _skip(events, int(segment))
    return False


def _skip(events: Iterator[Event], count: int) -> bool:
    """Pass over elements of an array. Whether there are as many is found out by who reads on."""
    for _ in range(count):
        event, value = next(events)
        if event == "end_array":
            return False
        _build(events, (event, value))
    return True


def _elements(events: Iterator[Event]) -> Iterator[JSON]:
    for event in events:
        if event[0] == "end_array":
            return
        yield _build(events, event)


def _members(events: Iterator[Event]) -> Iterator[Entry]:
    for event, key in events:
        if event == "end_map":
            return
        yield key, _build(events)


def _build(events: Iterator[Event], first: Event | None = None) -> JSON:
    """The value that begins with the next event, or has begun with ``first``."""
    builder = ijson.ObjectBuilder()
    depth = 0
    event, value = first or next(events)
    while True:
        builder.event(event, value)
        if event in ("start_map", "start_array"):
            depth += 1
        elif event in ("end_map", "end_array"):
            depth -= 1
        if depth == 0:
            return builder.value
        event, value = next(events)


def _without_mark(file: BinaryIO) -> BinaryIO:
    """The file, beyond a byte order mark."""
    if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        file.seek(0)
    return file


def read_jsonl(file: BinaryIO) -> Iterator[Entry]:
    """One value a line; empty lines are no items."""
    for number, line in enumerate(_without_mark(file), 1):
        if line.strip():
            try:
                yield None, decode(line)
            except ValueError as error:
                raise Unreadable(f"Line {number} of the file is not valid JSON: {error}") from None


def read_csv(file: BinaryIO, delimiter: str, headers: Sequence[str] | None) -> Iterator[Entry]:
    """One object of texts a row: what a row lacks is empty, what it has too much is dropped.

    Without ``headers`` the first row has them. An empty line is no row. Members stand as the service has them: in
    the order of its hash table, not of the columns.
    """
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        rows = csv.reader(text, delimiter=DELIMITERS[delimiter])
        names = list(headers) if headers is not None else next(rows, [])
        _check_headers(names)
        place = {name: column for column, name in enumerate(names)}
        columns = [(name, place[name]) for name in hash_map_order(names)]
        for row in rows:
            if row:
                yield None, {name: row[column] if column < len(row) else "" for name, column in columns}
    except (csv.Error, UnicodeDecodeError) as error:
        raise Unreadable(f"The file is not valid CSV: {error}") from None
    finally:
        with suppress(ValueError):  # the file is closed already: nobody wants its rest
            text.detach()


def _check_headers(names: Iterable[str]) -> None:
    known = list(names)
    if len(set(known)) < len(known):
        raise Unreadable("CSV headers cannot contain duplicates.")
    if sum(len(name.encode()) for name in known) > HEADER_BYTES_MAX:
        raise Unreadable(f"CSV headers cannot be larger than {HEADER_BYTES_MAX} bytes.")
