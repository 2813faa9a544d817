"""The layout of a SQLite store, for those who ask about it or bring it up to date without using the store.

Opening a store migrates it as well: see :mod:`detent.store.sqlite_file`. One process runs a file, so nothing
waits for the end of a deploy.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from .migrate import Migration, migrations
from .sqlite_file import APPLICATION_ID, Connection, connect_reader, connect_writer, layout_version


class SqliteLayout:
    """A :class:`~detent.store.migrate.Layout` of a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def pending(self, *, deployed: bool) -> Sequence[Migration]:
        every = migrations("sqlite")
        if not self._path.exists():
            return every
        file = Connection(self._path, partial(connect_reader, self._path))
        await file.open()
        try:
            version = await file.run("BEGIN", layout_version, self._path)
        finally:
            await file.close()
        return [migration for migration in every if migration.number > version]

    async def migrate(self, *, deployed: bool) -> Sequence[Migration]:
        found = await self.pending(deployed=deployed)
        file = Connection(self._path, partial(connect_writer, self._path, "FULL", None))
        await file.open()
        await file.close()
        return found

    def script(self, found: Sequence[Migration]) -> str:
        if not found:
            return ""
        steps = "\n".join(migration.sql.strip() for migration in found)
        marks = f"PRAGMA user_version = {found[-1].number};\nPRAGMA application_id = {APPLICATION_ID};"
        return f"PRAGMA journal_mode = WAL;\nBEGIN IMMEDIATE;\n{steps}\n{marks}\nCOMMIT;\n"

    async def close(self) -> None:
        """Nothing is kept open."""
