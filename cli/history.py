"""``detent history``: what happened, event by event, in the service's words or in our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from .options import SETTINGS
from .outcome import OutputFormat
from .reading import looking
from .remote import recording_at, server_option

if TYPE_CHECKING:
    from rich.text import Text

    from detent.core.codec import Step
    from detent.core.values import JSON
    from detent.history import HistoryEvent

#: Details that say most about an event, in the order in which they are looked for.
_TELLING = (
    *("name", "error", "cause", "index", "length", "resource", "state", "workerName", "redriveCount"),
    *("output", "input"),
)
_VALUES = frozenset({"output", "input", "parameters"})


@click.command(context_settings=SETTINGS)
@click.argument("execution", metavar="EXECUTION|FILE")
@click.option("--internal", is_flag=True, help="Our own log: every signal, and the events that were decided.")
@server_option
@looking
def history(
    execution: str,
    internal: bool,
    server: str | None,
    store: str | None,
    output: OutputFormat,
    query: str | None,
) -> None:
    """List the events of one EXECUTION as the service names them.

    EXECUTION is a name, an ARN, or the FILE of an export. JSON output is that of GetExecutionHistory. The exit
    code is 2 if there is no such execution.
    """
    from .paper import paper, print_json

    steps = recording_at(execution, store, server).steps()
    if output == "json" or query is not None:
        print_json(_internal_json(steps) if internal else _json(_projected(steps)), query)
        return
    sheet = paper()
    sheet.print(_internal(steps, sheet.width) if internal else _lines(_projected(steps), sheet.width))


def _projected(steps: list[Step]) -> list[HistoryEvent]:
    """The shown history. Raises LogError for a log that contradicts itself."""
    from detent.core.codec import LogError
    from detent.history import project

    try:
        return list(project(steps))
    except (KeyError, IndexError, AttributeError, TypeError) as error:
        raise LogError("the log contradicts itself: `detent verify` tells more") from error


def _json(events: list[HistoryEvent]) -> JSON:
    return {"events": [event.as_json() for event in events]}


def _internal_json(steps: list[Step]) -> JSON:
    from .events import step_as_json

    said = []
    number = 1
    for step in steps:
        said.append(step_as_json(step, number))
        number += len(step.events)
    return {"steps": said}


def _lines(events: list[HistoryEvent], width: int) -> Iterator[Text]:
    from rich.text import Text

    from .words import seconds

    start = events[0].timestamp if events else 0
    names = max((len(event.type) for event in events), default=0)
    ids = max(2, len(str(len(events))))
    yield Text(f"{'ID':>{ids}}  {'PREV':>4}  {'TIME':>9}  {'EVENT':{names}}  DETAILS", "bold")
    for event in events:
        time = f"+{seconds(event.timestamp - start)}"
        line = Text.assemble((f"{event.id:>{ids}}  {event.previous:>4}  {time:>9}  ", "dim"))
        line.append(f"{event.type:{names}}  ", _style(event.type))
        line.append(_details(event, max(20, width - len(line.plain))))
        yield line


def _style(type: str) -> str:
    if type.endswith(("Failed", "TimedOut", "Aborted")):
        return "red"
    return "green" if type.endswith("Succeeded") else ""


def _details(event: HistoryEvent, width: int) -> str:
    from .words import printable

    line = printable(details_of(event.details or {}))
    return line if len(line) <= width else line[: width - 1] + "…"


def details_of(details: Mapping[str, JSON]) -> str:
    """The one or two things an event is about."""
    told = [(key, details[key]) for key in _TELLING if details.get(key) is not None]
    values = [str(value) for key, value in told if key in _VALUES]
    text = ": ".join(str(value) for key, value in told if key not in _VALUES)
    return "  ".join([text, *values[:1]]) if text else "".join(values[:1])


def _internal(steps: list[Step], width: int) -> Iterator[Text]:
    from rich.text import Text

    from .events import name_of, told
    from .words import seconds

    number = 0
    start = steps[0].now if steps else 0
    for step in steps:
        signal = f"{name_of(step.signal)}  {told(step.signal)}".rstrip()
        yield _cut(Text(f"+{seconds(step.now - start):9} {signal}", "bold"), width)
        for event in step.events:
            number += 1
            line = Text.assemble((f"{number:>6}  ", "dim"), f"{name_of(event):17} ", (told(event), "dim"))
            yield _cut(line, width)


def _cut(line: Text, width: int) -> Text:
    from rich.cells import cell_len

    if cell_len(line.plain) > width:
        line.truncate(width, overflow="ellipsis")
    return line
