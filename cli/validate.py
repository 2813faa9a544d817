"""``detent validate``: what is wrong with definitions, all of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import click

from .checking import FORMATS, Choices, finish, selection
from .options import SETTINGS, variables

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
    """Check definitions, in YAML or JSON.

    Findings go to stdout, each with file, line and column. The exit code is 0 if there are no errors
    (warnings are allowed without --strict), 1 if there are, 2 for wrong usage or a file that cannot be opened.
    """
    findings: list[Diagnostic] = []
    texts: list[SourceText] = []
    for file in files:
        text, found = check(file, machine_type, variables)
        texts.append(text)
        findings += _wanted(file, text, found, choices)
    return finish(findings, texts, format, files=len(files), strict=choices.strict)


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


def _wanted(file: str, text: SourceText, found: list[Diagnostic], choices: Choices) -> list[Diagnostic]:
    """The findings that are neither ignored nor silenced in the file."""
    from detent.schema.document import Document

    if not found or not isinstance(text, Document) or not (choices.are_made or "detent:" in text.text):
        return found
    from detent.schema.lint.check import silenced

    return silenced(text, found, choices.settings(file))
