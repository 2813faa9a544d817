"""``detent graph``: the picture of a definition, and the path of an execution through it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from .exits import Exit, Refusal
from .files import write_bytes
from .options import SETTINGS, variables
from .reading import store_option

if TYPE_CHECKING:
    from detent.core.values import JSON
    from detent.recording import Recording
    from detent.schema.diagnostics import Pointer
    from detent.schema.graph import Chart, Trail, Visits

    from .reading import Where

FORMATS = ("text", "svg", "png", "mermaid", "dot")
_SUFFIXES = {
    ".svg": "svg",
    ".png": "png",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
}


@click.command(context_settings=SETTINGS)
@click.argument("file", metavar="FILE", required=False)
@click.option(
    "--format",
    "format",
    type=click.Choice(FORMATS),
    help="The format.  [default: that of the -o file's suffix, else text]",
)
@click.option("-o", "--output", metavar="FILE", help="Where the picture goes.  [default: stdout]")
@click.option(
    "--execution", metavar="NAME", help="Show the path of this execution, by name, ARN or export file."
)
@store_option
@variables
def graph(
    file: str | None,
    format: str | None,
    output: str | None,
    execution: str | None,
    store: str | None,
    variables: Mapping[str, str],
) -> int:
    """Draw a definition: as lines for the terminal, SVG, PNG, Mermaid or DOT.

    With --execution the picture shows what was visited, how often, what failed and where it is now; FILE may then
    be left out, and the definition is the one that ran. The exit code is 0, 1 if the definition cannot be read, or
    2 for wrong usage.
    """
    from detent.schema.graph import chart

    definition, trail = _drawn(file, execution, store, variables)
    chosen = format or _SUFFIXES.get(PurePath(output or "").suffix.lower(), "text")
    title = PurePath(file).name if file is not None else str(execution)
    if chosen == "png" and output is None and sys.stdout.isatty():
        raise Refusal("a PNG is no text for a terminal", "name a file with -o")
    content = _rendered(chart(definition, trail), chosen, title)
    if output is None:
        click.echo(content, nl=False)
    else:
        write_bytes(output, content)
    return Exit.SUCCEEDED


def _drawn(
    file: str | None, execution: str | None, store: str | None, variables: Mapping[str, str]
) -> tuple[JSON, Trail | None]:
    """The definition and the path through it."""
    from .reading import recording_of, where_in
    from .sources import the_definition

    if execution is None:
        if file is None:
            raise Refusal("nothing to draw", "name a FILE, or an execution with --execution")
        return the_definition(file, variables).value, None
    recording = recording_of(execution, store)
    where = where_in(recording, file, variables)
    definition = recording.definition if where.document is None else where.document.value
    return definition, _trail(recording, where)


def _trail(recording: Recording, where: Where) -> Trail:
    from detent.schema.graph import Trail, Visits
    from detent.trace import trace
    from detent.visits import visits

    found: dict[Pointer, Visits] = {}
    moves: set[tuple[Pointer, Pointer]] = set()
    for visit in visits(trace(recording.steps(), where.places, recording.beats).root):
        place = where.places.pointer(visit.scope, visit.state)
        before = found.get(place)
        found[place] = Visits(before.count + 1 if before else 1, _worst(before, visit.status.value))
        if visit.next is not None:
            moves.add((place, where.places.pointer(visit.scope, visit.next)))
    return Trail(found, frozenset(moves))


#: Of several visits, as in a Map, the one that needs attention most is shown.
_ATTENTION = ("succeeded", "caught", "aborted", "waiting", "running", "retrying", "failed")


def _worst(before: Visits | None, status: str) -> str:
    return status if before is None else max(before.status, status, key=_ATTENTION.index)


def _rendered(chart: Chart, format: str, title: str) -> bytes:
    if format == "mermaid":
        from detent.schema.graph.mermaid import to_mermaid

        return to_mermaid(chart).encode("utf-8", "replace")
    if format == "dot":
        from detent.schema.graph.dot import to_dot

        return to_dot(chart).encode("utf-8", "replace")
    if format == "text":
        from detent.schema.graph.text import ASCII, UNICODE, to_text

        from .marks import UNICODE as TERMINAL
        from .marks import marks_for

        known = marks_for(getattr(sys.stdout, "encoding", None)) is TERMINAL
        return to_text(chart, UNICODE if known else ASCII).encode("utf-8", "replace")
    from detent.schema.graph.svg import to_svg

    svg = to_svg(chart, title, dark=format == "svg").encode("utf-8", "replace")
    if format == "svg":
        return svg
    from .bitmap import to_png

    return to_png(svg)
