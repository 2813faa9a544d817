"""One simulated world: executions, their clients and tasks, and engines that die and are born again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from random import Random
from typing import Any

from detent.audit import replay, verify
from detent.core.codec import Step, encode_signal
from detent.core.events import ExecutionEnded, TaskFailed, TaskScheduled, TaskSucceeded, TimerFired
from detent.core.evolve import fold
from detent.core.execution import FAILED, RUNNING, Execution
from detent.core.machine import Machine
from detent.core.signals import Failed, Paused, Resumed, Signal, Signalled, Succeeded
from detent.core.values import Payload
from detent.runtime.engine import Engine
from detent.runtime.errors import ExecutionExists
from detent.runtime.handlers.base import Beat, TaskCall, TaskError
from detent.runtime.machines import Machines
from detent.runtime.member import Member
from detent.runtime.recall import recall_steps
from detent.store.base import ExecutionRecord, Letter, MachineRecord, NotFound, StoreUnavailable
from detent.store.memory import MemoryStore

from .faults import FaultyStore
from .loop import VirtualClock
from .workload import HEARTBEAT, MACHINES, SIGNALS, expected, outcome, said

#: Faults here are so many that they say nothing about the execution they hit.
UNSUSPECTING = Member(claims_max=10**6)

#: Virtual seconds after which a world that has not ended is stuck.
PATIENCE = 20_000


class World:
    """``rate`` is the share of the store's calls that fail; the first ``crashes_max`` crashes are real."""

    def __init__(self, seed: int, *, executions: int = 10, rate: float = 0.4, crashes_max: int = 40) -> None:
        self.random = Random(seed)
        self.rate = rate
        self.crashes_max = crashes_max
        self.memory = MemoryStore()
        self.clock = VirtualClock()
        self.happened: Counter[str] = Counter()
        self.crashes = 0
        self.records = [self._record(number) for number in range(executions)]
        self.acknowledged: set[str] = set()
        self.ends: dict[str, Execution] = {}
        #: How often each attempt was run, and under which key.
        self.runs: Counter[tuple[str, int]] = Counter()
        self.keys: dict[tuple[str, int], str] = {}
        self.letters = 0
        #: Executions that somebody has paused and not resumed yet.
        self.paused: set[str] = set()
        self.numbers = count()

    def _record(self, number: int) -> ExecutionRecord:
        digest = self.random.choice(sorted(MACHINES))
        name = f"{digest}-{self.random.randrange(1000)}-{number}"
        return ExecutionRecord(f"arn:{name}", name, "arn:m", digest, "detent", 0)

    # Life

    async def live(self) -> None:
        """Run engine after engine until every execution has ended."""
        while len(self.ends) < len(self.records):
            assert self.clock.monotonic() < PATIENCE, "stuck: " + ", ".join(self._unfinished())
            rate = self.rate if self.crashes < self.crashes_max else 0.0
            store = FaultyStore(self.memory, self.random, rate, self.happened)
            await self._one_life(store)
            if store.crashed.is_set():
                self.crashes += 1
                await asyncio.sleep(self.random.choice((0, 0, 0.5)))

    async def _one_life(self, store: FaultyStore) -> None:
        life = asyncio.create_task(self._work(store))
        death = asyncio.create_task(store.crashed.wait())
        await asyncio.wait((life, death), return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
        if life.done():
            with suppress(StoreUnavailable):  # an engine that cannot even open: the next one may
                life.result()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _work(self, store: FaultyStore) -> None:
        engine = Engine(
            store,  # type: ignore[arg-type]  # what it does not define is the memory store's
            Machines(store, self._compile),  # type: ignore[arg-type]  # as above
            lambda resource: self,
            release="1.0",
            clock=self.clock,
            task_limit=100 if self.rate else 2,
            takes_over=True,
            member=UNSUSPECTING,
        )
        engine.observe(self._observe)
        await self.memory.open(engine=True)
        for digest in MACHINES:
            await self.memory.publish(MachineRecord(digest, "arn:m", b"{}", 0))
        await engine.open()
        await asyncio.gather(
            *(self._client(engine, record) for record in self.records if record.id not in self.ends)
        )
        await engine.close()
        await self.memory.open(engine=True)

    @staticmethod
    def _compile(definition: bytes, digest: str) -> Machine:
        return MACHINES[digest]

    def _observe(self, execution: Execution, steps: Sequence[Step]) -> None:
        assert all(step.now <= self.clock.now() for step in steps), "decided before its time"

    # Clients

    async def _client(self, engine: Engine, record: ExecutionRecord) -> None:
        """Start an execution until that is acknowledged, then wait for its end, however often that takes."""
        while record.id not in self.acknowledged:
            with suppress(StoreUnavailable):
                try:
                    await engine.start(record, Payload(self._input(record)))
                except ExecutionExists:
                    pass  # an earlier start took place, though its answer was lost
                self.acknowledged.add(record.id)
            await asyncio.sleep(0.1)
        people = [asyncio.create_task(each) for each in (self._signals(record), self._pauses(record))]
        resumes = self.random.random() < 0.5
        while record.id not in self.ends:
            try:
                state = await (engine.resume(record.id) if resumes else engine.result(record.id))
                if state.status == RUNNING and resumes:
                    state = await engine.result(record.id)
            except StoreUnavailable:
                state = None
            except NotFound:
                raise AssertionError(f"the acknowledged start of {record.name} is lost") from None
            if state is not None and state.status == FAILED and not state.redrive_count:
                # Its tasks fail once more, and it ends as it did. The name is the token: once is enough.
                with suppress(StoreUnavailable):
                    await engine.redrive(record.id, record.name)
            elif state is not None and state.status != RUNNING:
                self.ends[record.id] = state
            await asyncio.sleep(1)
        for each in people:
            each.cancel()

    # People

    async def _signals(self, record: ExecutionRecord) -> None:
        """The named signals, early, late, some of them twice; those of a life before are known by their keys."""
        if record.digest != "asking":
            return
        for number, name in enumerate(SIGNALS):
            key = f"signal-{number}"
            signal = Signalled(key, name, Payload(said(record.name, name)))
            for _ in range(self.random.choice((1, 1, 2))):
                await asyncio.sleep(self.random.choice((0, 0, 1, 5)))
                await self.memory.send([Letter(record.id, key, encode_signal(signal))])

    async def _pauses(self, record: ExecutionRecord) -> None:
        """Now and then the execution is paused; whoever did it resumes it, even in another life."""
        if record.id in self.paused:
            await self._steer(record, Resumed(f"resume-{next(self.numbers)}"))
        for _ in range(self.random.choice((0, 0, 1, 2))):
            await asyncio.sleep(self.random.choice((0, 0.5, 3)))
            self.paused.add(record.id)
            await self._steer(record, Paused(f"pause-{next(self.numbers)}"))
            await asyncio.sleep(self.random.choice((0, 1, 20)))
            await self._steer(record, Resumed(f"resume-{next(self.numbers)}"))
            self.paused.discard(record.id)

    async def _steer(self, record: ExecutionRecord, signal: Paused | Resumed) -> None:
        await self.memory.send([Letter(record.id, signal.key, encode_signal(signal))])

    @staticmethod
    def _input(record: ExecutionRecord) -> Any:
        return {"name": record.name}

    # Tasks

    slots = None

    async def run(self, task: TaskCall, beat: Beat) -> Any:
        """The one handler of all tasks."""
        place = (task.execution, task.pending)
        self.runs[place] += 1
        assert self.keys.setdefault(place, task.key) == task.key, "the idempotency key has changed"
        await asyncio.sleep(self.random.choice((0, 0, 0.01, 0.03, 1)))
        kind, result = outcome(task.execution_name, task.state, task.arguments, task.attempt)
        if kind == "hang":
            await asyncio.Event().wait()
        if kind == "beat":
            for _ in range(3):
                await asyncio.sleep(HEARTBEAT * 0.8)
                beat()
        if kind == "fail":
            await self._by_letter(task, Failed(task.pending, "E1", None))
            raise TaskError("E1")
        await self._by_letter(task, Succeeded(task.pending, Payload(result)))
        return result

    async def _by_letter(self, task: TaskCall, answer: Signal) -> None:
        """Now and then the answer also comes through the inbox, once or twice, sooner or later."""
        for _ in range(self.random.choice((0, 0, 0, 1, 2))):
            self.letters += 1
            letter = Letter(task.execution, f"letter-{self.letters}", encode_signal(answer))
            await self.memory.send([letter])

    # Laws

    async def check(self) -> None:
        """What must be true once everything has ended."""
        assert len(set(self.keys.values())) == len(self.keys), "two attempts share a key"
        for record in self.records:
            state = self.ends[record.id]
            output = None if state.output is None else state.output.value
            end = state.status, output
            right = expected(record.name, MACHINES[record.digest], self._input(record))
            assert end == right, f"{record.name} ended as {end} instead of {right}"
            await self._check_log(record, state)

    async def _check_log(self, record: ExecutionRecord, state: Execution) -> None:
        _, steps = await recall_steps(self.memory, record.id)
        if self.random.random() < 0.1:
            assert verify(steps) == []
            assert replay(MACHINES[record.digest], steps) is None
        events = [event for step in steps for event in step.events]
        assert state.redrive_count == (state.status == FAILED), "redriven once, and only what failed"
        assert [type(event) for event in events].count(ExecutionEnded) == 1 + state.redrive_count
        assert isinstance(events[-1], ExecutionEnded)
        assert fold(events) == state, f"{record.name}: the state is not the fold of its log"
        dues: dict[int, int] = {}
        signalled: set[int] = set()
        for step in steps:
            for event in step.events:
                number = len(dues)
                dues[number + 1] = getattr(event, "due", None) or 0
                if isinstance(event, TimerFired):
                    assert step.now >= dues[event.pending], "a timer fired early"
                if isinstance(event, TaskScheduled) and event.mode == "signal":
                    signalled.add(number + 1)
                if (isinstance(event, TaskSucceeded) and event.pending not in signalled) or (
                    isinstance(event, TaskFailed) and not event.timed_out
                ):
                    assert self.runs[record.id, event.pending] >= 1, "a task ended that never ran"

    def repeats(self) -> int:
        return sum(runs - 1 for runs in self.runs.values())

    def _unfinished(self) -> list[str]:
        return [record.name for record in self.records if record.id not in self.ends]
