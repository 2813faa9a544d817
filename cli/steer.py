"""``detent signal`` and ``detent pause``; what ``detent resume`` says of a pause that it ended elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .options import SETTINGS
from .outcome import OutputFormat
from .reading import label, output_option, store_option, the_one, with_records

if TYPE_CHECKING:
    from detent.runtime.records import Records, Steered

value_option = click.option(
    "--value", metavar="JSON", help="The value: JSON, @FILE, or - for stdin.  [default: null]"
)


@click.command(context_settings=SETTINGS)
@click.argument("execution")
@click.argument("name")
@value_option
@click.option("--key", metavar="TEXT", help="Sent again with the same key, the signal counts once.")
@output_option
@store_option
def signal(
    execution: str, name: str, value: str | None, key: str | None, store: str | None, output: OutputFormat
) -> None:
    """Send the signal NAME to one EXECUTION: it answers the state whose Resource is `signal:NAME`.

    The value is the state's result. The signal is stored, whoever runs the execution; one that no state waits for
    yet is kept until one does. The exit code is 0 then, 2 if the execution has ended, there is none of that name,
    or its definition knows no signal NAME.
    """
    from .input import read_value

    said = read_value(value)

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
@store_option
def pause(execution: str, store: str | None, output: OutputFormat) -> None:
    """Pause one EXECUTION: answers and timers are recorded, but no further state begins until it is resumed.

    Tasks that run go on, and so do deadlines. Its status stays RUNNING for the AWS protocol. The exit code is 0, or 2
    if it has ended or there is none of that name.
    """

    async def work(records: Records) -> Steered:
        return await records.pause(await the_one(records, execution))

    steered = with_records(store, work)
    name = label(steered.state.id)
    if steered.arrived:
        tell(steered, output, f"{name} is paused; `detent resume {steered.state.name}` goes on with it")
    else:
        tell(steered, output, f"{name} will be paused by the process that runs it: the wish is stored")


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
