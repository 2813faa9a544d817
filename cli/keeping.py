"""``detent gc`` and ``detent backup``: forget what is old, copy what is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .exits import Exit, Refusal
from .options import SETTINGS
from .outcome import OutputFormat
from .reading import output_option, store_option, with_records

if TYPE_CHECKING:
    from detent.runtime.keeping import Retention

_UNITS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_AGE = re.compile(r"(\d{1,6})(s|min|h|d|w)")

#: What is kept, and of which machine; of all others without a name.
Kept = tuple[str, float]
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def keeping(command: Decorated) -> Decorated:
    """``--keep-age`` and ``--keep-count``, for all machines and for single ones."""
    for option in reversed(_KEEPING):
        command = option(command)
    return command


def _ages(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[Kept]:
    return [_kept(value, _seconds, "30d or orders=7d") for value in values]


def _counts(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[Kept]:
    return [_kept(value, _number, "1000 or orders=50") for value in values]


def _kept(value: str, read: Callable[[str], float | None], example: str) -> Kept:
    machine, _, text = value.rpartition("=")
    found = read(text.strip())
    if found is None:
        raise click.BadParameter(f"{value!r} does not say what to keep: write {example}")
    return machine.strip(), found


def _seconds(text: str) -> float | None:
    found = _AGE.fullmatch(text)
    return None if found is None else float(int(found[1]) * _UNITS[found[2]])


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


_KEEPING = (
    click.option(
        "--keep-age",
        multiple=True,
        metavar="[MACHINE=]AGE",
        callback=_ages,
        help="Keep executions so long after their end, such as 30d or 12h. May be given more than once, for "
        "machines of which something else is kept.",
    ),
    click.option(
        "--keep-count",
        multiple=True,
        metavar="[MACHINE=]N",
        callback=_counts,
        help="Keep the N executions of each machine that ended last. May be given more than once, as --keep-age.",
    ),
)


def retention_of(ages: Iterable[Kept], counts: Iterable[Kept]) -> Retention:
    """What two options say; of one machine the last word counts."""
    from detent.runtime.keeping import Retention

    age_of, count_of = dict(ages), {machine: int(count) for machine, count in counts}
    return Retention(age_of.pop("", None), count_of.pop("", None), age_of, count_of)


@click.command(context_settings=SETTINGS)
@keeping
@click.option("--machine", metavar="NAME", help="Look at this machine only, by name or ARN.")
@output_option
@store_option
def gc(
    keep_age: list[Kept],
    keep_count: list[Kept],
    machine: str | None,
    store: str | None,
    output: OutputFormat,
) -> int:
    """Forget executions that ended long ago: their logs and everything stored for them. There is no way back.

    What either --keep-age or --keep-count gives up is forgotten, a few at a time, while engines go on working. What
    has not ended, or was started by an execution that has not, is kept in any case.
    """
    retention = retention_of(keep_age, keep_count)
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
