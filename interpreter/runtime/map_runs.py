"""What is known of Map Runs, and changing their limits while they run (api, section 12).

Everything is read from logs, beside an engine that may be at work on them: here or in another process.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..core.codec import decode_log, encode_signal
from ..core.errors import DetentError
from ..core.evolve import fold
from ..core.execution import RUNNING, Execution
from ..core.run_events import ChildOf, MapRunStarted
from ..core.runs import Counts
from ..core.signals import UpdatedRun
from ..store.base import Found, Letter, NotFound, Query, Store
from .nested import Parent
from .recall import recall_decisions

#: Children that are forgotten at once.
PAGE = 200


class MapRunEnded(DetentError):
    """The Map Run has ended, or is about to: its limits cannot be changed any more."""

    code = "MAP_RUN_ENDED"


@dataclass(frozen=True, slots=True)
class Tally:
    """Items, or children, of a Map Run by how they stand. ``pending_redrive`` wait for a redrive to reach them."""

    pending: int
    running: int
    succeeded: int
    failed: int
    timed_out: int
    aborted: int
    results_written: int
    pending_redrive: int

    @property
    def total(self) -> int:
        ended = self.succeeded + self.failed + self.timed_out + self.aborted
        return self.pending + self.running + ended + self.pending_redrive


@dataclass(frozen=True, slots=True)
class MapRunFacts:
    """A Map Run as it stands. ``execution`` waits for it, ``machine`` is its children's. Instants are milliseconds.

    What it does not limit by itself is 0: ``max_concurrency``, and both tolerances.
    """

    arn: str
    execution: str
    machine: str
    status: str
    started_at: int
    ended_at: int | None
    max_concurrency: int
    tolerated_count: int
    tolerated_percentage: float
    items: Tally
    children: Tally
    redrive_count: int
    redriven_at: int | None


def facts_of(state: Execution, execution: str) -> MapRunFacts:
    """What the state of a Map Run says of it; ``execution`` is the one that waits for it."""
    run = state.run
    assert run is not None
    again = sum(ended.count for ended in run.again)
    # Items that wait are not in batches yet: how many children they will be is not known then.
    waiting = run.read - run.taken
    return MapRunFacts(
        state.id,
        execution,
        state.machine_name,
        state.status,
        state.started_at,
        state.ended_at,
        run.concurrency,
        run.tolerated_count or 0,
        run.tolerated_percentage or 0.0,
        _tally(run.item_counts, waiting, run.taken if run.written else 0, again),
        _tally(run.child_counts, waiting, run.written, len(run.again)),
        state.redrive_count,
        state.redriven_at,
    )


def _tally(counts: Counts, pending: int, written: int, again: int) -> Tally:
    return Tally(
        pending,
        counts.running,
        counts.succeeded,
        counts.failed,
        counts.timed_out,
        counts.aborted,
        written,
        again,
    )


class MapRuns:
    """``written`` is told when a Map Run has got mail."""

    def __init__(self, store: Store, written: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._written = written

    async def describe(self, run: str) -> MapRunFacts:
        """A Map Run. Raises NotFound, LogError."""
        record = (await self._store.load(run, limit=0)).record
        steps = await recall_decisions(self._store, run)
        state = fold(event for step in steps for event in step.events)
        parent = Parent.read(record.parent)
        if state.run is None or parent is None:
            raise NotFound(f"{run} is no Map Run")
        return facts_of(state, parent.execution)

    async def of_execution(self, execution: str) -> list[MapRunFacts]:
        """The Map Runs that an execution has started, the latest first. Raises NotFound, LogError."""
        started = await _started(self._store, execution)
        found = await asyncio.gather(*map(self._describe_if_begun, reversed(started)))
        return [facts for facts in found if facts is not None]

    async def _describe_if_begun(self, run: str) -> MapRunFacts | None:
        try:
            return await self.describe(run)
        except NotFound:
            return None  # it is about to begin

    async def children(
        self, run: str, *, status: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> list[Found]:
        """The children of a Map Run, the latest first."""
        return await self._store.find(Query(parent=run, status=status, cursor=cursor, limit=limit))

    async def item_counts(self, children: Iterable[str]) -> list[int]:
        """How many items each of some children has. Raises NotFound, LogError."""
        return list(await asyncio.gather(*map(self._item_count, children)))

    async def _item_count(self, child: str) -> int:
        first = (await self._store.load(child, limit=1)).segments
        steps = decode_log((segment.after, segment.control) for segment in first)
        events = (event for step in steps for event in step.events)
        return next((event.count for event in events if isinstance(event, ChildOf)), 0)

    async def update(
        self,
        run: str,
        *,
        max_concurrency: int | None = None,
        tolerated_count: int | None = None,
        tolerated_percentage: float | None = None,
    ) -> None:
        """Change the limits of a Map Run that runs; None leaves one as it is. The wish is durable then.

        Raises MapRunEnded, NotFound.
        """
        if (await self.describe(run)).status != RUNNING:
            raise MapRunEnded(f"the Map Run {run} has ended")
        share = None if tolerated_percentage is None else float(tolerated_percentage)
        signal = encode_signal(UpdatedRun(max_concurrency, tolerated_count, share))
        await self._store.send([Letter(run, f"update-{secrets.token_hex(8)}", signal)])
        self._written()


async def forget_started(store: Store, execution: str) -> bool:
    """Forget the Map Runs of an execution, and what these have started; False while something runs.

    Raises NotFound, StoreError.
    """
    for run in await _started(store, execution):
        while children := await store.find(Query(parent=run, limit=PAGE)):
            if any(child.head.ended_at is None for child in children):
                return False
            for child in children:
                if not await forget_started(store, child.record.id):
                    return False
            await store.delete([child.record.id for child in children])
        await store.delete([run])
    return True


async def _started(store: Store, execution: str) -> list[str]:
    """The ids of the Map Runs that an execution has started, in order."""
    steps = await recall_decisions(store, execution)
    return [event.run for step in steps for event in step.events if isinstance(event, MapRunStarted)]
