"""Workers frozen beyond their leases on one Postgres, and thawed: what they held is others' by then (P5).

Nothing ends twice, and a thawed worker begins nothing that somebody else has begun meanwhile. ``TORTURE=5`` makes ten
zombies.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from store.server import Server

from .judge import findings
from .test_server_killed import DEFINITION, TASKS
from .world import SIZE, Effect, World, say, workers_beside, world

LEASE = 2
WORKERS = 3
ZOMBIES = 2 * SIZE
#: Executions that are started before each freezing.
EACH = 20


@pytest.fixture
def under(postgres_server: Server, tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, store=postgres_server.address) as made:
        made.environment["DETENT_LEASE_SECONDS"] = str(LEASE)
        made.start()
        yield made


@pytest.fixture
def workers(under: World) -> Iterator[list[subprocess.Popen[bytes]]]:
    with workers_beside(under, WORKERS, lease=LEASE) as started:
        yield started


def test_a_thawed_worker_ends_nothing_and_begins_nothing_that_is_others(
    under: World, workers: list[subprocess.Popen[bytes]]
) -> None:
    random = Random(1)
    under.machine("work", DEFINITION)
    names: list[str] = []
    thawed: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for zombie in range(ZOMBIES):
        for number in range(EACH):
            names.append(f"z{zombie}-{number}")
            assert under.begin("work", names[-1], {"items": [1, 2, 3]})
        victim = random.choice(workers)
        victim.send_signal(signal.SIGSTOP)
        frozen = time.time()
        time.sleep(LEASE * random.uniform(1.3, 2))
        thawed[victim.pid].append((frozen, time.time()))
        victim.send_signal(signal.SIGCONT)

    ended = under.until_ended()
    assert set(ended) == set(names)
    assert {one["status"] for one in ended.values()} == {"SUCCEEDED"}
    wrong = {name: said for name, one in ended.items() if (said := findings(under.history(one["id"])))}
    assert not wrong
    runs: dict[str, list[Effect]] = defaultdict(list)
    for effect in under.effects():
        runs[effect.key].append(effect)
    assert len(runs) == TASKS * len(names)
    late = [effect for each in runs.values() for effect in each[1:] if is_late(effect, each[0], thawed)]
    # What stands exactly between the last look at the lease and its effect nobody can stop: one thread can, at most.
    assert len(late) <= ZOMBIES, "a thawed worker began what somebody else had begun meanwhile"
    repeats = Counter(len(each) - 1 for each in runs.values())
    assert all(worker.poll() is None for worker in workers)
    say(
        f"P5: {ZOMBIES} zombies, {len(names)} executions, 0 second outcomes, {len(late)} begun late; "
        f"{sum(count * times for count, times in repeats.items())} repeats of {len(runs)} tasks"
    )


def is_late(effect: Effect, first: Effect, thawed: dict[int, list[tuple[float, float]]]) -> bool:
    """Whether a process did, after it had been frozen, what another one had begun while it was."""
    return effect.process != first.process and any(
        frozen <= first.at <= until <= effect.at for frozen, until in thawed.get(effect.process, ())
    )
