"""Whether a definition is sound: all findings at once, each with a code, a place, a sentence and a hint.

Two passes. The schema pass holds each part against the JSON Schema of its kind; the passes after it
look at what a schema cannot say: the graph, the query language of each state, expressions, error names,
resources. None of them stops the others. Nothing is executed and no file is opened.

What the service is known to accept is accepted. A value that still waits for a substitution
(``${Name}``) could be anything and is never an error by itself.
"""

from __future__ import annotations

from typing import Literal

from detent.core.values import JSON

from .codes import CODES
from .diagnostics import Diagnostic, Edit, Pointer, Position
from .document import Document
from .findings import Findings, show
from .outline import outline
from .validate_errors import check_errors
from .validate_expressions import check_expressions
from .validate_fields import check_fields
from .validate_graph import check_graph
from .validate_jsonata import check_jsonata
from .validate_language import check_language
from .validate_resources import check_resources
from .validate_schema import check_schema
from .validate_variables import check_variables
from .written import reworded, written_key, written_text

__all__ = ["CODES", "MachineType", "validate", "validate_value"]

MachineType = Literal["STANDARD", "EXPRESS"]


def validate(document: Document, *, machine_type: MachineType = "STANDARD") -> list[Diagnostic]:
    """All findings about a definition, in reading order, each with the place where it stands in the text.

    ``machine_type`` EXPRESS adds what such a machine may not use. A definition without findings of severity
    error compiles.
    """

    def position(pointer: Pointer, on_key: bool) -> Position | None:
        return document.position(pointer, key=on_key)

    def reword(pointer: Pointer, on_key: bool, meant: str) -> Edit | None:
        return reworded((written_key if on_key else written_text)(document, pointer), meant)

    return _check(document.value, machine_type).diagnostics(position, document.source, reword)


def validate_value(value: JSON, *, machine_type: MachineType = "STANDARD") -> list[Diagnostic]:
    """The findings about a definition that is a plain value; they have pointers but no positions."""
    return _check(value, machine_type).diagnostics(_nowhere, None)


def _nowhere(pointer: Pointer, on_key: bool) -> Position | None:
    return None


def _check(value: JSON, machine_type: MachineType) -> Findings:
    findings = Findings()
    if not isinstance(value, dict):
        findings.error("not-a-machine", (), f"A definition must be an object, not {show(value)}")
        return findings
    parts = outline(value)
    check_schema(parts, findings)
    check_graph(parts, findings)
    check_language(parts, findings)
    check_fields(parts, findings)
    check_expressions(parts, findings)
    check_jsonata(parts, findings)
    check_variables(parts, findings)
    check_errors(parts, findings)
    check_resources(parts, findings, express=machine_type == "EXPRESS")
    return findings
