"""What a history must be like, whatever happened to those who wrote it (promise P3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

ENDS = {"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"}
_OUTCOMES = ("Succeeded", "Failed", "TimedOut", "StartFailed")
_SCHEDULED = ("TaskScheduled", "LambdaFunctionScheduled", "ActivityScheduled")


def findings(events: Sequence[dict[str, Any]], *, ended: bool = True) -> list[str]:
    """What is wrong with the history of an execution; empty for a sound one."""
    found = []
    ids = [event["id"] for event in events]
    if ids != list(range(1, len(events) + 1)):
        found.append(f"the numbers have a gap: {ids}")
    if not events or events[0]["type"] != "ExecutionStarted":
        found.append("it does not begin with the start")
    instants = [instant(event["timestamp"]) for event in events]
    if instants != sorted(instants):
        found.append("time goes back")
    ends = [event["id"] for event in events if event["type"] in ENDS]
    if len(ends) != ended or (ended and ends[-1] != len(events)):
        found.append(f"ends at {ends} of {len(events)}")
    found += [
        f"{event['id']} follows {event['previousEventId']}"
        for event in events
        if not 0 <= event.get("previousEventId", 0) < event["id"]
    ]
    return found + _outcomes(events, ended)


def _outcomes(events: Sequence[dict[str, Any]], ended: bool) -> list[str]:
    """Each task that was scheduled has one outcome, and nothing else has any."""
    scheduled = {event["id"] for event in events if event["type"] in _SCHEDULED}
    parents = {event["id"]: event.get("previousEventId", 0) for event in events}
    had: Counter[int] = Counter()
    for event in events:
        if event["type"].startswith(("Task", "Lambda", "Activity")) and event["type"].endswith(_OUTCOMES):
            task = event["id"]
            while task and task not in scheduled:
                task = parents[task]
            had[task] += 1
    succeeded = events[-1]["type"] == "ExecutionSucceeded"
    found = [f"task {task} has {count} outcomes" for task, count in had.items() if count > 1 or not task]
    if ended and succeeded:
        found += [f"task {task} has no outcome" for task in scheduled - set(had)]
    return found


def instant(written: Any) -> float:
    """In seconds since the epoch, however it is written."""
    return (
        float(written) if isinstance(written, (int, float)) else datetime.fromisoformat(written).timestamp()
    )
