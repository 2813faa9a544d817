"""``detent stop`` and ``detent delete``: end an execution, forget one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .exits import Exit, say
from .options import SETTINGS
from .outcome import OutputFormat, instant
from .reading import label, output_option, store_option, the_one, with_records
from .remote import chosen, id_at, milliseconds, server_option, with_server

if TYPE_CHECKING:
    from detent.client import AsyncClient
    from detent.runtime.records import Records


@click.command(context_settings=SETTINGS)
@click.argument("execution")
@click.option("--error", metavar="NAME", help="The error that the execution ends with.")
@click.option("--cause", metavar="TEXT", help="Why.")
@output_option
@server_option
@store_option
def stop(
    execution: str,
    error: str | None,
    cause: str | None,
    server: str | None,
    store: str | None,
    output: OutputFormat,
) -> None:
    """Stop one EXECUTION: it ends as ABORTED, whoever runs it.

    The wish is stored. If another process runs the execution, that one stops it; if none does it is stopped here
    and now. The exit code is 0 in either case and also if it had ended already, 2 if there is none of that name.
    """

    async def work(records: Records) -> tuple[str, str, int | None, bool]:
        id = await the_one(records, execution)
        head, stopped = await records.stop(id, error, cause)
        return id, head.status, head.ended_at, stopped

    async def ask(client: AsyncClient) -> tuple[str, str, int | None, bool]:
        id = await id_at(client, execution)
        before = await client.execution(id)
        found = await client.stop(id, error=error, cause=cause)
        ended_at = None if found.ended_at is None else milliseconds(found.ended_at)
        return id, found.status, ended_at, before.ended_at is None and found.status == "ABORTED"

    url = chosen(server, store)
    id, status, ended_at, stopped = with_records(store, work) if url is None else with_server(url, ask)
    if output == "json":
        from .paper import print_json

        ended = None if ended_at is None else instant(ended_at)
        print_json({"execution": id, "status": status, "ended": ended, "stopped": stopped})
    elif stopped:
        click.echo(f"{label(id)} is stopped")
    elif ended_at is not None:
        click.echo(f"{label(id)} had ended already: {status}")
    else:
        click.echo(
            f"{label(id)} will be stopped by the process that runs it, or resumes it: the wish is stored"
        )


@click.command(context_settings=SETTINGS)
@click.argument("executions", nargs=-1, required=True, metavar="EXECUTION...")
@click.option("--force", is_flag=True, help="Stop those that run first.")
@output_option
@store_option
def delete(executions: tuple[str, ...], force: bool, store: str | None, output: OutputFormat) -> int:
    """Delete executions: their logs and everything stored for them. There is no way back.

    One that runs is left alone without --force. The exit code is 0 if all are gone, 2 if one was left or there
    is none of its name.
    """

    async def work(records: Records) -> tuple[list[str], dict[str, str]]:
        from detent.runtime.errors import StillRunning

        # All must be there before the first is gone.
        ids = [await the_one(records, text) for text in executions]
        gone, left = [], {}
        for id, text in zip(ids, executions, strict=True):
            try:
                await records.delete(id, force=force)
                gone.append(id)
            except StillRunning as error:
                left[text] = str(error)
        return gone, left

    gone, left = with_records(store, work)
    if output == "json":
        from .paper import print_json

        print_json({"deleted": gone, "left": list(left)})
    else:
        for id in gone:
            click.echo(f"{label(id)} is deleted")
    for reason in left.values():
        say(reason, None if force else "`detent stop` ends it; --force stops and deletes it")
    return Exit.USAGE if left else Exit.SUCCEEDED
