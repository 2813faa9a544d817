"""A state machine that was found in a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..diagnostics import Diagnostic, Severity
from ..document import Document, HoleKind


@dataclass(frozen=True, slots=True)
class Machine:
    """A state machine of a template, by the name that the template gives it.

    ``document`` is its definition if that stands in the template; otherwise ``file`` is the path, as the template
    has it, of the file that holds it; if both are None the definition is not here. ``substitutions`` are what the
    template fills in. ``findings`` is what is wrong around the definition.
    """

    name: str
    document: Document | None = None
    file: str | None = None
    machine_type: Literal["STANDARD", "EXPRESS"] = "STANDARD"
    #: None if the template says nothing about them.
    substitutions: Mapping[str, str] | None = None
    findings: tuple[Diagnostic, ...] = field(default=())

    def unknown_substitutions(self, document: Document) -> list[Diagnostic]:
        """The placeholders of a definition in a file that the template's DefinitionSubstitutions do not name."""
        known = self.substitutions
        if known is None or self.file is None:
            return []
        return [
            Diagnostic(
                "unknown-substitution",
                Severity.WARNING,
                f"${{{hole.name}}} is not among the DefinitionSubstitutions of {self.name}",
                hole.pointer,
                hole.position,
                document.source,
                "it stays as it is when the machine is deployed",
            )
            for hole in document.placeholders
            if hole.kind is not HoleKind.FOREIGN and hole.name not in known
        ]

    def filled(self, document: Document, variables: Mapping[str, str]) -> Document:
        """A definition with the substitutions of the template and the given ones, which come first.

        Raises DocumentError as :meth:`Document.substitute` does.
        """
        filled = document.substitute({**(self.substitutions or {}), **variables})
        return filled.substitute(variables) if self.substitutions else filled
