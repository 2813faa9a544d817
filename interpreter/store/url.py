"""Which store a URL means.

``sqlite:///relative/path`` and ``sqlite:////absolute/path`` name a SQLite file, so does a plain path;
``memory:`` forgets when the process ends. ``?synchronous=NORMAL`` behind a SQLite URL trades the last
commits before a loss of power for speed. ``postgresql://user:password@host:port/database`` (or
``postgres://``) names a database for a fleet; options such as ``?sslmode=verify-full`` may follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from .base import Store, StoreError
from .memory import MemoryStore
from .migrate import Layout
from .sqlite import SqliteStore
from .sqlite_file import Synchronous
from .sqlite_layout import SqliteLayout

DEFAULT_STORE = "sqlite:///.detent/detent.db"

#: A scheme has at least two letters, so that C:\store.db is a path.
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")


class StoreUrlError(StoreError):
    """The text names no store that detent knows."""

    code = "STORE_URL"


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """A store URL taken apart: ``path`` is given for SQLite, ``address`` for Postgres."""

    kind: Literal["memory", "sqlite", "postgres"]
    path: Path | None = None
    synchronous: Synchronous = "FULL"
    address: str | None = None


def parse_store_url(text: str) -> StoreUrl:
    """What a ``--store`` argument names. Raises StoreUrlError."""
    if not text or "\0" in text:
        raise StoreUrlError("the store has no name; give a path such as .detent/detent.db")
    scheme = _SCHEME.match(text)
    if scheme is None:
        return StoreUrl("sqlite", Path(text))
    match scheme[1].lower():
        case "memory" if text[scheme.end() :] in ("", "//"):
            return StoreUrl("memory")
        case "sqlite":
            return _sqlite(text, text[scheme.end() :])
        case "postgres" | "postgresql":
            return _postgres(text[scheme.end() :])
        case name:
            raise StoreUrlError(
                f"{name}: is no store this release knows; "
                "use sqlite:///path, a plain path, postgresql://host/database or memory:"
            )


def _sqlite(text: str, rest: str) -> StoreUrl:
    location, _, options = rest.partition("?")
    if not location.startswith("///") or location in ("///", "////"):
        raise StoreUrlError(
            f"{text} names no file; write sqlite:///relative/path or sqlite:////absolute/path (mind the slashes)"
        )
    synchronous: Synchronous = "FULL"
    for name, value in parse_qsl(options, keep_blank_values=True):
        match name, value.upper():
            case "synchronous", "FULL":
                synchronous = "FULL"
            case "synchronous", "NORMAL":
                synchronous = "NORMAL"
            case _:
                raise StoreUrlError(
                    f"{text}: {name}={value} is no option; there is synchronous=FULL or NORMAL"
                )
    return StoreUrl("sqlite", Path(unquote(location[3:])), synchronous)


def _postgres(rest: str) -> StoreUrl:
    """The message of a refusal leaves the URL out: there may be a password in it."""
    try:
        parts = urlsplit(f"postgresql:{rest}")
        complete = rest.startswith("//") and parts.path not in ("", "/") and (parts.port or 1) > 0
    except ValueError:
        complete = False
    if not complete:
        raise StoreUrlError(
            "the URL names no database; write postgresql://user:password@host:5432/database, "
            "with %40 for an @ in the password"
        )
    return StoreUrl("postgres", address=f"postgresql:{rest}")


def open_store(url: str = DEFAULT_STORE) -> Store:
    """The store a URL names, not yet opened. Raises StoreError: no such store, or its driver is missing."""
    parsed = parse_store_url(url)
    if parsed.address is not None:
        with _driver_needed():
            from .postgres import PostgresStore
        return PostgresStore(parsed.address)
    if parsed.path is None:
        return MemoryStore()
    return SqliteStore(parsed.path, synchronous=parsed.synchronous)


def layout_of(url: str = DEFAULT_STORE) -> Layout:
    """The layout of the store a URL names. Raises StoreError: no such store, or its driver is missing."""
    parsed = parse_store_url(url)
    if parsed.address is not None:
        with _driver_needed():
            from .postgres_layout import PostgresLayout
        return PostgresLayout(parsed.address)
    if parsed.path is None:
        raise StoreUrlError("memory: has no layout that lasts; name a file or a database")
    return SqliteLayout(parsed.path)


@contextmanager
def _driver_needed() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "asyncpg":
            raise
        raise StoreError(
            "a Postgres store needs the library asyncpg; install it with: pip install 'detent[postgres]'"
        ) from error
