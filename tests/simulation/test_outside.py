"""Answers, workers and children survive what engines and stores do not: the ends are those without crashes.

``SIMULATION_SEED=n pytest tests/simulation/test_outside.py`` repeats one world alone.
"""

from __future__ import annotations

import os
from itertools import count

import pytest

from .loop import run
from .outside import OutsideWorld

#: Crashes to be survived in all, in so many tests.
CRASHES, TESTS = (4_000, 8) if os.environ.get("CI") else (300, 2)
ONE = os.environ.get("SIMULATION_SEED")


def simulate(seed: int, **settings: float) -> OutsideWorld:
    async def scenario() -> OutsideWorld:
        world = OutsideWorld(seed, **settings)
        await world.live()
        await world.check()
        return world

    try:
        return run(scenario())
    except BaseException as error:
        raise AssertionError(
            f"{error}\nrepeat with: SIMULATION_SEED={seed} pytest tests/simulation/test_outside.py"
        ) from error


@pytest.mark.parametrize("first", [int(ONE)] if ONE else [1_000 * number for number in range(TESTS)])
def test_what_is_answered_outside_ends_as_without_crashes(first: int) -> None:
    crashes = 0
    for seed in count(first):
        crashes += simulate(seed, executions=8).crashes
        if ONE or crashes >= CRASHES // TESTS:
            return


def test_without_faults_nothing_crashes() -> None:
    for seed in range(5):
        assert simulate(seed, rate=0.0).crashes == 0
