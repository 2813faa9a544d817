"""``detent verify``: does what was recorded obey the laws of a log?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .judging import chosen, judge, verdict
from .options import SETTINGS
from .outcome import OutputFormat
from .reading import label, output_option, store_option

if TYPE_CHECKING:
    from detent.core.values import JSON
    from detent.recording import Recording


@click.command(context_settings=SETTINGS)
@chosen
@output_option
@store_option
def verify(
    executions: tuple[str, ...], machine: str | None, every: bool, store: str | None, output: OutputFormat
) -> int:
    """Fold the log of each EXECUTION, or of the FILE of an export, and check the laws that every log obeys.

    Numbers without a gap, one start and one end, answers only to what was asked, time that never goes back.
    Nothing is decided again, so every later release must find the same. The exit code is 0 if all logs are
    sound, 1 if one is not, 2 if there is no such execution.
    """
    from detent.audit import verify_recording

    from .words import printable

    said: list[JSON] = []

    def one(recording: Recording) -> None:
        breaches = verify_recording(recording)
        facts, events = recording.facts, recording.parts[-1].last if recording.parts else 0
        said.append(
            {
                "execution": facts.id,
                "events": events,
                "breaches": [{"event": b.event, "law": b.law, "message": b.message} for b in breaches],
            }
        )
        if output == "text":
            state = "sound" if not breaches else f"{len(breaches)} breach{'es' if len(breaches) > 1 else ''}"
            click.echo(f"{label(facts.id)}: {events:,} events, {state}")
            for breach in breaches:
                click.echo(f"  {printable(str(breach))}")

    count = judge(executions, machine, every, store, one)
    wanting = sum(bool(each["breaches"]) for each in said)
    if output == "json":
        from .paper import print_json

        print_json({"executions": said})
        return int(wanting > 0)
    return verdict(count, wanting, lambda n: f"{n} not sound" if n else "all sound")
