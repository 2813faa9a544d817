"""Tokens of a JSONata expression, each with its place.

A slash begins a regular expression where an operand may stand and divides where an operator may; the
parser knows which, so it asks for one token at a time. Messages are those of the language's reference.
"""

from __future__ import annotations

import json
import re
from typing import Literal, NamedTuple, NoReturn

from ..cursor import ExpressionSyntaxError

Kind = Literal["operator", "name", "variable", "string", "number", "value", "regex", "end"]

_BLANKS = " \t\n\r\v"
_LONG_OPERATORS = ("..", ":=", "!=", ">=", "<=", "**", "~>")
_OPERATORS = frozenset(".[]{}(),@#;:?+-*/%|=<>^&!~")
_NUMBER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS: dict[str, Kind] = {
    "and": "operator",
    "or": "operator",
    "in": "operator",
    "true": "value",
    "false": "value",
    "null": "value",
}


class JSONataSyntaxError(ExpressionSyntaxError):
    """An expression that cannot be parsed. ``reason`` is the language's own code for it."""

    code = "JSONATA_SYNTAX"

    def __init__(self, reason: str, message: str, column: int) -> None:
        super().__init__(message, column)
        self.reason = reason


class Token(NamedTuple):
    """``value`` is the operator, the name, the text without quotes; ``start`` and ``end`` count from 0."""

    kind: Kind
    value: str
    start: int
    end: int


def quoted(value: str) -> str:
    """A value as the language's messages quote it."""
    return json.dumps(value, ensure_ascii=False)


class Lexer:
    """Reads one expression from front to back."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._position = 0

    def fail(self, reason: str, message: str, at: int | None = None) -> NoReturn:
        raise JSONataSyntaxError(reason, message, (self._position if at is None else at) + 1)

    def next(self, *, operand: bool) -> Token:
        """The next token; ``operand`` says that a regular expression may begin here."""
        self._skip()
        text, start = self.text, self._position
        if start >= len(text):
            return Token("end", "", start, start)
        character = text[start]
        if operand and character == "/":
            return self._regex(start)
        for operator in _LONG_OPERATORS:
            if text.startswith(operator, start):
                return self._token("operator", operator, start, start + 2)
        if character in "!~":
            self.fail("S0204", f"Unknown operator: {quoted(character)}", start)
        if character in _OPERATORS:
            return self._token("operator", character, start, start + 1)
        if character in "\"'":
            return self._string(start)
        if number := _NUMBER.match(text, start):
            if float(number.group()) == float("inf"):
                self.fail("S0102", f"Number out of range: {number.group()}", start)
            return self._token("number", number.group(), start, number.end())
        if character == "`":
            end = text.find("`", start + 1)
            if end < 0:
                self.fail("S0105", "Quoted property name must be terminated with a backquote (`)", start)
            return self._token("name", text[start + 1 : end], start, end + 1)
        return self._word(start)

    def _token(self, kind: Kind, value: str, start: int, end: int) -> Token:
        self._position = end
        return Token(kind, value, start, end)

    def _skip(self) -> None:
        """Move over blanks and comments."""
        text = self.text
        while self._position < len(text):
            if text[self._position] in _BLANKS:
                self._position += 1
            elif text.startswith("/*", self._position):
                end = text.find("*/", self._position + 2)
                if end < 0:
                    self.fail("S0106", "Comment has no closing tag")
                self._position = end + 2
            else:
                return

    def _word(self, start: int) -> Token:
        text, end = self.text, start
        while end < len(text) and text[end] not in _BLANKS and text[end] not in _OPERATORS:
            end += 1
        word = text[start:end]
        if word.startswith("$"):
            return self._token("variable", word[1:], start, end)
        return self._token(_WORDS.get(word, "name"), word, start, end)

    def _string(self, start: int) -> Token:
        text, quote, position = self.text, self.text[start], start + 1
        parts: list[str] = []
        while position < len(text):
            character = text[position]
            if character == quote:
                return self._token("string", "".join(parts), start, position + 1)
            if character == "\\":
                part, position = self._escape(position + 1)
                parts.append(part)
            else:
                parts.append(character)
                position += 1
        self.fail("S0101", "String literal must be terminated by a matching quote", start)

    def _escape(self, position: int) -> tuple[str, int]:
        escape = self.text[position : position + 1]
        if escape in _ESCAPES:
            return _ESCAPES[escape], position + 1
        if escape == "u":
            found = _HEXADECIMAL.match(self.text, position + 1)
            if found is None:
                message = "The escape sequence \\u must be followed by 4 hex digits"
                self.fail("S0104", message, position)
            return chr(int(found.group(), 16)), found.end()
        self.fail("S0103", f"Unsupported escape sequence: \\{quoted(escape)}", position)

    def _regex(self, start: int) -> Token:
        """``/pattern/flags``; a slash inside brackets or after a backslash does not end it."""
        text, position, depth = self.text, start + 1, 0
        while position < len(text):
            character = text[position]
            if character == "\\":
                position += 2
                continue
            if character == "/" and depth == 0:
                break
            if character in "([{":
                depth += 1
            elif character in ")]}":
                depth -= 1
            position += 1
        if position >= len(text):
            self.fail("S0302", "No terminating / in regular expression", start)
        if position == start + 1:
            self.fail("S0301", "Empty regular expressions are not allowed", start)
        end = position + 1
        while text[end : end + 1] in ("i", "m"):
            end += 1
        return self._token("regex", text[start + 1 : position], start, end)
