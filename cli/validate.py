"""``detent validate``: what is wrong with definitions, all of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import click

from .checking import FORMATS, Choices, finish, selection
from .options import SETTINGS, variables
from .sources import Source, sources

if TYPE_CHECKING:
    from detent.schema.diagnostics import Diagnostic
    from detent.schema.report import SourceText

MachineType = Literal["STANDARD", "EXPRESS"]


@click.command(context_settings=SETTINGS)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@FORMATS
@click.option(
    "--type",
    "machine_type",
    type=click.Choice(["STANDARD", "EXPRESS"], case_sensitive=False),
    default="STANDARD",
    show_default=True,
    help="What the machine will be deployed as; Express may not use everything.",
)
@selection
@variables
def validate(
    files: tuple[str, ...],
    format: str,
    machine_type: MachineType,
    choices: Choices,
    variables: Mapping[str, str],
) -> int:
    """Check definitions, in YAML or JSON, by themselves or in a template.

    Every state machine of a template of CloudFormation, SAM, CDK (cdk.out), Serverless Framework or Terraform
    (show -json) is checked; FILE#NAME means one of them.

    Findings go to stdout, each with file, line and column. The exit code is 0 if there are no errors
    (warnings are allowed without --strict), 1 if there are, 2 for wrong usage or a file that cannot be opened.
    """
    findings: list[Diagnostic] = []
    texts: list[SourceText] = []
    for source in [source for file in files for source in sources(file, variables)]:
        texts.append(source.text)
        found = check(source, machine_type)
        findings += _wanted(source.text.source or source.file, source.text, found, choices)
    return finish(findings, texts, format, files=len(files), strict=choices.strict)


def check(source: Source, machine_type: MachineType) -> list[Diagnostic]:
    """The findings about a definition; Express if it is asked for, or the template says so."""
    from detent.schema.validate import validate as validate_document

    if source.document is None:
        return list(source.findings)
    kind: MachineType = "EXPRESS" if "EXPRESS" in (machine_type, source.machine_type) else "STANDARD"
    return [*source.findings, *validate_document(source.document, machine_type=kind)]


def _wanted(file: str, text: SourceText, found: list[Diagnostic], choices: Choices) -> list[Diagnostic]:
    """The findings that are neither ignored nor silenced in the file."""
    from detent.schema.document import Document

    if not found or not isinstance(text, Document) or not (choices.are_made or "detent:" in text.text):
        return found
    from detent.schema.lint.check import silenced

    return silenced(text, found, choices.settings(file))
