"""What worker processes do together on one Postgres, and whether more of them do more.

Executions that wait for one instant are parked in the store; from then on the workers, ``detent worker`` as anybody
would run it, find them and run their Task states to the end. The limit beside it: as many processes that do nothing
but append the rows of such states to a table with the log's index, 256 rows a commit, on the same server.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from detent.store.base import Query, Store
from detent.store.url import open_store

from . import subject
from .limit import GROUP
from .place import place

#: Worker processes, one measurement after the other.
WORKERS = (1, 2, 4)
#: How far the instant is away from which on everything is due, in seconds: until then it is started and parked.
AHEAD = 20
#: Executions that are started together, and those whose ends are read at once.
AT_ONCE = 500
PAGE = 1_000
#: How long the limit is measured, in seconds.
LIMIT_SECONDS = 5

_HANDLERS = """
import detent


@detent.task("noop")
async def noop(arguments):
    return arguments
"""

_TABLE = """
CREATE SCHEMA IF NOT EXISTS benchmark;
DROP TABLE IF EXISTS benchmark.segment;
CREATE TABLE benchmark.segment (execution BIGINT NOT NULL, after BIGINT NOT NULL, event BYTEA NOT NULL);
CREATE UNIQUE INDEX segment_log ON benchmark.segment (execution, after);
"""
_APPEND = "INSERT INTO benchmark.segment SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])"


def fleet(options: argparse.Namespace) -> dict[str, Any]:
    """Task states per second of 1, 2 and 4 workers, each beside as many processes that only append."""
    if not options.store or not options.store.startswith("postgres"):
        raise SystemExit("name the database of the fleet: --store postgresql://user@host/database")
    executions = options.executions or 1_000
    found: dict[str, Any] = {"executions": executions, "states": options.states}
    with place(options.store) as (url, folder):
        (folder / "noop.py").write_text(_HANDLERS, encoding="utf-8")
        for count in WORKERS:
            done, bounds, worked = [], [], []
            for _ in range(options.rounds):
                bounds.append(asyncio.run(_limit(url, count)))
                before = _processor_seconds()
                done.append(asyncio.run(_together(url, folder, count, executions, options.states)))
                worked.append((_processor_seconds() - before) / executions / (options.states + 1))
            found[str(count)] = {
                "transitions_per_second": round(statistics.median(done)),
                "limit_per_second": round(statistics.median(bounds)),
                "worker_us_per_state": round(1e6 * statistics.median(worked)),
            }
    return found


def _processor_seconds() -> float:
    """The processor time of the worker processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def _together(url: str, folder: Path, count: int, executions: int, states: int) -> float:
    """Transitions per second of so many workers, from the instant on which everything is due."""
    due = int(time.time()) + AHEAD
    async with subject.opened(url, _waiting(due, states), takes_over=True) as (engine, digest):
        await subject.start_many(engine, digest, executions, AT_ONCE)
    with _workers(url, folder, count):
        store = open_store(url)
        await store.open(engine=False)
        try:
            if time.time() > due:
                raise SystemExit(
                    f"{executions} executions are not started within {AHEAD} seconds: name fewer"
                )
            ended = await _last_end(store, digest, executions)
        finally:
            await store.close()
    return executions * (states + 1) / (ended / 1000 - due)


def _waiting(due: int, states: int) -> Any:
    """A machine that waits for an instant, in seconds since the epoch, before its Task states."""
    definition: Any = subject.chain(states, "Task")
    at = datetime.fromtimestamp(due, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    definition["States"]["W"] = {"Type": "Wait", "Timestamp": at, "Next": definition["StartAt"]}
    return {**definition, "StartAt": "W"}


@contextmanager
def _workers(url: str, folder: Path, count: int) -> Iterator[None]:
    """Worker processes, as long as they are needed."""
    command = [sys.executable, "-m", "detent.cli", "worker", "--store", url, "--handlers", "noop.py"]
    with (folder / "log").open("ab") as log:
        processes = [subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) for _ in range(count)]
        try:
            yield
        finally:
            for one in processes:
                one.terminate()
            for one in processes:
                one.wait()


async def _last_end(store: Store, digest: str, executions: int) -> int:
    """When the last of the newest executions ended, in milliseconds, once all of them have."""
    while True:
        await asyncio.sleep(1)
        ended: list[int] = []
        cursor = None
        while len(ended) < executions:
            page = await store.find(Query(machine=subject.NAMES.machine_arn, cursor=cursor, limit=PAGE))
            ended += [
                found.head.ended_at
                for found in page
                if found.record.digest == digest and found.head.ended_at is not None
            ]
            if len(page) < PAGE:
                break
            cursor = page[-1].cursor
        if len(ended) >= executions:
            return max(ended)


# The limit


async def _connected(url: str) -> Any:
    """A connection to Postgres. What it takes is not asked of who measures something else."""
    import asyncpg

    return await asyncpg.connect(url)


async def _limit(url: str, count: int) -> float:
    """Rows per second that so many processes append together."""
    connection = await _connected(url)
    try:
        await connection.execute(_TABLE)
        command = [sys.executable, "-m", "benchmarks.fleet", url]
        appending = [
            await asyncio.create_subprocess_exec(*command, str(number), stdout=subprocess.PIPE)
            for number in range(count)
        ]
        rates = [float((await one.communicate())[0]) for one in appending]
        await connection.execute("DROP SCHEMA benchmark CASCADE")
    finally:
        await connection.close()
    return sum(rates)


async def _append(url: str, number: int) -> float:
    """Rows per second that this process appends, of executions of its own."""
    connection = await _connected(url)
    document = {"order": number, "customer": "a name", "total": 12.5}
    rows = 0
    begin = time.perf_counter()
    while (now := time.perf_counter()) < begin + LIMIT_SECONDS:
        event = {"state": "S0", "at": rows, "document": document, "rest": "x" * 200}
        events = [orjson.dumps(dict(event)) for _ in range(GROUP)]
        keys = [number * GROUP + place for place in range(GROUP)]
        await connection.execute(_APPEND, keys, [rows // GROUP] * GROUP, events)
        rows += GROUP
    await connection.close()
    return rows / (now - begin)


if __name__ == "__main__":
    print(asyncio.run(_append(sys.argv[1], int(sys.argv[2]))))
