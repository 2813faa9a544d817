"""Migrations and query plans: the layout is what the files say, and hot statements use their index."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import detent.store
from detent.store.base import Match, Query
from detent.store.migrate import migrations, queries
from detent.store.sqlite import find_statement
from detent.store.sqlite_file import connect_writer


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory):
    """A migrated file with enough rows that a plan matters."""
    path = tmp_path_factory.mktemp("plans") / "detent.db"
    with closing(connect_writer(path, "NORMAL", None)) as connection:
        executions = [
            (n, 3, 0, 0, f"w{n % 7}" if n % 3 else None, n, n % 2, n if n % 5 else None, f"e{n}")
            for n in range(3000)
        ]
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO execution (key, last, fence, claims, owner, due, ready, ended_at, id, "
            "status, started_at, name, machine, digest, profile) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'RUNNING', 0, 'n', 'm', 'd', 'p')",
            executions,
        )
        connection.executemany(
            "INSERT INTO segment VALUES (?, ?, ?, x'', x'')", [(n % 100, n, n + 1) for n in range(3000)]
        )
        connection.execute("COMMIT")
        yield connection


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("standing", "SEARCH execution USING INDEX execution_id (id=?)"),
        ("load", "SEARCH execution USING INDEX execution_id (id=?)"),
        ("key", "SEARCH execution USING COVERING INDEX execution_id (id=?)"),
        ("fence", "SEARCH execution USING INDEX execution_id (id=?)"),
        ("release", "SEARCH execution USING INDEX execution_id (id=?)"),
        ("move", "SEARCH execution USING INTEGER PRIMARY KEY (rowid=?)"),
        ("segments", "SEARCH segment USING INDEX segment_log (execution=? AND after>?)"),
        ("payloads", "SEARCH segment USING INDEX segment_log (execution=? AND after=?)"),
        ("due", "SEARCH execution USING INDEX execution_waiting (<expr><?)"),
        ("due_in_queue", "SEARCH execution USING INDEX execution_queue (machine=? AND <expr><?)"),
        ("next_queue", "SEARCH execution USING INDEX execution_queue (machine>?)"),
        ("give_back_all", "SEARCH execution USING INDEX execution_held (owner=?)"),
        ("held", "SEARCH execution USING INDEX execution_held (owner=?)"),
        ("inbox", "SEARCH inbox USING INDEX inbox_waiting (number>?)"),
        ("unread", "SEARCH inbox USING INDEX inbox_dedupe (execution=?)"),
        ("suspect", "SEARCH execution USING INDEX execution_waiting (<expr>=?)"),
        ("wanting", "SEARCH want USING COVERING INDEX want_resource (resource=?)"),
        ("first_offer", "SEARCH offer USING INDEX offer_queue (resource=?)"),
        ("newest_pruned", "SEARCH execution USING COVERING INDEX execution_ended (machine=? AND ended_at>?)"),
        ("reservation", "SEARCH reservation USING PRIMARY KEY (key=?)"),
        ("forget_reservations", "SEARCH reservation USING PRIMARY KEY (key=?)"),
        ("settle", "SEARCH reservation USING PRIMARY KEY (key=?)"),
        ("unreserve", "SEARCH reservation USING PRIMARY KEY (key=?)"),
        ("addressed", "SCAN inbox USING INDEX inbox_waiting"),
        ("send", "SEARCH execution USING COVERING INDEX execution_id (id=?)"),
        ("drain", "SEARCH inbox USING INTEGER PRIMARY KEY (rowid=?)"),
        ("find", "SCAN execution"),
        ("document", "SEARCH document USING INDEX document_id (collection=? AND id=?)"),
        ("documents", "SEARCH document USING INDEX document_order (collection=? AND number>?)"),
        ("change_document", "SEARCH document USING INTEGER PRIMARY KEY (rowid=?)"),
        ("delete_document", "SEARCH document USING INDEX document_id (collection=? AND id=?)"),
    ],
)
def test_a_hot_statement_uses_its_index(database, name, plan):
    statement = queries("sqlite")[name].replace("/* ids */", "?").replace("/* conditions */", "TRUE")
    statement = statement.replace("/* machines */", "TRUE").replace("/* resources */", "?")
    rows = database.execute(f"EXPLAIN QUERY PLAN {statement}", [1] * statement.count("?")).fetchall()
    steps = [row[3] for row in rows]
    assert steps[0] == plan
    if name not in {
        "addressed",
        "wanting",
        "suspect",
    }:  # Sorting the few that nobody holds is the point of these.
        assert not [step for step in steps if "TEMP B-TREE" in step]


@pytest.mark.parametrize(
    ("query", "plan"),
    [
        (Query(status="FAILED"), "SEARCH execution USING INDEX execution_status (status=?)"),
        (
            Query(status="FAILED", cursor="9"),
            "SEARCH execution USING INDEX execution_status (status=? AND key<?)",
        ),
        (Query(machine="m"), "SEARCH execution USING INDEX execution_machine (machine=?)"),
        (
            Query(machine="m", status="RUNNING"),
            "SEARCH execution USING INDEX execution_status (status=?)",
        ),
        (
            Query(machine="m", status="FAILED"),
            "SEARCH execution USING INDEX execution_machine (machine=?)",
        ),
        (Query(), "SCAN execution"),
    ],
)
def test_executions_are_found_in_order(database, query, plan):
    statement, values = find_statement(query)
    rows = database.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    assert [row[3] for row in rows] == [plan]


INDEXED = "SEARCH search_attribute USING COVERING INDEX search_attribute_value"
HAS_BESIDES = "SEARCH other USING PRIMARY KEY (execution=? AND attribute=?)"


@pytest.mark.parametrize(
    ("query", "plan"),
    [
        (Query(attributes=(Match("a", (b"1",)),)), f"{INDEXED} (attribute=? AND value=?)"),
        (
            Query(attributes=(Match("a", (b"1",)),), cursor="9", status="FAILED", machine="m"),
            f"{INDEXED} (attribute=? AND value=? AND execution<?)",
        ),
        (
            Query(attributes=(Match("a", low=b"1", below=b"2"), Match("b", (b"1",)))),
            f"{INDEXED} (attribute=? AND value=?)",
        ),
        (
            Query(attributes=(Match("a", low=b"1", below=b"2"),)),
            f"{INDEXED} (attribute=? AND value>? AND value<?)",
        ),
    ],
)
def test_executions_are_found_by_their_attributes(database, query, plan):
    statement, values = find_statement(query)
    steps = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()]
    assert steps[:2] == [plan, "SEARCH execution USING INTEGER PRIMARY KEY (rowid=?)"]
    # One value is found in order, however often it is there: the latest are read, and no others.
    in_order = any(len(match.among) == 1 for match in query.attributes)
    assert ("USE TEMP B-TREE FOR ORDER BY" in steps) is not in_order
    assert (HAS_BESIDES in steps) is (len(query.attributes) > 1)


def test_the_migrations_lead_to_the_layout_as_written(database):
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(Path(__file__).with_name("schema.sqlite.sql").read_text(encoding="utf-8"))
        assert layout(database) == layout(fresh)


def layout(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    # A column that was added stands at the end of a line of its own.
    return {name: re.sub(r"\s*([,)])", r"\1", re.sub(r"\s+", " ", sql)) for name, sql in rows}


def test_migrations_are_numbered_without_a_gap():
    steps = migrations("sqlite")
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert steps[0].name == "initial"


def test_every_statement_has_a_sentence_and_is_used():
    root = Path(detent.store.__file__).parent
    text = (root / "sql" / "sqlite" / "queries.sql").read_text(encoding="utf-8")
    for name, sentence in re.findall(r"^-- name: (\w+)\n(.*)$", text, re.MULTILINE):
        assert re.match(r"-- [A-Z].*\.$", sentence), name
    code = "".join(path.read_text(encoding="utf-8") for path in root.glob("sqlite*.py"))
    for name in queries("sqlite"):
        assert f'"{name}"' in code or (name.startswith("delete_") and f'"{name[7:]}"' in code), name
