"""``detent start``: have a server start an execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .exits import Exit, Refusal
from .input import read_input
from .options import SETTINGS
from .outcome import EXIT_OF_STATUS, OutputFormat, instant, pretty
from .reading import label, output_option
from .remote import ended, milliseconds, server_option, with_server

if TYPE_CHECKING:
    from detent.client import AsyncClient, Execution

DEFAULT_SERVER = "http://127.0.0.1:8083"
#: Machines of the server that are named where the one that was asked for is not there.
MACHINES_NAMED = 10


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
    from detent.client import ClientError

    from .definition import checked_name

    said = read_input(input)
    if name is not None:
        checked_name(name)

    async def work(client: AsyncClient) -> Execution:
        try:
            found = await client.start(machine, said, name=name, version=version, alias=alias)
        except ClientError as error:
            if error.problem != "not-found":
                raise
            raise Refusal(error.detail, await _what_there_is(client)) from None
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


async def _what_there_is(client: AsyncClient) -> str:
    """The machines of the server, the first few of them."""
    names: list[str] = []
    async for one in client.machines():
        if len(names) == MACHINES_NAMED:
            names.append("and more")
            break
        names.append(one.name)
    return (
        f"it has {', '.join(names)}" if names else "it has no machine: `detent serve DEFINITION` deploys one"
    )


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
