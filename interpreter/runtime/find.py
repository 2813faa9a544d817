"""Executions by what people call them: interrupted ones, one by its name or its ARN, and where they are kept."""

from __future__ import annotations

from dataclasses import replace

from ..core.execution import RUNNING
from ..store.base import Found, Query, Store
from ..store.url import DEFAULT_STORE, parse_store_url

__all__ = ["DEFAULT_STORE", "Found", "interrupted", "named", "store_exists", "store_from_anywhere"]

#: Rows asked for at once.
PAGE = 500


def store_exists(url: str) -> bool:
    """Whether there is anything to open behind a store URL; the memory store is always empty. Raises StoreUrlError."""
    store = parse_store_url(url)
    return store.address is not None or (store.path is not None and store.path.exists())


def store_from_anywhere(url: str) -> str:
    """The same store for a process that works in another folder. Raises StoreUrlError."""
    store = parse_store_url(url)
    return url if store.path is None else str(store.path.absolute())


async def interrupted(store: Store) -> list[Found]:
    """The executions that have not ended, the oldest first. Raises StoreError."""
    return (await _all(store, Query(status=RUNNING)))[::-1]


async def named(store: Store, text: str) -> list[Found]:
    """The executions of a name, or the one of an ARN; of several machines there may be more than one."""
    found = await _all(store, Query(name=text.rpartition(":")[2]))
    return [one for one in found if text in (one.record.id, one.record.name)]


async def _all(store: Store, query: Query) -> list[Found]:
    found: list[Found] = []
    query = replace(query, limit=PAGE)
    while page := await store.find(query):
        found += page
        query = replace(query, cursor=page[-1].cursor)
    return found
