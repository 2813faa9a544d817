"""``detent executions``: what ran, what runs, newest first."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from .exits import Refusal
from .options import SETTINGS
from .outcome import OutputFormat, instant
from .reading import looking, with_records
from .remote import chosen, milliseconds, server_option, with_server

if TYPE_CHECKING:
    from detent.client import AsyncClient
    from detent.core.values import JSON
    from detent.runtime.records import Records

STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")

_AGO = re.compile(r"([0-9]{1,6})\s*(s|m|h|d|w)")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


@click.command(context_settings=SETTINGS)
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Those of a status.")
@click.option("--machine", metavar="NAME", help="Those of a machine, by name or ARN.")
@click.option("--name", metavar="NAME", help="Those of exactly this name.")
@click.option(
    "--all", "every", is_flag=True, help="Also those of distributed Maps: Map Runs and their children."
)
@click.option(
    "--since", metavar="WHEN", help="Started then or later: 90s, 30m, 2h, 7d ago, or 2026-11-21[T10:15[:00]]."
)
@click.option("--until", metavar="WHEN", help="Started before then.")
@click.option(
    "--where",
    metavar="CONDITION",
    multiple=True,
    help="Those with a search attribute: NAME=VALUE, or >, >=, <, <= in place of =. Machines declare them.",
)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Rows that are listed."
)
@click.option("--after", metavar="CURSOR", help="Go on where another list has ended: it says the cursor.")
@server_option
@looking
def executions(
    status: str | None,
    machine: str | None,
    name: str | None,
    every: bool,
    since: str | None,
    until: str | None,
    where: tuple[str, ...],
    limit: int,
    after: str | None,
    server: str | None,
    store: str | None,
    output: OutputFormat,
    query: str | None,
) -> None:
    """List executions, the newest first.

    Of those that have not ended it tells which are paused, and which are interrupted: no living process works on
    them. Executions that a distributed Map has started are left out unless they are asked for: with --all, by
    name, or by their machine, which is called MACHINE/LABEL. The exit code is 0 also if there are none.
    """
    now = time.time_ns() // 1_000_000
    started_from, started_before = _instant(since, now), _instant(until, now)

    status = status.upper() if status else None
    # Who asks for one of them gets it.
    every = every or bool(machine or name)

    async def find(records: Records) -> tuple[list[Row], str | None]:
        found = await records.search(
            status=status,
            machine=machine,
            labelled=None if every else False,
            name=name,
            started_from=started_from,
            started_before=started_before,
            where=where,
            cursor=after,
            limit=limit + 1,
        )
        at_work = await records.at_work(found)
        rows = [
            Row(
                one.record.id,
                one.record.name,
                one.record.machine,
                one.record.digest,
                one.head.status,
                one.head.paused,
                one.record.id in at_work,
                one.record.started_at,
                one.head.ended_at,
            )
            for one in found[:limit]
        ]
        return rows, found[limit - 1].cursor if len(found) > limit else None

    async def ask(client: AsyncClient) -> tuple[list[Row], str | None]:
        rows: list[Row] = []
        cursor = after
        while True:
            page = await client.execution_page(
                status=status,  # type: ignore[arg-type]  # click has checked it
                machine=machine,
                name=name,
                started_after=_datetime(started_from),
                started_before=_datetime(started_before),
                where=where,
                cursor=cursor,
                limit=limit - len(rows),
            )
            cursor = page.next
            rows += [
                Row(
                    one.id,
                    one.name,
                    one.machine_arn,
                    one.definition,
                    one.status,
                    one.paused,
                    # The server is.
                    one.status == "RUNNING",
                    milliseconds(one.started_at),
                    None if one.ended_at is None else milliseconds(one.ended_at),
                )
                for one in page.executions
                if every or "/" not in one.machine
            ]
            if cursor is None or len(rows) >= limit:
                return rows, cursor

    url = chosen(server, store)
    rows, more = with_records(store, find) if url is None else with_server(url, ask)
    if output == "json" or query is not None:
        from .paper import print_json

        print_json({"executions": [_as_json(row) for row in rows], "after": more}, query)
        return
    _print(rows, now)
    if more is not None:
        click.echo(f"detent: there are more: --after {more}", err=True)


@dataclass(frozen=True, slots=True)
class Row:
    """An execution of a store or of a server. Instants are milliseconds."""

    id: str
    name: str
    machine: str
    digest: str
    status: str
    paused: bool
    at_work: bool
    started_at: int
    ended_at: int | None


def _print(found: Sequence[Row], now: int) -> None:
    from .paper import Column, condition, paper, status_text, table
    from .words import printable, seconds

    if not found:
        click.echo("detent: no executions", err=True)
        return
    columns = (
        Column("NAME", gives=True),
        Column("MACHINE", gives=True),
        Column("STATUS"),
        Column("STARTED"),
        Column("TOOK", right=True),
    )
    rows = [
        (
            printable(one.name),
            printable(one.machine.rpartition(":")[2]),
            status_text(condition(one.status, one.paused, one.at_work)),
            _day(one.started_at, now),
            seconds((one.ended_at or now) - one.started_at),
        )
        for one in found
    ]
    sheet = paper()
    sheet.print(table(columns, rows, sheet))


def _day(started: int, now: int) -> str:
    moment, today = (datetime.fromtimestamp(at / 1000).astimezone() for at in (started, now))
    return f"{moment:%b %d %H:%M:%S}" if moment.year == today.year else f"{moment:%Y-%m-%d %H:%M}"


def _as_json(row: Row) -> JSON:
    return {
        "execution": row.id,
        "name": row.name,
        "machine": row.machine,
        "definition": row.digest,
        "status": row.status,
        "paused": row.paused,
        "at_work": row.at_work,
        "started": instant(row.started_at),
        "ended": None if row.ended_at is None else instant(row.ended_at),
    }


def _datetime(at: int | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at / 1000, UTC)


def _instant(text: str | None, now: int) -> int | None:
    """An instant in milliseconds: so long ago, or a date or time, local unless it names its offset."""
    if text is None:
        return None
    ago = _AGO.fullmatch(text.strip().removesuffix("ago").strip())
    if ago is not None:
        return now - 1000 * int(ago[1]) * _UNITS[ago[2]]
    try:
        return round(datetime.fromisoformat(text.strip()).astimezone().timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise Refusal(
            f"{text!r} is no time",
            "write 90s, 30m, 2h or 7d for so long ago, or 2026-11-21, or 2026-11-21T10:15",
        ) from None
