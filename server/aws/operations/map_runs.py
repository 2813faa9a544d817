"""Map Runs: the executions of a distributed Map, together (api, section 12)."""

from __future__ import annotations

import secrets
from typing import Any

from detent.core.codec import encode_signal
from detent.core.execution import Execution
from detent.core.run_events import MapRunStarted
from detent.core.runs import Counts, MapRun
from detent.core.signals import UpdatedRun
from detent.core.values import JSON
from detent.runtime.nested import Parent
from detent.runtime.recall import recall, recall_decisions
from detent.store.base import ExecutionRecord, Letter, NotFound

from .. import arns
from ..call import Call, seconds
from ..errors import no_resource, validation
from ..pages import size
from .found import belongs, execution_of


async def list_map_runs(call: Call) -> JSON:
    arn = arns.execution(call.params["executionArn"])
    after = await call.cursor() or 0
    await execution_of(call, arn)
    steps = await recall_decisions(call.store, arn.text)
    events = [event for step in steps for event in step.events]
    runs = [event.run for event in events if isinstance(event, MapRunStarted)]
    page = runs[after : after + size(call.params)]
    items = [await _listed(call, arn.text, run) for run in page]
    end = after + len(page)
    return await call.page("mapRuns", items, end if end < len(runs) else None)


async def _listed(call: Call, execution: str, run: str) -> JSON:
    found = await call.store.load(run, limit=0)
    item: dict[str, JSON] = {
        "executionArn": execution,
        "mapRunArn": run,
        "stateMachineArn": found.record.machine,
        "startDate": seconds(found.record.started_at),
    }
    if found.head.ended_at is not None:
        item["stopDate"] = seconds(found.head.ended_at)
    return item


async def describe_map_run(call: Call) -> JSON:
    record, state, run = await map_run_of(call)
    parent = Parent.read(record.parent)
    shown: dict[str, JSON] = {
        "mapRunArn": record.id,
        "executionArn": "" if parent is None else parent.execution,
        "status": state.status,
        "startDate": seconds(record.started_at),
        "maxConcurrency": run.concurrency,
        "toleratedFailurePercentage": float(run.tolerated_percentage or 0),
        "toleratedFailureCount": run.tolerated_count or 0,
        "itemCounts": _counts(run.item_counts, run.read, run.written, sum(one.count for one in run.again)),
        "executionCounts": _counts(run.child_counts, run.opened, run.written, len(run.again)),
        "redriveCount": state.redrive_count,
    }
    if state.ended_at is not None:
        shown["stopDate"] = seconds(state.ended_at)
    if state.redriven_at is not None:
        shown["redriveDate"] = seconds(state.redriven_at)
    return shown


def _counts(counts: Counts, total: int, written: int, again: int) -> dict[str, JSON]:
    return {
        "pending": max(0, total - counts.begun - again),
        "running": counts.running,
        "succeeded": counts.succeeded,
        "failed": counts.failed,
        "timedOut": counts.timed_out,
        "aborted": counts.aborted,
        "total": total,
        "resultsWritten": written,
        "failuresNotRedrivable": 0,
        "pendingRedrive": again,
    }


async def map_run_of(call: Call) -> tuple[ExecutionRecord, Execution, MapRun]:
    """The Map Run that is asked for. Raises ServiceError ResourceNotFound."""
    arn = arns.read(call.params["mapRunArn"], "mapRun")
    try:
        record, state = await recall(call.store, arn.text)
        if state.run is None or not belongs(record, await call.catalogue.machine(arn.machine)):
            raise no_resource(arn.text)
    except NotFound:
        raise no_resource(arn.text) from None
    return record, state, state.run


async def update_map_run(call: Call) -> JSON:
    params: Any = call.params
    record, state, _ = await map_run_of(call)
    if state.ended_at is not None:
        raise validation(
            f"The Map Run {record.id} has ended and cannot be changed", "CANNOT_UPDATE_COMPLETED_MAP_RUN"
        )
    changed = {
        "concurrency": params.get("maxConcurrency"),
        "tolerated_count": params.get("toleratedFailureCount"),
        "tolerated_percentage": params.get("toleratedFailurePercentage"),
    }
    if all(value is None for value in changed.values()):
        raise validation("At least one of the limits must be specified", "MISSING_REQUIRED_PARAMETER")
    update = encode_signal(UpdatedRun(**changed))
    await call.store.send([Letter(record.id, f"update-{secrets.token_hex(8)}", update)])
    call.engine.answers_arrived()
    return {}
