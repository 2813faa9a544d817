"""``detent validate``: what is wrong with definitions, all of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import click

from .definition import is_unreadable
from .exits import Exit
from .options import SETTINGS, variables

if TYPE_CHECKING:
    from detent.schema.diagnostics import Diagnostic
    from detent.schema.report import SourceText

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
    (warnings are allowed), 1 if there are, 2 for wrong usage or a file that cannot be opened.
    """
    from detent.schema.report import render, summary

    findings: list[Diagnostic] = []
    texts: list[SourceText] = []
    for file in files:
        text, found = check(file, machine_type, variables)
        texts.append(text)
        findings += found
    if report := render(findings, texts, format):
        click.echo(report)
    errors = any(finding.severity == "error" for finding in findings)
    if format == "text":
        if report:
            click.echo(err=True)
        click.echo(_verdict(len(files), errors, summary(findings) if findings else ""), err=True)
    if is_unreadable(findings):
        return Exit.USAGE
    return Exit.INVALID if errors else Exit.SUCCEEDED


def check(
    file: str, machine_type: MachineType, variables: Mapping[str, str]
) -> tuple[SourceText, list[Diagnostic]]:
    """A definition file, read as far as possible, and its findings."""
    from detent.schema.document import DocumentError, read_file
    from detent.schema.validate import validate as validate_document

    try:
        document = read_file(file).substitute(variables)
    except DocumentError as error:
        return error, error.diagnostics
    return document, validate_document(document, machine_type=machine_type)


def _verdict(files: int, errors: bool, counts: str) -> str:
    checked = "1 file" if files == 1 else f"{files} files"
    return f"{checked}: {counts}" if errors else ", ".join(filter(None, [f"{checked}: valid", counts]))
