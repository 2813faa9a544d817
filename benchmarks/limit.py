"""The limit: an idealised durable loop in the same Python. Nothing that is durable and orderly does less.

Per state: look the next one up in a dictionary, copy a small document, write an event of 300 bytes with the
quickest JSON writer, add a row to an append-only table with the index that the log has; every 256 rows are
committed with ``synchronous=FULL``.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import orjson

GROUP = 256

_LAYOUT = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE segment (execution INTEGER NOT NULL, after INTEGER NOT NULL, event BLOB NOT NULL);
CREATE UNIQUE INDEX segment_log ON segment (execution, after);
"""
_APPEND = "INSERT INTO segment (execution, after, event) VALUES (?, ?, ?)"


def limit(folder: Path, executions: int, states: int, *, group: int = GROUP, name: str = "limit.db") -> float:
    """Transitions per second of the idealised loop; executions take turns, as in an engine."""
    connection = sqlite3.connect(folder / name, isolation_level=None)
    connection.executescript(_LAYOUT)
    following = {f"S{n}": f"S{n + 1}" for n in range(states)}
    documents = [{"order": n, "customer": "a name", "total": 12.5} for n in range(executions)]
    places = ["S0"] * executions
    rows: list[tuple[int, int, bytes]] = []
    begin = time.perf_counter()
    for after in range(states):
        for execution in range(executions):
            place = places[execution] = following[places[execution]]
            document = documents[execution] = dict(documents[execution])
            event = {"state": place, "at": 1_700_000_000_000, "document": document, "rest": "x" * 200}
            rows.append((execution, after, orjson.dumps(event)))
            if len(rows) == group:
                _commit(connection, rows)
    _commit(connection, rows)
    seconds = time.perf_counter() - begin
    connection.close()
    return executions * states / seconds


def _commit(connection: sqlite3.Connection, rows: list[tuple[int, int, bytes]]) -> None:
    if rows:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_APPEND, rows)
        connection.execute("COMMIT")
        rows.clear()
