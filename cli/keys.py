"""``detent keys``: who may use a server: make, list and revoke API keys."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from .options import SETTINGS
from .outcome import OutputFormat, instant
from .reading import output_option, store_option

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from detent.server.keys import ApiKey, Keys

    T = TypeVar("T")


@click.group(context_settings=SETTINGS)
def keys() -> None:
    """Make, list and revoke the API keys of a server.

    They are kept, as hashes, in the server's store. Once there is one, every request to a server on that store
    needs one: `Authorization: Bearer KEY`.
    """


@keys.command(context_settings=SETTINGS)
@click.argument("name")
@store_option
def create(name: str, store: str | None) -> None:
    """Make a key for NAME and print it. It is shown this once and kept nowhere."""
    click.echo(_with_keys(store, lambda kept: kept.create(name, time.time_ns() // 1_000_000)))


@keys.command("list", context_settings=SETTINGS)
@output_option
@store_option
def list_(store: str | None, output: OutputFormat) -> None:
    """List the keys: their ids, whose they are, since when."""
    from .paper import Column, paper, print_json, table
    from .words import printable

    found = _with_keys(store, lambda kept: kept.all())
    if output == "json":
        print_json([{"id": key.id, "name": key.name, "created": instant(key.created_at)} for key in found])
        return
    if not found:
        click.echo("detent: no keys", err=True)
        return
    sheet = paper()
    rows = [(key.id, printable(key.name), instant(key.created_at)) for key in found]
    sheet.print(table((Column("ID"), Column("NAME", gives=True), Column("CREATED")), rows, sheet))


@keys.command(context_settings=SETTINGS)
@click.argument("id")
@store_option
def revoke(id: str, store: str | None) -> None:
    """Revoke the key of an ID. Servers refuse it within two seconds."""
    revoked: ApiKey = _with_keys(store, lambda kept: kept.revoke(id))
    click.echo(f"the key {revoked.id} of {revoked.name} is revoked")


def _with_keys(store: str | None, work: Callable[[Keys], Awaitable[T]]) -> T:
    import asyncio

    from detent.runtime.find import DEFAULT_STORE
    from detent.server.keys import open_keys

    async def run() -> T:
        async with open_keys(store or DEFAULT_STORE) as kept:
            return await work(kept)

    return asyncio.run(run())
