"""What is kept of executions that have ended, and for how long; copies of what is kept.

Old executions are forgotten a few at a time, so that nobody who works on the store waits for it. Several processes
may do it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..store.base import Store
from .clock import Clock

#: Executions that are forgotten in one transaction, and the pause between two, in seconds.
BATCH = 100
PAUSE_SECONDS = 0.02
#: How often an engine that was told what to keep looks for more, in seconds.
EVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Retention:
    """``age`` is how long an execution is kept after its end, in seconds; ``count`` how many of each machine are.
    What either of them gives up is forgotten; None keeps everything. ``ages`` and ``counts`` are those of machines,
    by ARN or name, for which they are others."""

    age: float | None = None
    count: int | None = None
    ages: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.age is not None or self.count is not None or bool(self.ages or self.counts)

    def of(self, machine: str) -> tuple[float | None, int | None]:
        """Age and count for a machine, by its ARN. What its Map states start is kept as it is itself."""
        machine = machine.partition("/")[0]
        name = machine.rpartition(":")[2]
        age = self.ages.get(machine, self.ages.get(name, self.age))
        return age, self.counts.get(machine, self.counts.get(name, self.count))


#: Nothing is ever forgotten by itself.
KEEP_ALL = Retention()


async def forget_old(
    store: Store, clock: Clock, retention: Retention, *, machine: str | None = None
) -> dict[str, int]:
    """Forget what need not be kept, of one machine (by ARN) or of all; how many of each. Raises StoreError."""
    gone: dict[str, int] = {}
    for name in await store.machine_names() if machine is None else [machine]:
        age, count = retention.of(name)
        if age is None and count is None:
            continue
        before = None if age is None else clock.now() - round(age * 1000)
        while forgotten := await store.prune(name, ended_before=before, keep=count, limit=BATCH):
            gone[name] = gone.get(name, 0) + forgotten
            await asyncio.sleep(PAUSE_SECONDS)
    return gone
