"""Short ways to say what a store test writes."""

from __future__ import annotations

from typing import Any

from detent.store.base import Batch, ExecutionRecord, Head

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:Orders"

PARKED = Head("RUNNING", None, ready=False)
READY = Head("RUNNING", None, ready=True)


def due(at: int) -> Head:
    return Head("RUNNING", at, ready=False)


def ended(at: int, status: str = "SUCCEEDED") -> Head:
    return Head(status, None, ready=False, ended_at=at)


def record(id: str, **changes: Any) -> ExecutionRecord:
    known = {"name": id, "machine": MACHINE, "digest": "d1", "profile": "detent", "started_at": 1_000}
    return ExecutionRecord(id=id, **{**known, **changes})


def create(id: str, head: Head = PARKED, *, last: int = 3, **changes: Any) -> Batch:
    """The first batch of an execution."""
    given = {name: changes.pop(name) for name in list(changes) if name in ExecutionRecord.__slots__}
    batch = {"control": b"[1,2,3]", "payloads": b'["in"]', "create": record(id, **given)}
    return Batch(execution=id, after=0, last=last, head=head, **{**batch, **changes})


def further(id: str, after: int, last: int, head: Head = PARKED, **changes: Any) -> Batch:
    """A later batch."""
    batch = {"control": b"[%d]" % last, "payloads": b"[]"}
    return Batch(execution=id, after=after, last=last, head=head, **{**batch, **changes})
