"""JSON text to values, strictly (RFC 8259), in two speeds.

:func:`read_nodes` knows the place of every key and value and goes on behind a mistake whose meaning is plain
(a trailing comma, a comment, NaN), so that one reading reports all of them. :func:`read_fast` is for payloads
of many megabytes: it hands a good text to the standard library and only a bad one to the slow reader, for the
place of the mistake. Both refuse duplicate keys, NaN, infinities and numbers beyond a double; both keep
integers of any size and lone surrogates.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

from detent.core.values import JSON

from .diagnostics import Edit, Fix, Pointer
from .frontdoor import Findings, TextLimits, check_json_shape
from .nodes import Node
from .scalars import NumberRangeError, read_float, read_integer

_BLANK = re.compile(r"[ \t\n\r]*+")
_PLAIN_STRING = re.compile(r'"[^"\\\x00-\x1f]*+"')
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*+"')
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*+))(\.[0-9]++)?([eE][-+]?[0-9]++)?(?![\w.+-])")
_WORD = re.compile(r"[-+]?[^\W\d]\w*|[-+.]?[0-9][\w.+-]*")
_COMMENT = re.compile(r"//[^\n\r]*|#[^\n\r]*|/\*(?:(?!\*/)[\s\S])*+(?:\*/)?")
#: Any ``${...}`` on one line; between values it can be nothing else, whatever stands inside.
_HOLE = re.compile(r"\$\{(?!!)[^{}\n\r]+\}")
_CLOSING = {"[": "]", "{": "}"}
_WORDS: dict[str, JSON] = {"true": True, "false": False, "null": None}
_NOT_NUMBERS = frozenset({"NaN", "Infinity", "+Infinity", "-Infinity", "-NaN", "+NaN"})


def read_fast(text: str, *, source: str | None, limits: TextLimits) -> JSON:
    """The value of an admitted JSON text. Raises DocumentError."""
    check_json_shape(text, source=source, limits=limits)
    try:
        return _STRICT.decode(text)
    except (ValueError, RecursionError):
        return read_nodes(text, Findings(text, source), limits=limits, holes=False).value


def read_nodes(text: str, findings: Findings, *, limits: TextLimits, holes: bool) -> Node:
    """The value of an admitted JSON text with the place of everything in it.

    ``holes`` says whether an unquoted ``${Name}`` may stand for a value. Raises DocumentError with every
    problem that was found.
    """
    check_json_shape(text, source=findings.source, limits=limits)
    root = _Reader(text, findings, holes).read()
    findings.raise_if_any()
    return root


def token(text: str, start: int) -> str:
    """The string, number, word or hole that begins at a place of a text that was read, as it is written."""
    for kind in (_STRING, _NUMBER, _HOLE, _WORD):
        if found := kind.match(text, start):
            return found.group()
    raise ValueError(f"no scalar begins at {start}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _distinct(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate key")
    return members


_STRICT = json.JSONDecoder(
    object_pairs_hook=_distinct,
    parse_constant=_refuse_constant,
    parse_int=read_integer,
    parse_float=read_float,
)


class _Reader:
    """One reading of one text: a position that moves forward and a stack of open containers."""

    __slots__ = ("at", "findings", "holes", "keys", "stack", "text")

    def __init__(self, text: str, findings: Findings, holes: bool) -> None:
        self.text = text
        self.findings = findings
        self.holes = holes
        self.at = 0
        self.stack: list[Node] = []
        #: For each open object the key whose value is being read, and where the key is written.
        self.keys: list[tuple[str, int]] = []

    def read(self) -> Node:
        self._blank()
        while True:
            node = self._value()
            if node.children is not None and not self._empty(node):
                self.stack.append(node)
                self.keys.append(("", -1))
                if self.text[node.start] == "{":
                    self._key()
                continue
            closed = self._after(node)
            if closed is not None:
                return closed

    def _after(self, node: Node) -> Node | None:
        """File a finished value, and each container it was the last of; the root comes back when it is whole."""
        while self.stack:
            self._file(node)
            top = self.stack[-1]
            opening = self.text[top.start]
            self._blank()
            mark = self._peek()
            if mark == ",":
                self._comma(_CLOSING[opening])
            if self._peek() == _CLOSING[opening]:
                self.at += 1
                node = self.stack.pop()
                self.keys.pop()
                continue
            if mark != ",":
                self._fail_between(opening)
            if opening == "{":
                self._key()
            return None
        self._blank()
        if self.at < len(self.text):
            self._fail(
                "something follows the end of the document", "one value only; look for a bracket too many"
            )
        return node

    def _file(self, node: Node) -> None:
        top = self.stack[-1]
        if not top.is_object:
            top.append(node)
            return
        key, start = self.keys[-1]
        if key in top.value:
            line = self.findings.lines.position(top.key_start(key)).line
            self.findings.add(
                "duplicate-key",
                f"the key {json.dumps(key)} stands here twice, first on line {line}",
                start,
                self._pointer(),
                "remove or rename one of them",
            )
        top.put(key, start, node)

    def _comma(self, closing: str) -> None:
        start = self.at
        self.at += 1
        self._blank()
        if self._peek() == closing:
            self.findings.add(
                "json-syntax",
                f"a comma before {closing!r}",
                start,
                self._pointer()[:-1],
                "remove the comma",
                Fix("remove the comma", (Edit(start, start + 1, ""),)),
            )

    def _empty(self, node: Node) -> bool:
        self._blank()
        if self._peek() == _CLOSING[self.text[node.start]]:
            self.at += 1
            return True
        return False

    def _key(self) -> None:
        start = self.at
        if self._peek() != '"':
            self._fail_key()
        key = self._string()
        self.keys[-1] = (key, start)
        self._blank()
        if self._peek() != ":":
            self._fail(f"a colon is expected after the key {json.dumps(key)}", None)
        self.at += 1
        self._blank()

    def _value(self) -> Node:
        start = self.at
        first = self._peek()
        if first == '"':
            return Node(self._string(), start)
        if first == "{":
            self.at += 1
            return Node.object(start)
        if first == "[":
            self.at += 1
            return Node.array(start)
        if number := _NUMBER.match(self.text, start):
            self.at = number.end()
            return Node(self._number(number), start, plain=True)
        if first == "$" and self.holes and (hole := _HOLE.match(self.text, start)):
            self.at = hole.end()
            return Node(hole.group(), start, plain=True)
        return Node(self._word(), start, plain=True)

    def _string(self) -> str:
        start = self.at
        if found := _PLAIN_STRING.match(self.text, start):
            self.at = found.end()
            return self.text[start + 1 : self.at - 1]
        found = _STRING.match(self.text, start)
        if found is None:
            self._fail_string()
        try:
            value: str = json.loads(found.group())
        except json.JSONDecodeError as error:
            self.at += error.pos
            self._fail("this escape does not exist in JSON", r"write \\ for a backslash")
        self.at = found.end()
        return value

    def _number(self, found: re.Match[str]) -> int | float:
        text = found.group()
        try:
            return read_float(text) if found.group(2) or found.group(3) else read_integer(text)
        except NumberRangeError as error:
            self.findings.add(
                "number-range", str(error), found.start(), self._pointer(), "write it as a string"
            )
            return 0

    def _word(self) -> JSON:
        found = _WORD.match(self.text, self.at)
        if found is None:
            self._fail_value()
        word = found.group()
        if word in _WORDS:
            self.at = found.end()
            return _WORDS[word]
        if word in _NOT_NUMBERS:
            self.findings.add(
                "not-a-number",
                f"{word} is not a JSON value",
                self.at,
                self._pointer(),
                "write null or a string",
            )
            self.at = found.end()
            return None
        if word.lower() in _WORDS or word == "None":
            right = "null" if word == "None" else word.lower()
            self._fail(f"{word} is not a JSON value", f"write {right}")
        if word[-1].isdigit() or word[0] in "+-.0123456789":
            self._fail(f"{word} is not a number in JSON", "no leading zero or plus, digits around the point")
        self._fail(f"{word} is not a JSON value", "put text in double quotes")

    def _blank(self) -> None:
        """Move over blanks, and over comments, which are noted: JSON has none."""
        self.at = _BLANK.match(self.text, self.at).end()  # type: ignore[union-attr]  # matches the empty text
        while self._peek() in ("/", "#") and (comment := _COMMENT.match(self.text, self.at)):
            self.findings.add(
                "json-syntax",
                "JSON has no comments",
                self.at,
                self._pointer(),
                'use a "Comment" field, or write YAML',
                Fix("remove the comment", (Edit(self.at, comment.end(), ""),), safe=False),
            )
            self.at = _BLANK.match(self.text, comment.end()).end()  # type: ignore[union-attr]  # as above

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _pointer(self) -> Pointer:
        """The place of the value being read, or of the object whose first key is."""
        return tuple(
            key if node.is_object else len(node.value)
            for node, (key, start) in zip(self.stack, self.keys, strict=True)
            if start >= 0 or not node.is_object
        )

    def _fail(self, message: str, hint: str | None) -> NoReturn:
        if self.at >= len(self.text):
            message, hint = "the text ends too early", "a closing bracket, brace or quote is missing"
        self.findings.stop("json-syntax", message, self.at, self._pointer(), hint)

    def _fail_value(self) -> NoReturn:
        mark = self._peek()
        if mark == "'":
            self._fail("strings stand in double quotes in JSON", "write \"...\" in place of '...'")
        if mark in ("]", "}", ",", ":"):
            self._fail(f"a value is expected before {mark!r}", None)
        self._fail(f"no value can begin with {mark!r}", None)

    def _fail_key(self) -> NoReturn:
        mark = self._peek()
        if mark == ",":
            self._fail("a comma too many", "remove it")
        self._fail("a key in double quotes is expected", 'keys are written as "Key": value')

    def _fail_between(self, opening: str) -> NoReturn:
        mark = self._peek()
        closing = _CLOSING[opening]
        if mark in ("]", "}"):
            line = self.findings.lines.position(self.stack[-1].start).line
            self._fail(f"{mark!r} closes what {opening!r} opened on line {line}", f"{closing!r} is expected")
        self._fail(f"a comma or {closing!r} is expected", "a comma is missing before this")

    def _fail_string(self) -> NoReturn:
        """Say what is wrong in the string that starts here: a raw control character, or no end."""
        control = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*+').match(self.text, self.at)
        self.at = control.end() if control else self.at
        mark = self._peek()
        if mark == "\\":
            self.at += 1
            self._fail("a backslash at the end of a line", r"write \n for a line break, \\ for a backslash")
        names = {"\n": ("a line break", r"\n"), "\r": ("a line break", r"\n"), "\t": ("a tab", r"\t")}
        name, written = names.get(mark, ("a control character", f"\\u{ord(mark or ' '):04x}"))
        self._fail(f"{name} in a string", f"close the string on its line, or write {written}")
