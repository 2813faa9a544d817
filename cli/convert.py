"""``detent convert``: a definition in the other notation."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from .definition import is_unreadable
from .exits import Exit, InvalidDefinition
from .files import read_definition, write_text
from .options import SETTINGS

if TYPE_CHECKING:
    from detent.schema.document import Document, Format

_NOTATIONS: dict[str, Format] = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}


@click.command(context_settings=SETTINGS)
@click.argument("file", metavar="FILE")
@click.option(
    "--to",
    type=click.Choice(["yaml", "json"]),
    help="The notation.  [default: that of the -o file, else the other one]",
)
@click.option("-o", "--output", metavar="FILE", help="Where the result goes.  [default: stdout]")
def convert(file: str, to: Format | None, output: str | None) -> int:
    """Write a definition as YAML or as JSON.

    Values and their order do not change. Comments and anchors have no place in both notations: comments are
    left out, and a note on stderr says how many; what an alias repeats is written out. FILE `-` is stdin.
    """
    from detent.schema.document import DocumentError
    from detent.schema.format.convert import comments
    from detent.schema.format.convert import convert as converted

    try:
        document = read_definition(file)
    except DocumentError as error:
        exit = Exit.USAGE if is_unreadable(error.diagnostics) else Exit.INVALID
        raise InvalidDefinition(f"{file} cannot be read", error.diagnostics, [error], exit=exit) from None
    text = converted(document, to or _notation(output, document))
    if output is None:
        click.echo(text.encode(), nl=False)
    else:
        write_text(output, text)
    if lost := comments(document):
        click.echo(f"detent: {lost} comment{'s' if lost > 1 else ''} left out", err=True)
    return Exit.SUCCEEDED


def _notation(output: str | None, document: Document) -> Format:
    known = _NOTATIONS.get(PurePath(output or "").suffix.lower())
    return known or ("yaml" if document.format == "json" else "json")
