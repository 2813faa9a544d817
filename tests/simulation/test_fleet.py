"""Whatever happens to the engines of a fleet, executions come to the end they would have come to without it.

A failure names the line that repeats it. ``SIMULATED=N`` is how many executions each of the tests simulates.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from itertools import count

import pytest

from .faults import FAULTS, Plan
from .fleet import FleetWorld
from .loop import run

#: Executions in all, in so many tests.
EXECUTIONS, TESTS = (10_000, 20) if os.environ.get("CI") else (400, 2)
EXECUTIONS = int(os.environ.get("SIMULATED", EXECUTIONS))
ONE = os.environ.get("SIMULATION_SEED")


#: One fault to repeat, as SEED:COMMIT:KIND.
PLANNED = os.environ.get("SIMULATION_FAULT")


def simulate(seed: int, *, plan: Plan | None = None, **settings: float) -> FleetWorld:
    repeat = f"SIMULATION_SEED={seed}"
    if plan is not None:
        repeat = f"SIMULATION_FAULT='{seed}:{plan.at}:{plan.kind}'"

    async def scenario() -> FleetWorld:
        world = FleetWorld(seed, plan=plan, **settings)  # type: ignore[arg-type]  # numbers of either kind
        await world.live()
        await world.check()
        return world

    try:
        return run(scenario())
    except BaseException as error:
        raise AssertionError(
            f"{error}\nrepeat with: {repeat} pytest tests/simulation/test_fleet.py"
        ) from error


@pytest.mark.parametrize("first", [int(ONE)] if ONE else [1_000 * number for number in range(TESTS)])
def test_a_fleet_ends_everything_as_one_engine_would_without_faults(first: int) -> None:
    done = 0
    for seed in count(first):
        done += len(simulate(seed, executions=20, rate=0.2, crashes_max=30).records)
        if ONE or done >= EXECUTIONS // TESTS:
            return


@pytest.mark.parametrize("first", [0] if PLANNED else [1_000 * number for number in range(TESTS)])
def test_a_fault_at_any_commit_changes_no_end(first: int) -> None:
    done = 0
    for seed, at, kind in faults(first):
        world = simulate(seed, plan=Plan(at, kind), executions=10, rate=0)
        assert PLANNED or world.happened[kind] == 1
        done += len(world.records)
        if done >= EXECUTIONS // TESTS:
            return


def faults(first: int) -> Iterator[tuple[int, int, str]]:
    """Every kind of fault at every commit of a world, world after world."""
    if PLANNED:
        seed, at, kind = PLANNED.split(":")
        yield int(seed), int(at), kind
        return
    for seed in count(first):
        plan = Plan()
        simulate(seed, plan=plan, executions=10, rate=0)
        for at in range(1, plan.commits + 1):
            for kind in sorted(set(FAULTS)):
                yield seed, at, kind


def test_engines_die_are_cut_off_and_conflict() -> None:
    happened: Counter[str] = Counter()
    for seed in range(5):
        happened += simulate(seed, executions=20, rate=0.2, crashes_max=30).happened
    kinds = (
        *FAULTS,
        "cut off",
        "unreachable",
        "answer lost",
        "late message",
        "repeated message",
        "database away",
    )
    assert set(kinds) <= set(happened)
