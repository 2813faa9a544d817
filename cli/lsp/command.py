"""The command: starts the server on stdin and stdout."""

from __future__ import annotations

import click

from ..exits import Exit, Refusal
from ..options import SETTINGS


@click.command(context_settings=SETTINGS)
@click.option("--stdio", is_flag=True, help="Speak over stdin and stdout, as it does anyway.")
@click.option(
    "--config",
    metavar="FILE",
    help="The configuration.  [default: the nearest detent.toml, or pyproject.toml with [tool.detent], to each file]",
)
def lsp(stdio: bool, config: str | None) -> int:
    """Serve an editor: findings while you type, completion, hover, rename and more.

    Speaks the Language Server Protocol over stdin and stdout; an editor starts it. docs/editors.md says how.
    """
    try:
        from .server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise Refusal("the language server needs pygls", "pip install 'detent[lsp]'") from None
    serve(config)
    return Exit.SUCCEEDED
