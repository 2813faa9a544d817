"""The engine: executions in, signals through, batches to the store, effects after the commit.

It joins the parts: :mod:`.rounds` decides and writes, :mod:`.effects` acts on what is durable,
:mod:`.recovery` brings executions back from their logs, :mod:`.intake` hears what reaches it through the
store, :mod:`.upkeep` keeps them going. Here is what one asks of it.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress

from ..core.execution import RUNNING, Execution
from ..core.express import refused_by_express
from ..core.limits import PROFILES
from ..core.redrive import refusal, token_instant
from ..core.signals import Redriven, Signal, Started, Stopped
from ..core.values import Payload
from ..store.base import Claim, ExecutionRecord, NotFound, Store, StoreError
from ..store.memory import MemoryStore
from .activities import Activities
from .actor import Actor, Actors
from .answers import Answers, Live
from .catalogue import Catalogue
from .catalogue_errors import MachineDeleting
from .clock import Clock, StoreClock, SystemClock
from .deadlines import Deadlines
from .dispatch import Dispatcher, Resolve
from .effects import Effects, Observer
from .errors import EngineError, ExecutionExists, ExecutionTaken, NotExpress, NotRedrivable
from .express import ExpressResult, SyncExpress
from .handover import HandOvers
from .intake import Intake, Mail
from .items.service import Items
from .items.storages import Storages
from .jumps import Jumps
from .leases import Lease
from .limits import Limits
from .machines import Machines
from .mailboxes import Mailboxes
from .map_runs import MapRuns
from .member import Member
from .meters import Load, Meter, Meters
from .mocks import MockFile, Mocks
from .nested import StartExecution
from .owners import fresh_owner
from .parking import Parking
from .patience import Patience
from .progress import Progress
from .recall import recall
from .recovery import Recovery
from .removal import Removal
from .rounds import Rounds
from .spawning import Spawning
from .steering import Steering
from .upkeep import Upkeep
from .waiting import Waiting

#: An engine that shares its work with nobody.
ALONE = Member()

#: How often a draining engine looks what has ended, in seconds.
DRAIN_SECONDS = 0.05


class Engine:
    """Runs executions of one store. Open it, use it, close it; one engine belongs to one event loop.

    ``resolve`` finds handlers for resources, ``release`` is written into the log, ``task_limit`` bounds
    the tasks that run at once. ``takes_over`` makes it look for executions that nobody works on; without
    it the engine works on what it is asked to and nothing else. Executions that were started with a test case get
    the answers of ``mocks``.

    Those outside answer tasks through ``answers``, workers take the tasks of activities from ``activities``. The
    state machines that are known by name are in ``catalogue``; ``removal`` finishes those that are being deleted. What
    it does by itself is ``upkeep``.
    """

    def __init__(
        self,
        store: Store,
        machines: Machines,
        resolve: Resolve,
        *,
        release: str,
        clock: Clock | None = None,
        task_limit: int = 1000,
        takes_over: bool = False,
        mocks: MockFile | None = None,
        storages: Storages | None = None,
        member: Member = ALONE,
    ) -> None:
        self.store = store
        self.machines = machines
        self.mocks = None if mocks is None else Mocks(mocks, store)
        self.owner = fresh_owner(takes_over=takes_over)
        self._clock = clock or SystemClock()
        self._actors = Actors()
        self._waiting = Waiting()
        self._meters = Meters()
        self._patience = Patience(store)
        self._mailboxes = Mailboxes(self._actors, self._clock)
        self._jumps = Jumps(self._clock)
        self._lease = Lease(
            store,
            self._clock,
            self.owner,
            seconds=member.lease_seconds,
            beside=member.beside,
            info=member.info,
            lost=self._settle,
            adjust=self._clock.adjust if isinstance(self._clock, StoreClock) else None,
        )
        self._intake = Intake(
            store,
            self._clock,
            self._jumps,
            self.owner,
            self._actors,
            self._adopt,
            self._redrive,
            self._mailboxes.post,
            takes_over=takes_over,
            lease=self._lease,
            offers=member.offers,
        )
        self._deadlines = Deadlines(
            self._clock,
            self._jumps,
            self._actors,
            self._mailboxes.post,
            self._intake.note,
            lambda execution: self._patience.insist(lambda: self._intake.catch_up(execution)),
            self._mailboxes.wake,
            self._meters,
        )
        live = Live(self._actors.pending, self._intake.written, self._deadlines.beat)
        self.steering = Steering(store, self._intake.written)
        self.answers = Answers(store, self._clock, live)
        self.activities = Activities(
            store, self._clock, self.owner, self._actors, self._patience, self._intake.written
        )
        self.catalogue = Catalogue(store, machines, self._clock)
        self.map_runs = MapRuns(store, self._intake.written)
        self.removal = Removal(store, self.catalogue, self._clock, self._intake.written)
        children = StartExecution(
            store,
            self.catalogue,
            self._clock,
            self.start,
            self._patience,
            profile_of=self._profile_of,
            stop=self.stop,
        )
        resolve = children.beside(resolve)
        self._express = SyncExpress(
            lambda: self._in_memory(resolve, release=release, task_limit=task_limit, mocks=mocks)
        )
        self._items = Items(store, self._patience, storages or Storages())
        self._dispatcher = Dispatcher(
            self._items.beside(resolve),
            self._report,
            self._beat,
            worker=self.owner,
            clock=self._clock,
            limit=task_limit,
            mocks=self.mocks,
            lease=self._lease,
            limits=Limits(store, self._clock, self.owner, member.limits, self._patience),
        )
        self._hand_overs = HandOvers(
            store, self._clock, self._patience, member.offers, self._dispatcher.runs, self._given
        )
        self._spawning = Spawning(
            self._actors,
            self._mailboxes,
            self._patience,
            self._redrive_child,
        )
        self._effects = Effects(
            self._actors,
            self._mailboxes,
            self._deadlines,
            self._dispatcher,
            self.activities,
            self._waiting,
            self._intake,
            self._spawning,
            self._hand_overs,
        )
        self._recovery = Recovery(
            store,
            machines,
            self._actors,
            self._mailboxes,
            self._effects,
            self._intake,
            self._patience,
            self._waiting,
            claims_max=member.claims_max,
        )
        self._parking: Parking | None = None
        if takes_over:
            self._parking = Parking(
                self._actors,
                self._jumps,
                self._patience,
                self._waiting,
                forget=self._effects.forget,
                try_again=self._recovery.try_again,
                claim=self._intake.claim,
                post=self._mailboxes.post,
                busy=self._dispatcher.busy,
            )
        self._rounds = Rounds(
            self.owner,
            release,
            self._actors,
            self._mailboxes,
            self._deadlines,
            self._effects,
            self._recovery,
            self._intake,
            self._patience,
            self._waiting,
            self._parking,
            self._meters,
            self.catalogue,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self.upkeep = Upkeep(
            store,
            self._clock,
            self._jumps,
            self._actors,
            self._rounds,
            self._intake,
            self.activities,
            self._effects,
            self._parking,
            member.retention,
        )

    # Life

    async def open(self) -> None:
        """Open the store and begin to run. Raises StoreInUse, StoreTooNew and other StoreErrors."""
        self._loop = asyncio.get_running_loop()
        await self.store.open(engine=True)
        await self._intake.open()
        self.upkeep.begin()

    async def drain(self, seconds: float) -> None:
        """Begin nothing more and take nothing over; give what runs so long to end. :meth:`close` comes after it.

        Executions with nothing at work are given back at once, the others as soon as what runs has ended.
        """
        self._intake.take_no_more()
        self._dispatcher.begin_no_more()
        until = self._clock.monotonic() + seconds
        while self._actors:
            idle = self._idle()
            for actor in idle:
                self._actors.pop(actor.record.id)
                self._waiting.failed(actor.record.id, ExecutionTaken.named(actor.record.id))
            with suppress(StoreError):
                await self._intake.give_back([actor.record.id for actor in idle])
            if self._clock.monotonic() >= until:
                return
            await asyncio.sleep(DRAIN_SECONDS)

    def _idle(self) -> list[Actor]:
        busy = self._dispatcher.busy()
        return [
            actor
            for id, actor in self._actors.items()
            if actor.created and not actor.committing and not actor.mailbox and id not in busy
        ]

    async def close(self) -> None:
        """Stop running: finish the write that is under way, cancel tasks, give the store back.

        Executions that have not ended stay as they are and go on where they are resumed.
        """
        await self._express.close()
        self._patience.end()
        await self.activities.close()
        self._deadlines.close()
        self._spawning.close()
        await self._dispatcher.close()
        await self.upkeep.end()
        await self._rounds.close()
        await self._items.close()
        await self._hand_overs.close()
        with suppress(StoreError):
            await self._intake.close()
        self._waiting.cancel()
        await self.store.close()

    def observe(self, observer: Observer) -> None:
        """Be told of everything that becomes durable, and of what EXPRESS executions do without being written.

        Observers are quick and do not fail.
        """
        self._effects.observe(observer)

    def measure(self, meter: Meter) -> None:
        """Have a meter told how the engine works."""
        self._meters.add(meter)

    @property
    def load(self) -> Load:
        """What the engine has at hand now."""
        return Load(len(self._actors), self._mailboxes.ready, self._dispatcher.tasks)

    # What one asks of it

    async def start(
        self, record: ExecutionRecord, input: Payload, *, role: str = "", spelling: Payload | None = None
    ) -> Progress:
        """Begin an execution; when this returns the start is durable, with how far the execution had come by then.

        The machine of ``record.digest`` must have been published. ``spelling`` is the input as its caller
        spelled it (a JSON string), where that is not its compact text. With the profile of an EXPRESS execution
        nothing more is written until it ends: after a crash it runs again from the beginning.
        Raises ExecutionExists, NotExpress, StoreUnavailable.
        """
        machine = await self.machines.get(record.digest)
        if PROFILES[record.profile].type == "EXPRESS":
            reasons = list(refused_by_express(machine))
            if reasons:
                raise NotExpress(f"the machine cannot run as EXPRESS: {'; '.join(reasons)}")
        await self._waiting.settled(record.id)
        if record.id in self._actors or self._waiting.is_beginning(record.id):
            raise ExecutionExists.named(record.name)
        if self._patience.ended:
            raise EngineError("the engine is closed: open another one")
        input = Payload(text=input.text)  # the caller may start another execution with the same payload
        started = Started(
            record.id, record.name, record.machine, record.digest, record.profile, role, input, spelling
        )
        begun = self._waiting.begin(record.id)
        self._actors[record.id] = Actor(record, machine, Execution(), 1, created=False)
        self._mailboxes.post(record.id, started)
        return await begun

    async def run_express(
        self, record: ExecutionRecord, input: Payload, *, role: str = "", spelling: Payload | None = None
    ) -> ExpressResult:
        """Run a synchronous EXPRESS execution: nothing of it is written, and it is forgotten when it has ended.

        Of the record's profile only the family counts. It goes on if the caller is cancelled, and is gone if the
        engine is closed. Raises NotExpress, NotFound.
        """
        return await self._express.run(record, input, role=role, spelling=spelling)

    async def run(
        self, record: ExecutionRecord, input: Payload, *, role: str = "", spelling: Payload | None = None
    ) -> Execution:
        """Begin an execution and wait until it has ended. Raises what :meth:`start` and :meth:`result` raise."""
        ended = self._waiting.end(record.id)
        try:
            await self.start(record, input, role=role, spelling=spelling)
        except BaseException:
            if not ended.cancel():
                ended.exception()  # it is the one that is raised
            raise
        return await ended

    async def result(self, execution: str) -> Execution:
        """Wait until an execution has ended, and answer how. Raises NotFound, ExecutionStuck."""
        if execution not in self._actors:
            state = (await recall(self.store, execution))[1]
            if state.status == RUNNING and self._parking is not None:
                await self._intake.claim(execution)  # it may only wait, and have been let go
            if state.status != RUNNING or execution not in self._actors:
                return state
        return await self._waiting.end(execution)

    async def resume(self, execution: str) -> Execution:
        """Go on with an execution that is not running here; its state as the log has it.

        Raises NotFound, LogError, StoreUnavailable and what compiling its machine raises.
        """
        if execution not in self._actors:
            await self._intake.claim(execution)
        # Not the live state: what that decided last may not be durable yet.
        return (await recall(self.store, execution))[1]

    async def redrive(self, execution: str, token: str | None = None) -> int:
        """Have an execution that ended without success go on where it stood (api, section 8); durable when this
        returns. The instant of the redrive, in milliseconds: the same one for the same ``token`` soon after.

        Raises NotRedrivable, NotFound, LogError, StoreUnavailable and what compiling its machine raises.
        """
        token = token or secrets.token_hex(8)
        while True:
            await self._waiting.settled(execution)
            if self._patience.ended:
                raise EngineError("the engine is closed: open another one")
            record, state = await recall(self.store, execution)
            now = self._clock.now()
            instant = token_instant(state, token, now)
            if instant is not None:
                return instant
            reason = refusal(state, now) or await self._refusal_of_machine(record.machine)
            if reason is not None:
                raise NotRedrivable(reason)
            # What comes of it is read from the log: another process may have been first.
            with suppress(ExecutionTaken):
                if await self._recovery.redrive(execution, Redriven(token)):
                    await self._waiting.begin(execution)

    def stop(self, execution: str, error: str | None = None, cause: str | None = None) -> None:
        """Ask an execution that is live here to end as ABORTED. Others are told by a letter (records.stop)."""
        self._mailboxes.post(execution, Stopped(error, cause))

    def answers_arrived(self) -> None:
        """Something was put into the inbox of an execution: it is not left there until the next poll."""
        self._intake.written()

    def running(self) -> list[str]:
        """The executions at work here."""
        return list(self._actors)

    # What happens by itself

    async def _refusal_of_machine(self, arn: str) -> str | None:
        try:
            await self.catalogue.target(arn)
        except MachineDeleting:
            return "State machine is in DELETING status"
        except NotFound:
            pass  # it was published for a run of its file, and never catalogued
        return None

    def _in_memory(
        self, resolve: Resolve, *, release: str, task_limit: int, mocks: MockFile | None
    ) -> Engine:
        """Where synchronous executions run. What their tasks start is started here, and durable."""
        engine = Engine(
            MemoryStore(),
            self.machines,
            resolve,
            release=release,
            clock=self._clock,
            task_limit=task_limit,
            mocks=mocks,
        )
        engine.observe(self._effects.tell)
        return engine

    def _profile_of(self, execution: str) -> str:
        """The limit profile of an execution that runs here, written or not."""
        return self._express.profile_of(execution) or self._actors[execution].record.profile

    async def _adopt(self, claim: Claim, mail: Mail) -> bool:
        return await self._recovery.adopt(claim, mail)

    async def _settle(self) -> None:
        """After the lease had run out."""
        with suppress(StoreError):
            await self._recovery.settle()

    def _given(self, actor: Actor) -> None:
        """An execution is handed over."""
        self._effects.let_go(actor, ExecutionTaken.named(actor.record.id))

    async def _redrive(self, execution: str, signal: Redriven, message: int) -> bool:
        return await self._recovery.redrive(execution, signal, message=message)

    async def _redrive_child(self, child: str, count: int) -> None:
        await self._recovery.redrive_child(child, count)

    def _report(self, execution: str, signal: Signal, at: int | None = None, /) -> None:
        self._effects.report(execution, signal, at)

    def _beat(self, execution: str, pending: int) -> None:
        """A sign of life of a task, from any thread."""
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._deadlines.beat, execution, pending)
