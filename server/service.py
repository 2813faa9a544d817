"""What the protocols share: one engine with its handlers, opened and closed together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from detent.compile import digest_of
from detent.core.values import JSON, encode
from detent.runtime.clock import Clock, SystemClock
from detent.runtime.compose import open_engine
from detent.runtime.engine import Engine
from detent.runtime.handlers.registry import Registry
from detent.runtime.names import Names
from detent.store.base import MachineRecord

from .settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """``handlers`` do the tasks of the executions that ``engine`` runs."""

    engine: Engine
    handlers: Registry
    settings: Settings
    clock: Clock

    def names(self, machine: str) -> Names:
        """The ARNs of a machine of this server."""
        return Names(machine, self.settings.region, self.settings.account)

    async def publish(self, name: str, definition: JSON) -> str:
        """Keep a sound definition as the latest of its name; the machine's ARN. Raises CompileError, StoreError."""
        arn = self.names(name).machine_arn
        record = MachineRecord(digest_of(definition), arn, encode(definition), self.clock.now())
        await self.engine.machines.publish(record)
        return arn


@asynccontextmanager
async def open_service(settings: Settings, handlers: Registry) -> AsyncIterator[Service]:
    """A service that runs executions, also those that others have left. Raises StoreError."""
    clock = SystemClock()
    async with open_engine(settings.store, handlers.resolve, clock=clock, takes_over=True) as engine:
        try:
            yield Service(engine, handlers, settings, clock)
        finally:
            await handlers.close()
