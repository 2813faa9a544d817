"""Bring executions back to life from their logs: after a crash, on takeover, and on any doubt.

A state is a cache of the log: where a write did not end as expected it is thrown away and folded again.
"""

from __future__ import annotations

import asyncio
import logging
from weakref import WeakValueDictionary

from ..core.codec import encode_signal, unstored
from ..core.errors import RUNTIME, DetentError
from ..core.execution import RUNNING
from ..core.signals import Quarantined, Redriven, Stopped
from ..store.base import SUSPECT_CLAIMS, Claim, Letter, Store
from .actor import Actor, Actors, Decided, is_work
from .effects import Effects
from .errors import ExecutionExists, ExecutionTaken
from .intake import Intake, Mail
from .log_facts import about, states_of
from .machines import Machines
from .mailboxes import Mailboxes
from .nested import Parents
from .patience import Patience
from .recall import recall
from .waiting import Waiting

log = logging.getLogger(__name__)


def quarantine_cause(claims: int) -> str:
    """Why an execution is worked on no more."""
    return (
        f"Quarantined: {claims} times in a row the worker that ran this execution ended, or lost its lease, before a "
        "task of it came to an end. Mend what the tasks that had begun do to their process, then redrive it."
    )


class Recovery:
    """Owns the ways by which a live execution gets a state from the log.

    What was claimed ``claims_max`` times without coming further is not worked on again.
    """

    def __init__(
        self,
        store: Store,
        machines: Machines,
        actors: Actors,
        mailboxes: Mailboxes,
        effects: Effects,
        intake: Intake,
        patience: Patience,
        waiting: Waiting,
        *,
        claims_max: int,
    ) -> None:
        self._store = store
        self._machines = machines
        self._actors = actors
        self._mailboxes = mailboxes
        self._effects = effects
        self._intake = intake
        self._patience = patience
        self._waiting = waiting
        self._claims_max = claims_max
        self._parents = Parents(store)
        self._adopting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def adopt(self, claim: Claim, mail: Mail) -> bool:
        """Make a stored execution live, with its mail; whether it is suspected of killing those who work on it.

        What was claimed too often without coming further is not worked on again: it ends as failed. Raises
        NotFound, LogError, StoreUnavailable and what compiling raises.
        """
        # One after the other: while the first is read the second would read the same, and come back to life with it
        # when the first has ended.
        lock = self._adopting.setdefault(claim.execution, asyncio.Lock())
        async with lock:
            return await self._adopt(claim, mail)

    async def _adopt(self, claim: Claim, mail: Mail) -> bool:
        execution, fence = claim.execution, claim.fence
        live = self._actors.get(execution)
        if live is not None:
            # Not after reading: it could have ended meanwhile, and what was read would bring it back to life.
            live.fence = fence
            return False
        record, state = await recall(self._store, execution)
        machine = await self._machines.get(record.digest)
        # Whoever redrove a child wanted it to go on by itself.
        orphaned = not state.redrive_count and await self._parents.have_given_up(record)
        live = self._actors.get(execution)
        if live is not None:
            live.fence = fence
            return False
        actor = self._actors[execution] = Actor(record, machine, state, fence, created=True)
        for signal, number in mail:
            self._mailboxes.leave(execution, signal, message=number)
        suspected = claim.claims > SUSPECT_CLAIMS and any(map(is_work, state.pending.values()))
        if suspected and claim.claims > self._claims_max:
            facts = about(execution, states_of(state))
            log.error("%s is quarantined: it was claimed %d times", execution, claim.claims - 1, extra=facts)
            self._mailboxes.post(execution, Quarantined(RUNTIME, quarantine_cause(claim.claims - 1)))
            return True
        if orphaned:
            self._mailboxes.post(execution, Stopped())
        self._effects.go_on(actor)
        return suspected

    async def settle(self) -> None:
        """The lease had run out: what somebody else has taken since is theirs. Raises DetentError."""
        fences = {id: actor.fence for id, actor in self._actors.items() if actor.created}
        if not fences:
            return
        kept = await self._patience.insist(lambda: self._intake.reclaim(fences))
        for id, before in fences.items():
            actor = self._actors.get(id)
            if actor is None:
                continue
            if id not in kept:
                if not actor.committing:  # a write that is under way finds out by itself
                    self._effects.let_go(actor, ExecutionTaken.named(id))
                continue
            actor.fence = kept[id]
            if kept[id] > before + 1 and not actor.committing:
                await self._reload(actor)

    async def redrive(self, execution: str, signal: Redriven, *, message: int = 0) -> bool:
        """Have an execution that has ended decide whether it goes on; False if it runs, here or elsewhere.

        No claim is needed for it: what has ended is nobody's, and the first who appends to its log has it.
        Raises NotFound, LogError, StoreUnavailable and what compiling raises.
        """
        fence = (await self._store.load(execution, limit=0)).fence
        record, state = await recall(self._store, execution)
        machine = await self._machines.get(record.digest)
        if state.status == RUNNING or execution in self._actors:
            return False
        self._actors[execution] = Actor(record, machine, state, fence, created=True)
        self._mailboxes.post(execution, signal, message=message)
        return True

    async def redrive_child(self, child: str, count: int) -> None:
        """Have an execution go on that is waited for again, unless it was redriven ``count`` times already.

        One that is still coming to its end is told, and goes on from there. Raises what :meth:`redrive` raises.
        """
        state = (await recall(self._store, child))[1]
        if state.redrive_count >= count:
            return
        if child in self._actors:
            self._mailboxes.post(child, Redriven())
        elif state.status != RUNNING:
            await self.redrive(child, Redriven())
        else:
            await self._store.send([Letter(child, f"redriven-{count}", encode_signal(Redriven()))])

    async def exists_already(self, actor: Actor, start: bytes) -> None:
        """The id is taken: by ourselves if the store took the start, a segment's control, but its answer was lost."""
        record = actor.record
        try:
            stored = await self._patience.insist(lambda: self._store.load(record.id, limit=1))
        except DetentError as error:
            self._effects.give_up(actor, error)
            return
        # The records of two starts in the same millisecond are equal; the seeds that they were decided with differ.
        if stored.segments and stored.segments[0].control == start:
            await self._find_again(actor)
        else:
            # The one that has the name may be ours to run: its claim stays.
            del self._actors[record.id]
            self._waiting.failed(record.id, ExecutionExists.named(record.name))

    async def _find_again(self, actor: Actor) -> None:
        """Go on where the log ends, under the claim that holds now, unless somebody else has it."""
        id = actor.record.id
        try:
            fence = await self._patience.insist(lambda: self._intake.fence_of(id))
        except DetentError as error:
            self._effects.give_up(actor, error)
            return
        if fence is None:
            stored = await self._patience.insist(lambda: self._store.load(id, limit=0))
            if stored.head.ended_at is None:
                self._effects.let_go(actor, ExecutionTaken.named(id))
                return
            fence = stored.fence
        actor.fence = fence
        await self._reload(actor)

    async def try_again(self, actor: Actor, offer: Decided) -> None:
        """The log has moved on without us: the signals are decided once more where it ends now.

        If that was because somebody else has taken the execution over, it is theirs.
        """
        again = [(unstored(step.signal), step.now, 0) for step in (*actor.take_kept(), *offer.steps)]
        actor.mailbox = [*again, *actor.mailbox]
        await self._find_again(actor)

    async def take_up(self, actor: Actor) -> None:
        """Make a decision again that was broken off: nothing of it has been written."""
        if self._actors.get(actor.record.id) is not actor:
            return  # given up, or let go to somebody else
        if actor.created:
            await self._reload(actor)
        else:
            actor.begin_anew()
            actor.committing = False
            self._mailboxes.make_ready(actor.record.id)

    async def _reload(self, actor: Actor) -> None:
        """Replace an actor's state by what the log says. Signals that arrive meanwhile wait in its mailbox."""
        try:
            _, state = await self._patience.insist(lambda: recall(self._store, actor.record.id))
        except DetentError as error:
            self._effects.give_up(actor, error)
            return
        actor.replace(state)
        actor.created = True
        self._effects.go_on(actor)
