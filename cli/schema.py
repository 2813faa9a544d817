"""``detent schema``: the JSON Schema of definitions, for editors."""

from __future__ import annotations

import json

import click

from .exits import Exit
from .files import write_text
from .options import SETTINGS


@click.command(context_settings=SETTINGS)
@click.option("-o", "--output", metavar="FILE", help="Where the schema goes.  [default: stdout]")
def schema(output: str | None) -> int:
    """Print the JSON Schema (2020-12) of definitions, for an editor's YAML or JSON support.

    It is one file that refers to no other. `detent lsp` knows more: names of states, data, expressions.
    """
    from detent.schema.editor.fields import bundle

    text = json.dumps(bundle(), indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(output, text)
    return Exit.SUCCEEDED
