"""Executions: describe, list, history, stop, redrive (api, sections 7 and 8)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from detent.core.execution import Execution
from detent.core.redrive import redrive_status
from detent.core.values import JSON
from detent.history import project
from detent.runtime.attributes import REDRIVEN
from detent.runtime.catalogue_entries import MachineEntry, Origin
from detent.runtime.errors import NotRedrivable
from detent.runtime.recall import recall, recall_steps
from detent.runtime.stopping import stop
from detent.store.base import ExecutionRecord, Found, NotFound, Query

from .. import arns
from ..call import Call, seconds
from ..errors import (
    ServiceError,
    no_execution,
    no_machine,
    no_resource,
    unsupported_type,
    validation,
)
from ..pages import size
from .found import belongs, execution_of

_INCLUDED: Mapping[str, JSON] = {"included": True}
_LEFT_OUT: Mapping[str, JSON] = {"included": False}


async def describe_execution(call: Call) -> JSON:
    arn = arns.read(call.params["executionArn"], "execution", "express")
    if arn.kind == "express" and "/" not in arn.name:
        raise arns.wrong_kind(arn.kind)  # only those that a Map Run started are kept
    await execution_of(call, arn)
    record, state = await recall(call.store, arn.text)
    return {
        **told(record, state),
        **_through(record),
        **data(call, state),
        **_redrives(record, state, call.now),
    }


def told(record: ExecutionRecord, state: Execution) -> dict[str, JSON]:
    told: dict[str, JSON] = {
        "executionArn": record.id,
        "stateMachineArn": record.machine,
        "name": record.name,
        "status": state.status,
        "startDate": seconds(record.started_at),
    }
    if state.ended_at is not None:
        told["stopDate"] = seconds(state.ended_at)
    origin = Origin.read(record.origin)
    if origin is not None and origin.trace_header is not None:
        told["traceHeader"] = origin.trace_header
    return told


def _through(record: ExecutionRecord) -> dict[str, JSON]:
    """The version and the alias that an execution was started through, or the Map Run."""
    through = {
        "stateMachineVersionArn": record.version,
        "stateMachineAliasArn": record.alias,
        "mapRunArn": map_run_of(record),
    }
    return {name: arn for name, arn in through.items() if arn is not None}


def map_run_of(record: ExecutionRecord) -> str | None:
    """The Map Run that started an execution, if one did."""
    return record.parent if record.parent is not None and ":mapRun:" in record.parent else None


def data(call: Call, state: Execution) -> dict[str, JSON]:
    """Input, output and error; without ``ALL_DATA`` only that they are there."""
    metadata_only = call.params.get("includedData") == "METADATA_ONLY"
    details = _LEFT_OUT if metadata_only else _INCLUDED
    data: dict[str, JSON] = {"inputDetails": details}
    if state.input is not None and not metadata_only:
        data["input"] = spelled(state)
    if state.output is not None:
        data["outputDetails"] = details
        if not metadata_only:
            data["output"] = state.output.text.decode()
    if state.status != "TIMED_OUT":
        data |= {
            name: text for name, text in (("error", state.error), ("cause", state.cause)) if text is not None
        }
    return data


def spelled(state: Execution) -> str:
    """The input of an execution as its caller spelled it."""
    assert state.input is not None
    text: str = state.input.text.decode() if state.spelling is None else state.spelling.value
    return text


def _redrives(record: ExecutionRecord, state: Execution, now: int) -> dict[str, JSON]:
    status = redrive_status(state, now)
    by_run = map_run_of(record) is not None and status.reason is None
    shown: dict[str, JSON] = {
        "redriveCount": state.redrive_count,
        "redriveStatus": "REDRIVABLE_BY_MAP_RUN" if by_run else status.status,
    }
    if status.reason is not None:
        shown["redriveStatusReason"] = status.reason
    if state.redriven_at is not None:
        shown["redriveDate"] = seconds(state.redriven_at)
    return shown


async def list_executions(call: Call) -> JSON:
    params = call.params
    if ("stateMachineArn" in params) == ("mapRunArn" in params):
        raise validation(
            "Must provide a stateMachineArn or a mapRunArn, and not both"
            if "mapRunArn" in params
            else "Must provide a stateMachineArn or a mapRunArn",
            "MISSING_REQUIRED_PARAMETER",
        )
    query, entry = await (_of_machine(call) if "stateMachineArn" in params else _of_run(call))
    limit = size(params)
    query = replace(query, status=params.get("statusFilter"), cursor=await call.cursor(), limit=limit + 1)
    wanted = params.get("redriveFilter")
    marked = await call.store.find(replace(query, attributes=(REDRIVEN,)))
    redriven = {one.record.id for one in marked}
    found = marked if wanted == "REDRIVEN" else await call.store.find(query)
    # A page may be shorter than asked for: what is left out of it is counted.
    page = [
        one
        for one in found[:limit]
        if belongs(one.record, entry) and not (wanted == "NOT_REDRIVEN" and one.record.id in redriven)
    ]
    items = [_listed(one) | (await _redriven(call, one) if one.record.id in redriven else {}) for one in page]
    if "mapRunArn" in params:
        counts = await call.engine.map_runs.item_counts(one.record.id for one in page)
        items = [{**item, "itemCount": count} for item, count in zip(items, counts, strict=True)]
    return await call.page("executions", items, found[limit - 1].cursor if len(found) > limit else None)


async def _redriven(call: Call, one: Found) -> dict[str, JSON]:
    """How often an execution was redriven, and when last, as its log has it."""
    try:
        _, state = await recall(call.store, one.record.id)
    except NotFound:  # forgotten meanwhile
        return {}
    when = {} if state.redriven_at is None else {"redriveDate": seconds(state.redriven_at)}
    return {"redriveCount": state.redrive_count, **when}


async def _of_machine(call: Call) -> tuple[Query, MachineEntry]:
    """What finds the executions of a machine, of a version or of an alias. Raises ServiceError."""
    arn = arns.machine(call.params["stateMachineArn"])
    try:
        entry = await call.catalogue.machine(arn.machine)
    except NotFound:
        raise no_machine(arn.text) from None
    if entry.type == "EXPRESS":
        raise unsupported_type()
    if arn.qualifier is None:
        return Query(machine=f"{arn.prefix}:stateMachine:{arn.name}"), entry
    if arn.version is not None:
        known, query = entry.version(arn.version) is not None, Query(version=arn.text)
    else:
        known, query = entry.alias(arn.qualifier) is not None, Query(alias=arn.text)
    if not known:
        raise no_machine(arn.text)
    return query, entry


async def _of_run(call: Call) -> tuple[Query, MachineEntry]:
    """What finds the executions of a Map Run. Raises ServiceError ResourceNotFound."""
    arn = arns.read(call.params["mapRunArn"], "mapRun")
    try:
        await call.store.load(arn.text, limit=0)
        return Query(parent=arn.text), await call.catalogue.machine(arn.machine)
    except NotFound:
        raise no_resource(arn.text) from None


def _listed(found: Found) -> dict[str, JSON]:
    record, head = found.record, found.head
    item: dict[str, JSON] = {
        "executionArn": record.id,
        "stateMachineArn": record.machine,
        "name": record.name,
        "status": head.status,
        "startDate": seconds(record.started_at),
        "redriveCount": 0,
    }
    if head.ended_at is not None:
        item["stopDate"] = seconds(head.ended_at)
    return item | _through(record)


async def get_execution_history(call: Call) -> JSON:
    params = call.params
    arn = arns.execution(params["executionArn"])
    cursor = await call.cursor()
    await execution_of(call, arn)
    record, steps = await recall_steps(call.store, arn.text)
    events = list(project(steps, alias=record.alias, version=record.version))
    if params.get("reverseOrder"):
        events = [event for event in reversed(events) if cursor is None or event.id < cursor]
    elif cursor is not None:
        events = [event for event in events if event.id > cursor]
    page = events[: size(params)]
    shown = [event.as_json() for event in page]
    if params.get("includeExecutionData") is False:
        shown = [without_data(event) for event in shown]
    return await call.page("events", shown, page[-1].id if len(events) > len(page) else None)


#: Members of an event's details that hold the data of an execution, each with what says whether it is there.
_DATA = {
    "input": "inputDetails",
    "output": "outputDetails",
    "assignedVariables": "assignedVariablesDetails",
}


def without_data(event: Mapping[str, Any]) -> dict[str, JSON]:
    """An event of the history without the data of the execution."""
    bare = {}
    for name, details in event.items():
        if name.endswith("EventDetails") and isinstance(details, dict):
            hidden = {*_DATA, *_DATA.values()}
            details = {key: value for key, value in details.items() if key not in hidden}
        bare[name] = details
    return bare


# Stop and redrive


async def stop_execution(call: Call) -> JSON:
    params = call.params
    arn = arns.execution(params["executionArn"])
    await execution_of(call, arn)
    await stop(call.engine, arn.text, params.get("error"), params.get("cause"), key=secrets.token_hex(8))
    head = (await execution_of(call, arn)).head
    return {"stopDate": seconds(call.now if head.ended_at is None else head.ended_at)}


async def redrive_execution(call: Call) -> JSON:
    params = call.params
    arn = arns.execution(params["executionArn"])
    await execution_of(call, arn)
    try:
        at = await call.engine.redrive(arn.text, params.get("clientToken"))
    except NotRedrivable as error:
        raise ServiceError("ExecutionNotRedrivable", str(error)) from None
    except NotFound:
        raise no_execution(arn.text) from None
    return {"redriveDate": seconds(at)}
