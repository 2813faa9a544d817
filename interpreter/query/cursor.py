"""A text and a place in it: what the hand-written parsers of expressions share.

Owns the movement over the text, the reading of quoted text, and the two syntax errors. Knows no grammar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from ..core.errors import DetentError

#: How deep parentheses, brackets, calls and filters may stand inside each other.
MAX_NESTING = 60

_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class ExpressionSyntaxError(DetentError):
    """An expression that cannot be parsed. ``column`` counts from 1 inside the expression."""

    code = "EXPRESSION_SYNTAX"

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message} (column {column})")
        self.message = message
        self.column = column


class PathSyntaxError(ExpressionSyntaxError):
    """A JSONPath that cannot be parsed, or is not of the kind its field asks for."""

    code = "PATH_SYNTAX"


class Cursor:
    """A position in a text. ``error`` is the type of what :meth:`fail` raises."""

    __slots__ = ("_depth", "error", "position", "text")

    def __init__(self, text: str, error: type[ExpressionSyntaxError] = PathSyntaxError) -> None:
        self.text = text
        self.position = 0
        self.error = error
        self._depth = 0

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        raise self.error(message, (self.position if at is None else at) + 1)

    def peek(self) -> str:
        """The character at the position, or an empty string at the end."""
        return self.text[self.position : self.position + 1]

    def skip_blanks(self) -> str:
        """Move over blanks and peek."""
        text, position, end = self.text, self.position, len(self.text)
        while position < end and text[position].isspace():
            position += 1
        self.position = position
        return self.peek()

    def accept(self, token: str) -> bool:
        """Move over the token if it stands here."""
        if self.text.startswith(token, self.position):
            self.position += len(token)
            return True
        return False

    def expect(self, token: str, purpose: str) -> None:
        """Move over the token, or fail saying what it is for."""
        if not self.accept(token):
            found = f"found {self.peek()!r}" if self.peek() else "the expression ends"
            self.fail(f"expected {token!r} {purpose}, but {found}")

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """Move over what the pattern matches here."""
        found = pattern.match(self.text, self.position)
        if found is None:
            return None
        self.position = found.end()
        return found.group()

    @contextmanager
    def nested(self) -> Iterator[None]:
        """Read something inside something else; fails when that goes too deep."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            self.fail(f"an expression may nest {MAX_NESTING} deep")
        yield
        self._depth -= 1

    def quoted(self) -> str:
        """Read a text in the quotes that stand here; backslash escapes are those of Java."""
        quote, start = self.peek(), self.position
        position = start + 1
        while position < len(self.text):
            character = self.text[position]
            if character == "\\":
                position += 1
            elif character == quote:
                self.position = position + 1
                return unescape(self.text[start + 1 : position])
            position += 1
        self.fail(f"the text that opens with {quote} is not closed", start)


def unescape(text: str) -> str:
    r"""Resolve ``\n``, ``\u00e9`` and the like; any other escaped character stands for itself."""
    if "\\" not in text:
        return text
    return join_surrogates(_ESCAPE.sub(_escaped, text))


def join_surrogates(text: str) -> str:
    """Make one character of each surrogate pair; a lone surrogate stays."""
    return _SURROGATES.sub(
        lambda pair: pair.group().encode("utf-16-le", "surrogatepass").decode("utf-16-le"), text
    )


def _escaped(escape: re.Match[str]) -> str:
    body = escape.group(1)
    return chr(int(body[1:], 16)) if len(body) > 1 else _CONTROLS.get(body, body)
