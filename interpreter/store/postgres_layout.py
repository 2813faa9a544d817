"""The layout of a Postgres store: which migrations it has, and bringing it up to date.

An engine that starts applies what runs before a deploy, and everything to a new store; ``detent migrate``
applies what runs after one. See :mod:`detent.store.migrate`.

Any number of processes may start at once. Whoever migrates locks the table of migrations, in the transaction
in which it applies them: no advisory lock, which a transaction pooler would not carry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from .base import PROTOCOL_VERSION, StoreCorrupt, StoreError, StoreTooNew
from .migrate import Migration, Phase, migrations, missing
from .postgres_pool import ATTEMPTS, SCHEMA, Pool, Transaction

_TABLE = f"{SCHEMA}.migration"

#: How long all of it may take, with waiting for others that migrate, in seconds.
MIGRATION_SECONDS = 3600

#: What migrations run after: nobody else migrates, and what is created without a schema is created in ours.
_BEGIN = f"""\
CREATE TABLE IF NOT EXISTS {_TABLE} (
    number integer PRIMARY KEY,
    name text NOT NULL,
    phase text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = 0;
SET LOCAL search_path = {SCHEMA};
LOCK TABLE {_TABLE} IN EXCLUSIVE MODE;
"""

#: Whether a schema is empty, or holds a store.
_OURS = """
SELECT coalesce(bool_or(relname = 'migration'), true) FROM pg_class WHERE relnamespace = to_regnamespace($1)
"""

#: What two processes that create the same thing at once may be told; the second try finds it there.
_CREATED_MEANWHILE = (
    asyncpg.UniqueViolationError,
    asyncpg.DuplicateSchemaError,
    asyncpg.DuplicateTableError,
    asyncpg.DuplicateObjectError,
)


class PostgresLayout:
    """A :class:`~detent.store.migrate.Layout` in the schema ``detent`` of a database."""

    def __init__(self, url: str) -> None:
        self._pool = Pool(url, 1, seconds=MIGRATION_SECONDS)

    async def pending(self, *, deployed: bool) -> Sequence[Migration]:
        return await self._pool.run("READ", _pending, self._pool.name, deployed)

    async def migrate(self, *, deployed: bool) -> Sequence[Migration]:
        for attempt in range(1, ATTEMPTS + 1):
            if not await self.pending(deployed=deployed):
                break
            try:
                return await self._pool.run("WRITE", _migrate, self._pool.name, deployed)
            except StoreError as error:
                if attempt == ATTEMPTS or not isinstance(error.__cause__, _CREATED_MEANWHILE):
                    raise
        return []

    def script(self, found: Sequence[Migration]) -> str:
        steps = "\n".join(f"{migration.sql.strip()}\n{_note(migration)}\n" for migration in found)
        return f"BEGIN;\nCREATE SCHEMA IF NOT EXISTS {SCHEMA};\n{_BEGIN}\n{steps}COMMIT;\n"

    async def close(self) -> None:
        await self._pool.close()


def _note(migration: Migration) -> str:
    values = f"{migration.number}, '{migration.name}', '{migration.phase}'"
    return f"INSERT INTO {_TABLE} (number, name, phase) VALUES ({values});"


async def _pending(transaction: Transaction, name: str, deployed: bool) -> Sequence[Migration]:
    """Raises StoreTooNew if a later release has taken away what this one needs."""
    applied = await _applied(transaction)
    if applied:
        await _refuse_newer(transaction, name, applied)
    return missing(migrations("postgres"), applied, deployed=deployed)


async def _migrate(transaction: Transaction, name: str, deployed: bool) -> Sequence[Migration]:
    if not await _exists(transaction, "SELECT to_regnamespace($1) IS NOT NULL", SCHEMA):
        await transaction.script(f"CREATE SCHEMA {SCHEMA}")
    elif not await _exists(transaction, _OURS, SCHEMA):
        raise StoreCorrupt(
            f"the schema {SCHEMA} of {name} is another program's; give --store another database"
        )
    await transaction.script(_BEGIN)
    found = await _pending(transaction, name, deployed)
    for migration in found:
        await transaction.script(f"{migration.sql}\n{_note(migration)}")
    return found


async def _applied(transaction: Transaction) -> Mapping[int, Phase]:
    """The migrations a store has, and their phases."""
    if not await _exists(transaction, "SELECT to_regclass($1) IS NOT NULL", _TABLE):
        return {}
    return dict(await transaction.rows(f"SELECT number, phase FROM {_TABLE}"))


async def _exists(transaction: Transaction, statement: str, name: str) -> bool:
    row = await transaction.row(statement, name)
    return row is not None and bool(row[0])


async def _refuse_newer(transaction: Transaction, name: str, applied: Mapping[int, Phase]) -> None:
    """A later ``pre`` only adds, and leaves this release working; a later ``post`` does not."""
    latest = migrations("postgres")[-1].number
    beyond = max((number for number, phase in applied.items() if phase == "post"), default=0)
    if beyond > latest:
        raise StoreTooNew(
            f"{name} has layout {beyond}, this release reads up to {latest}; use the release that wrote it"
        )
    row = await transaction.row("SELECT value FROM meta WHERE name = 'protocol'")
    if row is None:
        raise StoreCorrupt(f"{name} does not say which protocol it follows; restore a backup")
    if int(row[0]) > PROTOCOL_VERSION:
        raise StoreTooNew(f"{name} was written by a later release; use that one")
