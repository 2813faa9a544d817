"""``detent gc`` and ``detent backup``: forget what is old, copy what is there."""

from __future__ import annotations

import re
from pathlib import Path

import click

from .exits import Exit, Refusal
from .options import SETTINGS
from .outcome import OutputFormat
from .reading import output_option, store_option, with_records

_UNITS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_AGE = re.compile(r"(\d{1,6})(s|min|h|d|w)")


class Age(click.ParamType):  # type: ignore[type-arg]  # generic in some releases of click only
    """A time such as 30d or 12h, in seconds."""

    name = "age"

    def convert(
        self, value: object, parameter: click.Parameter | None, context: click.Context | None
    ) -> float:
        found = _AGE.fullmatch(str(value).strip())
        if found is None:
            self.fail(
                f"{value!r} is no age: write a number with s, min, h, d or w, such as 30d", parameter, context
            )
        return float(int(found[1]) * _UNITS[found[2]])


@click.command(context_settings=SETTINGS)
@click.option(
    "--keep-age", type=Age(), metavar="AGE", help="Keep what ended less than this ago, such as 30d or 12h."
)
@click.option(
    "--keep-count",
    type=click.IntRange(0),
    metavar="N",
    help="Keep the N executions of each machine that ended last.",
)
@click.option("--machine", metavar="NAME", help="Look at this machine only, by name or ARN.")
@output_option
@store_option
def gc(
    keep_age: float | None,
    keep_count: int | None,
    machine: str | None,
    store: str | None,
    output: OutputFormat,
) -> int:
    """Forget executions that ended long ago: their logs and everything stored for them. There is no way back.

    What either --keep-age or --keep-count gives up is forgotten, a few at a time, while engines go on working. What
    has not ended, or was started by an execution that has not, is kept in any case.
    """
    from detent.runtime.keeping import Retention

    retention = Retention(keep_age, keep_count)
    if not retention:
        raise Refusal("say what to keep", "--keep-age 30d, --keep-count 1000, or both")
    gone = with_records(store, lambda records: records.forget_old(retention, machine))
    if output == "json":
        from .paper import print_json

        print_json({"forgotten": gone})
        return Exit.SUCCEEDED
    for name, count in sorted(gone.items()):
        click.echo(f"{name.rpartition(':')[2]}: {count} forgotten")
    if not gone:
        click.echo("detent: nothing is old enough", err=True)
    return Exit.SUCCEEDED


@click.command(context_settings=SETTINGS)
@click.argument("file")
@store_option
def backup(file: str, store: str | None) -> int:
    """Copy a SQLite store to FILE, which must not be there yet, while engines go on working.

    The copy is one moment of the store, whole and on the disk when the command ends. To restore it, put it where the
    store was while no engine is at work, and remove the files STORE-wal and STORE-shm there. A Postgres database is
    copied by its own tools.
    """
    from detent.runtime.compose import back_up
    from detent.runtime.find import DEFAULT_STORE

    from .words import size

    click.echo(f"detent: {file}, {size(back_up(store or DEFAULT_STORE, Path(file)))}", err=True)
    return Exit.SUCCEEDED
