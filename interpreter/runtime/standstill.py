"""Executions that run and do not come further, and why: what an operator should look at.

Told from what the store knows at one moment. What needs a worker that is not there is told by :mod:`.muster`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal

from ..core.events import ExecutionPaused
from ..core.execution import RUNNING, Execution, Pending
from ..store.base import ExecutionRecord, Found, NotFound, Query, Store
from .owners import is_at_work
from .recall import recall, recall_decisions

#: How many running executions are looked through, the latest first, and how many logs are read for them.
LOOKED_THROUGH_MAX = 5_000
READ_MAX = 500
PAGE = 1_000
#: How late something may be before it counts as overdue, in milliseconds.
LATE = 60_000
#: How long somebody may be waited for without a deadline, in milliseconds.
PATIENCE = 24 * 3_600_000

Reason = Literal["paused", "given-up", "unattended", "overdue", "no-deadline"]

#: What each reason means, and what to do.
DETAILS: dict[Reason, str] = {
    "paused": "it was paused, and begins nothing new until it is resumed",
    "given-up": "the engine could not decide how it goes on, and left it as it is: the server's log says why",
    "unattended": "it has work to do, and no engine that lives works on it",
    "overdue": "a timer or a deadline has passed, and no engine has acted on it",
    "no-deadline": "it waits for an answer from outside that nothing forces to come: the state has neither "
    "TimeoutSeconds nor HeartbeatSeconds",
}


@dataclass(frozen=True, slots=True)
class Standstill:
    """``step`` is the state that stands, ``since`` since when as far as that is known, in milliseconds."""

    record: ExecutionRecord
    reason: Reason
    step: str | None
    since: int | None


async def standstills(
    store: Store, now: int, *, owner: str, running: Callable[[], Collection[str]], limit: int
) -> list[Standstill]:
    """At most ``limit`` of them, the latest started first. ``running`` tells what the engine ``owner`` works on.

    Raises StoreError.
    """
    owners = await store.owners()
    found: list[Standstill] = []
    read = 0
    async for page in _running(store):
        here = frozenset(running())
        for one in page:
            given_up = one.owner == owner and one.record.id not in here
            reason: Reason | None = "given-up" if given_up else _suspicion(one, owners, now)
            if reason is None:
                continue
            read += 1
            standstill = await _looked_at(store, one, reason, now)
            if standstill is not None and not (given_up and one.record.id in running()):
                found.append(standstill)
            if len(found) >= limit or read >= READ_MAX:
                return found
    return found


async def _running(store: Store) -> AsyncIterator[list[Found]]:
    query = Query(status=RUNNING, limit=PAGE)
    for _ in range(LOOKED_THROUGH_MAX // PAGE):
        page = await store.find(query)
        yield page
        if len(page) < PAGE:
            return
        query = replace(query, cursor=page[-1].cursor)


def _suspicion(one: Found, owners: Collection[str], now: int) -> Reason | None:
    """What an execution may stand still for, by what is known without reading its log."""
    head = one.head
    if head.paused:
        return "paused"
    if head.ready and not is_at_work(one.owner, owners):
        return "unattended"
    if head.due is not None and head.due < now - LATE:
        return "overdue"
    long_ago = one.record.started_at < now - PATIENCE
    if long_ago and not head.ready and (head.due is None or head.due > now + PATIENCE):
        return "no-deadline"
    return None


async def _looked_at(store: Store, one: Found, reason: Reason, now: int) -> Standstill | None:
    """Whether an execution stands still, as its log has it; None if it does not any more."""
    try:
        record, state = await recall(store, one.record.id)
    except NotFound:
        return None
    if state.status != RUNNING or (reason == "paused" and not state.paused):
        return None
    pending = _standing(state, reason, now)
    if reason == "no-deadline" and pending is None:
        return None
    since = None
    if reason == "paused":
        since = await _paused_at(store, record.id)
    elif reason == "overdue":
        since = one.head.due
    elif pending is not None:
        since = state.frames[pending.frame].entered_at
    step = state.frames[pending.frame].state if pending is not None else None
    return Standstill(record, reason, step, since)


def _standing(state: Execution, reason: Reason, now: int) -> Pending | None:
    """What an execution stands still at: the first thing that it waits for of those that fit the reason."""
    waits = sorted(state.pending.values(), key=lambda pending: (_due(pending) or now, pending.id))
    if reason == "no-deadline":
        waits = [
            pending
            for pending in waits
            if pending.kind == "task"
            and _due(pending) is None
            and state.frames[pending.frame].entered_at < now - PATIENCE
        ]
    return waits[0] if waits else None


def _due(pending: Pending) -> int | None:
    return min((at for at in (pending.due, pending.beat_due) if at is not None), default=None)


async def _paused_at(store: Store, execution: str) -> int | None:
    steps = await recall_decisions(store, execution)
    events = [event for step in steps for event in step.events if isinstance(event, ExecutionPaused)]
    return events[-1].at if events else None
