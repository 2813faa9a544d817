"""The stores under test: every behaviour is checked on each of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from detent.store.memory import MemoryStore
from detent.store.sqlite import SqliteStore

from .databases import CLOCK, EMPTY, SteppedStore, migrated, named, run
from .server import shared_server

Scenario = Callable[[], Awaitable[None]]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A store that is not open yet. For SQLite: in a folder that does not exist yet."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "sqlite":
        return SqliteStore(tmp_path / "new" / "folder" / "detent.db")
    return SteppedStore(request.getfixturevalue("stepped_database"))


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


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the Postgres server of this test run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with shared_server(folder) as address:
        yield address


@pytest.fixture(scope="session")
def new_database(postgres: str) -> Iterator[Callable[[str], str]]:
    """Create a database of this process; it is dropped in the end."""
    created = []

    def create(name: str) -> str:
        name = f"detent_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{name}"
        run(postgres, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        run(postgres, f"CREATE DATABASE {name}")
        created.append(name)
        return named(postgres, name)

    yield create
    for name in created:
        run(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def stepped(new_database: Callable[[str], str]) -> str:
    address = new_database("stepped")
    asyncio.run(migrated(address))
    run(address, CLOCK)
    return address


@pytest.fixture
def stepped_database(stepped: str) -> str:
    """An empty database whose lease clock stands at 0."""
    run(stepped, EMPTY + "UPDATE tests.clock SET now = 0")
    return stepped
