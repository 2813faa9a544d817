"""Where a measurement happens: a store, and a folder of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def place(store: str | None) -> Iterator[tuple[str, Path]]:
    """A fresh SQLite store, or the one that was asked for, and a folder on the same disk as this one."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".benchmark-") as name:
        folder = Path(name).resolve()
        yield store or str(folder / "detent.db"), folder


def file_bytes(url: str) -> int | None:
    """The size of a store's file; None if it is no file."""
    path = Path(url)
    if not path.is_file():
        return None
    log = path.with_name(path.name + "-wal")
    return path.stat().st_size + (log.stat().st_size if log.is_file() else 0)
