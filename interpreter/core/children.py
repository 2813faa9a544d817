"""Nested executions: how the end of one reads to the task that started it (resources, section 4).

Owns the description of an execution that has ended, and what ``startExecution.sync`` and ``.sync:2`` make
of it. Starting and stopping belong to the runtime.
"""

from __future__ import annotations

from collections.abc import Mapping

from .execution import SUCCEEDED, Execution
from .redrive import redrive_status
from .values import JSON, Payload, decode

_INCLUDED: Mapping[str, JSON] = {"Included": True}


def describe_end(execution: Execution) -> JSON:
    """An execution that has ended, as ``startExecution.sync`` answers it: input and output are texts of JSON.

    Dates are milliseconds since the epoch. What an execution does not have (an error, an output) is absent.
    """
    assert execution.input is not None
    spelled = execution.input.text.decode() if execution.spelling is None else execution.spelling.value
    assert execution.ended_at is not None
    status, reason = redrive_status(execution, execution.ended_at)
    output = None if execution.output is None else execution.output.text.decode()
    members = {
        "Cause": execution.cause,
        "Error": execution.error,
        "ExecutionArn": execution.id,
        "Input": spelled,
        "InputDetails": _INCLUDED,
        "Name": execution.name,
        "Output": output,
        "OutputDetails": None if output is None else _INCLUDED,
        "RedriveCount": execution.redrive_count,
        "RedriveDate": execution.redriven_at,
        "RedriveStatus": status,
        "RedriveStatusReason": reason,
        "StartDate": execution.started_at,
        "StateMachineArn": execution.machine_name,
        "Status": execution.status,
        "StopDate": execution.ended_at,
    }
    return {name: value for name, value in members.items() if value is not None}


def outcome_of_child(description: Mapping[str, JSON], resource: str) -> tuple[Payload | None, str | None]:
    """What the task of ``resource`` makes of a child's end: its result, or None and the cause of its failure.

    ``.sync:2`` answers input and output as values. The cause is the description as text, in both.
    """
    if description["Status"] != SUCCEEDED:
        return None, Payload(description).text.decode()
    if not resource.endswith(":2"):
        return Payload(description), None
    parsed = {name: decode(description[name].encode()) for name in ("Input", "Output")}
    return Payload({**description, **parsed}), None
