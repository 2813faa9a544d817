"""``python -m benchmarks.report``: run every scenario and write the figures into docs/performance.md.

``python -m benchmarks.report --postgres URL`` runs those that need a database, and writes theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
FIGURES, FLEET, ATTACKS = "figures", "figures of a fleet", "figures beside attackers"
SCENARIOS = ("throughput", "task", "latency", "growth", "map", "parked", "recover", "states", "server")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--postgres", help="URL of the database that a fleet shares")
    postgres = parser.parse_args().postgres
    if postgres:
        _write(FLEET, _fleet(_measured("fleet", "--rounds", "3", "--store", postgres)))
    else:
        figures = {name: _measured(name) for name in SCENARIOS}
        _write(FIGURES, [*_table(figures), "", *_states(figures["states"])])
        _write(ATTACKS, _attacks(_measured("attacks")))


def _write(part: str, lines: Iterable[str]) -> None:
    """Put lines in the place of those between the marks of a part."""
    begin, end = f"<!-- {part} -->\n", f"<!-- end of {part} -->\n"
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    text = "\n".join([*lines, ""])
    PAGE.write_text(before + begin + "\n" + text + "\n" + end + after, encoding="utf-8")


def _measured(name: str, *options: str) -> dict[str, Any]:
    """One scenario in a process of its own, so that none inherits the memory of another."""
    line = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, *options], stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    print(line, end="", flush=True)
    found: dict[str, Any] = json.loads(line)
    return found


def _table(figures: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield (
        f"Measured {datetime.now(UTC):%Y-%m-%d} with Python {platform.python_version()} and SQLite "
        f"{sqlite3.sqlite_version} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores."
    )
    yield ""
    yield "| scenario | figure | the limit beside it | ratio |"
    yield "|---|---|---|---|"
    for name, kind in (("throughput", "Pass"), ("task", "Task")):
        found = figures[name]
        yield (
            f"| {found['executions']:,} executions of {found['states']} {kind} states | "
            f"{found['transitions_per_second']:,} states/s | {found['limit_per_second']:,} states/s | "
            f"{found['ratio']:.2f} |"
        )
    latency = figures["latency"]
    for kind in ("Pass", "Task"):
        limit = f"p50 {latency['limit']['p50_ms']} ms" if kind == "Task" else ""
        yield (
            f"| one execution of {latency['states']} {kind} states alone | p50 {latency[kind]['p50_ms']} ms, "
            f"p99 {latency[kind]['p99_ms']} ms | {limit} | |"
        )
    for kind in ("Pass", "Task"):
        times = figures["growth"][kind]["cpu_us_per_state"]
        steps = ", ".join(f"{time} at {int(states):,}" for states, time in times.items())
        yield f"| processor time per {kind} state of one execution, by its length | {steps} (us) | | |"
    for items in ("1000", "10000"):
        found = figures["map"][items]
        yield (
            f"| a Map of {int(items):,} tasks | {found['items_per_second']:,} items/s | "
            f"{found['limit_per_second']:,} rows/s | {found['ratio']:.2f} |"
        )
    parked, recover = figures["parked"], figures["recover"]
    yield (
        f"| a waiting execution, once it was let go ({parked['executions']:,} of them) | "
        f"{parked['disk_bytes']:,} bytes on disk, none in memory | | |"
    )
    yield f"| a waiting execution that stays live | {parked['live_bytes']:,} bytes in memory | | |"
    yield (
        f"| {recover['executions']:,} interrupted executions run again | "
        f"after {recover['all_run_after_seconds']} s | | |"
    )
    for protocol, name in (
        ("aws", "the AWS protocol"),
        ("rest", "REST"),
        ("rest_keyed", "REST, each with a key"),
    ):
        found = figures["server"][protocol]
        for kind, store in (("memory", "in memory"), ("sqlite", "durable on SQLite")):
            yield (
                f"| executions started over {name}, {store} | {found[f'{kind}_per_second']:,} requests/s | "
                f"{found['bare_per_second']:,} requests/s of a bare handler | {found[f'{kind}_ratio']:.2f} |"
            )


def _fleet(found: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{found['executions']:,} executions of {found['states']} Task states on one Postgres, all due at one instant; "
        f"measured {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores for the workers and the server together."
    )
    yield ""
    yield "| `detent worker` | states/s | as many processes that only append | processor time of workers per state |"
    yield "|---|---|---|---|"
    for count in sorted(int(key) for key in found if key.isdigit()):
        of = found[str(count)]
        yield (
            f"| {count} | {of['transitions_per_second']:,} | {of['limit_per_second']:,} rows/s | "
            f"{of['worker_us_per_state']} us |"
        )


def _attacks(found: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{found['attackers']} attackers at a time, one kind after the other on one server; measured "
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores for the server, its helpers and all clients together."
    )
    yield ""
    yield "| attack | an innocent execution: p50 | p99 | longest | `/healthz`: p99 | memory more than before |"
    yield "|---|---|---|---|---|---|"
    for kind, of in found.items():
        if isinstance(of, dict):
            times = of["execution_ms"]
            yield (
                f"| {kind} | {times['p50']} ms | {times['p99']} ms | {times['max']} ms | {of['ping_ms']['p99']} ms | "
                f"{of['grown_mb']} MB |"
            )


def _states(found: dict[str, Any]) -> Iterator[str]:
    yield "Microseconds per state that is entered, in the core alone: what is decided and folded, without the store."
    yield "Below it one bare call of the library that evaluates the state's expression."
    yield ""
    kinds = list(found["JSONPath"])
    yield f"| | {' | '.join(kinds)} |"
    yield f"|---|{'---|' * len(kinds)}"
    for name, times in found.items():
        if name != "scenario":
            yield f"| {name} | {' | '.join(str(times.get(kind, '')) for kind in kinds)} |"


if __name__ == "__main__":
    main()
