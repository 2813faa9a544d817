"""SIGKILL of ``detent serve`` at any moment: nothing acknowledged is lost, each execution ends once (P1 to P4, P9).

``TORTURE=50 pytest -s tests/promises`` is the full size: 100 kills, 500 executions.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

from .judge import findings
from .world import SIZE, World, say, world

KILLS = 2 * SIZE
EXECUTIONS = max(40, 10 * SIZE)
CLIENTS = 4

DEFINITION: Any = {
    "StartAt": "First",
    "States": {
        "First": {"Type": "Task", "Resource": "task:note", "Next": "Pause"},
        "Pause": {"Type": "Wait", "Seconds": 1, "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "MaxConcurrency": 2,
            "ItemProcessor": {
                "StartAt": "Inner",
                "States": {"Inner": {"Type": "Task", "Resource": "task:note", "End": True}},
            },
            "Next": "Last",
        },
        "Last": {"Type": "Task", "Resource": "task:note", "End": True},
    },
}
#: Of one execution.
TASKS = 5


def test_killed_again_and_again_nothing_is_lost_and_everything_ends_once(tmp_path: Path) -> None:
    random = Random(1)
    with world(tmp_path) as under:
        under.start()
        under.machine("work", DEFINITION)
        names = [f"e{number}" for number in range(EXECUTIONS)]
        acknowledged: set[str] = set()
        killing = threading.Event()
        seen = Seen()
        clients = [
            threading.Thread(
                target=start_all, args=(under, names[number::CLIENTS], acknowledged), daemon=True
            )
            for number in range(CLIENTS)
        ]
        clients.append(threading.Thread(target=seen.watch, args=(under, killing), daemon=True))
        for client in clients:
            client.start()
        ready = []
        for _ in range(KILLS):
            time.sleep(random.uniform(0, 0.6))
            under.kill()
            ready.append(under.start())
        killing.set()
        for client in clients:
            client.join()
        assert acknowledged == set(names)

        ended = under.until_ended()
        under.kill()
        under.start()
        assert under.executions() == ended, "an end has changed"
        seen.must_agree_with(ended)
        assert set(ended) == set(names)
        assert {one["status"] for one in ended.values()} == {"SUCCEEDED"}
        wrong = {name: said for name, one in ended.items() if (said := findings(under.history(one["id"])))}
        assert not wrong

        runs = Counter(effect.key for effect in under.effects())
        assert len(runs) == TASKS * EXECUTIONS, "an effect is missing, or an attempt has two keys"
        within = Counter((effect.key, effect.process) for effect in under.effects())
        assert max(within.values()) == 1, "a task ran twice although its process lived"
        repeats = runs.total() - len(runs)
        say(
            f"P1-P4, P9: {KILLS} kills, {EXECUTIONS} executions, 0 lost, {seen.looks} looks; {repeats} repeats, "
            f"{repeats / KILLS:.2f} a kill; ready p50 {quantiles(ready)[1]:.2f} s, at most {max(ready):.2f} s"
        )


def start_all(under: World, names: list[str], acknowledged: set[str]) -> None:
    """Start each, again until it is acknowledged."""
    for name in names:
        while not under.begin("work", name, {"items": [1, 2, 3]}):
            time.sleep(0.02)
        acknowledged.add(name)


class Seen:
    """The ends that a client has seen while the server died."""

    def __init__(self) -> None:
        self.ends: dict[str, dict[str, Any]] = {}
        self.changes: list[str] = []
        self.looks = 0

    def watch(self, under: World, until: threading.Event) -> None:
        while not until.is_set():
            now = under.executions()
            self.changes += [name for name, end in self.ends.items() if now.get(name) != end]
            self.ends |= {name: one for name, one in now.items() if one["status"] != "RUNNING"}
            self.looks += 1
            time.sleep(0.1)

    def must_agree_with(self, ended: dict[str, dict[str, Any]]) -> None:
        assert self.changes == []
        assert self.ends.items() <= ended.items()
