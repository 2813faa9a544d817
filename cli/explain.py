"""``detent explain``: what a code means, and what to do about it."""

from __future__ import annotations

from difflib import get_close_matches

import click

from .exits import Exit, Refusal
from .options import SETTINGS


@click.command(context_settings=SETTINGS)
@click.argument("code", required=False)
def explain(code: str | None) -> int:
    """Say what a finding means. Without CODE: every code there is, with one sentence each."""
    from detent.schema.explain import explanations, rendered

    if code is None:
        width = max(map(len, explanations()))
        for known in explanations().values():
            click.echo(f"{known.code:{width}}  {known.summary}{'' if known.on else ' (off)'}")
        return Exit.SUCCEEDED
    found = explanations().get(code)
    if found is None:
        close = get_close_matches(code, explanations(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else "`detent explain` lists all codes"
        raise Refusal(f"there is no code {code!r}", hint)
    click.echo(rendered(found))
    return Exit.SUCCEEDED
