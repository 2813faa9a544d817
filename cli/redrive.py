"""``detent redrive``: have an execution that ended without success go on where it stood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from .exits import Exit, Refusal, say
from .options import SETTINGS, running
from .outcome import OutputFormat
from .remote import chosen, id_at, server_option, with_server

if TYPE_CHECKING:
    from detent.client import AsyncClient
    from detent.runtime.records import Records


@click.command(context_settings=SETTINGS)
@click.argument("execution")
@server_option
@running
def redrive(
    execution: str,
    server: str | None,
    handlers: tuple[str, ...],
    functions: tuple[str, ...],
    mock: str | None,
    store: str | None,
    output: OutputFormat,
    log: bool,
    paths: Literal["detent", "jsonpath-ng"],
) -> int:
    """Go on with an EXECUTION that failed, was stopped or ran out of time, where it stood.

    The state that failed is executed again with the input it had; what succeeded is left alone. Output and exit
    code are those of `run`, and 2 if it cannot be redriven. Where another process runs the store that one is asked
    to: the exit code is 0, and 2 as long as it has not done so. So is a server with --server.
    """
    from detent.core.errors import DetentError
    from detent.runtime.find import DEFAULT_STORE, store_exists

    from .resume import Errand
    from .run import follow, resume_command
    from .session import Settings, mock_file, registry_of
    from .view import view_for

    if (remote := chosen(server, store)) is not None:
        return _ask_server(execution, remote, output)
    url = store or DEFAULT_STORE
    if not store_exists(url):
        raise Refusal(f"there is nothing to redrive: no store at {url}", "name the store with --store")
    registry = registry_of(handlers, functions=functions)
    mocks = mock_file(mock)
    errand = Errand(execution, registry, mocks, redrive=True)
    again = resume_command(execution, store, handlers, paths, mock, functions)
    try:
        code = follow(Settings(url, registry, paths, mocks), errand.begin, view_for(log), output, again)
    except DetentError as error:
        if error.code != "STORE_IN_USE":
            raise
        return _ask(execution, store, output)
    for name, reasons in errand.left.items():
        say(f"{name} was left as it is: {'; '.join(reasons)}")
    return code or (Exit.USAGE if errand.left else Exit.SUCCEEDED)


def _ask_server(execution: str, server: str, output: OutputFormat) -> int:
    from .paper import print_json
    from .reading import label

    async def ask(client: AsyncClient) -> str:
        id = await id_at(client, execution)
        await client.redrive(id)
        return id

    id = with_server(server, ask)
    if output == "json":
        print_json({"execution": id, "redriven": True})
    else:
        click.echo(f"{label(id)} is redriven")
    return Exit.SUCCEEDED


def _ask(execution: str, store: str | None, output: OutputFormat) -> int:
    """Leave it to the process that runs the store."""
    from .paper import print_json
    from .reading import label, the_one, with_records

    async def work(records: Records) -> tuple[str, bool]:
        id = await the_one(records, execution)
        return id, await records.redrive(id)

    id, done = with_records(store, work)
    if output == "json":
        print_json({"execution": id, "redriven": done})
    elif done:
        click.echo(f"{label(id)} is redriven by the process that runs the store")
    else:
        click.echo(f"{label(id)} will be redriven by a process that serves the store: the wish is stored")
    return Exit.SUCCEEDED if done else Exit.USAGE
