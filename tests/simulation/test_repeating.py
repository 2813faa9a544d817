"""A seed is all it takes to see a simulated world again: nothing in it hangs on the process that simulates it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def worlds(hash_seed: int, *seeds: int) -> list[str]:
    """What becomes of the worlds of these seeds, in a process of their own."""
    command = [sys.executable, "-m", "simulation.repeating", *map(str, seeds)]
    environment = os.environ | {"PYTHONHASHSEED": str(hash_seed)}
    folder = Path(__file__).parents[1]
    said = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return said.stdout.splitlines()


def test_a_seed_alone_says_what_happens() -> None:
    together = worlds(1, 3, 4)
    assert len(set(together)) == 6
    assert worlds(2, 4) == together[3:]
