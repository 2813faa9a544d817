"""``detent signal`` and ``detent pause``; what ``detent resume`` says of a pause that it ended elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .options import SETTINGS
from .outcome import OutputFormat
from .reading import label, output_option, store_option, the_one, with_records
from .remote import chosen, id_at, server_option, settled, with_server

if TYPE_CHECKING:
    from detent.client import AsyncClient, Execution
    from detent.runtime.records import Records, Steered
    from detent.runtime.steering import Given

value_option = click.option(
    "--value", metavar="JSON", help="The value: JSON, @FILE, or - for stdin.  [default: null]"
)


@click.command(context_settings=SETTINGS)
@click.argument("execution")
@click.argument("name")
@value_option
@click.option("--key", metavar="TEXT", help="Sent again with the same key, the signal counts once.")
@output_option
@server_option
@store_option
def signal(
    execution: str,
    name: str,
    value: str | None,
    key: str | None,
    server: str | None,
    store: str | None,
    output: OutputFormat,
) -> None:
    """Send the signal NAME to one EXECUTION: it answers the state whose Resource is `signal:NAME`.

    The value is the state's result. The signal is stored, whoever runs the execution; one that no state waits for
    yet is kept until one does. The exit code is 0 then, 2 if the execution has ended, there is none of that name,
    or its definition knows no signal NAME.
    """
    from .input import read_value

    said = read_value(value)
    url = chosen(server, store)
    if url is not None:

        async def ask(client: AsyncClient) -> Execution:
            id = await id_at(client, execution)
            await client.signal(id, name, said, key=key)
            return await client.execution(id)

        _tell_wish(with_server(url, ask), output, f"the signal {name} is stored")
        return

    async def work(records: Records) -> Steered:
        return await records.signal(await the_one(records, execution), name, said, key=key)

    steered = with_records(store, work)
    kept = name in steered.state.signals
    if not steered.arrived:
        told = "is stored: the process that runs the execution takes it, or who resumes it"
    elif kept:
        told = "is kept until a state waits for it"
    else:
        told = "has arrived"
    tell(steered, output, f"the signal {name} {told}", kept=kept)


@click.command(context_settings=SETTINGS)
@click.argument("execution")
@output_option
@server_option
@store_option
def pause(execution: str, server: str | None, store: str | None, output: OutputFormat) -> None:
    """Pause one EXECUTION: answers and timers are recorded, but no further state begins until it is resumed.

    Tasks that run go on, and so do deadlines. The items of a distributed Map are paused with it. Its status stays
    RUNNING for the AWS protocol. The exit code is 0, or 2 if it has ended or there is none of that name.
    """
    url = chosen(server, store)
    if url is not None:
        _pause_at(url, execution, output)
        return

    async def work(records: Records) -> Steered:
        return await records.pause(await the_one(records, execution))

    steered = with_records(store, work)
    name = label(steered.state.id)
    if steered.arrived:
        tell(steered, output, f"{name} is paused; `detent resume {steered.state.name}` goes on with it")
    else:
        tell(steered, output, f"{name} will be paused by the process that runs it: the wish is stored")


def _pause_at(url: str, execution: str, output: OutputFormat) -> None:
    async def ask(client: AsyncClient) -> Execution:
        id = await id_at(client, execution)
        await client.pause(id)
        return await settled(client, id, lambda found: found.paused)

    found = with_server(url, ask)
    told = "is paused" if found.paused else "will be paused: the wish is stored"
    _tell_wish(found, output, f"{label(found.id)} {told}")


def resume_at(url: str, execution: str, given: Given | None, output: OutputFormat) -> None:
    """Have a server go on with what is paused."""

    async def ask(client: AsyncClient) -> Execution:
        id = await id_at(client, execution)
        if given is None:
            await client.resume(id)
        else:
            await client.resume(id, given.value, state=given.state)
        return await settled(client, id, lambda found: not found.paused)

    found = with_server(url, ask)
    told = "will go on: the wish is stored" if found.paused else "goes on"
    _tell_wish(found, output, f"{label(found.id)} {told}")


def _tell_wish(found: Execution, output: OutputFormat, sentence: str) -> None:
    """What became of a wish that a server was told."""
    from .words import printable

    if output == "json":
        from .paper import print_json

        print_json({"execution": found.id, "status": found.status, "paused": found.paused})
    else:
        click.echo(printable(sentence))


def tell(steered: Steered, output: OutputFormat, sentence: str, **more: bool) -> None:
    """What became of a wish, as a sentence or as JSON."""
    from .words import printable

    if output == "json":
        from .paper import print_json

        state = steered.state
        known = {"execution": state.id, "status": state.status, "paused": state.paused}
        print_json({**known, "arrived": steered.arrived, **more})
    else:
        click.echo(printable(sentence))
