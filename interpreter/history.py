"""The history as the service's protocol shows it, projected from the log (history, sections 1 to 4).

Pure: steps in, events out. Ids and ``previousEventId``s were decided when the log was written; here they
only get the service's names and details. What the log knows beyond that (timers, retries, joins of
branches) does not show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .core.codec import Step
from .core.events import (
    EvaluationFailed,
    Event,
    ExecutionEnded,
    ExecutionRedriven,
    ExecutionStarted,
    Forked,
    FrameAborted,
    FrameClosed,
    FrameOpened,
    Halted,
    Joined,
    JoinFailed,
    StateAmended,
    StateEntered,
    StateExited,
    TaskFailed,
    TaskScheduled,
    TaskStarted,
    TaskSubmitted,
    TaskSucceeded,
)
from .core.execution import FAILED, ROOT
from .core.resources import integration
from .core.run_events import MapRunEnded, MapRunRedriven, MapRunStarted
from .core.values import JSON, Payload

_NOT_TRUNCATED: Mapping[str, JSON] = {"truncated": False}

_ENDED = {
    "SUCCEEDED": ("ExecutionSucceeded", "executionSucceeded"),
    "FAILED": ("ExecutionFailed", "executionFailed"),
    "ABORTED": ("ExecutionAborted", "executionAborted"),
    "TIMED_OUT": ("ExecutionTimedOut", "executionTimedOut"),
}


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """``timestamp`` is in milliseconds. ``details`` is None for a type that has no details object; texts of
    JSON stand in it as texts, as on the wire."""

    id: int
    previous: int
    type: str
    timestamp: int
    details_name: str | None
    details: Mapping[str, JSON] | None

    def as_json(self) -> dict[str, JSON]:
        """The event as the protocol spells it; the timestamp in seconds."""
        shown: dict[str, JSON] = {
            "timestamp": self.timestamp / 1000,
            "type": self.type,
            "id": self.id,
            "previousEventId": self.previous,
        }
        if self.details_name is not None:
            shown[f"{self.details_name}EventDetails"] = self.details
        return shown


def project(
    steps: Iterable[Step], *, alias: str | None = None, version: str | None = None
) -> Iterator[HistoryEvent]:
    """The shown history of a log, whose payloads are loaded.

    ``alias`` and ``version`` are the ARNs that the execution was started through.
    """
    yield from Projection(alias=alias, version=version).follow(steps)


@dataclass(slots=True)
class _Place:
    """What an event's name depends on: the frame's state, its type, its task's resource, its parent and index."""

    state: str = ""
    kind: str = ""
    resource: str = ""
    parent: int = ROOT
    index: int = 0


Shown = tuple[str, str | None, Mapping[str, JSON] | None]


class Projection:
    """The history of one execution as its log grows. ``redrives`` is how often it was redriven so far."""

    def __init__(self, *, alias: str | None = None, version: str | None = None) -> None:
        self.now = 0
        self.redrives = 0
        through = {"stateMachineAliasArn": alias, "stateMachineVersionArn": version}
        self._through = {name: arn for name, arn in through.items() if arn is not None}
        self._places: dict[int, _Place] = {ROOT: _Place()}
        self._next_frame = ROOT + 1
        self._region = ""

    def follow(self, steps: Iterable[Step]) -> Iterator[HistoryEvent]:
        """What the next steps of the log show."""
        for step in steps:
            self.now = max(self.now, step.now)
            for event in step.events:
                yield from self.show(event)

    def show(self, event: Event) -> Iterator[HistoryEvent]:
        shape = _SHAPES.get(event.__class__)
        if shape is None:
            return
        shown = shape(self, event)
        first: int = getattr(event, "shown", 0)
        if not first:
            return
        previous: int = getattr(event, "previous", 0)
        for offset, (type, details_name, details) in enumerate(shown):
            yield HistoryEvent(first + offset, previous, type, self.now, details_name, details)

    # One function per kind of event: the types it shows as, in order

    def started(self, event: ExecutionStarted) -> list[Shown]:
        self._region = event.machine_name.split(":")[3] if event.machine_name.count(":") > 3 else ""
        spelled = _text(event.input) if event.spelling is None else event.spelling.value
        details = {"input": spelled, "inputDetails": _NOT_TRUNCATED, "roleArn": event.role}
        details |= self._through
        return [("ExecutionStarted", "executionStarted", details)]

    def entered(self, event: StateEntered) -> list[Shown]:
        place = self._places[event.frame]
        place.state, place.kind = event.state, event.kind
        details = {"name": event.state, "input": _text(event.input), "inputDetails": _NOT_TRUNCATED}
        return [(f"{event.kind}StateEntered", "stateEntered", details)]

    def exited(self, event: StateExited) -> list[Shown]:
        place = self._places[event.frame]
        details: dict[str, JSON] = {
            "name": place.state,
            "output": _text(event.output),
            "outputDetails": _NOT_TRUNCATED,
        }
        if event.assigned:
            details["assignedVariables"] = {name: _text(value) for name, value in event.assigned.items()}
            details["assignedVariablesDetails"] = _NOT_TRUNCATED
        return [(f"{place.kind}StateExited", "stateExited", details)]

    def scheduled(self, event: TaskScheduled) -> list[Shown]:
        self._places[event.frame].resource = event.resource
        family = _family(event.resource)
        arguments = _text(event.arguments)
        if family == "Task":
            details = {**_service(event.resource), "region": self._region, "parameters": arguments}
        else:
            details = {"resource": event.resource, "input": arguments, "inputDetails": _NOT_TRUNCATED}
        if event.timeout is not None:
            details["timeoutInSeconds"] = event.timeout
        if event.heartbeat is not None and family != "LambdaFunction":
            details["heartbeatInSeconds"] = event.heartbeat
        if event.credentials is not None:
            details["taskCredentials"] = {"roleArn": event.credentials.value["RoleArn"]}
        return [_task_event(family, "Scheduled", details)]

    def begun(self, event: TaskStarted) -> list[Shown]:
        resource = self._places[event.frame].resource
        family = _family(resource)
        if family == "LambdaFunction":
            return [("LambdaFunctionStarted", None, None)]
        if family == "Activity":
            details = {} if event.worker is None else {"workerName": event.worker}
            return [("ActivityStarted", "activityStarted", details)]
        return [_task_event(family, "Started", _service(resource))]

    def submitted(self, event: TaskSubmitted) -> list[Shown]:
        details = {**_service(self._places[event.frame].resource), **_output(event.output)}
        return [("TaskSubmitted", "taskSubmitted", details)]

    def succeeded(self, event: TaskSucceeded | StateAmended) -> list[Shown]:
        """A result that somebody gave shows as the task's own; of another state it does not show."""
        resource = self._places[event.frame].resource
        family = _family(resource)
        service = _service(resource) if family == "Task" else {}
        return [_task_event(family, "Succeeded", {**service, **_output(event.output)})]

    def failed(self, event: TaskFailed) -> list[Shown]:
        resource = self._places[event.frame].resource
        family = _family(resource)
        service = _service(resource) if family == "Task" else {}
        end = "TimedOut" if event.timed_out else "Failed"
        return [_task_event(family, end, {**service, **_error(event.error, event.cause)})]

    def forked(self, event: Forked) -> list[Shown]:
        if self._places[event.frame].kind == "Map":
            return [("MapStateStarted", "mapStateStarted", {"length": event.width})]
        return [("ParallelStateStarted", None, None)]

    def opened(self, event: FrameOpened) -> list[Shown]:
        self._places[self._next_frame] = _Place(parent=event.frame, index=event.index)
        self._next_frame += 1
        return [self._iteration("Started", event.frame, event.index)]

    def closed(self, event: FrameClosed) -> list[Shown]:
        place = self._places.pop(event.frame)
        return [self._iteration("Succeeded", place.parent, place.index)]

    def ended(self, event: FrameAborted | Halted) -> list[Shown]:
        place = self._places[event.frame]
        shown: list[Shown] = []
        if event.iteration is not None:
            shown.append(self._iteration(event.iteration.capitalize(), place.parent, place.index))
        if event.state is not None:
            shown.append((f"{event.state}StateAborted", None, None))
        return shown

    def joined(self, event: Joined) -> list[Shown]:
        return [(f"{self._places[event.frame].kind}StateSucceeded", None, None)]

    def join_failed(self, event: JoinFailed) -> list[Shown]:
        return [(f"{self._places[event.frame].kind}StateFailed", None, None)]

    def run_started(self, event: MapRunStarted) -> list[Shown]:
        return [("MapRunStarted", "mapRunStarted", {"mapRunArn": event.run})]

    def run_redriven(self, event: MapRunRedriven) -> list[Shown]:
        details = {"mapRunArn": event.run, "redriveCount": event.count}
        return [("MapRunRedriven", "mapRunRedriven", details)]

    def run_ended(self, event: MapRunEnded) -> list[Shown]:
        end = f"MapRun{event.status.capitalize()}"
        if event.status != FAILED:
            return [(end, None, None)]
        return [(end, "mapRunFailed", _error(event.error, event.cause))]

    def evaluation_failed(self, event: EvaluationFailed) -> list[Shown]:
        details = {"error": event.error, "cause": event.cause, "state": self._places[event.frame].state}
        if event.location is not None:
            details["location"] = event.location
        return [("EvaluationFailed", "evaluationFailed", details)]

    def execution_ended(self, event: ExecutionEnded) -> list[Shown]:
        type, details_name = _ENDED[event.status]
        details = _error(event.error, event.cause) if event.output is None else _output(event.output)
        return [(type, details_name, details)]

    def redriven(self, event: ExecutionRedriven) -> list[Shown]:
        self.redrives += 1
        return [("ExecutionRedriven", "executionRedriven", {"redriveCount": self.redrives})]

    def _iteration(self, end: str, parent: int, index: int) -> Shown:
        details = {"name": self._places[parent].state, "index": index}
        return (f"MapIteration{end}", f"mapIteration{end}", details)


_SHAPES: Mapping[type, Callable[[Projection, Any], list[Shown]]] = {
    ExecutionStarted: Projection.started,
    StateEntered: Projection.entered,
    StateExited: Projection.exited,
    TaskScheduled: Projection.scheduled,
    TaskStarted: Projection.begun,
    TaskSubmitted: Projection.submitted,
    TaskSucceeded: Projection.succeeded,
    StateAmended: Projection.succeeded,
    TaskFailed: Projection.failed,
    Forked: Projection.forked,
    FrameOpened: Projection.opened,
    FrameClosed: Projection.closed,
    FrameAborted: Projection.ended,
    Halted: Projection.ended,
    Joined: Projection.joined,
    JoinFailed: Projection.join_failed,
    MapRunStarted: Projection.run_started,
    MapRunEnded: Projection.run_ended,
    MapRunRedriven: Projection.run_redriven,
    EvaluationFailed: Projection.evaluation_failed,
    ExecutionEnded: Projection.execution_ended,
    ExecutionRedriven: Projection.redriven,
}


def _family(resource: str) -> str:
    """Which events a resource's tasks show as (resources, section 1)."""
    if ":lambda:" in resource and ":function:" in resource:
        return "LambdaFunction"
    if ":states:" in resource and ":activity:" in resource:
        return "Activity"
    return "Task"


def _service(resource: str) -> dict[str, JSON]:
    found = integration(resource)
    if found is None:
        scheme, _, rest = resource.partition(":")
        found = scheme, rest
    return {"resourceType": found[0], "resource": found[1]}


def _task_event(family: str, end: str, details: Mapping[str, JSON]) -> Shown:
    return (f"{family}{end}", f"{family[0].lower()}{family[1:]}{end}", details)


def _text(payload: Payload) -> str:
    return payload.text.decode()


def _output(payload: Payload) -> dict[str, JSON]:
    return {"output": _text(payload), "outputDetails": _NOT_TRUNCATED}


def _error(error: str | None, cause: str | None) -> dict[str, JSON]:
    return {name: text for name, text in (("error", error), ("cause", cause)) if text is not None}
