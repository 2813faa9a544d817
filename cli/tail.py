"""``detent tail``: what happens, as it happens, in one execution or in all."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from .options import SETTINGS
from .outcome import OutputFormat, instant
from .reading import label, opened, output_option, store_option, the_one
from .remote import chosen, id_at, milliseconds, server_option, with_server

if TYPE_CHECKING:
    from detent.client import AsyncClient
    from detent.runtime.records import Records

#: How often is looked for something new, in seconds.
LOOK_SECONDS = 0.5
#: Executions that are asked for at once.
PAGE = 1000

Event = dict[str, Any]
#: An execution as it stands: its id, its status, when it started and ended.
Standing = tuple[str, str, int, int | None]


@click.command(context_settings=SETTINGS)
@click.argument("execution", required=False)
@output_option
@server_option
@store_option
def tail(execution: str | None, server: str | None, store: str | None, output: OutputFormat) -> None:
    """Follow one EXECUTION, event by event, until it has ended; without one, the starts and ends of all.

    The events are those of `detent history`; JSON output is one event on each line. What has happened before is told
    first. Without an EXECUTION it begins with what runs, and goes on until Ctrl-C.
    """
    import asyncio

    url = chosen(server, store)

    async def ask(client: AsyncClient) -> None:
        if execution is None:
            await _tell_all(_Server(client), output)
            return
        async for event in client.follow(await id_at(client, execution)):
            _tell(event, output)

    async def look() -> None:
        async with opened(store) as records:
            if execution is None:
                await _tell_all(_Store(records), output)
                return
            async for event in _follow(records, await the_one(records, execution)):
                _tell(event, output)

    if url is None:
        asyncio.run(look())
    else:
        with_server(url, ask)


async def _follow(records: Records, id: str) -> AsyncIterator[Event]:
    """The events of an execution of a store, until it has ended."""
    import asyncio

    from detent.history import project

    seen = 0
    while True:
        recording = await records.read(id)
        events = list(project(recording.steps()))
        for event in events[seen:]:
            yield event.as_json()
        seen = len(events)
        if recording.facts.status != "RUNNING":
            return
        await asyncio.sleep(LOOK_SECONDS)


def _tell(event: Event, output: OutputFormat) -> None:
    from .history import details_of
    from .words import printable

    if output == "json":
        from detent.core.values import encode

        click.echo(encode(event))
        return
    details = next((value for key, value in event.items() if key.endswith("EventDetails")), None)
    told = printable(details_of(details or {}))
    at = datetime.fromtimestamp(event["timestamp"]).astimezone()
    click.echo(f"{at:%H:%M:%S}  {event['id']:>4}  {event['type']:26}  {told}".rstrip())


class _Store:
    """The executions of a store."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def find(self, since: int | None) -> list[Standing]:
        """Those that run, or those that have started since then."""
        status = "RUNNING" if since is None else None
        found = await self._records.search(status=status, started_from=since, limit=PAGE)
        return [(one.record.id, one.head.status, one.record.started_at, one.head.ended_at) for one in found]

    async def look(self, id: str) -> Standing:
        """How an execution stands. Raises NotFound."""
        (one,) = await self._records.named(id)
        return id, one.head.status, one.record.started_at, one.head.ended_at


class _Server:
    """The executions of a server."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def find(self, since: int | None) -> list[Standing]:
        """Those that run, or those that have started since then."""
        after = None if since is None else datetime.fromtimestamp(since / 1000, UTC)
        status: Any = "RUNNING" if since is None else None
        page = await self._client.execution_page(status=status, started_after=after, limit=PAGE)
        return [_standing(one) for one in page.executions]

    async def look(self, id: str) -> Standing:
        """How an execution stands. Raises ClientError."""
        return _standing(await self._client.execution(id))


def _standing(found: Any) -> Standing:
    ended = None if found.ended_at is None else milliseconds(found.ended_at)
    return found.id, found.status, milliseconds(found.started_at), ended


async def _tell_all(source: _Store | _Server, output: OutputFormat) -> None:
    """Whenever an execution starts or ends. What runs at the beginning is told as running."""
    import asyncio

    known: dict[str, str] = {}
    newest = time.time_ns() // 1_000_000
    found = await source.find(None)
    while True:
        there = {standing[0] for standing in found}
        running = [id for id, status in known.items() if status == "RUNNING" and id not in there]
        found = [*reversed(found), *[await source.look(id) for id in running]]
        for id, status, started_at, ended_at in found:
            if known.get(id) != status:
                _tell_standing(id, status, started_at if ended_at is None else ended_at, output)
            newest = max(newest, started_at)
        known = {id: status for id, status, _, _ in found}
        await asyncio.sleep(LOOK_SECONDS)
        found = await source.find(newest)


def _tell_standing(id: str, status: str, at: int, output: OutputFormat) -> None:
    if output == "json":
        from detent.core.values import encode

        click.echo(encode({"execution": id, "status": status, "at": instant(at)}))
    else:
        local = datetime.fromtimestamp(at / 1000).astimezone()
        click.echo(f"{local:%H:%M:%S}  {status:9}  {label(id)}")
