"""Store URLs: what each text means, and what is refused with a sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from detent.store.base import StoreError
from detent.store.memory import MemoryStore
from detent.store.postgres import PostgresStore
from detent.store.sqlite import SqliteStore
from detent.store.url import DEFAULT_STORE, StoreUrl, StoreUrlError, open_store, parse_store_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DEFAULT_STORE, StoreUrl("sqlite", Path(".detent/detent.db"))),
        ("sqlite:///relative/x.db", StoreUrl("sqlite", Path("relative/x.db"))),
        ("sqlite:////absolute/x.db", StoreUrl("sqlite", Path("/absolute/x.db"))),
        ("SQLite:///x.db", StoreUrl("sqlite", Path("x.db"))),
        ("sqlite:///with%20blank%3F.db", StoreUrl("sqlite", Path("with blank?.db"))),
        ("sqlite:///x.db?synchronous=normal", StoreUrl("sqlite", Path("x.db"), "NORMAL")),
        ("sqlite:///x.db?synchronous=FULL", StoreUrl("sqlite", Path("x.db"), "FULL")),
        ("plain/path.db", StoreUrl("sqlite", Path("plain/path.db"))),
        ("/absolute/100%25.db", StoreUrl("sqlite", Path("/absolute/100%25.db"))),
        (r"C:\stores\x.db", StoreUrl("sqlite", Path(r"C:\stores\x.db"))),
        ("postgresql://h/db", StoreUrl("postgres", address="postgresql://h/db")),
        ("postgres://u:p%40@h:5433/db", StoreUrl("postgres", address="postgresql://u:p%40@h:5433/db")),
        ("Postgres:///db?host=/run", StoreUrl("postgres", address="postgresql:///db?host=/run")),
        ("memory:", StoreUrl("memory")),
        ("memory://", StoreUrl("memory")),
    ],
)
def test_a_url_names_a_store(text, expected):
    assert parse_store_url(text) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no name"),
        ("a\0b", "has no name"),
        ("sqlite://x.db", "mind the slashes"),
        ("sqlite:x.db", "mind the slashes"),
        ("sqlite:///", "names no file"),
        ("sqlite:////", "names no file"),
        ("sqlite:///x.db?mode=ro", "mode=ro is no option"),
        ("sqlite:///x.db?synchronous=OFF", "synchronous=OFF is no option"),
        ("memory:x", "memory: is no store"),
        ("postgresql:", "names no database"),
        ("postgresql://h", "names no database"),
        ("postgresql://h/", "names no database"),
        ("postgresql://h:0x/db", "names no database"),
        ("postgresql://[h/db", "names no database"),
        ("redis://localhost", "redis: is no store this release knows"),
        ("mysql:thing", "mysql: is no store"),
    ],
)
def test_other_texts_are_refused_with_a_sentence(text, sentence):
    with pytest.raises(StoreUrlError, match=sentence):
        parse_store_url(text)


def test_a_refusal_repeats_no_password():
    with pytest.raises(StoreUrlError) as refusal:
        parse_store_url("postgresql://u:secret@h:x/db")
    assert "secret" not in str(refusal.value)


def test_the_driver_of_postgres_is_missed_only_when_it_is_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    for module in ("postgres", "postgres_layout", "postgres_pool"):
        monkeypatch.delitem(sys.modules, f"detent.store.{module}", raising=False)
    assert isinstance(open_store("memory:"), MemoryStore)
    with pytest.raises(StoreError, match=r"pip install 'detent\[postgres\]'"):
        open_store("postgresql://h/db")


def test_the_store_of_a_url_is_made():
    assert isinstance(open_store("postgres://h/db"), PostgresStore)
    assert isinstance(open_store("memory:"), MemoryStore)
    assert isinstance(open_store("sqlite:///x.db"), SqliteStore)
