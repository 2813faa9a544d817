"""``detent migrate``: bring the layout of a store up to date."""

from __future__ import annotations

import click

from .exits import Exit
from .options import SETTINGS
from .reading import store_option


@click.command(context_settings=SETTINGS)
@click.option(
    "--after-deploy", "deployed", is_flag=True, help="Also take away what only earlier releases use."
)
@click.option("--dry-run", is_flag=True, help="List what would be applied, and change nothing.")
@click.option("--print", "print_sql", is_flag=True, help="Print the SQL instead, and change nothing.")
@store_option
def migrate(deployed: bool, dry_run: bool, print_sql: bool, store: str | None) -> int:
    """Bring the layout of a store up to date with this release, or create it.

    What is applied only adds, so that processes of the release before go on working. Once none of them is left,
    --after-deploy applies the rest. A release that starts to run executions applies the first kind by itself;
    this command is for those who want it done before, or by somebody with more rights than the engine has.
    """
    import asyncio

    from detent.runtime.find import DEFAULT_STORE
    from detent.runtime.layouts import apply_pending, pending, script

    url = store or DEFAULT_STORE
    if print_sql:
        click.echo(asyncio.run(script(url, deployed=deployed)), nl=False)
        return Exit.SUCCEEDED
    found = asyncio.run((pending if dry_run else apply_pending)(url, deployed=deployed))
    for migration in found:
        when = "after the deploy" if migration.phase == "post" else "before the deploy"
        click.echo(f"{migration.number:04} {migration.name} ({when})")
    verb = "would be applied" if dry_run else "applied"
    click.echo(f"detent: {len(found)} {verb}" if found else "detent: the layout is up to date", err=True)
    return Exit.SUCCEEDED
