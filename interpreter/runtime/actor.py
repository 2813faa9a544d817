"""One live execution: its state, its mailbox, and the batch it is about to write.

An actor is the only owner of its execution's state. It decides what its mailbox holds, offers the result
as a batch, and waits: nothing more is decided, and no effect takes place, until the batch is durable.
"""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field

from ..core.codec import Step, encode_segment
from ..core.decide import advance
from ..core.evaluation import BrokenOff
from ..core.execution import RUNNING, Execution, Pending
from ..core.machine import Machine
from ..core.signals import Signal
from ..store.base import Batch, ExecutionRecord, Head
from .evaluations import Evaluations


@dataclass(slots=True)
class Decided:
    """What an actor wants written, and what follows once it is."""

    batch: Batch
    steps: list[Step]
    opened: list[Pending]
    closed: list[int]


@dataclass(slots=True)
class Actor:
    """``fence`` is that of the claim the execution is worked on under."""

    record: ExecutionRecord
    machine: Machine
    execution: Execution
    fence: int
    created: bool
    mailbox: deque[tuple[Signal, int, int]] = field(default_factory=deque)
    committing: bool = False
    #: What is left of a round that was broken off: where the log ended, the seeds, and what the signal at that
    #: place of the round evaluated.
    _seeds: list[str] = field(default_factory=list)
    _broken: tuple[int, Evaluations] | None = None
    _broken_after: int = 0

    def decide(self, owner: str, release: str, *, hurried: bool = False) -> Decided | None:
        """Decide everything in the mailbox; None if it changed nothing.

        ``hurried``, it raises BrokenOff where an evaluation takes long. The state is void then, the mailbox as
        it was: with the state as the log has it, and with the answer learnt, the round is decided again.
        """
        after = self.execution.seq
        steps: list[Step] = []
        drained: list[int] = []
        taken: list[tuple[Signal, int, int]] = []
        if after != self._broken_after:
            # The log has moved on since: nothing of the round holds any more.
            self._seeds, self._broken = [], None
        seeds = self._seeds
        while self.mailbox:
            signal, at, message = self.mailbox.popleft()
            if len(taken) == len(seeds):
                seeds.append(secrets.token_urlsafe(32))
            seed = seeds[len(taken)]
            evaluations = self._evaluations(len(taken)) if hurried else None
            taken.append((signal, at, message))
            try:
                events = advance(
                    self.machine, self.execution, signal, now=at, seed=seed, evaluator=evaluations
                )
            except BrokenOff:
                if evaluations is not None:
                    self._broken, self._broken_after = (len(taken) - 1, evaluations), after
                self.mailbox.extendleft(reversed(taken))
                raise
            if events:
                steps.append(Step(signal, at, seed, events))
            if message:
                drained.append(message)
        self._seeds, self._broken = [], None
        if not steps and not drained:
            return None
        opened, closed = self.execution.take_journal()
        encoded = encode_segment(after, release, steps) if steps else None
        batch = Batch(
            execution=self.record.id,
            after=after,
            last=self.execution.seq,
            control=encoded.control if encoded else b"",
            payloads=encoded.payloads if encoded else b"[]",
            head=head_of(self.execution),
            create=None if self.created else self.record,
            blobs=encoded.blobs if encoded else {},
            drained=drained,
            closed=closed,
            fence=self.fence,
            hold=owner,
        )
        return Decided(batch, steps, opened, closed)

    def learn(self, answer: bytes) -> None:
        """What came out of the evaluation over which the round was broken off."""
        if self._broken is not None:
            self._broken[1].learn(answer)

    def _evaluations(self, place: int) -> Evaluations:
        """Those of the signal at a place of the round: known ones where it was broken off."""
        if self._broken is None or self._broken[0] != place:
            return Evaluations()
        self._broken[1].begin()
        return self._broken[1]


def head_of(execution: Execution) -> Head:
    """What must be findable without reading the log."""
    if execution.status != RUNNING:
        return Head(execution.status, None, False, execution.ended_at)
    ready = any(pending.kind == "task" for pending in execution.pending.values())
    return Head(execution.status, execution.due(), ready)
