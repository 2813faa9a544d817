"""Executions: start, find, look at, and steer."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from time import monotonic
from typing import Annotated, Literal
from uuid import NAMESPACE_OID, uuid4, uuid5

import msgspec
from msgspec import Meta

from detent.core.execution import RUNNING
from detent.core.limits import DETENT
from detent.core.values import JSON, Payload, Written, decode
from detent.history import project
from detent.places import Places
from detent.runtime.attributes import matches
from detent.runtime.catalogue_entries import Target
from detent.runtime.errors import EngineError
from detent.runtime.names import Names
from detent.runtime.progress import Progress
from detent.runtime.recall import recall, recall_steps
from detent.runtime.starting import start_or_existing
from detent.runtime.stopping import stop
from detent.store.base import ExecutionRecord, Found, NotFound, Query
from detent.trace import trace

from ..refusals import Refused
from .operation import Call, Reply, Shape, operation
from .shapes import (
    Cursor,
    Instant,
    Json,
    Limit,
    Name,
    Page,
    Wait,
    cursor_of,
    execution_id,
    instant,
    machines_of,
    milliseconds,
    names_of,
    path_of,
    place_of,
    wait_seconds,
)
from .timeline import Span, spans

TAG = "executions"
#: How often is looked at an execution that another process runs, in seconds.
LOOK_SECONDS = 0.25

Status = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


class ExecutionSummary(Shape):
    """An execution, without what it was given and gave."""

    id: Annotated[str, Meta(description="The ARN of the execution.")]
    name: str
    machine: Annotated[str, Meta(description="The name of its state machine.")]
    machine_arn: str
    version: Annotated[str | None, Meta(description="The ARN of the version it was started of.")]
    alias: Annotated[str | None, Meta(description="The ARN of the alias it was started through.")]
    definition: Annotated[str, Meta(description="The digest of the definition that it runs with.")]
    profile: Annotated[str, Meta(description="The profile of limits: `aws` or `detent`.")]
    status: Status
    started_at: Instant
    ended_at: Instant | None
    paused: Annotated[bool, Meta(description="Whether it begins nothing new until it is resumed.")]


class ExecutionDetails(ExecutionSummary):
    """An execution with what it was given and gave."""

    input: Json
    output: Annotated[Json, Meta(description="The output; null while there is none.")]
    error: str | None
    cause: str | None
    states: Annotated[list[str], Meta(description="The states it is in now.")]


class ExecutionList(Shape):
    """A page of executions, the newest first."""

    executions: list[ExecutionSummary]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null at the end.")]


class StartExecution(Shape):
    """What to start."""

    machine: Annotated[
        str, Meta(min_length=1, max_length=300, description="A machine: its name, or its ARN.")
    ]
    input: Annotated[Json, Meta(description="The input.")] = msgspec.field(default_factory=dict)
    name: Annotated[Name | None, Meta(description="Its name; one is made if there is none.")] = None
    version: Annotated[int, Meta(ge=1, le=10**9)] | None = None
    alias: Annotated[str, Meta(min_length=1, max_length=80)] | None = None


class Waiting(Shape):
    """How long to wait for the end."""

    wait: Wait | None = None


class Search(Page):
    """Which executions."""

    status: Status | None = None
    machine: Annotated[str, Meta(max_length=300, description="The name of a machine, or its ARN.")] | None = (
        None
    )
    name: Annotated[str, Meta(max_length=80)] | None = None
    started_after: Annotated[Instant, Meta(description="Started then or later.")] | None = None
    started_before: Instant | None = None
    attr: Annotated[
        list[str],
        Meta(
            max_length=10,
            description="`attr.NAME=VALUE`: a search attribute that machines declare has this value; `attr.NAME>=5` "
            "compares, as do `>`, `<` and `<=`. A number, `true` or `false` means that or the text, in double "
            "quotes the text alone.",
        ),
    ] = msgspec.field(default_factory=list)


class StopExecution(Shape):
    """Why it is stopped."""

    error: Annotated[str, Meta(max_length=256)] | None = None
    cause: Annotated[str, Meta(max_length=32_768)] | None = None


class HistoryPage(Shape):
    """Which events."""

    limit: Limit = 100
    cursor: Cursor | None = None
    reverse: Annotated[bool, Meta(description="The latest first.")] = False


class History(Shape):
    """Events as the service's protocol shows them."""

    events: list[Annotated[Json, Meta(description="A HistoryEvent of AWS Step Functions.")]]
    next: str | None


class Timeline(Shape):
    """What happened when: one span for every visit of a state."""

    execution: str
    status: Status
    started_at: Instant
    ended_at: Instant | None
    spans: list[Span]
    truncated: Annotated[bool, Meta(description="Whether there are more spans than are answered.")]


class Redriven(Shape):
    """When the execution was redriven."""

    id: str
    redriven_at: Instant


@operation(
    "POST",
    "/v1/executions",
    tag=TAG,
    status=202,
    also={200: "It has ended while it was waited for, or is there already"},
    gives={"Location": "Where the execution is found."},
    keyed=True,
)
async def start_execution(call: Call, query: Waiting, body: StartExecution) -> Reply[ExecutionDetails]:
    """Start an execution

    It is durable when this is answered. With `wait` the answer waits for the end; 202 says that there was none in time.
    Started again by name with the same input, while it runs, it is the same execution; with another, 409.
    """
    target, names = await _target(call, body)
    input = await _input(call, body.input)
    # The same key gives the same name, so that no second execution can be.
    name = body.name or str(uuid4() if call.key is None else uuid5(NAMESPACE_OID, call.key))
    record = ExecutionRecord(
        names.execution_arn(name),
        name,
        names.machine_arn,
        target.revision.draft.digest,
        DETENT.profile,
        call.now,
    )
    record = target.put_into(record, key=call.key)
    role = target.revision.draft.role
    record, progress = await start_or_existing(call.engine, record, input, role=role)
    if progress.status == RUNNING and (seconds := wait_seconds(query.wait)) > 0:
        record, progress = await _end_of(call, record, seconds)
    status = 202 if progress.status == RUNNING or query.wait is None else 200
    return Reply(_details(record, progress), status, {"Location": path_of(record.id)})


async def _input(call: Call, value: JSON) -> Payload:
    """The input of an execution. Raises Refused for one that is too large."""
    payload = Payload(value)
    text = await call.service.desk.do(len(await call.exchange.body()), lambda: payload.text)
    if len(text) > DETENT.payload_bytes:
        raise Refused(
            413,
            "input-too-large",
            f"an input may have {DETENT.payload_bytes:,} bytes as compact JSON, and this one has {len(text):,}",
        )
    return payload


async def _target(call: Call, body: StartExecution) -> tuple[Target, Names]:
    names = names_of(call, body.machine)
    if body.version is not None and body.alias is not None:
        raise Refused(400, "invalid-body", "name a version or an alias, not both")
    qualifier = names.qualifier if body.version is None else str(body.version)
    arn = names.machine_arn
    if (qualifier := body.alias or qualifier) is not None:
        arn = f"{arn}:{qualifier}"
    target = await call.engine.catalogue.target(arn)
    if target.machine.type == "EXPRESS":
        raise Refused(
            409, "machine-type", "an EXPRESS machine is started by the AWS protocol: StartSyncExecution"
        )
    return target, names


@operation(
    "GET",
    "/v1/executions",
    tag=TAG,
    strays=". By their content executions are found where it is declared: give the machine searchAttributes such as "
    '{"customer": "$.input.customer.id"}, and ask for attr.customer=VALUE',
)
async def list_executions(call: Call, query: Search) -> ExecutionList:
    """Find executions, the newest first

    By what is in them they are found where their machine declares search attributes: paths into input and output.
    """
    machine = None if query.machine is None else names_of(call, query.machine).machine_arn
    found = await call.store.find(
        Query(
            status=query.status,
            machine=machine,
            name=query.name,
            started_from=None
            if query.started_after is None
            else milliseconds(query.started_after, "startedAfter"),
            started_before=None
            if query.started_before is None
            else milliseconds(query.started_before, "startedBefore"),
            attributes=await matches(call.store, query.attr, machines=machines_of(call), machine=machine),
            cursor=place_of(query.cursor),
            limit=query.limit + 1,
        )
    )
    page = found[: query.limit]
    return ExecutionList(
        executions=[summary(one) for one in page],
        next=cursor_of(page[-1].cursor) if len(found) > len(page) else None,
    )


@operation("GET", "/v1/executions/{execution}", tag=TAG)
async def get_execution(call: Call, query: Waiting) -> ExecutionDetails:
    """Look at an execution

    With `wait` the answer waits for its end.
    """
    return _details(*await _wait(call, execution_id(call), wait_seconds(query.wait)))


@operation("GET", "/v1/executions/{execution}/history", tag=TAG)
async def get_history(call: Call, query: HistoryPage) -> History:
    """The history as the service's protocol shows it"""
    record, steps = await recall_steps(call.store, execution_id(call))
    events = list(project(steps, alias=record.alias, version=record.version))
    place = place_of(query.cursor)
    if query.reverse:
        events = [event for event in reversed(events) if place is None or event.id < int(place)]
    elif place is not None:
        events = [event for event in events if event.id > int(place)]
    page = events[: query.limit]
    return History(
        events=[event.as_json() for event in page],
        next=cursor_of(page[-1].id) if len(events) > len(page) else None,
    )


@operation("GET", "/v1/executions/{execution}/timeline", tag=TAG)
async def get_timeline(call: Call) -> Timeline:
    """What happened when: every visit of a state with its attempts"""
    record, steps = await recall_steps(call.store, execution_id(call))
    definition = decode((await call.store.machine(record.digest)).definition)
    told = trace(steps, Places(definition))
    found, truncated = spans(told.root)
    state = told.execution
    return Timeline(
        execution=record.id,
        status=state.status,  # type: ignore[arg-type]  # one of five
        started_at=instant(record.started_at),
        ended_at=None if state.ended_at is None else instant(state.ended_at),
        spans=found,
        truncated=truncated,
    )


@operation(
    "POST",
    "/v1/executions/{execution}/stop",
    tag=TAG,
    also={202: "It will end; the wish is stored"},
    keyed=True,
    body_optional=True,
)
async def stop_execution(call: Call, body: StopExecution) -> Reply[ExecutionDetails]:
    """Stop an execution: it ends as ABORTED

    One that has ended stays as it is.
    """
    id = execution_id(call)
    await stop(call.engine, id, body.error, body.cause, key=call.key or secrets.token_hex(8))
    record, progress = await _wait(call, id, 0)
    return Reply(_details(record, progress), 202 if progress.status == RUNNING else 200)


@operation("POST", "/v1/executions/{execution}/redrive", tag=TAG, keyed=True)
async def redrive_execution(call: Call) -> Redriven:
    """Have an execution that ended without success go on where it stood"""
    id = execution_id(call)
    at = await call.engine.redrive(id, call.key)
    return Redriven(id=id, redriven_at=instant(at))


@operation("DELETE", "/v1/executions/{execution}", tag=TAG, status=204, keyed=True)
async def delete_execution(call: Call) -> None:
    """Forget an execution that has ended, with everything stored for it"""
    id = execution_id(call)
    if (await call.store.load(id, limit=0)).head.ended_at is None:
        raise Refused(409, "still-running", "the execution has not ended: stop it first")
    await call.store.delete([id])


async def _end_of(call: Call, record: ExecutionRecord, seconds: float) -> tuple[ExecutionRecord, Progress]:
    """Where an execution stands that was started here, once it has ended or the time is over. Raises NotFound."""
    until = monotonic() + seconds
    with suppress(TimeoutError, NotFound, EngineError):
        async with asyncio.timeout(seconds):
            ended = await call.engine.result(record.id)
            if ended.status != RUNNING:
                return record, Progress.of(ended)
    return await _wait(call, record.id, until - monotonic())


async def _wait(call: Call, id: str, seconds: float) -> tuple[ExecutionRecord, Progress]:
    """Where an execution stands, once it has ended or the time is over. Raises NotFound."""
    until = monotonic() + seconds
    while True:
        record, state = await recall(call.store, id)
        left = until - monotonic()
        if state.status != RUNNING or left <= 0:
            return record, Progress.of(state)
        with suppress(TimeoutError, NotFound, EngineError):
            async with asyncio.timeout(left):
                ended = await call.engine.result(id)
                if ended.status == RUNNING:  # another process runs it
                    await asyncio.sleep(LOOK_SECONDS)


def summary(found: Found) -> ExecutionSummary:
    """A row of a search."""
    head = found.head
    return ExecutionSummary(**_common(found.record, head.status, head.ended_at, head.paused))


def _details(record: ExecutionRecord, progress: Progress) -> ExecutionDetails:
    return ExecutionDetails(
        **_common(record, progress.status, progress.ended_at, progress.paused),
        input=None if progress.input is None else Written(progress.input.text),
        output=None if progress.output is None else Written(progress.output.text),
        error=progress.error,
        cause=progress.cause,
        states=list(progress.states),
    )


def _common(record: ExecutionRecord, status: str, ended_at: int | None, paused: bool) -> dict[str, Json]:
    return {
        "id": record.id,
        "name": record.name,
        "machine": record.machine.partition(":stateMachine:")[2],
        "machine_arn": record.machine,
        "version": record.version,
        "alias": record.alias,
        "definition": record.digest,
        "profile": record.profile,
        "status": status,
        "started_at": instant(record.started_at),
        "ended_at": None if ended_at is None else instant(ended_at),
        "paused": paused and status == RUNNING,
    }


OPERATIONS = (
    start_execution,
    list_executions,
    get_execution,
    delete_execution,
    get_history,
    get_timeline,
    stop_execution,
    redrive_execution,
)
