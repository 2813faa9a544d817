"""Offsets in a text, and the lines and characters of the protocol, which counts in units of an encoding."""

from __future__ import annotations

from lsprotocol import types

from detent.schema.diagnostics import Edit, Position
from detent.schema.editor.names import Span
from detent.schema.frontdoor import Lines

_UTF_8, _UTF_32 = types.PositionEncodingKind.Utf8, types.PositionEncodingKind.Utf32


class Places:
    """The places of one text. ``encoding`` is what was agreed with the client, UTF-16 if nothing was."""

    def __init__(self, text: str, encoding: str | None) -> None:
        self.text = text
        self._lines = Lines(text)
        self._count = self._lines.position(len(text)).line
        self._encoding = encoding

    def offset(self, position: types.Position) -> int:
        """The number of characters before a position; beyond the end of a line it is its end."""
        start = self._start(position.line)
        line = self.text[start : self._start(position.line + 1)].rstrip("\r\n")
        left = position.character
        for index, character in enumerate(line):
            if left <= 0:
                return start + index
            left -= self._units(character)
        return start + len(line)

    def position(self, offset: int) -> types.Position:
        """The position of an offset."""
        place = self._lines.position(min(offset, len(self.text)))
        start = self._lines.offset(Position(place.line, 1))
        units = sum(map(self._units, self.text[start : min(offset, len(self.text))]))
        return types.Position(place.line - 1, units)

    def range(self, span: Span | Edit) -> types.Range:
        return types.Range(self.position(span.start), self.position(span.end))

    def edit(self, edit: Edit) -> types.TextEdit:
        return types.TextEdit(self.range(edit), edit.text)

    def _start(self, line: int) -> int:
        """Where a line begins, counted from 0."""
        return self._lines.offset(Position(line + 1, 1)) if line < self._count else len(self.text)

    def _units(self, character: str) -> int:
        if self._encoding == _UTF_32:
            return 1
        if self._encoding == _UTF_8:
            return len(character.encode("utf-8", "surrogatepass"))
        return 2 if ord(character) > 0xFFFF else 1
