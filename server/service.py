"""What the protocols share: one engine with its handlers, opened and closed together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from detent.runtime.catalogue_entries import Draft, MachineEntry, Type
from detent.runtime.catalogue_errors import MachineExists
from detent.runtime.clock import Clock, SystemClock
from detent.runtime.compose import is_shared, open_engine, open_worker
from detent.runtime.engine import Engine
from detent.runtime.handlers.registry import Registry
from detent.runtime.idempotency import Idempotency
from detent.runtime.items.storages import Storages
from detent.runtime.member import Member
from detent.runtime.mocks import MockFile
from detent.runtime.names import Names
from detent.runtime.worker import duties_of_server
from detent.store.base import StoreError

from . import apart, execution_log
from .aws.logs import StateLogs
from .aws.pages import Pages
from .definitions import Definition
from .desk import Desk
from .feed import Feed
from .layout_watch import LayoutWatch
from .metrics import Metrics
from .settings import Settings

log = logging.getLogger(__name__)

#: How often machines that are being deleted are looked at, and how often is looked whether there are any, in seconds.
DELETING_SECONDS = 0.2
LOOK_SECONDS = 2.0
#: How often answers that were kept long enough are let go of, in seconds.
FORGET_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Service:
    """``handlers`` do the tasks of the executions that ``engine`` runs."""

    engine: Engine
    handlers: Registry
    settings: Settings
    clock: Clock
    pages: Pages
    metrics: Metrics
    feed: Feed
    desk: Desk
    layout: LayoutWatch
    idempotency: Idempotency

    def names(self, machine: str) -> Names:
        """The ARNs of a machine of this server."""
        return Names(machine, self.settings.region, self.settings.account)

    async def publish(
        self,
        name: str,
        definition: Definition,
        *,
        type: Type = "STANDARD",
        search: Mapping[str, str] | None = None,
    ) -> MachineEntry:
        """Make a machine of a sound definition, or give it to the machine of that name.

        ``search`` are its search attributes; None leaves those that it has. Raises CompileError, MachineDeleting,
        SearchAttributeError, StoreError.
        """
        names, catalogue = self.names(name), self.engine.catalogue
        draft = Draft(definition.text, definition.digest, names.role_arn)
        try:
            return await catalogue.create_machine(names.machine_arn, type, draft, search=search)
        except MachineExists:

            def change(known: Draft) -> Draft:
                return replace(known, definition=draft.definition, digest=draft.digest)

            return (await catalogue.update_machine(names.machine_arn, change, search=search))[0]


@asynccontextmanager
async def open_service(settings: Settings, handlers: Registry) -> AsyncIterator[Service]:
    """A service that runs executions, also those that others have left. Raises StoreError."""
    clock = SystemClock()
    mocks = None if settings.mock is None else MockFile(settings.mock)
    # Beside others a server is a worker as well: what it does not handle waits for one that does.
    duties, storages = (
        duties_of_server(retention=settings.retention),
        Storages(settings.file_roots, handlers.guards),
    )
    opening = (
        open_worker(settings.store, handlers, duties, kind="server", mocks=mocks, storages=storages)
        if is_shared(settings.store)
        else open_engine(
            settings.store,
            handlers.handler,
            clock=clock,
            takes_over=True,
            mocks=mocks,
            storages=storages,
            member=Member(retention=settings.retention),
        )
    )
    async with opening as engine:
        feed, desk = Feed(), Desk()
        engine.observe(feed.observe)
        engine.observe(execution_log.observe)
        idempotency = Idempotency(engine.store, clock, engine.owner)
        chores = [
            asyncio.create_task(_go_on_deleting(engine)),
            asyncio.create_task(_go_on_forgetting(idempotency)),
            asyncio.create_task(asyncio.to_thread(apart.warm_up)),
        ]
        try:
            async with _state_logs(engine, settings.state_logs):
                pages, metrics = Pages(engine.store), Metrics(engine)
                layout = LayoutWatch(settings.store)
                yield Service(
                    engine, handlers, settings, clock, pages, metrics, feed, desk, layout, idempotency
                )
                await idempotency.close()
                await engine.drain(settings.drain_seconds)
        finally:
            for chore in chores:
                chore.cancel()
            await desk.close()
            await handlers.close()


@asynccontextmanager
async def _state_logs(engine: Engine, place: str | None) -> AsyncIterator[None]:
    """Have the logs of state machines written, if there is a place for them."""
    if place is None:
        yield
        return
    logs = StateLogs(engine.store, engine.catalogue, place)
    engine.observe(logs.observe)
    writing = asyncio.create_task(logs.run())
    try:
        yield
    finally:
        logs.close()
        await writing


async def _go_on_deleting(engine: Engine) -> None:
    """Finish what is being deleted here, or was where this store was served before."""
    while True:
        try:
            left = await engine.removal.proceed()
        except StoreError as error:
            log.warning("what is being deleted has to wait: %s", error)
            left = 1
        await asyncio.sleep(DELETING_SECONDS if left else LOOK_SECONDS)


async def _go_on_forgetting(idempotency: Idempotency) -> None:
    """Answers hold payloads, which are not to stay for the sake of keys that nobody sends any more."""
    while True:
        try:
            await idempotency.forget()
        except StoreError as error:
            log.warning("answers that were kept long enough stay a while: %s", error)
        await asyncio.sleep(FORGET_SECONDS)
