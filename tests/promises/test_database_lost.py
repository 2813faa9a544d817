"""Postgres stopped at once and started again in the middle: 503 meanwhile, and everything goes on by itself (P10)."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from store.server import Server

from .judge import findings
from .test_server_killed import DEFINITION, TASKS, start_all
from .world import PATIENCE, SIZE, say, world

EXECUTIONS = max(20, 6 * SIZE)
OUTAGES = max(1, SIZE // 10)
#: How long an outage lasts, in seconds.
AWAY = 1 if SIZE == 1 else 10


@pytest.fixture
def postgres() -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.remove()


def test_a_lost_database_costs_answers_and_no_data(postgres: Server, tmp_path: Path) -> None:
    with world(tmp_path, store=postgres.address) as under:
        under.environment["DETENT_LEASE_SECONDS"] = "3"
        under.start()
        under.machine("work", DEFINITION)
        names = [f"e{number}" for number in range(EXECUTIONS)]
        acknowledged: set[str] = set()
        clients = [
            threading.Thread(target=start_all, args=(under, names[number::4], acknowledged), daemon=True)
            for number in range(4)
        ]
        for client in clients:
            client.start()
        refused = Counter[int]()
        for _ in range(OUTAGES):
            until_some(acknowledged)
            postgres.stop()
            back = time.monotonic() + AWAY
            while not refused[503] or time.monotonic() < back:
                answer = under.ask("GET", "/v1/executions?limit=1")
                answer.must_be_well_formed()
                refused[answer.status] += 1
            assert under.ask("GET", "/healthz").status == 200
            postgres.start()
        for client in clients:
            client.join()
        ended = under.until_ended()
        assert under.is_running
        assert set(ended) == set(names)
        assert {one["status"] for one in ended.values()} == {"SUCCEEDED"}
        wrong = {name: said for name, one in ended.items() if (said := findings(under.history(one["id"])))}
        assert not wrong
        runs = Counter(effect.key for effect in under.effects())
        assert len(runs) == TASKS * EXECUTIONS
        assert under.end() == 0
        say(
            f"P10: {OUTAGES} outages of {AWAY} s, {EXECUTIONS} executions, 0 lost, answers meanwhile {dict(refused)}, "
            f"{runs.total() - len(runs)} repeats"
        )


def until_some(acknowledged: set[str]) -> None:
    """Wait until something more has been acknowledged."""
    before, until = len(acknowledged), time.monotonic() + PATIENCE
    while len(acknowledged) == before < EXECUTIONS:
        assert time.monotonic() < until
        time.sleep(0.01)
