"""What operators look at: how much there is, what went wrong, who works, what waits."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from detent.core.execution import ROOT, Execution, Frame
from detent.runtime.muster import muster
from detent.runtime.recall import recall
from detent.runtime.standstill import DETAILS, Reason, Standstill, standstills
from detent.store.base import NotFound, Query

from .operation import Call, Shape, operation
from .shapes import Cursor, Instant, cursor_of, instant, place_of

TAG = "admin"
INCIDENTS_MAX = 100


class Dashboard(Shape):
    """How many executions there are, by status."""

    executions: Annotated[dict[str, int], Meta(description="By status.")]
    store_bytes: Annotated[int | None, Meta(description="What the store takes; null for one in memory.")]


class Incidents(Shape):
    """Which incidents."""

    limit: Annotated[int, Meta(ge=1, le=INCIDENTS_MAX, description="How many at most.")] = 20
    cursor: Cursor | None = None


class Incident(Shape):
    """An execution that failed, and where."""

    execution: str
    machine: str
    started_at: Instant
    ended_at: Instant | None
    error: str | None
    cause: str | None
    step: Annotated[str | None, Meta(description="The state it failed in; null if it failed before any.")]
    redrives: Annotated[int, Meta(description="How often it was redriven before.")]


class Stuck(Shape):
    """An execution that runs and does not come further."""

    execution: str
    machine: str
    started_at: Instant
    reason: Annotated[Reason, Meta(description="Why, for programs.")]
    detail: Annotated[str, Meta(description="Why, in words.")]
    step: Annotated[str | None, Meta(description="The state that it stands at; null between two of them.")]
    since: Annotated[Instant | None, Meta(description="Since when, as far as that is known.")]


class Unhandled(Shape):
    """Executions that wait for somebody who does a resource, and nobody there does."""

    resource: str
    executions: int
    since: Instant


class IncidentList(Shape):
    """What needs somebody: failures, what is stuck, each the latest start first, and what nobody does."""

    failed: list[Incident]
    stuck: list[Stuck]
    unhandled: list[Unhandled]
    next: Annotated[str | None, Meta(description="The cursor of the next failures; null at the end.")]


class Worker(Shape):
    """An engine with a lease. One that has the store for itself says nothing of what it does."""

    owner: str
    lease_until: Instant | None
    kind: str | None
    host: str | None
    process: int | None
    release: str | None
    handles: list[str]
    only: list[str] | None
    machines: list[str] | None


class WorkerList(Shape):
    """Who works on the store now."""

    workers: list[Worker]


class Waiting(Shape):
    """Executions that nobody holds and that wait for a worker."""

    resource: str
    executions: int
    since: Instant
    offered: Annotated[bool, Meta(description="Whether a worker that is there does it.")]


class Queue(Shape):
    """What waits: `ready`, `live` and `tasks` in this process, `waiting` in the store."""

    ready: Annotated[int, Meta(description="Executions that are ready to go on and wait for their turn.")]
    live: Annotated[int, Meta(description="Executions in memory.")]
    tasks: Annotated[int, Meta(description="Tasks that run or wait for their turn.")]
    waiting: list[Waiting]


@operation("GET", "/v1/admin/dashboard", tag=TAG)
async def get_dashboard(call: Call) -> Dashboard:
    """How many executions there are, by status"""
    return Dashboard(executions=dict(await call.store.tally()), store_bytes=await call.store.size())


@operation("GET", "/v1/admin/incidents", tag=TAG)
async def list_incidents(call: Call, query: Incidents) -> IncidentList:
    """Executions that failed or are stuck, why and at which step; and what waits because nobody does it"""
    found = await call.store.find(
        Query(status="FAILED", cursor=place_of(query.cursor), limit=query.limit + 1)
    )
    page = found[: query.limit]
    failed = [incident for each in page if (incident := await _incident(call, each.record.id)) is not None]
    fleet = await muster(call.store, call.service.clock)
    return IncidentList(
        failed=failed,
        stuck=[
            _stuck(one)
            for one in await standstills(
                call.store,
                await call.store.now() or call.now,
                owner=call.engine.owner,
                running=call.engine.running,
                limit=query.limit,
            )
        ],
        unhandled=[
            Unhandled(resource=want.resource, executions=want.executions, since=instant(want.since))
            for want in fleet.waiting
            if not want.offered
        ],
        next=cursor_of(page[-1].cursor) if len(found) > len(page) else None,
    )


def _stuck(one: Standstill) -> Stuck:
    return Stuck(
        execution=one.record.id,
        machine=one.record.machine.partition(":stateMachine:")[2],
        started_at=instant(one.record.started_at),
        reason=one.reason,
        detail=DETAILS[one.reason],
        step=one.step,
        since=None if one.since is None else instant(one.since),
    )


async def _incident(call: Call, id: str) -> Incident | None:
    try:
        record, state = await recall(call.store, id)
    except NotFound:  # forgotten meanwhile
        return None
    return Incident(
        execution=id,
        machine=record.machine.partition(":stateMachine:")[2],
        started_at=instant(record.started_at),
        ended_at=None if state.ended_at is None else instant(state.ended_at),
        error=state.error,
        cause=state.cause,
        step=_step(state),
        redrives=state.redrive_count,
    )


def _step(state: Execution) -> str | None:
    """The innermost state that stood when the execution ended: the first one, where several branches did."""
    frame: Frame | None = state.frames.get(ROOT)
    step: str | None = None
    while frame is not None:
        step = frame.state or step
        parent = frame.id
        below = [each for each in state.frames.values() if each.parent == parent]
        frame = min(below, key=lambda each: each.index) if below else None
    return step


@operation("GET", "/v1/admin/workers", tag=TAG)
async def list_workers(call: Call) -> WorkerList:
    """Who works on the store, until when its lease lasts, and what it does"""
    now = await call.store.now() or call.now
    leases = {worker.owner: worker.lease_until for worker in await call.store.workers(now=now)}
    known = {member.owner: member for member in (await muster(call.store, call.service.clock)).workers}
    workers = []
    for owner in sorted({*await call.store.owners(), *known}):
        member, until = known.get(owner), leases.get(owner)
        offers = None if member is None else member.offers
        workers.append(
            Worker(
                owner=owner,
                lease_until=None if until is None else instant(until),
                kind=None if member is None else member.kind,
                host=None if member is None else member.host,
                process=None if member is None else member.process,
                release=None if member is None else member.release,
                handles=[] if offers is None else list(offers.handles),
                only=None if offers is None or offers.only is None else list(offers.only),
                machines=None if offers is None or offers.machines is None else list(offers.machines),
            )
        )
    return WorkerList(workers=workers)


@operation("GET", "/v1/admin/queue", tag=TAG)
async def get_queue(call: Call) -> Queue:
    """How much waits, here and in the store"""
    load = call.engine.load
    return Queue(
        ready=load.ready,
        live=load.live,
        tasks=load.tasks,
        waiting=[
            Waiting(
                resource=want.resource,
                executions=want.executions,
                since=instant(want.since),
                offered=want.offered,
            )
            for want in (await muster(call.store, call.service.clock)).waiting
        ],
    )


OPERATIONS = (get_dashboard, list_incidents, list_workers, get_queue)
