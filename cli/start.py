"""``detent start``: have a server start an execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .exits import Exit
from .input import read_input
from .options import SETTINGS
from .outcome import EXIT_OF_STATUS, OutputFormat, instant, pretty
from .reading import label, output_option
from .remote import ended, milliseconds, server_option, with_server

if TYPE_CHECKING:
    from detent.client import AsyncClient, Execution

DEFAULT_SERVER = "http://127.0.0.1:8083"


@click.command(context_settings=SETTINGS)
@click.argument("machine")
@click.option("--input", metavar="JSON", help="The input: JSON, @FILE, or - for stdin.  [default: {}]")
@click.option("--name", metavar="NAME", help="The name of the execution; the server makes one without it.")
@click.option("--version", type=click.IntRange(1), metavar="N", help="A published version of the machine.")
@click.option("--alias", metavar="NAME", help="An alias that leads to a version.")
@click.option(
    "--wait", "waiting", is_flag=True, help="Wait for the end; output and exit code are those of run."
)
@output_option
@server_option
def start(
    machine: str,
    input: str | None,
    name: str | None,
    version: int | None,
    alias: str | None,
    waiting: bool,
    output: OutputFormat,
    server: str | None,
) -> int:
    """Start an execution of a MACHINE, a name or an ARN, on a server.

    It is durable there when this ends. Without --server it is the one that `detent serve` opens by default. The
    same --name with the same input is the same execution while it runs. What runs in this process is started by
    `detent run`.
    """
    said = read_input(input)

    async def work(client: AsyncClient) -> Execution:
        found = await client.start(machine, said, name=name, version=version, alias=alias)
        return await client.wait(found.id) if waiting else found

    found = with_server(server or DEFAULT_SERVER, work)
    if waiting:
        _tell(found, output)
        return EXIT_OF_STATUS[found.status]
    if output == "json":
        from .paper import print_json

        print_json({"execution": found.id, "name": found.name, "status": found.status})
    else:
        click.echo(f"{label(found.id)} is started")
    return Exit.SUCCEEDED


def _tell(found: Execution, output: OutputFormat) -> None:
    """The outcome, as ``detent run`` tells it."""
    if output == "json":
        from .paper import print_json

        is_good = found.status == "SUCCEEDED"
        said = {"output": found.output} if is_good else {"error": found.error, "cause": found.cause}
        known = {"execution": found.id, "name": found.name, "status": found.status}
        times = {"started": instant(milliseconds(found.started_at)), "ended": ended(found)}
        print_json({**known, **said, **times})
    elif found.status == "SUCCEEDED":
        click.echo(pretty(found.output))
    else:
        why = ": ".join(filter(None, (found.status, found.error, found.cause)))
        click.echo(f"detent: {found.name} {why}", err=True)
