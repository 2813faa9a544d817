"""Synchronous executions of type EXPRESS: somebody waits for them, and nothing of them is written.

They run in an engine of their own whose store is memory, and are forgotten when they have ended: what holds for
tasks, retries and timers holds for them as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..core.execution import Execution
from ..core.limits import profile_for
from ..core.values import Payload
from ..store.base import ExecutionRecord

if TYPE_CHECKING:
    from .engine import Engine

#: What is billed is rounded up to so many milliseconds, and is at least one of them (api, section 7).
BILLED_MILLISECONDS = 100
#: The memory that is billed, in megabytes: the least there is. What an execution takes is not measured.
BILLED_MEGABYTES = 64


@dataclass(frozen=True, slots=True)
class ExpressResult:
    """How a synchronous execution ended, and what the service would bill for it."""

    execution: Execution

    @property
    def billed_milliseconds(self) -> int:
        """Its duration, rounded up."""
        units = -(-self.execution.open_for // BILLED_MILLISECONDS)
        return max(1, units) * BILLED_MILLISECONDS

    @property
    def billed_megabytes(self) -> int:
        """Its memory."""
        return BILLED_MEGABYTES


class SyncExpress:
    """``make`` gives an engine over a store in memory that nobody else uses; it is opened when it is needed."""

    def __init__(self, make: Callable[[], Engine]) -> None:
        self._make = make
        self._opening: asyncio.Task[Engine] | None = None
        self._profiles: dict[str, str] = {}
        self._runs: set[asyncio.Task[Execution]] = set()

    def profile_of(self, execution: str) -> str | None:
        """The limit profile of a synchronous execution that runs now."""
        return self._profiles.get(execution)

    async def run(
        self, record: ExecutionRecord, input: Payload, *, role: str, spelling: Payload | None
    ) -> ExpressResult:
        """Run an execution to its end, also if nobody waits for that any more."""
        profile = profile_for(record.profile, "EXPRESS", synchronous=True)
        run = asyncio.ensure_future(self._run(replace(record, profile=profile), input, role, spelling))
        self._runs.add(run)
        run.add_done_callback(self._over)
        return ExpressResult(await asyncio.shield(run))

    def _over(self, run: asyncio.Task[Execution]) -> None:
        self._runs.discard(run)
        if not run.cancelled():
            run.exception()  # whoever still waits is told; if nobody does, nobody is to be

    async def _run(
        self, record: ExecutionRecord, input: Payload, role: str, spelling: Payload | None
    ) -> Execution:
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())
        engine = await self._opening
        self._profiles[record.id] = record.profile
        try:
            return await engine.run(record, input, role=role, spelling=spelling)
        finally:
            del self._profiles[record.id]
            await engine.store.delete([record.id])

    async def _open(self) -> Engine:
        engine = self._make()
        await engine.open()
        return engine

    async def close(self) -> None:
        """End what runs: it is gone, as in a crash."""
        runs = list(self._runs)
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        if self._opening is not None:
            await (await self._opening).close()
