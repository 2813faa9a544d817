"""Map Runs: the executions of a distributed Map, together (api, section 12)."""

from __future__ import annotations

from detent.core.values import JSON
from detent.runtime.map_runs import MapRunEnded, MapRunFacts, Tally
from detent.store.base import NotFound

from .. import arns
from ..call import Call, seconds
from ..errors import no_resource, validation
from ..pages import size
from .found import belongs, execution_of


async def list_map_runs(call: Call) -> JSON:
    arn = arns.execution(call.params["executionArn"])
    first = await call.cursor() or 0
    await execution_of(call, arn)
    runs = await call.engine.map_runs.of_execution(arn.text)
    after = first + size(call.params)
    items = [_listed(run) for run in runs[first:after]]
    return await call.page("mapRuns", items, after if after < len(runs) else None)


def _listed(run: MapRunFacts) -> dict[str, JSON]:
    item: dict[str, JSON] = {
        "executionArn": run.execution,
        "mapRunArn": run.arn,
        "stateMachineArn": run.machine,
        "startDate": seconds(run.started_at),
    }
    if run.ended_at is not None:
        item["stopDate"] = seconds(run.ended_at)
    return item


async def describe_map_run(call: Call) -> JSON:
    run = await found(call, call.params["mapRunArn"])
    told = {
        "mapRunArn": run.arn,
        "executionArn": run.execution,
        "status": run.status,
        "startDate": seconds(run.started_at),
        "maxConcurrency": run.max_concurrency,
        "toleratedFailurePercentage": run.tolerated_percentage,
        "toleratedFailureCount": run.tolerated_count,
        "itemCounts": _counts(run.items),
        "executionCounts": _counts(run.children),
        "redriveCount": run.redrive_count,
    }
    if run.ended_at is not None:
        told["stopDate"] = seconds(run.ended_at)
    if run.redriven_at is not None:
        told["redriveDate"] = seconds(run.redriven_at)
    return told


def _counts(tally: Tally) -> JSON:
    return {
        "pending": tally.pending,
        "running": tally.running,
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "timedOut": tally.timed_out,
        "aborted": tally.aborted,
        "total": tally.total,
        "resultsWritten": tally.results_written,
        "failuresNotRedrivable": 0,
        "pendingRedrive": tally.pending_redrive,
    }


async def update_map_run(call: Call) -> JSON:
    params = call.params
    run = await found(call, params["mapRunArn"])
    limits = {
        "max_concurrency": params.get("maxConcurrency"),
        "tolerated_count": params.get("toleratedFailureCount"),
        "tolerated_percentage": params.get("toleratedFailurePercentage"),
    }
    if all(limit is None for limit in limits.values()):
        raise validation("At least one of the limits must be specified", "MISSING_REQUIRED_PARAMETER")
    try:
        await call.engine.map_runs.update(run.arn, **limits)
    except MapRunEnded:
        raise validation(
            f"The Map Run {run.arn} has ended and cannot be updated", "CANNOT_UPDATE_COMPLETED_MAP_RUN"
        ) from None
    return {}


async def found(call: Call, text: str) -> MapRunFacts:
    """The Map Run of an ARN. Raises ServiceError."""
    arn = arns.read(text, "mapRun")
    try:
        run = await call.engine.map_runs.describe(arn.text)
        record = (await call.store.load(run.execution, limit=0)).record
        if not belongs(record, await call.catalogue.machine(arn.machine)):
            raise no_resource(arn.text)
    except NotFound:
        raise no_resource(arn.text) from None
    return run
