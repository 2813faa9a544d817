"""The loop that drives all live executions, round after round.

In each round it decides everything that is ready, writes all of it in one transaction, and only then has
performed what was announced. While one round is being written the next is decided.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from ..core.errors import DetentError
from ..core.evaluation import BrokenOff
from ..core.execution import RUNNING
from ..core.limits import AWS
from ..store.base import Outcome, StoreUnavailable
from .actor import Actor, Actors, Decided
from .aside import Aside
from .catalogue import Catalogue
from .deadlines import Deadlines
from .effects import Effects
from .intake import Intake
from .mailboxes import Mailboxes
from .meters import Meters
from .parking import Parking
from .patience import Patience
from .recovery import Recovery
from .waiting import Waiting

#: Executions that one transaction may carry.
GROUP_MAX = 512
#: How long nothing is decided for the sake of each batch that was given to the store, in seconds: what stands between
#: the store and its disk is Python too, and would wait for the end of the round, and the disk with it.
HEAD_START_SECONDS = 0.000_01
#: How long one round may decide before it is written, and others get their turn, in seconds.
ROUND_SECONDS = 0.05
#: What one decision takes at least, in seconds, where the next of the same execution waits for the others; and how long
#: a round may decide for those that had to.
SLOW_SECONDS = 0.005


class Rounds:
    """``owner`` and ``release`` are written with what is decided."""

    def __init__(
        self,
        owner: str,
        release: str,
        actors: Actors,
        mailboxes: Mailboxes,
        deadlines: Deadlines,
        effects: Effects,
        recovery: Recovery,
        intake: Intake,
        patience: Patience,
        waiting: Waiting,
        parking: Parking | None,
        meters: Meters,
        catalogue: Catalogue,
    ) -> None:
        self._owner = owner
        self._release = release
        self._actors = actors
        self._mailboxes = mailboxes
        self._deadlines = deadlines
        self._effects = effects
        self._recovery = recovery
        self._intake = intake
        self._patience = patience
        self._waiting = waiting
        self._parking = parking
        self._meters = meters
        self._catalogue = catalogue
        self._aside = Aside(actors, recovery.take_up)
        self._committing: asyncio.Task[None] | None = None

    async def drive(self) -> None:
        """Go round until cancelled."""
        while True:
            self._deadlines.fire()
            decided = self._decide()
            if self._committing is not None:
                await asyncio.shield(self._committing)
                self._committing = None
                decided = [each for each in decided if each[0].created or self._is_wanted(each[0])]
            if decided:
                self._committing = asyncio.get_running_loop().create_task(self._commit(decided))
                await self._let_begin(self._committing, len(decided))
            elif self._mailboxes.empty:
                await self._mailboxes.sleep(self._deadlines.wait())
            else:
                await asyncio.sleep(0)

    async def _let_begin(self, committing: asyncio.Task[None], batches: int) -> None:
        """Give a write its head start: the next round is decided while it is under way."""
        await asyncio.sleep(0)
        if not self._mailboxes.empty:
            await asyncio.wait({committing}, timeout=HEAD_START_SECONDS * batches)

    async def close(self) -> None:
        """Finish the write that is under way."""
        await self._aside.close()
        if self._committing is not None:
            await asyncio.gather(self._committing, return_exceptions=True)

    def _decide(self) -> list[tuple[Actor, Decided]]:
        """Decide what is ready, at most one group of it."""
        decided: list[tuple[Actor, Decided]] = []
        begun = now = monotonic()
        for actor in self._mailboxes.take(GROUP_MAX):
            until = begun + (SLOW_SECONDS if actor.slow else ROUND_SECONDS)
            actor.slow = False
            offer = self._decide_one(actor)
            if offer is not None:
                decided.append((actor, offer))
            before, now = now, monotonic()
            if now - before > SLOW_SECONDS:
                actor.slow = True
            if now > until:
                break
        return decided

    def _decide_one(self, actor: Actor) -> Decided | None:
        """Decide for one execution; None if nothing of it is to be written now."""
        if self._must_look_up(actor):
            actor.committing = True
            self._aside.do(self._look_up(actor))
            return None
        try:
            offer = actor.decide(self._owner, self._release, hurried=True)
        except BrokenOff as broken:
            actor.committing = actor.slow = True
            self._aside.put_off(actor, broken.request)
            return None
        except Exception as error:
            self._effects.give_up(actor, error)
            return None
        self._aside.is_made(actor.record.id)
        if offer is not None and offer.batch is not None:
            actor.committing = True
            if self._parking is not None:
                self._parking.give_back(actor, offer.batch)
            return offer
        if offer is not None:
            self._effects.perform(actor, offer)
        elif actor.mailbox:
            self._mailboxes.make_ready(actor.record.id)
        elif actor.execution.status != RUNNING:
            self._effects.end(actor)  # it was not to be redriven
        elif self._parking is None:
            actor.rest()
        return None

    def _must_look_up(self, actor: Actor) -> bool:
        """Whether a decision must wait until it is known which activities exist: only the service's own protocol makes
        and deletes them for executions."""
        activities = actor.machine.activities
        return bool(
            activities
            and actor.missing is None
            and actor.record.profile == AWS.profile
            and not self._catalogue.knows_activities(activities)
        )

    async def _look_up(self, actor: Actor) -> None:
        activities = actor.machine.activities
        try:
            missing = await self._patience.insist(lambda: self._catalogue.missing_activities(activities))
        except DetentError as error:
            self._effects.give_up(actor, error)
            return
        if self._actors.get(actor.record.id) is actor:
            actor.missing = missing
            actor.committing = False
            self._mailboxes.make_ready(actor.record.id)

    async def _commit(self, decided: list[tuple[Actor, Decided]]) -> None:
        batches = [offer.batch for _, offer in decided if offer.batch is not None]
        begun = monotonic()
        outcomes = await self._patience.append(
            batches, lambda left, error: self._refuse_starts([(at, decided[at][0]) for at in left], error)
        )
        self._meters.committed(len(batches), monotonic() - begun)
        for (actor, offer), outcome in zip(decided, outcomes, strict=True):
            if outcome is Outcome.DONE:
                self._effects.perform(actor, offer)
                if self._parking is None:
                    actor.rest()
                elif _gives_back(actor, offer):
                    await self._parking.let_go(actor)
            elif outcome is Outcome.EXISTS and offer.batch is not None:
                await self._recovery.exists_already(actor, offer.batch.control)
            elif outcome is not None:
                await self._recovery.try_again(actor, offer)

    def _refuse_starts(self, offered: list[tuple[int, Actor]], error: StoreUnavailable) -> list[int]:
        """Starts that the store cannot take are refused, and so are those behind them: whoever asks can ask again.

        Answers the places of what was offered and is still wanted.
        """
        for id in self._waiting.beginning():
            actor = self._actors.get(id)
            if actor is not None and not actor.created:
                self._effects.forget(actor)
                self._intake.doubt(id)
                self._waiting.failed(id, error)
        return [place for place, actor in offered if self._is_wanted(actor)]

    def _is_wanted(self, actor: Actor) -> bool:
        """Whether what was decided is to be written: not if it is a start that has been refused since."""
        return actor.created or self._actors.get(actor.record.id) is actor


def _gives_back(actor: Actor, offer: Decided) -> bool:
    return offer.batch is not None and offer.batch.hold is None and actor.execution.status == RUNNING
