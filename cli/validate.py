"""``detent validate``: what is wrong with definitions, all of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import click

from .exits import Exit
from .options import SETTINGS, variables

if TYPE_CHECKING:
    from detent.schema.diagnostics import Diagnostic
    from detent.schema.document import Document

MachineType = Literal["STANDARD", "EXPRESS"]


@click.command(context_settings=SETTINGS)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "format",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="How findings are printed.",
)
@click.option(
    "--type",
    "machine_type",
    type=click.Choice(["STANDARD", "EXPRESS"], case_sensitive=False),
    default="STANDARD",
    show_default=True,
    help="What the machine will be deployed as; Express may not use everything.",
)
@variables
def validate(
    files: tuple[str, ...], format: str, machine_type: MachineType, variables: Mapping[str, str]
) -> int:
    """Check definitions, in YAML or JSON.

    Findings go to stdout, each with file, line and column. The exit code is 0 if there are no errors
    (warnings are allowed), 1 if there are, 2 for wrong usage.
    """
    from .findings import render

    findings: list[Diagnostic] = []
    documents: list[Document] = []
    for file in files:
        document, found = check(file, machine_type, variables)
        findings += found
        if document is not None:
            documents.append(document)
    text = render(findings, documents, format)
    if text:
        click.echo(text)
    errors = sum(finding.severity == "error" for finding in findings)
    if format == "text":
        click.echo(_summary(len(files), errors, len(findings) - errors), err=True)
    return Exit.INVALID if errors else Exit.SUCCEEDED


def check(
    file: str, machine_type: MachineType, variables: Mapping[str, str]
) -> tuple[Document | None, list[Diagnostic]]:
    """A definition file and its findings; no document if it cannot be read."""
    from detent.schema.document import DocumentError, read_file
    from detent.schema.validate import validate as validate_document

    try:
        document = read_file(file).substitute(variables)
    except DocumentError as error:
        return None, error.diagnostics
    return document, validate_document(document, machine_type=machine_type)


def _summary(files: int, errors: int, warnings: int) -> str:
    checked = _count(files, "file")
    if not errors:
        return f"{checked}: valid" + (f", {_count(warnings, 'warning')}" if warnings else "")
    return f"{checked}: {_count(errors, 'error')}, {_count(warnings, 'warning')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
