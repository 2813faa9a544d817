"""``detent export`` and ``detent import``: an execution as a file that goes to another machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .exits import Exit, Refusal
from .options import SETTINGS
from .outcome import OutputFormat
from .reading import label, output_option, read_file, recording_of, store_option, with_records

if TYPE_CHECKING:
    from detent.core.values import JSON
    from detent.runtime.records import Records


@click.command(context_settings=SETTINGS)
@click.argument("execution")
@click.option("-o", "--to", metavar="FILE", help="Where to write it.  [default: stdout]")
@store_option
def export(execution: str, to: str | None, store: str | None) -> None:
    """Write one EXECUTION to a file: its definition, its log, every value.

    show, history, verify and replay read the file as it is, and `detent import` brings it into another store. The
    file is JSON. It holds all that the execution saw, secrets among them. The exit code is 2 if there is no such
    execution.
    """
    from detent.recording import write_recording
    from detent.runtime.compose import RELEASE

    text = write_recording(recording_of(execution, store), RELEASE)
    if to is None or to == "-":
        click.echo(text, nl=False)
        return
    _write(Path(to), text)
    from .words import size

    click.echo(f"detent: {to}, {size(len(text))}", err=True)


def _write(path: Path, text: bytes) -> None:
    """All of it or nothing: a disk that is full leaves no half of a file, nor harms an older one."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(text)
        part.replace(path)
    except (OSError, ValueError) as error:
        part.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or str(error)
        raise Refusal(f"{path} cannot be written: {reason}") from None


@click.command("import", context_settings=SETTINGS)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--unfinished",
    is_flag=True,
    help="Also an execution that has not ended: `detent resume` then goes on with it here.",
)
@output_option
@store_option
def import_(files: tuple[str, ...], unfinished: bool, store: str | None, output: OutputFormat) -> None:
    """Bring executions that were exported into this store.

    What is here already stays as it is. The exit code is 0 then as well, 1 if a file is damaged, cut, or of a later
    release, 2 if an execution of its name is here that something else happened in.
    """
    recordings = [read_file(file) for file in files]
    for file, recording in zip(files, recordings, strict=True):
        if recording.facts.ended_at is None and not unfinished:
            raise Refusal(
                f"{file}: {label(recording.facts.id)} has not ended, and may still run where it comes from",
                "show, verify and replay read the file itself; --unfinished imports it all the same",
                exit=Exit.USAGE,
            )

    async def work(records: Records) -> list[bool]:
        return [await records.put(recording) for recording in recordings]

    new = with_records(store, work, new=True)
    said: list[JSON] = [
        {"file": file, "execution": recording.facts.id, "imported": imported}
        for file, recording, imported in zip(files, recordings, new, strict=True)
    ]
    if output == "json":
        from .paper import print_json

        print_json({"executions": said})
        return
    for one, recording in zip(said, recordings, strict=True):
        click.echo(f"{label(recording.facts.id)} {'is imported' if one['imported'] else 'was here already'}")
