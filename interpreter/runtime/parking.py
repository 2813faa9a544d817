"""Executions that only wait are let go: what is parked costs a row in the store, and no memory.

Nothing is lost with them, for a state is a cache of the log. The store finds them again when they are due, or
when a message has come, as it finds what a crash has left; so this is for engines that take over.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterator
from itertools import islice
from typing import Protocol

from ..core.execution import RUNNING, Execution
from ..core.signals import Signal
from ..store.base import Batch, Outcome
from .actor import Actor, Actors, Decided, head_of
from .jumps import Jumps
from .patience import Patience
from .waiting import Waiting

#: How long an execution has waited when it is let go, and how much longer it must have to wait, in milliseconds.
PARK_AFTER = 1_000
PARK_FOR = 10_000
#: Executions that are let go in one transaction.
GROUP_MAX = 256


class Post(Protocol):
    """Brings a signal to a live execution; ``at`` is the instant it counts from, in milliseconds."""

    def __call__(self, execution: str, signal: Signal, *, at: int) -> None: ...


class Parking:
    """``forget`` drops a live execution, ``try_again`` goes on with one that somebody else has written to,
    ``claim`` makes one live again, ``post`` brings it signals, ``busy`` names those with tasks at work here."""

    def __init__(
        self,
        actors: Actors,
        jumps: Jumps,
        patience: Patience,
        waiting: Waiting,
        *,
        forget: Callable[[Actor], None],
        try_again: Callable[[Actor, Decided], Awaitable[None]],
        claim: Callable[[str], Awaitable[None]],
        post: Post,
        busy: Callable[[], Container[str]],
    ) -> None:
        self._actors = actors
        self._jumps = jumps
        self._patience = patience
        self._waiting = waiting
        self._forget = forget
        self._try_again = try_again
        self._claim = claim
        self._post = post
        self._busy = busy

    async def park(self) -> None:
        """Let go what only waits. Raises StoreError."""
        while group := list(islice(self._idle(), GROUP_MAX)):
            for actor in group:
                actor.committing = True
            batches = [self._batch(actor) for actor in group]
            outcomes = await self._patience.append(batches, lambda left, error: left)
            for actor, batch, outcome in zip(group, batches, outcomes, strict=True):
                if outcome is Outcome.DONE:
                    await self.let_go(actor)
                elif outcome is not None:
                    await self._try_again(actor, Decided(batch.after, batch, [], [], []))

    def _idle(self) -> Iterator[Actor]:
        """The live executions that have nothing to do here, and nobody to tell of their end."""
        now = self._jumps.look()
        busy = self._busy()
        for id, actor in self._actors.items():
            state = actor.execution
            if (
                actor.created
                and not actor.committing
                and not actor.mailbox
                and not actor.kept
                and state.status == RUNNING
                and state.now + PARK_AFTER <= now
                and not head_of(state).ready
                and not self._waiting.is_awaited(id)
                and id not in busy
            ):
                due = self._due(state)
                if due is None or self._is_far(state, due, now):
                    yield actor

    def _is_far(self, state: Execution, due: int | None, now: int) -> bool:
        if due is None or due <= now + self._jumps.back + PARK_FOR:
            return False
        # Since when a retry waits is known here alone: found in the store, its wait could not be told from a step of
        # the clock that came before it.
        retried = any(pending.kind == "retry" for pending in state.pending.values())
        return not (retried and self._jumps.forward_since(state.now))

    def _batch(self, actor: Actor) -> Batch:
        state = actor.execution
        head = head_of(state)
        head.due = self._due(state)
        return Batch(actor.record.id, state.seq, state.seq, b"", b"[]", head, fence=actor.fence)

    def _due(self, state: Execution) -> int | None:
        """When the wall clock, as it is set now, shows that it is time."""
        if not self._jumps.forward_since(state.redriven_at or state.started_at):
            return state.due()
        return min(self._instants(state), default=None)

    def _instants(self, state: Execution) -> Iterator[int]:
        if state.ends_at is not None:
            yield state.ends_at + self._jumps.forward_since(state.redriven_at or state.started_at)
        for pending in state.pending.values():
            for due, beat in ((pending.due, False), (pending.beat_due, True)):
                if due is not None and not state.holds(pending):
                    yield due + self._jumps.shift(state, pending, beat=beat)

    def give_back(self, actor: Actor, batch: Batch) -> None:
        """Let a batch give an execution back that was just decided, if from now on it waits for a timer alone."""
        state = actor.execution
        if (
            state.status == RUNNING
            and not actor.kept
            and all(pending.kind in ("timer", "retry") for pending in state.pending.values())
            and self._is_far(state, due := self._due(state), self._jumps.look())
            and not self._waiting.is_awaited(actor.record.id)
        ):
            batch.hold = None
            batch.head.due = due

    async def let_go(self, actor: Actor) -> None:
        """Forget a live execution that was given back, unless there is reason to have it after all."""
        id = actor.record.id
        self._forget(actor)
        # What came meanwhile is brought again; messages come from the inbox.
        came = [(signal, at) for signal, at, message in actor.mailbox if not message]
        if actor.mailbox or self._waiting.is_awaited(id):
            await self._patience.insist(lambda: self._claim(id))
            for signal, at in came:
                self._post(id, signal, at=at)
