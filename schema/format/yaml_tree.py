"""A YAML text as a tree of what its author wrote: scalars as spelled, comments and blank lines with their owner.

A comment on a line of its own belongs to the entry below it, unless it is indented deeper than that entry: then
it ends the collection above. A comment behind something belongs to the entry it stands behind. What values mean
is not known here; the text has passed the front door and the reader before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

#: ``&anchor`` and ``!tag`` before a collection.
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]*)(?:[\r\n]*[ \t]*(?:[&!][^\s,\[\]{}]*))*")
_TO_DASH = re.compile(r"(?:\s|#[^\r\n]*)*")
_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\r\n]*")
_LINE_END = re.compile(r"(?:\r\n|\r|\n)\Z")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


@dataclass(slots=True)
class Scalar:
    """A scalar or alias as it is written, with its anchor and tag."""

    text: str
    #: Literal and folded scalars: their lines are content.
    block: bool = False
    #: Columns before the content of such a scalar.
    indent: int = 0

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @property
    def alias(self) -> str:
        """The name of the anchor that it repeats; empty if it is no alias."""
        return self.text[1:] if self.text[:1] == "*" else ""

    @property
    def keeps(self) -> bool:
        """Whether the blank lines behind it are part of it."""
        return self.block and "+" in self.lines[0].partition("#")[0]


@dataclass(slots=True)
class Entry:
    """A member of a mapping, or an item of a sequence (``key`` is None).

    ``above`` holds the comments before it, an empty text for a blank line; ``beside`` the one on its line.
    """

    key: Scalar | None
    above: list[str]
    beside: str
    value: Scalar | Collection | None = None


@dataclass(slots=True)
class Collection:
    """A mapping or a sequence; ``below`` holds the comments at its end."""

    start: int
    mapping: bool
    flow: bool
    properties: str
    column: int
    entries: list[Entry] = field(default_factory=list)
    below: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tree:
    """A document: what stands before its first value (comments, directives, ``---``), and the value."""

    header: list[str]
    root: Scalar | Collection
    footer: list[str]


def build(text: str, events: Iterable[Any]) -> Tree:
    """The tree of a text that was read without findings, from the events of its parser."""
    builder = _Builder(text)
    for event in events:
        builder.take(event)
    return builder.tree()


class _Builder:
    def __init__(self, text: str) -> None:
        self.text = text
        #: Up to here everything is in the tree.
        self.at = 0
        self.header: list[str] = []
        self.root: Scalar | Collection | None = None
        self.stack: list[Collection] = []
        #: Comments and blank lines that wait for their owner, with the column of each (-1 for a blank line).
        self.waiting: list[tuple[int, str]] = []
        self.waiting_beside = ""
        #: What a comment on the rest of the line belongs to.
        self.owner: Entry | None = None
        #: Block collections that ended since the last entry began, innermost first.
        self.closed: list[Collection] = []

    def take(self, event: Any) -> None:
        if isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._open(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close(event)

    def tree(self) -> Tree:
        assert self.root is not None, "a text without a value was refused before"
        self._gap(len(self.text))
        footer = self._claim(-1)
        while footer and not footer[-1]:
            footer.pop()
        return Tree(self.header, self.root, footer)

    def _scalar(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        self._reach(start)
        block = getattr(event, "style", None) in ("|", ">")
        raw = _block_text(self.text[start:end]) if block else self.text[start:end]
        self.at = start + len(raw)
        scalar = Scalar(_with_unix_lines(raw), block)
        if block:
            scalar.indent = _content_indent(scalar.lines, self.stack[-1].column if self.stack else 0)
        self._file(scalar, start)

    def _open(self, event: Any) -> None:
        start = event.start_mark.index
        mapping = isinstance(event, yaml.MappingStartEvent)
        self._reach(start)
        properties = ""
        self.at = start
        if (event.anchor or event.tag) and (found := _PROPERTIES.match(self.text, start)):
            properties = " ".join(found.group().split())
            self.at = found.end()
        flow = bool(event.flow_style)
        opened = Collection(start, mapping, flow, properties, self._column(start))
        if flow:
            self.at = event.end_mark.index
        elif not mapping and (dash := _TO_DASH.match(self.text, self.at)):
            opened.column = self._column(dash.end())
        self._file(opened, start)
        self.stack.append(opened)

    def _close(self, event: Any) -> None:
        closed = self.stack.pop()
        if closed.flow:
            self._gap(event.end_mark.index - 1)
            closed.below = [comment for comment in self._claim(None) if comment]
            self.at = event.end_mark.index
            self.owner = self.stack[-1].entries[-1] if self.stack else None
        else:
            self.closed.append(closed)

    def _file(self, value: Scalar | Collection, start: int) -> None:
        """Put what begins here where it belongs: it is the root, a key, a value or an item."""
        if not self.stack:
            self.root = value
            return
        top = self.stack[-1]
        if not top.mapping:
            self._begin(top, None).value = value
        elif top.entries and top.entries[-1].value is None:
            self.owner = top.entries[-1]
            self.owner.value = value
        else:
            assert isinstance(value, Scalar), "the reader refuses other keys"
            if not top.entries:
                top.column = self._column(start)
            self._begin(top, value)

    def _begin(self, top: Collection, key: Scalar | None) -> Entry:
        above = self._claim(None if top.flow else top.column)
        entry = Entry(key, above, self.waiting_beside)
        self.waiting_beside = ""
        self.closed.clear()
        top.entries.append(entry)
        self.owner = entry
        return entry

    def _reach(self, start: int) -> None:
        """Read what stands between the last token and the next one."""
        if self.root is None and self.at == 0:
            lines = _with_unix_lines(self.text[: self._line_start(start)]).splitlines()
            self.header = [line.rstrip() for line in lines]
            if before := self.text[self._line_start(start) : start].strip():
                self.header.append(before)
            self.at = start
        elif start > self.at:
            self._gap(start)

    def _gap(self, end: int) -> None:
        """Note the comments and blank lines up to ``end``, where no scalar stands."""
        first = True
        offset = self.at
        while offset < end:
            found = _LINE.match(self.text, offset, end)
            assert found is not None, "what matches a line matches every text"
            line = found.group()
            self._line(line, offset, first)
            first = False
            offset = found.end()
        self.at = max(self.at, end)

    def _line(self, line: str, offset: int, first: bool) -> None:
        comment = _COMMENT.search(line)
        if comment is None:
            if not first and not line.strip() and line[-1:] in "\r\n" and line:
                self.waiting.append((-1, ""))
            return
        text = comment.group().rstrip()
        if first and self.owner is not None:
            self.owner.beside = f"{self.owner.beside}  {text}".strip()
        elif line[: comment.start()].strip():
            self.waiting_beside = text
        else:
            self.waiting.append((self._column(offset + comment.start()), text))

    def _claim(self, column: int | None) -> list[str]:
        """What waits belongs to an entry at this column, but for what ends a deeper collection before it."""
        waiting, self.waiting = self.waiting, []
        deeper = 0
        if column is not None and self.closed:
            for index, (at, comment) in enumerate(waiting):
                if comment and at <= column:
                    break
                if comment:
                    deeper = index + 1
        blank: list[str] = []
        for at, comment in waiting[:deeper]:
            if comment:
                self._ended(at).below += [*blank, comment]
            blank = [] if comment else [""]
        return _without_repeats([comment for _, comment in waiting[deeper:]])

    def _ended(self, column: int) -> Collection:
        """The collection that a comment at this column ends: of those that have ended the innermost that fits."""
        fitting = [one for one in self.closed if one.column <= column]
        return max(fitting, key=lambda one: one.column, default=self.closed[-1])

    def _column(self, offset: int) -> int:
        return offset - self._line_start(offset)

    def _line_start(self, offset: int) -> int:
        return max(self.text.rfind("\n", 0, offset), self.text.rfind("\r", 0, offset)) + 1


def _block_text(text: str) -> str:
    """A literal or folded scalar without the blank lines behind it, unless they are content (``|+``)."""
    header = text.splitlines()[0] if text.strip() else ""
    if "+" in header.partition("#")[0]:
        return _LINE_END.sub("", text.rstrip(" \t"))
    return text.rstrip()


def _content_indent(lines: list[str], around: int) -> int:
    """Columns before the content of a literal or folded scalar, in a collection at the column ``around``."""
    if given := re.search("[1-9]", lines[0].partition("#")[0].rpartition("|")[2].rpartition(">")[2]):
        return around + int(given.group())
    return next((len(line) - len(line.lstrip(" ")) for line in lines[1:] if line.strip(" ")), 0)


def _with_unix_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _without_repeats(lines: list[str]) -> list[str]:
    """No two blank lines in a row."""
    return [line for index, line in enumerate(lines) if line or index == 0 or lines[index - 1]]
