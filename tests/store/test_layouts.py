"""Bringing a store up to date without using it: what is pending, applying it, the SQL to apply it by hand."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from detent.runtime.layouts import apply_pending, pending, script
from detent.store import postgres_layout
from detent.store.base import Beat, Letter, Outcome, StoreError, StoreTooNew
from detent.store.migrate import Migration, migrations
from detent.store.url import StoreUrlError, open_store

from .batches import READY, create, ended, further
from .databases import run


@pytest.fixture(scope="module")
def database(new_database: Callable[[str], str]) -> str:
    return new_database("layouts")


@pytest.fixture
def postgres_url(database: str) -> str:
    run(database, "DROP SCHEMA IF EXISTS detent CASCADE")
    return database


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that is not there yet."""
    return str(tmp_path / "x.db") if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def numbers(found: list[Migration]) -> list[int]:
    return [migration.number for migration in found]


def ask(url: str, *, deployed: bool = False) -> list[int]:
    return numbers(asyncio.run(pending(url, deployed=deployed)))


def apply(url: str, *, deployed: bool = False) -> list[int]:
    return numbers(asyncio.run(apply_pending(url, deployed=deployed)))


def use(url: str) -> None:
    async def scenario():
        store = open_store(url)
        await store.open(engine=True)
        await store.append([create("e1")])
        await store.close()

    asyncio.run(scenario())


def test_asking_changes_nothing_and_applying_applies_once(url):
    every = numbers(migrations("sqlite"))
    assert ask(url) == every
    assert ask(url) == every
    assert apply(url) == every
    assert ask(url) == apply(url) == []
    use(url)


def test_a_store_that_was_opened_is_up_to_date(url):
    use(url)
    assert ask(url, deployed=True) == []
    assert asyncio.run(script(url, deployed=True)) == ""


def test_the_sql_can_be_applied_by_hand(url):
    sql = asyncio.run(script(url, deployed=False))
    if url.startswith("postgresql"):
        run(url, sql)
    else:
        with closing(sqlite3.connect(url)) as connection:
            connection.executescript(sql)
    assert ask(url) == []
    use(url)


def test_a_store_in_memory_has_no_layout():
    with pytest.raises(StoreUrlError, match="name a file or a database"):
        ask("memory:")


def test_a_file_of_a_later_release_is_left_alone(tmp_path):
    path = tmp_path / "x.db"
    use(str(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    for question in (ask, apply):
        with pytest.raises(StoreTooNew, match="layout 99"):
            question(str(path))


def test_a_deploy_in_two_steps(postgres_url, monkeypatch):
    """Release 2 adds a column; what release 1 used goes when it has gone; then release 1 refuses."""
    first = list(migrations("postgres"))
    number = first[-1].number
    add = Migration(number + 1, "colour", "ALTER TABLE execution ADD COLUMN colour text;")
    drop = Migration(number + 2, "post_drop", "DROP FUNCTION lease_clock();")

    def release(steps: list[Migration]) -> None:
        monkeypatch.setattr(postgres_layout, "migrations", lambda dialect: steps)

    use(postgres_url)
    release([*first, add, drop])
    assert apply(postgres_url) == [add.number]
    assert ask(postgres_url) == []
    assert ask(postgres_url, deployed=True) == [drop.number]
    release(first)
    assert ask(postgres_url) == []
    release([*first, add, drop])
    assert apply(postgres_url, deployed=True) == [drop.number]
    release(first)
    with pytest.raises(StoreTooNew, match=f"has layout {drop.number}"):
        ask(postgres_url)


def test_an_engine_needs_no_right_to_create(postgres_url):
    """What docs/postgres.md says that a role needs is enough."""
    role = urlsplit(postgres_url).path.removeprefix("/") + "_engine"
    apply(postgres_url)
    run(
        postgres_url,
        f"""
        CREATE ROLE {role} LOGIN PASSWORD 'secret';
        GRANT USAGE ON SCHEMA detent TO {role};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA detent TO {role};
        """,
    )
    parts = urlsplit(postgres_url)
    host = parts.netloc.rpartition("@")[2]

    async def scenario():
        store = open_store(urlunsplit(parts._replace(netloc=f"{role}:secret@{host}")))
        await store.open(engine=True)
        await store.renew("w", now=0, lease=15_000)
        await store.append([create("e1", READY, blobs={"h": b"x"}, hold="w")])
        await store.send([Letter("e1", "a", b"1")])
        await store.beat([Beat("e1", 2, 9)])
        (message,) = await store.inbox("w", limit=9)
        last = further("e1", 3, 4, ended(1), fence=1, closed=[2], drained=[message.number])
        assert await store.append([last]) == [Outcome.DONE]
        assert await store.claim("w", now=0, lease=15_000, limit=9) == []
        assert await store.delete(["e1"]) == 1
        await store.close()

    try:
        asyncio.run(scenario())
    finally:
        run(postgres_url, f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_migration_that_fails_leaves_nothing(postgres_url, monkeypatch):
    first = list(migrations("postgres"))
    broken = Migration(first[-1].number + 1, "broken", "CREATE TABLE half (id int); SELECT 1 / 0;")
    monkeypatch.setattr(postgres_layout, "migrations", lambda dialect: [*first, broken])
    with pytest.raises(StoreError, match="division by zero"):
        apply(postgres_url)
    assert len(ask(postgres_url)) == len(first) + 1
