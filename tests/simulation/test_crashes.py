"""Whatever happens to store and process, executions come to the end they would have come to without it.

A failure names the seed; ``SIMULATION_SEED=n pytest tests/simulation`` repeats that world alone.
"""

from __future__ import annotations

import os
from collections import Counter
from itertools import count

import pytest

from .loop import run
from .world import World

#: Crashes to be survived in all, in so many tests.
CRASHES, TESTS = (10_000, 20) if os.environ.get("CI") else (400, 2)
ONE = os.environ.get("SIMULATION_SEED")


def simulate(seed: int, **settings: float) -> World:
    async def scenario() -> World:
        world = World(seed, **settings)  # type: ignore[arg-type]  # numbers of either kind
        await world.live()
        await world.check()
        return world

    try:
        return run(scenario())
    except BaseException as error:
        raise AssertionError(
            f"{error}\nrepeat with: SIMULATION_SEED={seed} pytest tests/simulation"
        ) from error


@pytest.mark.parametrize("first", [int(ONE)] if ONE else [1_000 * number for number in range(TESTS)])
def test_the_end_is_the_same_as_without_crashes(first: int) -> None:
    crashes = 0
    for seed in count(first):
        crashes += simulate(seed).crashes
        if ONE or crashes >= CRASHES // TESTS:
            return


def test_without_faults_every_task_runs_once() -> None:
    for seed in range(10):
        world = simulate(seed, rate=0.0)
        assert (world.crashes, world.repeats()) == (0, 0)


def test_every_kind_of_fault_takes_place() -> None:
    happened: Counter[str] = Counter()
    for seed in range(5):
        happened += simulate(seed).happened
    assert len(happened) == 10, happened
