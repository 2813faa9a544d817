"""Findings as text for people; :data:`FORMATS` names the formats for tools beside it (:mod:`.report_formats`).

Each format is one pure function from findings to text. What comes out can be printed anywhere: what a terminal
would obey or cannot show is written as an escape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol
from unicodedata import east_asian_width

from .diagnostics import Diagnostic, Position, Severity, in_reading_order
from .report_formats import NO_SOURCE, as_github, as_json, as_junit, as_sarif, printable

_LINE_END = re.compile(r"\r\n|\r|\n")
#: Columns of a source line that are shown; longer lines are cut around the place.
_SHOWN = 100


_NOUNS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


class SourceText(Protocol):
    """What findings point into: a Document, or a DocumentError when there is none."""

    @property
    def source(self) -> str | None: ...

    @property
    def text(self) -> str | None: ...


def render(diagnostics: Iterable[Diagnostic], documents: Iterable[SourceText], format: str) -> str:
    """The findings in a format of :data:`FORMATS`, sorted by place, without a line end after the last line.

    ``documents`` hold the texts that are quoted; a finding in none of them goes without quotation. Without
    findings ``text`` and ``github`` are empty. Raises KeyError for a format that does not exist.
    """
    texts = {document.source: document.text or "" for document in documents}
    return FORMATS[format](in_reading_order(diagnostics), texts)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """How many of each severity, as a phrase: ``1 error, 2 warnings``."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    counts = ((severity, severities.count(severity)) for severity in Severity)
    parts = [f"{count} {_NOUNS[severity]}{'s' if count > 1 else ''}" for severity, count in counts if count]
    return ", ".join(parts) or "no findings"


def _as_text(diagnostics: list[Diagnostic], texts: Mapping[str | None, str]) -> str:
    lines = {source: _LINE_END.split(text) for source, text in texts.items()}
    blocks = ["\n".join(_block(diagnostic, lines.get(diagnostic.source, []))) for diagnostic in diagnostics]
    return "\n\n".join(blocks)


def _block(diagnostic: Diagnostic, lines: list[str]) -> list[str]:
    """One finding: its headline, the line it is about with a caret below, the hint, and other places."""
    place = [diagnostic.source or NO_SOURCE]
    position = diagnostic.position
    if position is not None:
        place += [str(position.line), str(position.column)]
    message = printable(f"{diagnostic.severity} {diagnostic.code}: {diagnostic.message}")
    block = [f"{printable(':'.join(place))}: {message}"]
    margin = "  "
    if position is not None and position.line <= len(lines) and lines[position.line - 1].strip():
        margin = " " * (len(str(position.line)) + 2)
        block += _quotation(lines[position.line - 1], position)
    if diagnostic.hint:
        block.append(f"{margin}= {printable(diagnostic.hint)}")
    for related in diagnostic.related:
        there = f":{related.position.line}:{related.position.column}" if related.position else ""
        block.append(f"{margin}> {printable(f'{place[0]}{there}: {related.message}')}")
    return block


def _quotation(line: str, position: Position) -> list[str]:
    column = min(position.column - 1, len(line))
    start = 0 if len(line) <= _SHOWN else max(0, min(column - _SHOWN // 2, len(line) - _SHOWN))
    before, after = line[start:column], line[column : start + _SHOWN]
    before = ("..." if start else "") + printable(before.expandtabs(4))
    after = printable(after.expandtabs(4)) + ("..." if start + _SHOWN < len(line) else "")
    number = str(position.line)
    return [f" {number} | {before}{after}", f" {' ' * len(number)} | {' ' * _width(before)}^"]


def _width(text: str) -> int:
    """Columns of a terminal that the text takes."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


#: The formats by name, as ``detent validate --format`` knows them.
FORMATS: Mapping[str, Callable[[list[Diagnostic], Mapping[str | None, str]], str]] = {
    "text": _as_text,
    "json": as_json,
    "sarif": as_sarif,
    "junit": as_junit,
    "github": as_github,
}
