"""Text to :class:`~.syntax.Path`: the JSONPath dialect of the service, which is that of Jayway JsonPath.

Recursive descent over one cursor; filters have their own module. What the service tolerates is tolerated:
``$.[0]``, ``$.a.[0]``, ``$.a[0]b``, blanks around the path and inside brackets. What it refuses is
refused with a column.
"""

from __future__ import annotations

import re

from ..cursor import Cursor, PathSyntaxError
from .filters import TestReader, read_json
from .syntax import Call, Descent, Filter, Index, Indexes, Literal, Names, Path, Slice, Step, Wildcard

#: A path is one line a person wrote; a longer one is refused before it costs time.
MAX_PATH_LENGTH = 20_000

#: Functions at the end of a path, and how many arguments each may have.
FUNCTIONS = {
    "length": (0, 1),
    "size": (0, 1),
    "min": (0, None),
    "max": (0, None),
    "sum": (0, None),
    "avg": (0, None),
    "stddev": (0, None),
    "concat": (0, None),
    "append": (0, None),
    "keys": (0, 0),
    "first": (0, 0),
    "last": (0, 0),
    "index": (1, 1),
}

_BRACKETED_NUMBERS = re.compile(r"[-0-9:, ]+")
_INTEGER = re.compile(r"-?[0-9]{1,10}")
_WORD = re.compile(r"[^\W\d]\w*")

#: Where a dot name ends: always, and besides inside a filter or the arguments of a function.
_ENDS = ".[( "
_ENDS_IN_FILTER = _ENDS + "\t\r\n<>=~!&|),"
_ENDS_IN_ARGUMENT = _ENDS + "\t\r\n),"
#: What no dot name of a reference path may hold (language, section 3).
_NOT_IN_REFERENCE = "@,:?*"


def parse_path(text: str) -> Path:
    """Parse a path: ``$...``, ``$$...`` or ``$variable...``. Raises :class:`PathSyntaxError`."""
    if len(text) > MAX_PATH_LENGTH:
        raise PathSyntaxError(
            f"a path may have {MAX_PATH_LENGTH:,} characters, this one has {len(text):,}", 1
        )
    cursor = Cursor(text.rstrip())
    if cursor.skip_blanks() != "$":
        cursor.fail("a path must start with '$'")
    path = read_path(cursor, _ENDS)
    if cursor.peek():
        cursor.fail(f"{cursor.peek()!r} cannot stand here")
    return path


def parse_reference_path(text: str) -> Path:
    """Parse a reference path: one root, single names and indexes (jsonpath, "Two path kinds").

    Raises :class:`PathSyntaxError`, which says which part makes it more than a reference.
    """
    path = parse_path(text)
    for step, column in zip(path.steps, path.columns, strict=True):
        reason = _why_not_reference(step)
        if reason:
            raise PathSyntaxError(f"a reference path names one node, so {reason} cannot stand in it", column)
    return path


def _why_not_reference(step: Step) -> str | None:
    match step:
        case Names((name,), ""):
            wrong = next((c for c in name if c in _NOT_IN_REFERENCE), None)
            return f"{wrong!r} outside ['...']" if wrong else None
        case Names((_,)) | Index():
            return None
        case Names():
            return "a list of names"
        case Indexes():
            return "a list of indexes"
        case Slice():
            return "a slice"
        case Wildcard():
            return "the wildcard '*'"
        case Descent():
            return "the descent '..'"
        case Filter():
            return "a filter"
        case Call(function):
            return f"the function {function}()"


def read_path(cursor: Cursor, ends: str) -> Path:
    """Read a path that starts at the cursor; dot names end at one of ``ends``."""
    start = cursor.position
    root = _read_root(cursor)
    steps, columns = _StepReader(cursor, ends).read()
    text = cursor.text[start : cursor.position]
    return Path(text, root, *_turn_round(steps, columns, text))


def read_path_in_filter(cursor: Cursor) -> Path:
    """Read the ``@...`` or ``$...`` at one side of a filter's test."""
    return read_path(cursor, _ENDS_IN_FILTER)


def read_path_in_argument(cursor: Cursor) -> Path:
    """Read a path that ends at a comma, a closing parenthesis or a blank."""
    return read_path(cursor, _ENDS_IN_ARGUMENT)


def _read_root(cursor: Cursor) -> str:
    if cursor.accept("@"):
        return "@"
    cursor.position += 1
    if cursor.accept("$"):
        return "$$"
    return cursor.match(_WORD) or "$"


def _turn_round(steps: list[Step], columns: list[int], text: str) -> tuple[tuple[Step, ...], tuple[int, ...]]:
    """``$..x.sum()`` means ``$.sum($..x)``: a function behind a descent gets the whole list."""
    if steps and isinstance(steps[0], Descent):
        for place, step in enumerate(steps):
            if isinstance(step, Call):
                inner = Path(text, "$", tuple(steps[:place]), tuple(columns[:place]))
                return (Call(step.function, (inner,)), *steps[place + 1 :]), tuple(columns[place:])
    return tuple(steps), tuple(columns)


class _StepReader:
    """Reads the steps behind a root."""

    def __init__(self, cursor: Cursor, ends: str) -> None:
        self._cursor = cursor
        self._stops = ends.replace(".", "").replace("[", "")
        self._ends = ends
        self._steps: list[Step] = []
        self._columns: list[int] = []

    def read(self) -> tuple[list[Step], list[int]]:
        cursor = self._cursor
        here = cursor.peek()
        if here and here not in self._ends:
            cursor.fail(f"expected '.' or '[' after the root, but found {here!r}")
        while (here := cursor.peek()) and here not in self._stops:
            if here == ".":
                self._dot()
            else:
                self._step()
        if here == " " and self._ends is _ENDS:
            cursor.fail("a name with blanks must be written ['my name']")
        return self._steps, self._columns

    def _add(self, step: Step, start: int) -> None:
        self._steps.append(step)
        self._columns.append(start + 1)

    def _dot(self) -> None:
        cursor = self._cursor
        start = cursor.position
        if cursor.accept(".."):
            self._add(Descent(), start)
        else:
            cursor.accept(".")
        here = cursor.peek()
        if not here:
            cursor.fail("a path must not end with '.'", start)
        if here == ".":
            cursor.fail("'.' cannot stand here")
        self._step()

    def _step(self) -> None:
        cursor = self._cursor
        here = cursor.peek()
        start = cursor.position
        if here == "[":
            self._add(self._bracket(), start)
        elif here == "*":
            cursor.position += 1
            self._add(Wildcard(), start)
        else:
            self._add(self._name(), start)

    def _name(self) -> Step:
        cursor = self._cursor
        text, start = cursor.text, cursor.position
        position = start
        while position < len(text) and text[position] not in self._ends:
            position += 1
        name = text[start:position]
        cursor.position = position
        if not name:
            cursor.fail(
                f"expected a name, but found {cursor.peek()!r}" if cursor.peek() else "expected a name"
            )
        if cursor.peek() == "(":
            return self._call(name, start)
        return Names((name,), "")

    def _call(self, name: str, start: int) -> Call:
        cursor = self._cursor
        if name not in FUNCTIONS:
            cursor.fail(
                f"there is no path function {name}(); the functions are {', '.join(FUNCTIONS)}", start
            )
        cursor.accept("(")
        arguments: list[Path | Literal] = []
        while cursor.skip_blanks() != ")":
            if arguments:
                cursor.expect(",", "between arguments")
                cursor.skip_blanks()
            with cursor.nested():
                arguments.append(self._argument())
        cursor.accept(")")
        least, most = FUNCTIONS[name]
        if len(arguments) < least or (most is not None and len(arguments) > most):
            cursor.fail(f"{name}() does not take {len(arguments)} arguments", start)
        return Call(name, tuple(arguments))

    def _argument(self) -> Path | Literal:
        cursor = self._cursor
        if cursor.peek() in ("$", "@"):
            return read_path_in_argument(cursor)
        if cursor.peek() == "'":
            cursor.fail("a text given to a path function is written in double quotes")
        return Literal(read_json(cursor))

    def _bracket(self) -> Step:
        cursor = self._cursor
        start = cursor.position
        cursor.position += 1
        here = cursor.skip_blanks()
        step: Step
        if here in ("'", '"'):
            return self._quoted_names(here)
        if here == "*":
            cursor.position += 1
            step = Wildcard()
        elif here == "?":
            step = self._filter()
        elif (numbers := cursor.match(_BRACKETED_NUMBERS)) is not None:
            step = self._numbers(numbers.strip(), start)
        else:
            cursor.fail("expected a quoted name, an index, a slice, '*' or '?(' after '['")
        cursor.skip_blanks()
        cursor.expect("]", "to close the bracket")
        return step

    def _quoted_names(self, quote: str) -> Names:
        cursor = self._cursor
        names: list[str] = []
        while True:
            if cursor.skip_blanks() != quote:
                cursor.fail(f"expected a name in {quote} quotes")
            names.append(cursor.quoted())
            cursor.skip_blanks()
            if not cursor.accept(","):
                break
        cursor.expect("]", "after the name")
        return Names(tuple(names), quote)

    def _filter(self) -> Filter:
        cursor = self._cursor
        cursor.position += 1
        cursor.skip_blanks()
        if cursor.peek() != "(":
            cursor.fail("a filter is written [?(...)]")
        cursor.position += 1
        with cursor.nested():
            test = TestReader(cursor, read_path_in_filter).read()
        cursor.skip_blanks()
        cursor.expect(")", "to close the filter")
        return Filter(test)

    def _numbers(self, text: str, start: int) -> Index | Indexes | Slice:
        if ":" in text:
            parts = [self._integer(part, start) if part else None for part in text.split(":")[:2]]
            if parts == [None, None]:
                self._cursor.fail("a slice needs a start or an end", start)
            return Slice(parts[0], parts[1], text)
        indexes = tuple(self._integer(part.strip(), start) for part in text.split(","))
        return Index(indexes[0]) if len(indexes) == 1 else Indexes(indexes)

    def _integer(self, text: str, start: int) -> int:
        if not _INTEGER.fullmatch(text) or not -(2**31) <= int(text) < 2**31:
            self._cursor.fail(f"{text!r} is not an index", start)
        return int(text)
