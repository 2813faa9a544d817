"""``detent fmt``: one layout for all definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .definition import is_unreadable
from .exits import Exit, say
from .files import STDIN, read_definition, write_text
from .options import SETTINGS

if TYPE_CHECKING:
    from detent.schema.document import DocumentError


@click.command(context_settings=SETTINGS)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Change nothing; print what would change.")
def fmt(files: tuple[str, ...], check: bool, diff: bool) -> int:
    """Give definitions, in YAML or JSON, the one layout: fields in one order, two blanks a level.

    Values, comments, anchors, the spelling of texts and numbers, and the order of states stay. FILE `-` is stdin,
    and the result goes to stdout. The exit code is 0, or 1 if a file cannot be formatted or, with --check,
    would change, or 2 if one cannot be opened.
    """
    from detent.schema.document import DocumentError
    from detent.schema.format import FormatError, format_text

    code = Exit.SUCCEEDED
    for file in files:
        try:
            document = read_definition(file)
            result = format_text(document.text, source=document.source)
        except DocumentError as error:
            code = max(code, _refuse(error))
            continue
        except FormatError as error:
            say(str(error))
            code = max(code, Exit.INVALID)
            continue
        changed = result != document.text
        if diff and changed:
            click.echo(_difference(document.text, result, document.source or STDIN), nl=False)
        if check and changed:
            click.echo(f"would change {document.source}", err=True)
            code = max(code, Exit.INVALID)
        if check or diff:
            continue
        if file == "-":
            click.echo(result.encode(), nl=False)
        elif changed:
            write_text(file, result)
            click.echo(f"formatted {file}", err=True)
    return code


def _refuse(error: DocumentError) -> Exit:
    from detent.schema.report import render

    click.echo(render(error.diagnostics, [error], "text"), err=True)
    return Exit.USAGE if is_unreadable(error.diagnostics) else Exit.INVALID


def _difference(before: str, after: str, name: str) -> str:
    from difflib import unified_diff

    lines = unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, f"{name} (formatted)"
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
