"""Timers across a death of the server: each fires once and never early, and the API answers meanwhile (P6, P9).

``TORTURE=100 pytest -s tests/promises/test_timers.py`` is the full size: twice 10,000 timers.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from .judge import findings, instant
from .world import SIZE, World, say, world

TIMERS = 100 * SIZE
#: Over how many seconds they are spread.
SPREAD = 20 if SIZE > 1 else 2
#: When the first is due, counted from the begin of the starts.
AHEAD = max(3.0, TIMERS / 250)
WAIT: Any = {
    "StartAt": "W",
    "States": {"W": {"Type": "Wait", "TimestampPath": "$.at", "Next": "Done"}, "Done": {"Type": "Succeed"}},
}


def test_timers_that_fall_due_while_there_is_no_server_fire_once_each_and_never_early(tmp_path: Path) -> None:
    with world(tmp_path) as under:
        under.start()
        under.machine("wait", WAIT)
        due = start_timers(under)
        first, last = min(due.values()), max(due.values())
        under.kill()
        # A quarter of them is overdue when it comes back.
        time.sleep(max(0.0, first + (last - first) / 4 - time.time()))
        parked_ready = under.start()
        ready = time.time()
        with Answering(under) as times:
            ended = under.until_ended()
        late, overdue = [], []
        for name, one in ended.items():
            events = under.history(one["id"]) if SIZE == 1 or random.random() < 0.1 else None
            if events is not None:
                assert findings(events) == []
                types = [event["type"] for event in events]
                assert types.count("WaitStateExited") == 1
                fired = instant(next(e["timestamp"] for e in events if e["type"] == "WaitStateExited"))
            else:
                fired = instant(one["endedAt"])
            assert fired >= due[name], f"{name} fired {due[name] - fired:.3f} s early"
            (overdue if due[name] < ready else late).append(fired - max(due[name], ready))
        assert set(ended) == set(due)
        assert {one["status"] for one in ended.values()} == {"SUCCEEDED"}
        say(
            f"P6, P9: {TIMERS} timers, 0 early, 0 twice; ready after {parked_ready:.2f} s; {len(overdue)} overdue, "
            f"the last {max(overdue, default=0):.2f} s after that; {len(late)} in time, p99 {p99(late):.3f} s late; "
            f"API p50 {sorted(times)[len(times) // 2]:.3f} s, p99 {p99(times):.3f} s, max {max(times):.3f} s"
        )


def start_timers(under: World) -> dict[str, float]:
    """Start all timers; when each is due, by name."""
    begin = time.time() + AHEAD
    # The service's instants have milliseconds.
    due = {f"t{n}": round(begin + SPREAD * n / TIMERS, 3) for n in range(TIMERS)}

    def start(name: str) -> None:
        at = datetime.fromtimestamp(due[name]).astimezone().isoformat(timespec="milliseconds")
        assert under.begin("wait", name, {"at": at})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, due))
    return due


class Answering:
    """Ask for the health of the server all the time; how long the answers took, in seconds."""

    def __init__(self, under: World) -> None:
        self.under = under
        self.times: list[float] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        for number in itertools.count():
            begun = time.monotonic()
            path = "/healthz" if number % 2 else "/v1/executions?limit=1"
            assert self.under.ask("GET", path).status == 200
            self.times.append(time.monotonic() - begun)
            if self.over.wait(0.02):
                return

    def __enter__(self) -> list[float]:
        self.thread.start()
        return self.times

    def __exit__(self, *exception: object) -> None:
        self.over.set()
        self.thread.join()


def p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)] if values else 0.0
