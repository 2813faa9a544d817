"""Findings as text for people, and as JSON, SARIF and GitHub annotations for tools.

Each format is one pure function from findings to text; :data:`FORMATS` names them all. What comes out can be
printed anywhere: what a terminal would obey or cannot show is written as an escape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol
from unicodedata import east_asian_width
from urllib.parse import quote

from detent.core.values import JSON

from .diagnostics import Diagnostic, Position, Severity, in_reading_order

_NO_SOURCE = "<definition>"
_LINE_END = re.compile(r"\r\n|\r|\n")
#: Columns of a source line that are shown; longer lines are cut around the place.
_SHOWN = 100


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
    parts = [f"{count} {severity}{'s' if count > 1 else ''}" for severity, count in counts if count]
    return ", ".join(parts) or "no findings"


def _as_text(diagnostics: list[Diagnostic], texts: Mapping[str | None, str]) -> str:
    lines = {source: _LINE_END.split(text) for source, text in texts.items()}
    blocks = ["\n".join(_block(diagnostic, lines.get(diagnostic.source, []))) for diagnostic in diagnostics]
    return "\n\n".join(blocks)


def _block(diagnostic: Diagnostic, lines: list[str]) -> list[str]:
    """One finding: its headline, the line it is about with a caret below, and the hint."""
    place = [diagnostic.source or _NO_SOURCE]
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
    return block


def _quotation(line: str, position: Position) -> list[str]:
    column = min(position.column - 1, len(line))
    start = 0 if len(line) <= _SHOWN else max(0, min(column - _SHOWN // 2, len(line) - _SHOWN))
    before, after = line[start:column], line[column : start + _SHOWN]
    before = ("..." if start else "") + printable(before.expandtabs(4))
    after = printable(after.expandtabs(4)) + ("..." if start + _SHOWN < len(line) else "")
    number = str(position.line)
    return [f" {number} | {before}{after}", f" {' ' * len(number)} | {' ' * _width(before)}^"]


def printable(text: str) -> str:
    """The text with everything that is no visible character or blank written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _width(text: str) -> int:
    """Columns of a terminal that the text takes."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _as_json(diagnostics: list[Diagnostic], texts: Mapping[str | None, str]) -> str:
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    return _dump(
        {
            "valid": errors == 0,
            "errors": errors,
            "warnings": len(diagnostics) - errors,
            "diagnostics": [
                {
                    "code": diagnostic.code,
                    "severity": str(diagnostic.severity),
                    "message": diagnostic.message,
                    "hint": diagnostic.hint,
                    "file": diagnostic.source,
                    "pointer": diagnostic.json_pointer,
                    "line": diagnostic.position.line if diagnostic.position else None,
                    "column": diagnostic.position.column if diagnostic.position else None,
                }
                for diagnostic in diagnostics
            ],
        }
    )


def _as_sarif(diagnostics: list[Diagnostic], texts: Mapping[str | None, str]) -> str:
    """SARIF 2.1.0, as code scanning services read it."""
    codes = sorted({diagnostic.code for diagnostic in diagnostics})
    run = {
        "tool": {"driver": {"name": "detent", "rules": [{"id": code} for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "results": [
            {
                "ruleId": diagnostic.code,
                "ruleIndex": codes.index(diagnostic.code),
                "level": str(diagnostic.severity),
                "message": {"text": _with_hint(diagnostic)},
                "locations": [_sarif_location(diagnostic)],
            }
            for diagnostic in diagnostics
        ],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return _dump({"$schema": schema, "version": "2.1.0", "runs": [run]})


def _sarif_location(diagnostic: Diagnostic) -> JSON:
    path = (diagnostic.source or _NO_SOURCE).replace("\\", "/")
    uri = quote(path, errors="replace")
    physical: dict[str, JSON] = {"artifactLocation": {"uri": f"file://{uri}" if uri[:1] == "/" else uri}}
    if diagnostic.position is not None:
        position = diagnostic.position
        physical["region"] = {"startLine": position.line, "startColumn": position.column}
    location: dict[str, JSON] = {"physicalLocation": physical}
    if diagnostic.pointer:
        location["logicalLocations"] = [{"fullyQualifiedName": diagnostic.json_pointer}]
    return location


def _as_github(diagnostics: list[Diagnostic], texts: Mapping[str | None, str]) -> str:
    """Workflow commands of GitHub Actions: one annotation a line."""
    return "\n".join(map(_annotation, diagnostics))


def _annotation(diagnostic: Diagnostic) -> str:
    properties = {"file": diagnostic.source}
    if diagnostic.position is not None:
        properties["line"] = str(diagnostic.position.line)
        properties["col"] = str(diagnostic.position.column)
    properties["title"] = diagnostic.code
    written = ",".join(
        f"{name}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}"
        for name, value in properties.items()
        if value is not None
    )
    return f"::{diagnostic.severity} {written}::{_escaped(_with_hint(diagnostic))}"


def _escaped(text: str) -> str:
    """Line ends and percent signs as the commands want them."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return printable(text)


def _with_hint(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.message} ({diagnostic.hint})" if diagnostic.hint else diagnostic.message


def _dump(value: JSON) -> str:
    """Indented, and ASCII alone: names may hold what an encoding cannot."""
    return json.dumps(value, indent=2)


#: The formats by name, as ``detent validate --format`` knows them.
FORMATS: Mapping[str, Callable[[list[Diagnostic], Mapping[str | None, str]], str]] = {
    "text": _as_text,
    "json": _as_json,
    "sarif": _as_sarif,
    "github": _as_github,
}
