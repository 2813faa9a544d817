"""How quickly executions run: many at once, one alone, a long one, and the iterations of a Map."""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from . import subject
from .limit import limit
from .place import place

#: States of one execution, from the shortest to the longest.
GROWTH = (10, 100, 1_000, 10_000)
#: Items of a Map.
ITEMS = (1_000, 10_000)


def throughput(options: argparse.Namespace, kind: str = "Pass") -> dict[str, Any]:
    """Executions started at once. Subject and limit take turns, so that both see the same machine."""
    executions = options.executions or 1_000
    subjects, limits, ratios = [], [], []
    for _ in range(options.rounds):
        with place(options.store) as (url, folder):
            limits.append(limit(folder, executions, options.states))
            subjects.append(subject.throughput(url, executions, options.states, kind))
            ratios.append(subjects[-1] / limits[-1])
    return {
        "executions": executions,
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
    """One execution alone, again and again. The limit is as many commits of one row as Task states commit."""
    executions = options.executions or 200
    found: dict[str, Any] = {"executions": executions, "states": options.states}
    for kind in ("Pass", "Task"):
        with place(options.store) as (url, folder):
            found[kind] = _percentiles(subject.latencies(url, executions, options.states, kind))
            if kind == "Task":
                found["limit"] = _percentiles(
                    1000
                    * options.states
                    / limit(folder, 1, options.states, group=1, name=f"limit-{number}.db")
                    for number in range(min(executions, 50))
                )
    return found


def _percentiles(milliseconds: Any) -> dict[str, float]:
    times = sorted(milliseconds)
    return {
        "p50_ms": round(times[len(times) // 2], 2),
        "p99_ms": round(times[len(times) * 99 // 100], 2),
    }


def growth(options: argparse.Namespace) -> dict[str, Any]:
    """The time that one state takes, while one execution grows from ten states to ten thousand.

    The processor's time tells what grows: that of the clock has the disk's moods in it.
    """
    found: dict[str, Any] = {}
    for kind in ("Pass", "Task"):
        times, worked = {}, {}
        for states in GROWTH:
            with place(options.store) as (url, folder):
                repeats = max(1, 1_000 // states)
                began = time.process_time()
                spent = subject.latencies(url, repeats, states, kind)
                worked[states] = round(1e6 * (time.process_time() - began) / states / repeats, 1)
                times[states] = round(1000 * statistics.median(spent) / states, 1)
                if states == GROWTH[-1]:
                    found["limit_us_per_state"] = round(1e6 / limit(folder, 1, states), 1)
        found[kind] = {"us_per_state": times, "cpu_us_per_state": worked}
    return found


def map(options: argparse.Namespace) -> dict[str, Any]:
    """One execution with a Map whose iterations are one task each, 40 at a time."""
    found: dict[str, Any] = {"concurrency": subject.CONCURRENCY}
    for items in ITEMS:
        with place(options.store) as (url, folder):
            bound = limit(folder, items, 1)
            per_second = subject.map_items(url, items)
        found[str(items)] = {
            "items_per_second": round(per_second),
            "limit_per_second": round(bound),
            "ratio": round(per_second / bound, 3),
        }
    return found
