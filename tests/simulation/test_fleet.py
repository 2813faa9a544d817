"""Whatever happens to the engines of a fleet, executions come to the end they would have come to without it.

A failure names the line that repeats it. ``SIMULATED=N`` is how many executions are simulated.
"""

from __future__ import annotations

import os
from collections import Counter
from itertools import count

import pytest

from .faults import FAULTS
from .fleet import FleetWorld
from .loop import run

#: Executions in all, in so many tests.
EXECUTIONS, TESTS = (10_000, 20) if os.environ.get("CI") else (400, 2)
EXECUTIONS = int(os.environ.get("SIMULATED", EXECUTIONS))
ONE = os.environ.get("SIMULATION_SEED")


def simulate(seed: int, **settings: float) -> FleetWorld:
    async def scenario() -> FleetWorld:
        world = FleetWorld(seed, **settings)  # type: ignore[arg-type]  # numbers of either kind
        await world.live()
        await world.check()
        return world

    try:
        return run(scenario())
    except BaseException as error:
        raise AssertionError(
            f"{error}\nrepeat with: SIMULATION_SEED={seed} pytest tests/simulation/test_fleet.py"
        ) from error


@pytest.mark.parametrize("first", [int(ONE)] if ONE else [1_000 * number for number in range(TESTS)])
def test_a_fleet_ends_everything_as_one_engine_would_without_faults(first: int) -> None:
    done = 0
    for seed in count(first):
        done += len(simulate(seed, executions=20, rate=0.2, crashes_max=30).records)
        if ONE or done >= EXECUTIONS // TESTS:
            return


def test_engines_die_are_cut_off_and_conflict() -> None:
    happened: Counter[str] = Counter()
    for seed in range(5):
        happened += simulate(seed, executions=20, rate=0.2, crashes_max=30).happened
    kinds = (*FAULTS, "cut off", "unreachable", "answer lost")
    assert set(kinds) <= set(happened)
