"""Postgres away in the middle, ended at once or silent: 503 meanwhile, and everything goes on by itself (P10, P13).

``TORTURE=50 pytest -s tests/promises/test_database_lost.py`` is the full size: 500 executions of a server and two
workers, and a database that is away for a minute.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from store.server import Server

from .judge import findings, instant
from .test_server_killed import DEFINITION, TASKS, start_all
from .world import PATIENCE, SIZE, World, say, workers_beside, world

EXECUTIONS = max(20, 10 * SIZE)
WORKERS = 2
LEASE = 3 if SIZE == 1 else 15
#: How long the database is away, in seconds.
AWAY = 1 if SIZE == 1 else 60
CLIENTS = 4


class Outage(NamedTuple):
    """How the database goes, and how it comes back."""

    go: Callable[[Server], None]
    come: Callable[[Server], None]


OUTAGES = {"ended": Outage(Server.stop, Server.start), "silent": Outage(Server.freeze, Server.thaw)}


@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_a_lost_database_costs_answers_and_no_data(
    postgres_server: Server, tmp_path: Path, outage: Outage
) -> None:
    with ExitStack() as stack:
        under = stack.enter_context(world(tmp_path, store=postgres_server.address))
        under.environment["DETENT_LEASE_SECONDS"] = str(LEASE)
        under.start()
        workers = stack.enter_context(workers_beside(under, WORKERS, lease=LEASE))
        under.machine("work", DEFINITION)
        names = [f"e{number}" for number in range(EXECUTIONS)]
        acknowledged: set[str] = set()
        clients = [
            threading.Thread(
                target=start_all, args=(under, names[number::CLIENTS], acknowledged), daemon=True
            )
            for number in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        until_some(acknowledged)

        outage.go(postgres_server)
        answers, slowest = ask_meanwhile(under)
        outage.come(postgres_server)
        back = time.monotonic()

        for client in clients:
            client.join()
        ended = under.until_ended()
        over = time.monotonic() - back
        assert under.is_running
        assert [worker.poll() for worker in workers] == [None] * WORKERS
        assert set(ended) == set(names)
        assert {one["status"] for one in ended.values()} == {"SUCCEEDED"}
        histories = {name: under.history(one["id"]) for name, one in ended.items()}
        assert not {name: said for name, events in histories.items() if (said := findings(events))}
        assert min(map(waited, histories.values())) >= 1, "a Wait of a second was over early"
        runs = Counter(effect.key for effect in under.effects())
        assert len(runs) == TASKS * EXECUTIONS
        assert under.end() == 0
        say(
            f"P10: {AWAY} s away, {EXECUTIONS} executions, 0 lost, 0 early; answers meanwhile {dict(answers)}, "
            f"the slowest after {slowest:.2f} s; all over {over:.2f} s after it is back, "
            f"{runs.total() - len(runs)} repeats"
        )


def until_some(acknowledged: set[str]) -> None:
    """Wait until something has been acknowledged: more of it the more there is."""
    until = time.monotonic() + PATIENCE
    while len(acknowledged) < EXECUTIONS // 3:
        assert time.monotonic() < until
        time.sleep(0.01)


def ask_meanwhile(under: World) -> tuple[Counter[int], float]:
    """What a server says whose database is away, and the longest time that it took for it, in seconds."""
    answers, slowest = Counter[int](), 0.0
    back = time.monotonic() + AWAY
    while not answers[503] or time.monotonic() < back:
        begun = time.monotonic()
        answer = under.ask("GET", "/v1/executions?limit=1")
        slowest = max(slowest, time.monotonic() - begun)
        answer.must_be_well_formed()
        answers[answer.status] += 1
        assert under.ask("GET", "/healthz").status == 200
    return answers, slowest


def waited(events: list[dict[str, Any]]) -> float:
    """How long the Wait of an execution took, in seconds."""
    at = {event["type"]: event["timestamp"] for event in events if event["type"].startswith("WaitState")}
    return round(instant(at["WaitStateExited"]) - instant(at["WaitStateEntered"]), 3)
