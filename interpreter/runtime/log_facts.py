"""What a line of the log says of the execution that it concerns, beside its words."""

from __future__ import annotations

import re

from ..core.execution import Execution

_MACHINE = re.compile(r"^arn:[^:]+:states:[^:]*:[^:]*:(?:execution|express|mapRun):([^:]+):")


def about(execution: str, state: str | None = None) -> dict[str, str | None]:
    """``extra`` for a line about an execution: its id, the name of its machine, and the state, where one is meant."""
    found = _MACHINE.match(execution)
    return {"execution": execution, "machine": None if found is None else found[1], "state": state}


def states_of(execution: Execution) -> str | None:
    """The states that an execution is in, for such a line."""
    states = {frame.state for frame in execution.frames.values() if frame.state is not None}
    return ", ".join(sorted(states)) or None
