"""An execution as one JSON value: what ``detent show --output json`` prints. Instants are RFC 3339, in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .outcome import instant

if TYPE_CHECKING:
    from detent.core.execution import Pending
    from detent.core.values import JSON, Payload
    from detent.visits import Attempt, Path, Trace, Visit

    from .reading import Where


def as_json(trace: Trace, where: Where, at_work: bool | None = None) -> dict[str, JSON]:
    """The whole trace. Fields that say nothing are left out, but ``output``, ``error`` and ``ended`` never."""
    execution = trace.execution
    failed = trace.failed
    return {
        "execution": execution.id,
        "name": execution.name,
        "machine": execution.machine_name,
        "definition": execution.digest,
        "status": execution.status,
        "paused": execution.paused,
        "at_work": at_work if trace.running else None,
        "started": instant(execution.started_at),
        "ended": _instant(execution.ended_at),
        "redrives": execution.redrive_count,
        "redriven": _instant(execution.redriven_at),
        "input": _value(execution.input),
        "output": _value(execution.output),
        "error": execution.error,
        "cause": execution.cause,
        "failed": None if failed is None else _place(failed, where),
        "waits": [
            *(
                _wait(_place(visit, where), visit.pending)
                for visit in trace.waits
                if visit.pending is not None
            ),
            *(
                _wait({"state": held.state, "place": where.of(held.scope, held.state)}, held.pending)
                for held in trace.held
            ),
        ],
        "signals": [
            {"name": name, "value": payload.value}
            for name, kept in execution.signals.items()
            for payload in kept
        ],
        "states": [] if trace.root is None else _states(trace.root, where),
    }


def _states(path: Path, where: Where) -> list[JSON]:
    return [_visit(visit, where) for visit in path.visits]


def _visit(visit: Visit, where: Where) -> JSON:
    said: dict[str, JSON] = {
        **_place(visit, where),
        "type": visit.kind,
        "status": visit.status.value,
        "entered": instant(visit.entered_at),
        "left": _instant(visit.left_at),
        "input": _value(visit.input),
        "output": _value(visit.output),
    }
    optional: dict[str, JSON] = {
        "next": visit.next,
        "amended": visit.amended or None,
        "assigned": {name: payload.value for name, payload in visit.assigned.items()} or None,
        "until": _instant(visit.due),
        "error": visit.error,
        "cause": visit.cause,
        "attempts": [_attempt(attempt, where) for attempt in visit.attempts] or None,
    }
    return said | _known(optional)


def _place(visit: Visit, where: Where) -> dict[str, JSON]:
    location = {} if visit.location is None else {"expression": visit.location}
    return {"state": visit.state, "place": where.of(visit.scope, visit.state), **location}


def _attempt(attempt: Attempt, where: Where) -> JSON:
    optional: dict[str, JSON] = {
        "resource": attempt.resource,
        "map_run": attempt.run,
        "began": _instant(attempt.began_at),
        "retry": _instant(attempt.retry_at),
        "error": attempt.error,
        "cause": attempt.cause,
        "timed_out": attempt.timed_out,
    }
    said: dict[str, JSON] = {
        "status": attempt.status.value,
        "started": instant(attempt.started_at),
        "ended": _instant(attempt.ended_at),
    }
    if attempt.arguments is not None:
        said["arguments"] = attempt.arguments.value
    if attempt.output is not None:
        said["result"] = attempt.output.value
    if attempt.resource is None:
        said |= {"width": attempt.width, "paths": [_path(path, where) for path in attempt.paths]}
    return said | _known(optional)


def _path(path: Path, where: Where) -> JSON:
    return {
        **({} if path.child is None else {"execution": path.child}),
        "index": path.index,
        "status": path.status.value,
        "started": instant(path.started_at),
        "ended": _instant(path.ended_at),
        "states": _states(path, where),
    }


def _wait(place: dict[str, JSON], pending: Pending) -> JSON:
    optional: dict[str, JSON] = {
        "resource": pending.resource,
        "execution": pending.child,
        "attempt": pending.attempt if pending.kind == "task" else None,
        "due": _instant(pending.due),
        "heartbeat_due": _instant(pending.beat_due),
    }
    return {**place, "for": pending.kind, **_known(optional)}


def _known(fields: dict[str, JSON]) -> dict[str, JSON]:
    return {name: value for name, value in fields.items() if value is not None}


def _value(payload: Payload | None) -> JSON:
    return None if payload is None else payload.value


def _instant(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else instant(milliseconds)
