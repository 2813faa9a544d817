"""The test inside ``[?(...)]``: text to :data:`~.syntax.Test`.

Grammar: tests joined by ``&&`` and ``||`` (and binds tighter), ``!``, parentheses; a test is a path alone
or two operands with an operator. An unquoted word at the right of an operator is a text, as published
definitions write it (``@.Name==Receipt``). There is no arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ...core.values import JSON
from ..cursor import Cursor
from .patterns import compile_pattern
from .syntax import Absent, All, Any, Comparison, Exists, Literal, Not, Operand, Path, Pattern, Test

SYMBOLS = ("===", "!==", "==", "!=", "<=", ">=", "=~", "<", ">")
WORDS = frozenset({"in", "nin", "subsetof", "anyof", "noneof", "all", "contains", "size", "empty"})

_NUMBER = re.compile(r"-?(0|[0-9]+)(\.[0-9]+)?([eE][-+]?[0-9]+)?(?![\w.])")
_WORD = re.compile(r"[^\W\d][\w-]*")
_FLAGS = re.compile(r"[dixmsuU]*")
_CONSTANTS: dict[str, JSON] = {"true": True, "false": False, "null": None}


class TestReader:
    """Reads one test up to what cannot belong to it; ``read_path`` reads the paths in it."""

    def __init__(self, cursor: Cursor, read_path: Callable[[Cursor], Path]) -> None:
        self._cursor = cursor
        self._read_path = read_path

    def read(self) -> Test:
        tests = [self._conjunction()]
        while self._joined_by("||"):
            tests.append(self._conjunction())
        return tests[0] if len(tests) == 1 else Any(tuple(tests))

    def _conjunction(self) -> Test:
        tests = [self._single()]
        while self._joined_by("&&"):
            tests.append(self._single())
        return tests[0] if len(tests) == 1 else All(tuple(tests))

    def _joined_by(self, symbol: str) -> bool:
        self._cursor.skip_blanks()
        return self._cursor.accept(symbol)

    def _single(self) -> Test:
        cursor = self._cursor
        cursor.skip_blanks()
        if cursor.accept("!"):
            if cursor.skip_blanks() in ("@", "$"):
                return self._absent()
            with cursor.nested():
                return Not(self._single())
        if cursor.accept("("):
            with cursor.nested():
                test = self.read()
            cursor.skip_blanks()
            cursor.expect(")", "to close the parenthesis")
            return test
        return self._comparison()

    def _absent(self) -> Test:
        path = self._path()
        if self._operator() is not None:
            self._cursor.fail("'!' negates a path or a parenthesis, not one side of a comparison")
        return Absent(path)

    def _comparison(self) -> Test:
        cursor = self._cursor
        start = cursor.position
        left = self._operand(is_left=True)
        operator = self._operator()
        if operator is None:
            if not isinstance(left, Path):
                cursor.fail("a value alone is not a test; compare it with something", start)
            return Exists(left)
        right = self._operand(is_left=False)
        if sum(isinstance(side, Pattern) for side in (left, right)) != (operator == "=~"):
            cursor.fail(
                "a pattern stands at one side of '=~', as in @.name =~ /a.*/i, and nowhere else", start
            )
        return Comparison(left, operator, right)

    def _operator(self) -> str | None:
        cursor = self._cursor
        cursor.skip_blanks()
        for symbol in SYMBOLS:
            if cursor.accept(symbol):
                return symbol
        start = cursor.position
        word = cursor.match(_WORD)
        if word is None:
            return None
        if word.lower() not in WORDS:
            cursor.fail(f"there is no operator {word!r}", start)
        return word.lower()

    def _path(self) -> Path:
        start = self._cursor.position
        path = self._read_path(self._cursor)
        if path.root not in ("@", "$"):
            self._cursor.fail(
                "inside a filter a path starts with '@' (the item) or '$' (the document)", start
            )
        return path

    def _operand(self, *, is_left: bool) -> Operand:
        cursor = self._cursor
        here = cursor.skip_blanks()
        start = cursor.position
        if here in ("@", "$"):
            return self._path()
        if here == "/":
            return self._pattern()
        word = cursor.match(_WORD)
        if word is None:
            return Literal(read_json(cursor))
        if word not in _CONSTANTS and is_left:
            cursor.fail(f"{word!r} is neither a path nor a quoted text", start)
        return Literal(_CONSTANTS.get(word, word))

    def _pattern(self) -> Pattern:
        cursor = self._cursor
        text, start = cursor.text, cursor.position
        position = start + 1
        while position < len(text) and text[position] != "/":
            position += 2 if text[position] == "\\" else 1
        if position >= len(text):
            cursor.fail("the pattern is not closed by '/'", start)
        cursor.position = position + 1
        pattern = Pattern(text[start + 1 : position].replace("\\/", "/"), cursor.match(_FLAGS) or "")
        try:
            compile_pattern(pattern)
        except ValueError as error:
            cursor.fail(str(error), start)
        return pattern


def read_json(cursor: Cursor) -> JSON:
    """Read a literal: a number, a text in either quotes, true, false, null, an array or an object."""
    here = cursor.skip_blanks()
    start = cursor.position
    if here in ("'", '"'):
        return cursor.quoted()
    if cursor.accept("["):
        with cursor.nested():
            return _array(cursor)
    if cursor.accept("{"):
        with cursor.nested():
            return _object(cursor)
    number = cursor.match(_NUMBER)
    if number is not None:
        return _number(cursor, number, start)
    word = cursor.match(_WORD)
    if word not in _CONSTANTS:
        cursor.fail("expected a value", start)
    return _CONSTANTS[word]


def _number(cursor: Cursor, text: str, start: int) -> int | float:
    if len(text) > 400 or (number := float(text)) in (float("inf"), float("-inf")):
        cursor.fail("the number is out of range", start)
    return number if any(c in ".eE" for c in text) else int(text)


def _array(cursor: Cursor) -> list[JSON]:
    items: list[JSON] = []
    while cursor.skip_blanks() != "]":
        if items:
            cursor.expect(",", "between the items")
        items.append(read_json(cursor))
    cursor.accept("]")
    return items


def _object(cursor: Cursor) -> dict[str, JSON]:
    members: dict[str, JSON] = {}
    while cursor.skip_blanks() != "}":
        if members:
            cursor.expect(",", "between the members")
            cursor.skip_blanks()
        name = cursor.quoted() if cursor.peek() in ("'", '"') else cursor.match(_WORD)
        if name is None:
            cursor.fail("expected the name of a member")
        cursor.skip_blanks()
        cursor.expect(":", "after the name")
        members[name] = read_json(cursor)
    cursor.accept("}")
    return members
