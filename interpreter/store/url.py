"""Which store a URL means.

``sqlite:///relative/path`` and ``sqlite:////absolute/path`` name a SQLite file, so does a plain path;
``memory:`` forgets when the process ends. ``?synchronous=NORMAL`` behind a SQLite URL trades the last
commits before a loss of power for speed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote

from .base import Store, StoreError
from .memory import MemoryStore
from .sqlite import SqliteStore
from .sqlite_file import Synchronous

DEFAULT_STORE = "sqlite:///.detent/detent.db"

#: A scheme has at least two letters, so that C:\store.db is a path.
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):")


class StoreUrlError(StoreError):
    """The text names no store that detent knows."""

    code = "STORE_URL"


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """A store URL taken apart. ``path`` is None for the memory store."""

    kind: Literal["memory", "sqlite"]
    path: Path | None = None
    synchronous: Synchronous = "FULL"


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
        case name:
            raise StoreUrlError(
                f"{name}: is no store this release knows; use sqlite:///path, a plain path or memory:"
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


def open_store(url: str = DEFAULT_STORE) -> Store:
    """The store a URL names, not yet opened. Raises StoreUrlError."""
    parsed = parse_store_url(url)
    if parsed.path is None:
        return MemoryStore()
    return SqliteStore(parsed.path, synchronous=parsed.synchronous)
