"""Executions that wait for a task which is not done here are given to somebody who does it.

Only once nothing of an execution is at work here any more: what runs is finished first. Its timers keep running,
for they stand in the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..core.execution import Execution, Pending
from ..core.resources import starts_execution
from ..store.base import Claim, Store
from ..store.fleet import HandOver
from .actor import Actor
from .clock import Clock
from .offers import Offers, asked_for
from .patience import Patience

#: An execution that is due so soon is not handed over before.
SOON_MILLISECONDS = 5_000


class HandOvers:
    """``offers`` is what is done here, None for everything: then nothing is ever handed over.

    ``runs`` says whether anything of an execution is at work here, ``let_go`` makes it nobody's here.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        patience: Patience,
        offers: Offers | None,
        runs: Callable[[str], bool],
        let_go: Callable[[Actor], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._patience = patience
        self._offers = offers
        self._runs = runs
        self._let_go = let_go
        #: By execution and pending: what is asked for, and not done here.
        self._wants: dict[str, dict[int, str]] = {}
        self._given: list[HandOver] = []
        self._giving: asyncio.Task[None] | None = None

    def wants(self, execution: Execution, pending: Pending) -> bool:
        """Whether a task is for somebody else; if it is, that is noted."""
        if self._offers is None or pending.resource is None or starts_execution(pending.resource):
            return False
        arguments = pending.arguments.value if pending.arguments is not None else None
        asked = asked_for(pending.resource, arguments)
        if self._offers.covers(asked):
            return False
        self._wants.setdefault(execution.id, {})[pending.id] = asked
        return True

    def consider(self, actor: Actor) -> None:
        """Give an execution away if all that is left to do of it is for somebody else, or it is not to be run here."""
        if self._offers is None or actor.committing or actor.mailbox:
            return
        noted = self._wants.get(actor.record.id, {})
        wants = [asked for id, asked in noted.items() if id in actor.execution.pending]
        if not wants and self._offers.takes(actor.record.machine):
            return
        due = actor.execution.due()
        if due is not None and due <= self._clock.now() + SOON_MILLISECONDS:
            return  # whoever had it next would be asked at once to let it go on here
        if self._runs(actor.record.id):
            return
        self._given.append(HandOver(actor.record.id, actor.fence, wants))
        self._let_go(actor)
        if self._giving is None or self._giving.done():
            self._giving = asyncio.get_running_loop().create_task(self._give())

    def forget(self, execution: str) -> None:
        """It is worked on here no longer."""
        self._wants.pop(execution, None)

    async def close(self) -> None:
        """Give away what is left."""
        if self._giving is not None:
            await asyncio.gather(self._giving, return_exceptions=True)

    async def _give(self) -> None:
        while self._given:
            given, self._given = self._given, []
            await self._patience.insist(lambda given=given: self._write(given))  # type: ignore[misc]  # bound now
        self._store.tell()

    async def _write(self, given: list[HandOver]) -> None:
        # Without a want it is anybody's who takes executions of its machine: given back as it stands.
        wanting = [one for one in given if one.wants]
        if wanting:
            await self._store.hand_over(wanting, now=self._clock.now())
        await self._store.release([_claim(one) for one in given if not one.wants])


def _claim(given: HandOver) -> Claim:
    return Claim(given.execution, given.fence, 0)
