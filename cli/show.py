"""``detent show``: all about one execution, while it runs and afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from .options import SETTINGS, variables
from .outcome import OutputFormat
from .reading import definition_option, looking
from .remote import recording_at, server_option

if TYPE_CHECKING:
    from rich.text import Text

    from detent.recording import Recording
    from detent.visits import Trace

    from .paper import Paper
    from .reading import Where


@click.command(context_settings=SETTINGS)
@click.argument("execution", metavar="EXECUTION|FILE")
@click.option("--full", is_flag=True, help="Every state, iteration and value, nothing cut.")
@definition_option
@variables
@server_option
@looking
def show(
    execution: str,
    full: bool,
    definition: str | None,
    variables: Mapping[str, str],
    server: str | None,
    store: str | None,
    output: OutputFormat,
    query: str | None,
) -> None:
    """Show one EXECUTION: how it stands, its timeline, and every state with its values.

    EXECUTION is a name, an ARN, or the FILE of an export. It may run in another process meanwhile. A state's
    input is the output of the one before it, and is shown where it is not. The exit code is 0 whatever became
    of the execution, and 2 if there is none of that name.
    """
    from detent.trace import trace

    from .reading import where_in

    recording = recording_at(execution, store, server)
    where = where_in(recording, definition, variables)
    told = trace(recording.steps(), where.places, recording.beats)
    # A file tells of the moment it was written, as far as its log goes.
    now = told.execution.now
    if recording.release is None:
        now = max(now, time.time_ns() // 1_000_000)
    if output == "json" or query is not None:
        from .paper import print_json
        from .show_json import as_json

        print_json(as_json(told, where, recording.at_work), query)
        return
    from .paper import paper

    sheet = paper()
    sheet.print(_lines(recording, told, where, sheet, now, full))


def _lines(
    recording: Recording, told: Trace, where: Where, sheet: Paper, now: int, full: bool
) -> Iterator[Text]:
    from rich.text import Text

    from .timeline import Timeline
    from .tree import Tree

    tree = Tree(sheet.marks, sheet.width, now, where, full)
    yield from tree.head(told, recording.release, recording.at_work)
    if told.running:
        yield from (Text(), Text("waits for", "bold"))
        yield from tree.waits(told)
    yield from (Text(), Text("timeline", "bold"))
    yield from Timeline(sheet.marks, sheet.width, now, full).draw(told)
    yield from (Text(), Text("states", "bold"))
    yield from tree.states(told)
