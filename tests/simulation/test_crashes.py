"""Whatever happens to store and process, executions come to the end they would have come to without it.

A failure names the seed; ``SIMULATION_SEED=n pytest tests/simulation`` repeats that world alone.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

from .loop import run
from .world import World

#: Worlds, and the crashes they must amount to together.
WORLDS, CRASHES = (1_450, 10_000) if os.environ.get("CI") else (50, 400)
CHUNK = 50
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


@pytest.mark.parametrize("first", [int(ONE)] if ONE else range(0, WORLDS, CHUNK))
def test_the_end_is_the_same_as_without_crashes(first: int) -> None:
    crashes = 0
    for seed in [first] if ONE else range(first, first + CHUNK):
        crashes += simulate(seed).crashes
    assert ONE or crashes >= CRASHES * CHUNK / WORLDS


def test_without_faults_every_task_runs_once() -> None:
    for seed in range(10):
        world = simulate(seed, rate=0.0)
        assert (world.crashes, world.repeats()) == (0, 0)


def test_every_kind_of_fault_takes_place() -> None:
    happened: Counter[str] = Counter()
    for seed in range(5):
        happened += simulate(seed).happened
    assert len(happened) == 7, happened
