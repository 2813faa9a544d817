"""``python -m benchmarks SCENARIO``: one JSON line with what was measured and the limit measured beside it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from . import running, waiting
from .attacks import attacks
from .bombs import KINDS
from .fleet import fleet
from .server import server
from .states import states

Measure = Callable[[argparse.Namespace], dict[str, Any]]

SCENARIOS: dict[str, Measure] = {
    "throughput": running.throughput,
    "task": running.task,
    "latency": running.latency,
    "growth": running.growth,
    "map": running.map,
    "parked": waiting.parked,
    "recover": waiting.recover,
    "fleet": fleet,
    "states": states,
    "server": server,
    "attacks": attacks,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--store", help="store URL; default: a new SQLite file here, synchronous=FULL")
    parser.add_argument("--executions", type=int, help="default: what the scenario is about")
    parser.add_argument("--states", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5, help="times that limit and subject take turns")
    parser.add_argument("--attackers", type=int, help="how many at once; default: eight")
    parser.add_argument("--kinds", nargs="*", choices=KINDS, help="of attacks; default: every one")
    options = parser.parse_args()
    print(json.dumps({"scenario": options.scenario, **SCENARIOS[options.scenario](options)}))


if __name__ == "__main__":
    main()
