"""The validator and the compiler agree: what passes the one passes the other."""

from __future__ import annotations

from detent.compile import compile_definition
from detent.schema.diagnostics import Severity
from detent.schema.document import Document, DocumentError
from detent.schema.validate import validate

from .data import Published, Stated, published, stated


def sound(definition: Published | Stated) -> Document | None:
    try:
        document = definition.read()
    except DocumentError:
        return None
    refused = any(finding.severity is Severity.ERROR for finding in validate(document))
    return None if refused or document.placeholders else document


def test_what_passes_compiles() -> None:
    documents = [document for definition in (*published(), *stated()) if (document := sound(definition))]
    assert len(documents) > 500
    for document in documents:
        compile_definition(document.value)
