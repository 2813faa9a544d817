"""The stores under test: every behaviour is checked on each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from detent.store.memory import MemoryStore
from detent.store.sqlite import SqliteStore

Scenario = Callable[[], Awaitable[None]]


@pytest.fixture(params=["memory", "sqlite"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A store that is not open yet. For SQLite: in a folder that does not exist yet."""
    if request.param == "memory":
        return MemoryStore()
    return SqliteStore(tmp_path / "new" / "folder" / "detent.db")


@pytest.fixture
def play(new_store: Any) -> Callable[[Callable[[Any], Awaitable[None]]], None]:
    """Run a scenario on an open store with the engine's rights."""

    def run(scenario: Callable[[Any], Awaitable[None]]) -> None:
        async def session() -> None:
            await new_store.open(engine=True)
            try:
                await scenario(new_store)
            finally:
                await new_store.close()

        asyncio.run(session())

    return run
