"""A simulated fleet: several engines on one store, cut off, killed and born again, each with faults of its own.

An engine that is cut off beyond its lease is what a frozen process looks like to everybody else: it still believes to
own what others have taken over, its handlers go on, and it comes back.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import Any

from detent.core.codec import encode_signal
from detent.core.execution import FAILED, RUNNING
from detent.core.signals import Redriven
from detent.core.values import Payload
from detent.runtime.engine import Engine
from detent.runtime.errors import EngineError, ExecutionExists
from detent.runtime.machines import Machines
from detent.runtime.member import Member
from detent.runtime.offers import Offers
from detent.runtime.recall import recall
from detent.store.base import ExecutionRecord, Letter, MachineRecord, StoreUnavailable

from .faults import FaultyStore, Plan
from .shared import SharedMemory
from .workload import MACHINES
from .world import PATIENCE, World

ENGINES = 3
#: How long an engine is cut off, in virtual seconds: within its lease, or beyond it.
CUT_OFF = (1, 5, 16, 40)
#: How long the whole database is away, in virtual seconds.
AWAY = (2, 20, 60)


class CutOffStore(FaultyStore):
    """Beside what may happen to any store: for a while nothing reaches it at all."""

    until = 0.0

    async def _stay_dead(self) -> None:
        await super()._stay_dead()
        if asyncio.get_running_loop().time() < self.until:
            await asyncio.sleep(0.2)
            raise StoreUnavailable("cut off")

    def cut_off(self, seconds: float) -> None:
        self.until = asyncio.get_running_loop().time() + seconds
        self.happened["cut off"] += 1


class FleetWorld(World):
    """``memory`` is shared; every execution may be worked on by several engines one after the other.

    With a ``plan`` one thing happens, at one commit, and nothing else.
    """

    def __init__(self, seed: int, *, plan: Plan | None = None, **settings: Any) -> None:
        super().__init__(seed, **settings)
        self.plan = plan
        self.memory = SharedMemory()
        self.engines: list[Engine] = []

    async def live(self) -> None:
        """Keep engines at work until every execution has ended."""
        await self.memory.open(engine=True)
        for digest in MACHINES:
            await self.memory.publish(MachineRecord(digest, "arn:m", b"{}", 0))
        others = [asyncio.create_task(self._supervise(Random(self.random.random()))) for _ in range(ENGINES)]
        if self.rate:
            others.append(asyncio.create_task(self._lose(Random(self.random.random()))))
        clients = asyncio.gather(*map(self._ask, self.records))
        watch = asyncio.ensure_future(clients)
        await asyncio.wait({watch, *others}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            assert not task.done() or task.result() is None
        assert watch.done(), "stuck: " + ", ".join(self._unfinished())
        watch.result()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _lose(self, random: Random) -> None:
        """The database is away for everybody, now and then."""
        while True:
            await asyncio.sleep(random.uniform(50, 300))
            if self.crashes < self.crashes_max:
                seconds = random.choice(AWAY)
                for engine in self.engines:
                    engine.store.cut_off(seconds)  # type: ignore[attr-defined]  # the stores here can be
                self.happened["database away"] += 1

    async def _supervise(self, random: Random) -> None:
        while True:
            rate = self.rate if self.crashes < self.crashes_max else 0.0
            store = CutOffStore(self.memory, random, rate, self.happened, self.plan)
            engine = Engine(
                store,  # type: ignore[arg-type]  # what it does not define is the memory store's
                Machines(store, self._compile),  # type: ignore[arg-type]  # as above
                lambda resource: self,
                release="1.0",
                clock=self.clock,
                takes_over=True,
                member=Member(offers=Offers(("*",)), claims_max=10**6),
            )
            engine.observe(self._observe)
            with suppress(StoreUnavailable):
                await engine.open()
                self.engines.append(engine)
                await self._disturb(store, random)
                self.engines.remove(engine)
            self.crashes += 1
            await asyncio.sleep(random.choice((0, 1, 20)))

    async def _disturb(self, store: CutOffStore, random: Random) -> None:
        """Cut an engine off now and then, until its process dies."""
        while not store.crashed.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(store.crashed.wait(), random.uniform(5, 40))
            if store.rate and random.random() < 0.3:
                store.cut_off(random.choice(CUT_OFF))

    async def _ask(self, record: ExecutionRecord) -> None:
        """Start an execution at any engine until that is acknowledged, and wait for its end."""
        while record.id not in self.acknowledged:
            await asyncio.sleep(0.1)
            if self.engines:
                with suppress(StoreUnavailable, EngineError, TimeoutError):
                    try:
                        engine = self.random.choice(self.engines)
                        await asyncio.wait_for(engine.start(record, Payload(self._input(record))), 60)
                    except ExecutionExists:
                        pass
                    self.acknowledged.add(record.id)
        people = [asyncio.create_task(each) for each in (self._signals(record), self._pauses(record))]
        while record.id not in self.ends:
            if (await self.memory.load(record.id, limit=0)).head.ended_at is None:
                await asyncio.sleep(1)
                continue
            _, state = await recall(self.memory, record.id)
            if state.status == FAILED and not state.redrive_count:
                # By letter, which any engine may find; its name is the token: once is enough.
                redrive = Redriven(record.name)
                await self.memory.send([Letter(record.id, "redrive", encode_signal(redrive))])
            elif state.status != RUNNING:
                self.ends[record.id] = state
            await asyncio.sleep(1)
        for each in people:
            each.cancel()
