"""A copy of a SQLite store that is in use: one moment of it, whole, on the disk when it is done."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from .base import StoreError, StoreUnavailable
from .sqlite_file import BUSY_TIMEOUT, errors_named, layout_version


def back_up(source: Path, target: Path) -> int:
    """Copy a store to a file that is not there yet; its size in bytes. Engines go on meanwhile. Raises StoreError.

    The copy is compact. It appears under its name once it is complete, checked, and on the disk.
    """
    if target.exists():
        raise StoreError(f"{target} is there already; name another file")
    if not source.is_file():
        raise StoreUnavailable(f"there is no store at {source}")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with errors_named(source), closing(_connect(source)) as connection:
            layout_version(connection, source)
            connection.execute("VACUUM INTO ?", (str(part),))
        with errors_named(part), closing(_connect(part)) as copy:
            ((verdict,),) = copy.execute("PRAGMA quick_check(1)").fetchall()
            if verdict != "ok":
                raise StoreError(f"the copy of {source} is damaged: {verdict}")
        size = _synced(part)
        os.link(part, target)  # unlike a renaming this replaces nothing
        _synced(target.parent)
    except OSError as error:
        raise StoreUnavailable(f"{target} cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
    return size


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT / 1000)


def _synced(path: Path) -> int:
    """Have a file or folder on the disk; its size."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
        return os.fstat(number).st_size
    finally:
        os.close(number)
