"""Print what becomes of simulated worlds, as digests: ``python -m simulation.repeating SEED...``."""

from __future__ import annotations

import sys
from hashlib import sha256

from detent.store.base import Query
from detent.store.memory import MemoryStore

from .fleet import FleetWorld
from .loop import run
from .outside import OutsideWorld
from .world import World


async def digest(world: World) -> str:
    """All that happens in a world: faults, runs of tasks, and every log."""
    await world.live()
    found = sha256(repr((sorted(world.happened.items()), sorted(world.runs.items()))).encode())
    store: MemoryStore = world.memory
    for one in await store.find(Query(limit=10_000)):
        log = await store.load(one.record.id)
        found.update(repr((one.record.id, [(each.last, each.control) for each in log.segments])).encode())
    return found.hexdigest()


def main(seeds: list[int]) -> None:
    for seed in seeds:
        worlds = (World(seed), FleetWorld(seed, rate=0.2), OutsideWorld(seed, executions=8))
        sys.stdout.write("".join(f"{seed} {run(digest(world))}\n" for world in worlds))


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]])
