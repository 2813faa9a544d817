"""Definitions that come in from outside: read, judged, and kept as the JSON text that clients are given back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from detent.compile import digest_of
from detent.core.values import JSON, encode
from detent.schema.diagnostics import Diagnostic, Severity
from detent.schema.document import Document, DocumentError, read_document
from detent.schema.validate import validate, validate_value

from .desk import Desk
from .refusals import Refused


@dataclass(frozen=True, slots=True)
class Definition:
    """A sound definition: its value, its text and its digest. ``findings`` are warnings."""

    value: JSON
    text: str
    digest: str
    findings: Sequence[Diagnostic]


async def judged(
    desk: Desk, size: int, given: JSON, type: Literal["STANDARD", "EXPRESS"] = "STANDARD"
) -> Definition:
    """As :func:`sound`, of a definition in a request of so many bytes: others are answered meanwhile."""
    return await desk.do(size, lambda: sound(given, type))


def sound(given: JSON, type: Literal["STANDARD", "EXPRESS"] = "STANDARD") -> Definition:
    """A definition that was given as an object, or as a text of JSON or YAML.

    Raises Refused with all findings, in reading order, if it cannot be run.
    """
    if isinstance(given, str):
        try:
            document = read_document(given)
        except DocumentError as error:
            raise _refusal(error.diagnostics) from None
        findings, value = validate(document, machine_type=type), document.value
        text = given if given.lstrip().startswith("{") else encode(value).decode()
    else:
        findings, value = validate_value(given, machine_type=type), given
        text = encode(value).decode()
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise _refusal(findings)
    return Definition(value, text, digest_of(value), findings)


def kept(document: Document) -> Definition:
    """A document that is known to be sound, as it is kept."""
    return Definition(document.value, encode(document.value).decode(), digest_of(document.value), ())


def _refusal(findings: Sequence[Diagnostic]) -> Refused:
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    return Refused(
        400,
        "invalid-definition",
        f"the definition has {errors} {'error' if errors == 1 else 'errors'}",
        more={"diagnostics": [described(finding) for finding in findings]},
    )


def described(finding: Diagnostic) -> dict[str, JSON]:
    """A finding as clients get it."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "pointer": finding.json_pointer,
        "line": None if finding.position is None else finding.position.line,
        "column": None if finding.position is None else finding.position.column,
        "hint": finding.hint,
    }
