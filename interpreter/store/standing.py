"""Where an execution stands, and the rules by which a batch may move it.

Every store asks the same three questions before it writes (does the execution exist, does its log end
where the batch begins, is the fence the latest) and derives the same facts afterwards (who holds it, how
often it was claimed). They are answered here once. This module does not know how anything is kept.
"""

from __future__ import annotations

from collections.abc import Container

from .base import Batch, Head, Outcome


class Standing:
    """What changes about an execution: its head, the end of its log, and who holds it."""

    __slots__ = ("claims", "fence", "head", "last", "owner")

    def __init__(self, head: Head, last: int, fence: int, claims: int, owner: str | None) -> None:
        self.head = head
        self.last = last
        self.fence = fence
        self.claims = claims
        self.owner = owner

    def accept(self, batch: Batch, owners: Container[str]) -> None:
        """Move to where a batch leads. ``owners`` are those that have a lease."""
        self.head = batch.head
        self.last = batch.last
        if changes_hands(batch):
            hold = heir(batch)
            self.owner = hold if hold in owners else None
        if counts_afresh(batch):
            self.claims = 0


def changes_hands(batch: Batch) -> bool:
    """Whether the batch says who holds the execution from now on."""
    return batch.fence is not None or batch.create is not None or batch.head.ended_at is not None


def heir(batch: Batch) -> str | None:
    """Who holds the execution after a batch that changes hands, if that owner has a lease."""
    return batch.hold if batch.head.ended_at is None else None


def counts_afresh(batch: Batch) -> bool:
    """Whether claims are counted from zero again: it was given back, has ended, or has achieved something."""
    return bool(batch.closed) or (changes_hands(batch) and heir(batch) is None)


def begin(batch: Batch, owners: Container[str]) -> Standing:
    """Where an execution stands once the batch that creates it is written."""
    claimed = 0 if batch.hold is None else 1
    standing = Standing(batch.head, 0, claimed, claimed, None)
    standing.accept(batch, owners)
    return standing


def judge(batch: Batch, standing: Standing | None) -> Outcome:
    """Whether a batch may be written to an execution that stands so (None: there is no such execution)."""
    if batch.create is not None:
        return Outcome.DONE if standing is None else Outcome.EXISTS
    if standing is None:
        return Outcome.MISSING
    if batch.after != standing.last or (batch.fence is not None and batch.fence != standing.fence):
        return Outcome.CONFLICT
    return Outcome.DONE
