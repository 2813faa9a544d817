"""Text to the tree of an intrinsic function call: ``States.Format('{}', $.name)``.

An argument is a number, true, false, null, a text in single quotes, a path, or another call. A function's
name is checked here; the number of its arguments is not, because the service accepts such a definition
and fails when it runs (see :func:`~detent.query.intrinsics.arity_problems`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

from ..core.values import JSON
from .cursor import Cursor, ExpressionSyntaxError, PathSyntaxError
from .jsonpath import Path, variables_in_path
from .jsonpath.parser import read_path_in_argument

#: Calls inside each other (language, section 10).
MAX_NESTED_CALLS = 10

#: A call is one field of a definition; a longer one is refused before it costs time.
MAX_INTRINSIC_LENGTH = 100_000

#: The functions, and the least and the greatest number of their arguments.
FUNCTIONS: dict[str, tuple[int, int | None]] = {
    "States.Array": (0, None),
    "States.ArrayPartition": (2, 2),
    "States.ArrayContains": (2, 2),
    "States.ArrayRange": (3, 3),
    "States.ArrayGetItem": (2, 2),
    "States.ArrayLength": (1, 1),
    "States.ArrayUnique": (1, 1),
    "States.Base64Encode": (1, 1),
    "States.Base64Decode": (1, 1),
    "States.Hash": (2, 2),
    "States.JsonMerge": (3, 3),
    "States.MathAdd": (2, 2),
    "States.MathRandom": (2, 3),
    "States.StringSplit": (2, 2),
    "States.StringToJson": (1, 1),
    "States.JsonToString": (1, 1),
    "States.Format": (1, None),
    "States.UUID": (0, 0),
}

_NAME = re.compile(r"[A-Za-z][\w.]*")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z]+(?![\w.(])")
_CONSTANTS: dict[str, JSON] = {"true": True, "false": False, "null": None}
_ESCAPABLE = "'{}\\"


class IntrinsicSyntaxError(ExpressionSyntaxError):
    """An intrinsic function call that cannot be parsed."""

    code = "INTRINSIC_SYNTAX"


@dataclass(frozen=True, slots=True)
class Constant:
    value: JSON


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes. ``source`` still has its escapes: a template tells ``\\{`` from ``{``."""

    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Call:
    """One function with its arguments. ``column`` counts from 1 inside the expression."""

    function: str
    arguments: tuple[Argument, ...]
    column: int


Argument: TypeAlias = Constant | Text | Path | Call


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """A parsed expression: the outermost call, and the text as the author wrote it."""

    text: str
    call: Call

    def calls(self) -> Iterator[Call]:
        """Every call in it, the outermost first."""
        pending = [self.call]
        while pending:
            call = pending.pop(0)
            yield call
            pending += [argument for argument in call.arguments if isinstance(argument, Call)]


def is_intrinsic(text: str) -> bool:
    """Whether a template's text is meant as an intrinsic function rather than as a path."""
    return text.lstrip().startswith("States.")


def parse_intrinsic(text: str) -> Intrinsic:
    """Parse an intrinsic function call. Raises :class:`IntrinsicSyntaxError`."""
    if len(text) > MAX_INTRINSIC_LENGTH:
        raise IntrinsicSyntaxError(f"a call may have {MAX_INTRINSIC_LENGTH:,} characters", 1)
    cursor = Cursor(text, IntrinsicSyntaxError)
    cursor.skip_blanks()
    try:
        call = _read_call(cursor, 1)
    except PathSyntaxError as error:
        raise IntrinsicSyntaxError(error.message, error.column) from None
    if cursor.skip_blanks():
        cursor.fail("nothing may follow the call")
    return Intrinsic(text, call)


def variables_in_intrinsic(intrinsic: Intrinsic) -> set[str]:
    """The names of the workflow variables the call reads."""
    paths = (
        argument for call in intrinsic.calls() for argument in call.arguments if isinstance(argument, Path)
    )
    return set().union(*(variables_in_path(path) for path in paths))


def _read_call(cursor: Cursor, depth: int) -> Call:
    start = cursor.position
    name = cursor.match(_NAME)
    if name is None:
        cursor.fail("expected an intrinsic function such as States.Format(...)")
    if name not in FUNCTIONS:
        cursor.fail(f"there is no intrinsic function {name}{_suggestion(name)}", start)
    if depth > MAX_NESTED_CALLS:
        cursor.fail(f"intrinsic functions may nest {MAX_NESTED_CALLS} deep", start)
    cursor.expect("(", f"after {name}")
    arguments: list[Argument] = []
    if cursor.skip_blanks() != ")":
        arguments.append(_read_argument(cursor, depth))
        while cursor.skip_blanks() and cursor.accept(","):
            cursor.skip_blanks()
            arguments.append(_read_argument(cursor, depth))
    cursor.expect(")", f"to close {name}(")
    return Call(name, tuple(arguments), start + 1)


def _suggestion(name: str) -> str:
    lower = {known.lower(): known for known in FUNCTIONS}
    close = get_close_matches(name[:40].lower(), lower, n=1)
    return f"; did you mean {lower[close[0]]}?" if close else ""


def _read_argument(cursor: Cursor, depth: int) -> Argument:
    here = cursor.peek()
    start = cursor.position
    if here == "'":
        return _read_text(cursor)
    if here == "$":
        return read_path_in_argument(cursor)
    number = cursor.match(_NUMBER)
    if number is not None:
        return Constant(_number(cursor, number, start))
    word = cursor.match(_WORD)
    if word in _CONSTANTS:
        return Constant(_CONSTANTS[word])
    cursor.position = start
    if here.isalpha():
        return _read_call(cursor, depth + 1)
    cursor.fail("expected an argument: a number, 'a text', a path, true, false, null or another call")


def _number(cursor: Cursor, text: str, start: int) -> int | float:
    if len(text) > 400 or not math.isfinite(float(text)):
        cursor.fail("the number is out of range", start)
    return float(text) if any(character in ".eE" for character in text) else int(text)


def _read_text(cursor: Cursor) -> Text:
    text, start = cursor.text, cursor.position
    position = start + 1
    characters: list[str] = []
    while position < len(text):
        character = text[position]
        if character == "'":
            cursor.position = position + 1
            return Text("".join(characters), text[start + 1 : position])
        if character == "\\":
            position += 1
            character = text[position : position + 1]
            if character and character not in _ESCAPABLE:
                cursor.fail(rf"'\{character}' is no escape; there are \' \{{ \}} and \\", position - 1)
        characters.append(character)
        position += 1
    cursor.fail("the text that opens here is not closed by a single quote", start)
