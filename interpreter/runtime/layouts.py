"""The layout of the store a URL names: what it lacks, bringing it up to date, and the SQL that does.

Here for those who may not know a store: the command line, a server that refuses to start on an old layout.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ..store.migrate import Layout, Migration
from ..store.url import layout_of

__all__ = ["Migration", "apply_pending", "pending", "script"]


async def pending(url: str, *, deployed: bool) -> Sequence[Migration]:
    """The migrations a store lacks, those that wait for the end of a deploy only if it is over. Raises StoreError."""
    async with _layout(url) as layout:
        return await layout.pending(deployed=deployed)


async def apply_pending(url: str, *, deployed: bool) -> Sequence[Migration]:
    """Apply what is pending, all of it or nothing; what was. Raises StoreError."""
    async with _layout(url) as layout:
        return await layout.migrate(deployed=deployed)


async def script(url: str, *, deployed: bool) -> str:
    """SQL that applies what is pending, empty if nothing is. Raises StoreError."""
    async with _layout(url) as layout:
        found = await layout.pending(deployed=deployed)
        return layout.script(found) if found else ""


@asynccontextmanager
async def _layout(url: str) -> AsyncIterator[Layout]:
    layout = layout_of(url)
    try:
        yield layout
    finally:
        await layout.close()
