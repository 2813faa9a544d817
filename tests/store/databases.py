"""Databases for the tests of the Postgres store, and a store whose leases run by the instants a test gives."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from detent.store.postgres import PostgresStore

#: The lease clock in the hands of a test: it shows what stands in a table.
CLOCK = """
CREATE SCHEMA IF NOT EXISTS tests;
CREATE TABLE tests.clock AS SELECT 0::bigint AS now;
CREATE OR REPLACE FUNCTION detent.lease_clock() RETURNS bigint LANGUAGE sql STABLE
    AS $$ SELECT now FROM tests.clock $$;
"""

EMPTY = """
TRUNCATE detent.machine, detent.execution, detent.segment, detent.blob, detent.inbox, detent.beat, detent.owner,
    detent.document,
    detent.want, detent.offer, detent.slot, detent.reservation, detent.search_attribute;
"""


def named(address: str, database: str) -> str:
    """The address of another database of the same server."""
    return urlunsplit(urlsplit(address)._replace(path=f"/{database}"))


async def execute(address: str, script: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


def run(address: str, script: str) -> None:
    asyncio.run(execute(address, script))


async def migrated(address: str) -> None:
    """Give a database the layout of a store."""
    store = PostgresStore(address)
    await store.open(engine=False)
    await store.close()


class SteppedStore(PostgresStore):
    """A store on a database with :data:`CLOCK`, which shows the instant that each call names."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._address = url

    async def claim(self, owner: str, *, now: int, **rest: Any) -> Any:
        await execute(self._address, f"UPDATE tests.clock SET now = {now}")
        return await super().claim(owner, now=now, **rest)

    async def renew(self, owner: str, *, now: int, lease: int) -> bool:
        await execute(self._address, f"UPDATE tests.clock SET now = {now}")
        return await super().renew(owner, now=now, lease=lease)

    async def workers(self, *, now: int) -> Any:
        await execute(self._address, f"UPDATE tests.clock SET now = {now}")
        return await super().workers(now=now)

    async def take_slot(self, owner: str, resource: str, limit: int, *, now: int) -> int | None:
        await execute(self._address, f"UPDATE tests.clock SET now = {now}")
        return await super().take_slot(owner, resource, limit, now=now)
