"""Executions of a server: what commands do with ``--server`` in place of ``--store``."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import click

from .exits import Refusal
from .outcome import instant
from .reading import is_file, label, read_file, recording_of

if TYPE_CHECKING:
    from detent.client import AsyncClient, Execution, ExecutionSummary
    from detent.recording import Recording

T = TypeVar("T")

#: How often, and how many times, is looked whether a wish has arrived.
LOOK_SECONDS = 0.1
LOOKS = 50

server_option = click.option(
    "--server",
    metavar="URL",
    help="A server that runs executions, in place of a store: http://HOST:PORT. $DETENT_API_KEY is its key, if it "
    "needs one.",
)


def chosen(server: str | None, store: str | None) -> str | None:
    """The server to ask; None for the store. What was typed counts before the environment. Raises Refusal for both."""
    if server is None or store is None:
        return server
    source = click.get_current_context().get_parameter_source
    if source("server") == source("store"):
        raise Refusal("--server and --store are two places, and one is looked at", "name one of them")
    return server if source("server") == click.core.ParameterSource.COMMANDLINE else None


def with_server(server: str, work: Callable[[AsyncClient], Awaitable[T]]) -> T:
    """What ``work`` answers, given a client of a server. Raises Refusal for one that cannot be reached, ClientError."""
    import asyncio

    async def run() -> T:
        from detent.client import AsyncClient, ClientError

        async with AsyncClient(server, api_key=os.environ.get("DETENT_API_KEY")) as client:
            try:
                return await work(client)
            except ClientError as error:
                if error.problem != "unreachable":
                    raise
                raise Refusal(
                    error.detail, "`detent serve` starts a server; --server names another"
                ) from None

    return asyncio.run(run())


async def id_at(client: AsyncClient, text: str) -> str:
    """The id of the execution that a name, MACHINE:NAME or an ARN means. Raises Refusal, ClientError."""
    if ":" in text:
        return (await client.execution(text)).id
    found = [one.id async for one in client.executions(name=text)]
    if not found:
        raise Refusal(
            f"there is no execution {text!r} on this server", "`detent executions` lists what is there"
        )
    if len(found) > 1:
        names = "\n  ".join(map(label, found))
        raise Refusal(f"{len(found)} executions are named {text!r}; choose one:\n  {names}")
    return found[0]


async def settled(client: AsyncClient, id: str, fits: Callable[[Execution], bool]) -> Execution:
    """An execution as soon as it fits or has ended, or as it is after some seconds."""
    import asyncio

    for _ in range(LOOKS):
        found = await client.execution(id)
        if fits(found) or found.status != "RUNNING":
            return found
        await asyncio.sleep(LOOK_SECONDS)
    return await client.execution(id)


def recording_at(text: str, store: str | None, server: str | None) -> Recording:
    """The execution that a name, an ARN or the file of an export means, of a store or of a server."""
    url = chosen(server, store)
    if url is None:
        return recording_of(text, store)
    if is_file(text):
        return read_file(text)

    async def read(client: AsyncClient) -> Recording:
        from detent.recording import read_recording

        # It is of this moment, and the server is at work on it: no file of long ago.
        recording = read_recording(await client.export(await id_at(client, text)))
        return replace(recording, release=None, at_work=recording.facts.status == "RUNNING")

    return with_server(url, read)


def milliseconds(at: datetime) -> int:
    """An instant as the command line counts it."""
    return round(at.timestamp() * 1000)


def ended(found: ExecutionSummary) -> str | None:
    """The end of an execution as it is printed."""
    return None if found.ended_at is None else instant(milliseconds(found.ended_at))
