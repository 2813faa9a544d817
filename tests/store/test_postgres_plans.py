"""Migrations and query plans of Postgres: the layout is what the files say, and hot statements use their index."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import asyncpg
import pytest

import detent.store
from detent.store.base import Match, Query
from detent.store.migrate import Migration, migrations, missing, queries
from detent.store.postgres import find_statement
from detent.store.postgres_pool import BEGIN

from .databases import migrated, run

#: The index by which each statement finds its rows, however large the tables are.
INDEXES = {
    "move": "execution_id",
    "known": "execution_id",
    "load": "execution_id",
    "key": "execution_id",
    "release": "execution_id",
    "claim_named": "execution_id",
    "claim_due": "execution_waiting",
    "claim_queues": "execution_queue",
    "queues": "execution_queue",
    "claim_suspect": "execution_waiting",
    "claim_addressed": "execution_pkey",
    "claim_wanted": "want_resource",
    "unwant": "want_pkey",
    "withdraw": "offer_task",
    "take": "offer_queue",
    "reservation": "reservation_pkey",
    "settle": "reservation_pkey",
    "unreserve": "reservation_pkey",
    "newest_pruned": "execution_ended",
    "prune": "execution_ended",
    "give_back_all": "execution_held",
    "held": "execution_held",
    "segments": "segment_log",
    "payloads": "segment_log",
    "drain": "inbox_pkey",
    "close_beat": "beat_pkey",
    "inbox": "inbox_waiting",
    "unread": "inbox_(dedupe|waiting)",
    "find": "execution_pkey",
    "machine": "machine_pkey",
    "machine_named": "machine_named",
    "document": "document_id",
    "documents": "document_order",
    "change_document": "document_pkey",
    "delete_document": "document_pkey",
}

#: Searches by one condition.
CONDITIONS = {"find_by_status": "status = 'S7'", "find_by_machine": "machine = 'm7'"}
FOUND = {"find_by_status": "execution_status", "find_by_machine": "execution_machine"}

#: Searches by attributes.
MATCHES = {
    "find_by_value": (Match("a7", (b"7",)),),
    "find_by_values": (Match("a7", (b"7", b"8")),),
    "find_by_range": (Match("a7", low=b"7", below=b"8"),),
    "find_by_two": (Match("a7", low=b"7", below=b"8"), Match("a8", (b"8",))),
}

#: Statements that find their rows in order: sorting would mean reading all of them first.
IN_ORDER = {"claim_due", "newest_pruned", "segments", "inbox", "find", "machine_named", "documents"}

FILL = """
INSERT INTO detent.execution (last, fence, claims, owner, due, ready, ended_at, id,
                              status, started_at, name, machine, digest, profile)
SELECT 3, 0, 0, CASE WHEN n % 3 > 0 THEN 'w' || n % 7 END, n, n % 2 = 0, CASE WHEN n % 5 > 0 THEN n END, 'e' || n,
       'S' || n % 2000, 0, 'n', 'm' || n % 2000, 'd', 'p'
FROM generate_series(1, 20000) AS n;
INSERT INTO detent.segment SELECT n % 5000, n, n + 1, '', '' FROM generate_series(1, 20000) AS n;
INSERT INTO detent.inbox (execution, dedupe, body)
SELECT n % 5000, n, CASE WHEN n % 100 = 0 THEN ''::bytea END FROM generate_series(1, 20000) AS n;
INSERT INTO detent.beat SELECT n % 5000, n, n FROM generate_series(1, 20000) AS n;
INSERT INTO detent.search_attribute
SELECT n, 'a' || n % 20, convert_to((n % 1000)::text, 'UTF8') FROM generate_series(1, 20000) AS n;
INSERT INTO detent.machine (digest, name, definition, published_at)
SELECT n, n % 100, '', n FROM generate_series(1, 5000) AS n;
INSERT INTO detent.document (collection, id, revision, body)
SELECT n % 1000, n, 1, '' FROM generate_series(1, 5000) AS n;
ANALYZE;
"""


@pytest.fixture(scope="module")
def empty(new_database: Callable[[str], str]) -> str:
    """A store as it is when its first statements are planned."""
    address = new_database("plans")
    asyncio.run(migrated(address))
    return address


@pytest.fixture(scope="module")
def filled(new_database: Callable[[str], str]) -> str:
    """A store with enough rows that a plan matters."""
    address = new_database("filled")
    asyncio.run(migrated(address))
    run(address, FILL)
    return address


@pytest.fixture(params=["empty", "filled"])
def plans(request: pytest.FixtureRequest) -> Mapping[str, str]:
    return asyncio.run(explained(request.getfixturevalue(request.param)))


async def _explain(connection: asyncpg.Connection, statement: str) -> str:
    rows = await connection.fetch(f"EXPLAIN (COSTS OFF) {statement}")
    return "\n".join(row[0] for row in rows)


async def explained(address: str) -> Mapping[str, str]:
    """The plan of each statement, as it is made for whatever arguments will come."""
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(BEGIN["WRITE"])
        plans = {}
        for name in INDEXES:
            statement = queries("postgres")[name].replace("/* conditions */", "TRUE")
            await connection.execute(f"PREPARE {name} AS {statement}")
            count = max(int(number) for number in re.findall(r"\$(\d+)", statement))
            plans[name] = await _explain(connection, f"EXECUTE {name} ({', '.join(['NULL'] * count)})")
        for name, condition in CONDITIONS.items():
            found = queries("postgres")["find"].replace("/* conditions */", condition).replace("$1", "10")
            plans[name] = await _explain(connection, found)
        for name, matches in MATCHES.items():
            found, values = find_statement(Query(attributes=matches))
            rows = await connection.fetch(f"EXPLAIN (COSTS OFF) {found}", *values)
            plans[name] = "\n".join(row[0] for row in rows)
        return plans
    finally:
        await connection.close()


def test_hot_statements_use_their_indexes_from_the_first_row_on(plans):
    attributes = dict.fromkeys(MATCHES, "search_attribute_value")
    for name, index in {**INDEXES, **FOUND, **attributes}.items():
        assert re.search(rf"Scan.* {index}\b", plans[name]), f"{name}:\n{plans[name]}"
        assert "Seq Scan" not in plans[name], f"{name}:\n{plans[name]}"
        assert name not in IN_ORDER or "Sort" not in plans[name], f"{name}:\n{plans[name]}"


#: A hundred thousand executions of one machine that wait for long, and one of another that is ready.
CROWD = """
INSERT INTO detent.execution (last, fence, claims, due, ready, id,
                              status, started_at, name, machine, digest, profile)
SELECT 3, 0, 0, 1000000 + n, false, 'parked' || n, 'RUNNING', 0, 'n', 'crowd', 'd', 'p'
FROM generate_series(1, 100000) AS n
UNION ALL SELECT 3, 0, 0, NULL, true, 'ready', 'RUNNING', 0, 'n', 'other', 'd', 'p';
ANALYZE;
"""


@pytest.fixture(scope="module")
def crowded(new_database: Callable[[str], str]) -> str:
    address = new_database("crowded")
    asyncio.run(migrated(address))
    run(address, CROWD)
    return address


@pytest.mark.parametrize("machines", ["NULL", "'{other}'"])
def test_what_is_parked_is_not_even_looked_at_by_a_claim(crowded, machines):
    async def scenario():
        connection = await asyncpg.connect(crowded)
        try:
            await connection.execute(BEGIN["WRITE"])
            await connection.execute(f"PREPARE claim_due AS {queries('postgres')['claim_due']}")
            asked = f"EXECUTE claim_due ('w1', 1000, 64, {machines}, 2)"
            ((plan,),) = await connection.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked}")
            assert looked_at(json.loads(plan)[0]["Plan"]) == 1
            rows = await connection.fetch("SELECT id FROM execution WHERE owner = 'w1'")
            assert [row[0] for row in rows] == ["ready"]
        finally:
            await connection.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("claim_due", "'w1', 10000000, 64, NULL, 3"), ("claim_queues", "'w1', 10000000, 64, '{crowd}', 3, 64")],
)
def test_a_claim_reads_what_it_takes_however_much_is_due(crowded, name, arguments):
    async def scenario():
        connection = await asyncpg.connect(crowded)
        try:
            await connection.execute(BEGIN["WRITE"])
            await connection.execute(f"PREPARE {name} AS {queries('postgres')[name]}")
            asked = f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {name} ({arguments})"
            ((plan,),) = await connection.fetch(asked)
            # Once to find it, once to write it.
            assert read(json.loads(plan)[0]["Plan"]) == 2 * 64
        finally:
            await connection.close()

    asyncio.run(scenario())


def read(plan):
    """The executions that the plan has read."""
    here = plan["Actual Rows"] * plan["Actual Loops"] if "Scan" in plan["Node Type"] else 0
    return (here if plan.get("Relation Name") == "execution" else 0) + sum(map(read, plan.get("Plans", ())))


def looked_at(plan):
    """The rows that the plan has read by the index of what waits, whether it took them or not."""
    here = 0
    if plan.get("Index Name") == "execution_waiting":
        here = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return here + sum(map(looked_at, plan.get("Plans", ())))


def test_the_transitions_of_a_held_execution_leave_the_indexes_alone(empty):
    """Updates in place (HOT): as long as somebody holds an execution no indexed column changes."""

    async def scenario():
        connection = await asyncpg.connect(empty)
        try:
            await connection.execute("SET search_path = detent")
            await connection.execute(
                """
                INSERT INTO owner VALUES ('w', 1);
                INSERT INTO execution (last, fence, claims, owner, ready, id, status, started_at,
                                       name, machine, digest, profile)
                VALUES (0, 1, 0, 'w', true, 'e', 'R', 0, '', '', '', '')
                """
            )
            for last in range(5):
                move = (
                    ["e"],
                    [last],
                    [1],
                    ["R"],
                    [last * 9],
                    [last % 2 == 0],
                    [None],
                    [last % 3 == 0],
                    [last + 1],
                    [True],
                    ["w"],
                    [True],
                )
                assert len(await connection.fetch(queries("postgres")["move"], *move)) == 1
            await connection.execute("SELECT pg_stat_force_next_flush()")
            updates = await connection.fetchrow(
                "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = 'execution'::regclass"
            )
            assert tuple(updates) == (5, 5)
        finally:
            await connection.execute("DELETE FROM execution; DELETE FROM owner")
            await connection.close()

    asyncio.run(scenario())


LAYOUT = """
SELECT 'column ' || attrelid::regclass || '.' || attname,
       concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
                 pg_get_expr(adbin, adrelid), attcollation::regcollation)
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r'
WHERE relnamespace = 'detent'::regnamespace AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'table ' || oid::regclass, reloptions::text
FROM pg_class WHERE relnamespace = 'detent'::regnamespace AND relkind = 'r'
UNION ALL SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'detent'
UNION ALL SELECT 'constraint ' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'detent'::regnamespace
UNION ALL SELECT 'function ' || proname, pg_get_functiondef(oid)
FROM pg_proc WHERE pronamespace = 'detent'::regnamespace
"""


async def layout(address: str) -> Mapping[str, str]:
    connection = await asyncpg.connect(address)
    try:
        found = dict(await connection.fetch(LAYOUT))
    finally:
        await connection.close()
    return {name: text for name, text in found.items() if "migration" not in name}


def test_the_migrations_lead_to_the_layout_as_written(empty, new_database):
    fresh = new_database("fresh")
    script = Path(__file__).with_name("schema.postgres.sql").read_text(encoding="utf-8")
    run(fresh, f"CREATE SCHEMA detent; SET search_path = detent; {script}")
    assert asyncio.run(layout(empty)) == asyncio.run(layout(fresh))


def test_migrations_have_the_same_numbers_in_both_dialects_without_a_gap():
    steps = {dialect: [step.number for step in migrations(dialect)] for dialect in ("sqlite", "postgres")}
    assert steps["postgres"] == steps["sqlite"] == list(range(1, len(steps["sqlite"]) + 1))


INITIAL, ADD, DROP, MORE, LAST = steps = [
    Migration(number, name, "")
    for number, name in enumerate(("initial", "add", "post_drop", "more", "post_last"), start=1)
]


@pytest.mark.parametrize(
    ("applied", "deployed", "expected"),
    [
        pytest.param([], False, steps, id="a new store gets everything"),
        pytest.param(
            [1], False, [ADD, DROP, MORE], id="the end of an earlier deploy comes before the next one"
        ),
        pytest.param([1, 2, 3, 4], False, [], id="what runs after a deploy waits"),
        pytest.param([1, 2, 3, 4], True, [LAST], id="until it is asked for"),
        pytest.param([1, 2, 3, 4, 5], True, [], id="and runs once"),
    ],
)
def test_what_runs_before_and_what_after_a_deploy_is_kept_apart(applied, deployed, expected):
    assert list(missing(steps, applied, deployed=deployed)) == list(expected)


def test_every_statement_has_a_sentence_and_is_used():
    root = Path(detent.store.__file__).parent
    text = (root / "sql" / "postgres" / "queries.sql").read_text(encoding="utf-8")
    for name, sentence in re.findall(r"^-- name: (\w+)\n(.*)$", text, re.MULTILINE):
        assert re.match(r"-- [A-Z].*\.$", sentence), name
    code = "".join(path.read_text(encoding="utf-8") for path in root.glob("postgres*.py"))
    for name in queries("postgres"):
        assert f'"{name}"' in code or (name.startswith("delete_") and f'"{name[7:]}"' in code), name
