"""Where a cursor stands, seen from the text before it alone: in which field of what, and what is typed so far.

Nothing has to be sound: the text behind the cursor does not count, and brackets may still be open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..diagnostics import Pointer

_KEY = re.compile(
    r"""(?P<key>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#\[\]{},&*!|>%@`-].*?)[ \t]*:(?=\s|\Z)"""
)
_BLOCK_SCALAR = re.compile(r"(?:[&!]\S+\s+)*[|>][-+0-9]*\s*(?:#.*)?\Z")
_DECORATION = re.compile(r"(?:[&!]\S+[ \t]+)+")
_REST_OF_WORD = re.compile(r"\w*")
#: What a key, or a value, without quotes may go on with behind the cursor.
_REST_OF_KEY = re.compile(r"[^:\s]*(?:[ \t]+[^:#\s][^:\s]*)*(?=[ \t]*:)|[^:\s]*")
_REST_OF_VALUE = re.compile(r"[^\s]*(?:[ \t]+[^#\s][^\s]*)*")
_REST_IN_FLOW = re.compile(r"""[^\s,\[\]{}:"']*(?:[ \t]+[^\s,\[\]{}:"'#]+)*""")
_REST_IN_QUOTES = {'"': re.compile(r'(?:[^"\\\r\n]|\\.)*(?=")'), "'": re.compile(r"(?:[^'\r\n]|'')*(?=')")}
_COLON = re.compile(r"[\"']?[ \t]*:")
_FLOW_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\\r\n]|\\.)*"?|'(?:[^'\r\n]|'')*'?)|(?P<mark>[\[\]{},:])|\s+|[^\s"'\[\]{},:]+|."""
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """``path`` leads to the object whose key is typed (``is_key``), or to the value that is. ``typed`` is what
    stands before the cursor of it; ``start`` and ``end`` are the offsets of the key or value that completion
    replaces, ``word_end`` is the end of the word in it. ``quote`` is the quote it was opened with."""

    path: Pointer
    is_key: bool
    typed: str
    start: int
    end: int
    word_end: int
    quote: str = ""
    is_json: bool = False
    has_colon: bool = False


def cursor_at(text: str, offset: int) -> Cursor | None:
    """The place of the cursor; None inside a comment or a text of several lines."""
    offset = min(max(offset, 0), len(text))
    if text.lstrip()[:1] in ("{", "["):
        found = _in_flow(text, len(text) - len(text.lstrip()), offset, ())
        return None if found is None else replace(found, is_json=True)
    return _in_block(text, offset)


@dataclass(slots=True)
class _Level:
    """A mapping or a sequence that is open. The rank orders them: a sequence may stand as far left as its key."""

    rank: int
    step: str | int


def _in_block(text: str, offset: int) -> Cursor | None:
    levels: list[_Level] = []
    at = 0
    scalar: int | None = None
    while True:
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at : min(end, offset)].rstrip("\r")
        is_last = end >= offset
        column = len(line) - len(line.lstrip(" "))
        inside = scalar is not None and (column > scalar or not line.strip())
        if not inside:
            scalar = None
        if is_last:
            return None if inside else _on_line(text, at, line, levels, offset)
        content = line[column:]
        if not inside and content and not content.startswith(("#", "---", "%")):
            column, content = _items(levels, column, content)
            if (key := _KEY.match(content)) is not None:
                _enter(levels, 2 * column, _plain(key["key"]))
                value = content[key.end() :].lstrip()
                start = at + len(line) - len(value)
            else:
                value, start = content, at + len(line) - len(content)
            value = value[_decorated(value) :]
            if _BLOCK_SCALAR.match(value):
                scalar = column
            elif value[:1] in ("{", "["):
                start = at + len(line) - len(value)
                closed = _closing(text, start, offset)
                if closed is None:
                    return _in_flow(text, start, offset, _path(levels))
                end = max(end, text.find("\n", closed) if text.find("\n", closed) >= 0 else len(text))
                if end >= offset and closed < offset:
                    return None
        at = end + 1


def _decorated(value: str) -> int:
    """How long the anchor and the tag before a value are."""
    found = _DECORATION.match(value)
    return 0 if found is None else found.end()


def _items(levels: list[_Level], column: int, content: str) -> tuple[int, str]:
    """Enter the items of sequences that begin on a line; what is left of it, and where."""
    while content == "-" or content.startswith("- "):
        rank = 2 * column + 1
        _leave(levels, rank)
        if levels and levels[-1].rank == rank:
            levels[-1].step = int(levels[-1].step) + 1
        else:
            levels.append(_Level(rank, 0))
        inner = content[1:].lstrip(" ")
        column += len(content) - len(inner)
        content = inner
    return column, content


def _enter(levels: list[_Level], rank: int, key: str) -> None:
    _leave(levels, rank)
    if levels and levels[-1].rank == rank:
        levels[-1].step = key
    else:
        levels.append(_Level(rank, key))


def _leave(levels: list[_Level], rank: int) -> None:
    while levels and levels[-1].rank > rank:
        levels.pop()


def _path(levels: list[_Level]) -> Pointer:
    return tuple(level.step for level in levels)


def _on_line(text: str, at: int, line: str, levels: list[_Level], offset: int) -> Cursor | None:
    """The cursor on the line that begins at ``at`` and is ``line`` so far."""
    column = len(line) - len(line.lstrip(" "))
    content = line[column:]
    if content.startswith("#") or re.search(r"\s#[^'\"]*\Z", content):
        return None
    column, content = _items(levels, column, content)
    start = offset - len(content)
    key = _KEY.match(content)
    if key is not None:
        _enter(levels, 2 * column, _plain(key["key"]))
        value = content[key.end() :]
        value = value.lstrip()
        value = value[_decorated(value) :]
        return _value(text, value, offset, _path(levels))
    if content[:1] in ("{", "["):
        return _in_flow(text, start, offset, _path(levels))
    _leave(levels, 2 * column)
    if levels and levels[-1].rank == 2 * column:
        levels.pop()
    quote = content[:1] if content[:1] in ('"', "'") else ""
    typed = content[len(quote) :]
    return _cursor(text, _path(levels), True, typed, offset, quote, _REST_OF_KEY)


def _value(text: str, value: str, offset: int, path: Pointer) -> Cursor | None:
    if value[:1] in ("{", "["):
        return _in_flow(text, offset - len(value), offset, path)
    if _BLOCK_SCALAR.match(value):
        return None
    quote = value[:1] if value[:1] in ('"', "'") else ""
    typed = value[len(quote) :]
    return _cursor(text, path, False, typed, offset, quote, _REST_OF_VALUE)


@dataclass(slots=True)
class _Bracket:
    """An object or an array that is open; ``is_value``: behind the colon of a member."""

    is_object: bool
    step: str | int | None = None
    is_value: bool = False

    @property
    def place(self) -> Pointer:
        """The step to what is being written inside."""
        return () if self.step is None or (self.is_object and not self.is_value) else (self.step,)


def _in_flow(text: str, start: int, offset: int, base: Pointer) -> Cursor | None:
    """The cursor inside brackets that open at ``start``."""
    open_: list[_Bracket] = []
    at, word, quote = start, start, ""
    while at < offset:
        token = _FLOW_TOKEN.match(text, at, offset)
        assert token is not None, "any character is a token"
        written, mark = token.group(), token["mark"]
        if mark is not None:
            if not _mark(open_, mark, text[word:at]):
                return None
            word, quote = token.end(), ""
        elif not text[word:at].strip():
            word = at if written.strip() else token.end()
            quote = written[:1] if token["string"] else ""
        at = token.end()
    if not open_:
        return None
    typed = text[word:offset]
    typed = typed[len(quote) :]
    top = open_[-1]
    path = base + tuple(step for level in open_ for step in level.place)
    return _cursor(text, path, top.is_object and not top.is_value, typed, offset, quote, _REST_IN_FLOW)


def _mark(open_: list[_Bracket], mark: str, before: str) -> bool:
    """Take one of ``[]{},:`` in; whether something is still open behind it."""
    if mark in "{[":
        open_.append(_Bracket(mark == "{", None if mark == "{" else 0))
    elif mark in "}]":
        open_.pop()
    elif mark == "," and open_[-1].is_object:
        open_[-1].is_value = False
    elif mark == ",":
        open_[-1].step = int(open_[-1].step or 0) + 1
    elif open_[-1].is_object and not open_[-1].is_value:
        open_[-1].step, open_[-1].is_value = _plain(before.strip()), True
    return bool(open_)


def closed_before(text: str, offset: int) -> str:
    """What stands in brackets before the cursor as a whole: the unfinished member left out, all brackets closed."""
    open_: list[str] = []
    whole = ""
    for token in _FLOW_TOKEN.finditer(text, 0, offset):
        mark = token["mark"]
        if mark is None or mark == ":":
            continue
        if mark in "{[":
            open_.append("}" if mark == "{" else "]")
        elif mark in "}]" and open_:
            open_.pop()
        end = token.start() if mark == "," else token.end()
        whole = text[:end] + "".join(reversed(open_))
    return whole


def _closing(text: str, start: int, limit: int) -> int | None:
    """Where the bracket that opens at ``start`` is closed, if that is before ``limit``."""
    depth = 0
    for token in _FLOW_TOKEN.finditer(text, start, limit):
        mark = token["mark"]
        if mark is not None:
            depth += (mark in "{[") - (mark in "}]")
            if depth <= 0:
                return token.start()
    return None


def _plain(written: str) -> str:
    """A key without its quotes."""
    if written[:1] in ('"', "'") and written[-1:] == written[:1] and len(written) > 1:
        return written[1:-1].replace('\\"', '"').replace("''", "'")
    return written


def _cursor(
    text: str, path: Pointer, is_key: bool, typed: str, offset: int, quote: str, rest: re.Pattern[str]
) -> Cursor | None:
    """The cursor behind what is typed; None behind a closing quote."""
    if quote and typed.endswith(quote) and not typed.endswith("\\" + quote):
        return None
    going_on = (_REST_IN_QUOTES[quote] if quote else rest).match(text, offset)
    end = offset if going_on is None else going_on.end()
    word = _REST_OF_WORD.match(text, offset)
    assert word is not None, "matches the empty text"
    has_colon = is_key and _COLON.match(text, end) is not None
    return Cursor(path, is_key, typed, offset - len(typed), end, word.end(), quote, has_colon=has_colon)
