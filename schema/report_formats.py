"""Findings for tools: JSON, SARIF, JUnit and annotations of GitHub. What people read is in :mod:`.report`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from detent.core.values import JSON

from .diagnostics import Diagnostic, Pointer, Position, Severity, json_pointer

#: What stands in the place of a file's name where there is no file.
NO_SOURCE = "<definition>"


def printable(text: str) -> str:
    """The text with everything that is no visible character or blank written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def as_json(diagnostics: list[Diagnostic], texts: Mapping[str | None, str]) -> str:
    """Everything that is known of each finding."""
    counts = Counter(diagnostic.severity for diagnostic in diagnostics)
    return _dump(
        {
            "valid": counts[Severity.ERROR] == 0,
            "errors": counts[Severity.ERROR],
            "warnings": counts[Severity.WARNING],
            "notes": counts[Severity.INFO],
            "diagnostics": [
                {
                    "code": diagnostic.code,
                    "severity": str(diagnostic.severity),
                    "message": diagnostic.message,
                    "hint": diagnostic.hint,
                    "file": diagnostic.source,
                    "pointer": diagnostic.json_pointer,
                    **_place(diagnostic.position),
                    "related": [
                        {
                            "message": related.message,
                            "pointer": json_pointer(related.pointer),
                            **_place(related.position),
                        }
                        for related in diagnostic.related
                    ],
                    "fix": diagnostic.fix.title if diagnostic.fix else None,
                }
                for diagnostic in diagnostics
            ],
        }
    )


def _place(position: Position | None) -> dict[str, JSON]:
    if position is None:
        return {"line": None, "column": None}
    return {"line": position.line, "column": position.column}


def as_sarif(diagnostics: list[Diagnostic], texts: Mapping[str | None, str]) -> str:
    """SARIF 2.1.0, as code scanning services read it."""
    codes = sorted({diagnostic.code for diagnostic in diagnostics})
    run = {
        "tool": {"driver": {"name": "detent", "rules": [_sarif_rule(code) for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "results": [
            {
                "ruleId": diagnostic.code,
                "ruleIndex": codes.index(diagnostic.code),
                "level": _SARIF_LEVELS[diagnostic.severity],
                "message": {"text": _with_hint(diagnostic)},
                "locations": [_sarif_location(diagnostic.source, diagnostic.pointer, diagnostic.position)],
                **_sarif_related(diagnostic),
            }
            for diagnostic in diagnostics
        ],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return _dump({"$schema": schema, "version": "2.1.0", "runs": [run]})


_SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def _sarif_rule(code: str) -> JSON:
    """What is known of a code, as a viewer shows it beside its findings."""
    from .explain import (
        explanations,
    )  # the rules and their pages: slow to import, and of no use to other formats

    known = explanations().get(code)
    if known is None:
        return {"id": code}
    rule: dict[str, JSON] = {"id": code, "shortDescription": {"text": known.summary}}
    if known.text:
        rule["fullDescription"] = {"text": known.text}
    rule["defaultConfiguration"] = {"level": _SARIF_LEVELS[known.severity], "enabled": known.on}
    return rule


def _sarif_related(diagnostic: Diagnostic) -> dict[str, JSON]:
    places: list[JSON] = []
    for number, related in enumerate(diagnostic.related):
        location = _sarif_location(diagnostic.source, related.pointer, related.position)
        places.append({"id": number, **location, "message": {"text": related.message}})
    return {"relatedLocations": places} if places else {}


def _sarif_location(source: str | None, pointer: Pointer, position: Position | None) -> dict[str, JSON]:
    path = (source or NO_SOURCE).replace("\\", "/")
    uri = quote(path, errors="replace")
    physical: dict[str, JSON] = {"artifactLocation": {"uri": f"file://{uri}" if uri[:1] == "/" else uri}}
    if position is not None:
        physical["region"] = {"startLine": position.line, "startColumn": position.column}
    location: dict[str, JSON] = {"physicalLocation": physical}
    if pointer:
        location["logicalLocations"] = [{"fullyQualifiedName": json_pointer(pointer)}]
    return location


def as_junit(diagnostics: list[Diagnostic], texts: Mapping[str | None, str]) -> str:
    """JUnit's XML, as build servers read it: one suite a file, one failed case a finding."""
    by_source: dict[str | None, list[Diagnostic]] = {source: [] for source in texts}
    for diagnostic in diagnostics:
        by_source.setdefault(diagnostic.source, []).append(diagnostic)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites name="detent">']
    for source, found in by_source.items():
        name = _xml(source or NO_SOURCE)
        lines.append(f'  <testsuite name="{name}" tests="{max(len(found), 1)}" failures="{len(found)}">')
        if not found:
            lines.append(f'    <testcase classname="{name}" name="no findings"/>')
        lines += (line for diagnostic in found for line in _junit_case(name, diagnostic))
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines)


def _junit_case(name: str, diagnostic: Diagnostic) -> Iterator[str]:
    where = f":{diagnostic.position.line}:{diagnostic.position.column}" if diagnostic.position else ""
    title = _xml(f"{diagnostic.code}{where}")
    message = _xml(_with_hint(diagnostic))
    yield f'    <testcase classname="{name}" name="{title}">'
    yield f'      <failure type="{diagnostic.severity}" message="{message}">{name}{where}: {message}</failure>'
    yield "    </testcase>"


def _xml(text: str) -> str:
    """The text as an attribute or content; what XML cannot hold at all is written as an escape."""
    text = printable(text)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text.encode("ascii", "xmlcharrefreplace").decode()


def as_github(diagnostics: list[Diagnostic], texts: Mapping[str | None, str]) -> str:
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
    command = "notice" if diagnostic.severity is Severity.INFO else diagnostic.severity
    return f"::{command} {written}::{_escaped(_with_hint(diagnostic))}"


def _escaped(text: str) -> str:
    """Line ends and percent signs as the commands want them."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return printable(text)


def _with_hint(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.message} ({diagnostic.hint})" if diagnostic.hint else diagnostic.message


def _dump(value: JSON) -> str:
    """Indented, and ASCII alone: names may hold what an encoding cannot."""
    return json.dumps(value, indent=2)
