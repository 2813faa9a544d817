"""``python -m benchmarks SCENARIO``: one JSON line with what was measured and the limit measured beside it."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import subject
from .limit import limit

Measure = Callable[[argparse.Namespace], dict[str, Any]]


def throughput(options: argparse.Namespace, kind: str = "Pass") -> dict[str, Any]:
    """Executions started at once. Subject and limit take turns, so that both see the same machine."""
    subjects, limits, ratios = [], [], []
    for _ in range(options.rounds):
        with _place(options.store) as (url, folder):
            limits.append(limit(folder, options.executions, options.states))
            subjects.append(subject.throughput(url, options.executions, options.states, kind))
            ratios.append(subjects[-1] / limits[-1])
    return {
        "executions": options.executions,
        "states": options.states,
        "kind": kind,
        "transitions_per_second": round(statistics.median(subjects)),
        "limit_per_second": round(statistics.median(limits)),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
    }


def task(options: argparse.Namespace) -> dict[str, Any]:
    """As throughput, with Task states whose handler does nothing."""
    return throughput(options, "Task")


def latency(options: argparse.Namespace) -> dict[str, Any]:
    """One execution alone, again and again."""
    found: dict[str, Any] = {"states": options.states}
    for kind in ("Pass", "Task"):
        with _place(options.store) as (url, _):
            times = sorted(subject.latencies(url, min(options.executions, 200), options.states, kind))
        found[kind] = {
            "p50_ms": round(times[len(times) // 2], 2),
            "p99_ms": round(times[len(times) * 99 // 100], 2),
        }
    return found


@contextmanager
def _place(store: str | None) -> Iterator[tuple[str, Path]]:
    """A fresh SQLite store, or the one that was asked for, and a folder for the limit's file."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".benchmark-") as name:
        folder = Path(name).resolve()
        yield store or str(folder / "detent.db"), folder


SCENARIOS: dict[str, Measure] = {"throughput": throughput, "task": task, "latency": latency}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--store", help="store URL; default: a new SQLite file here, synchronous=FULL")
    parser.add_argument("--executions", type=int, default=1000)
    parser.add_argument("--states", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5, help="times that limit and subject take turns")
    options = parser.parse_args()
    print(json.dumps({"scenario": options.scenario, **SCENARIOS[options.scenario](options)}))


if __name__ == "__main__":
    main()
