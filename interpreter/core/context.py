"""The context object (language, section 9): what ``$$`` shows of the execution that is running."""

from __future__ import annotations

from datetime import UTC, datetime

from .execution import Execution, Frame
from .limits import PROFILES
from .values import JSON

#: Types of state whose context tells how often the state was tried again.
_RETRYING = frozenset({"Task", "Parallel", "Map"})


def instant_text(instant: int) -> str:
    """An instant in milliseconds as ISO 8601 in UTC; whole seconds carry no fraction."""
    seconds, milliseconds = divmod(instant, 1000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"


def context_object(
    execution: Execution,
    frame: Frame,
    *,
    token: str | None = None,
    item: tuple[int, JSON] | None = None,
) -> JSON:
    """Build the context object for a state of a frame.

    ``token`` is the task token where the state's arguments may carry one, ``item`` index and value of the
    Map iteration whose input is being made.
    """
    state: dict[str, JSON] = {"Name": frame.state, "EnteredTime": instant_text(frame.entered_at)}
    if frame.kind in _RETRYING:
        state["RetryCount"] = sum(frame.retries.values()) if frame.retries else 0
    whole: dict[str, JSON] = {
        "Id": execution.id,
        "Input": execution.input.value if execution.input is not None else None,
        "StartTime": instant_text(execution.started_at),
        "Name": execution.name,
        "RoleArn": execution.role,
    }
    if not PROFILES[execution.profile].synchronous:
        whole["RedriveCount"] = execution.redrive_count
    if execution.redriven_at is not None:
        whole["RedriveTime"] = instant_text(execution.redriven_at)
    found: dict[str, JSON] = {
        "Execution": whole,
        "StateMachine": {"Id": execution.machine_name, "Name": execution.machine_name.rpartition(":")[2]},
        "State": state,
    }
    if token is not None:
        found["Task"] = {"Token": token}
    if item is not None:
        found["Map"] = {"Item": {"Index": item[0], "Value": item[1]}}
    return found
