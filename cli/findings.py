"""Findings about definitions, as the formats the command line prints."""

from __future__ import annotations

from collections.abc import Sequence

from detent.schema.diagnostics import Diagnostic
from detent.schema.document import Document


def render(findings: Sequence[Diagnostic], documents: Sequence[Document], format: str) -> str:
    return "\n".join(map(str, findings))


def as_text(findings: Sequence[Diagnostic], documents: Sequence[Document]) -> str:
    return render(findings, documents, "text")
