"""Leave a state: record its output, then go on, or tell that the frame has come to its end."""

from __future__ import annotations

from collections.abc import Mapping

from .events import ExecutionEnded, StateExited
from .execution import SUCCEEDED, Frame
from .turn import Turn
from .values import JSON, Payload


def finish(turn: Turn, frame: Frame, result: Payload) -> None:
    """The work of the frame's state is done: leave it with what it makes of the result."""
    state = turn.state(frame)
    if state.flow is None:
        leave(turn, frame, state.next, result, None)
        return
    bindings = turn.bindings(frame, result.value)
    output, assigned = state.flow.finish(bindings)
    payload = turn.payload(output, frame, result, frame.input)
    leave(turn, frame, state.next, payload, turn.assigned(frame, assigned) if assigned else None)


def leave_with(
    turn: Turn,
    frame: Frame,
    next: str | None,
    output: JSON,
    assigned: Mapping[str, JSON] | None,
    known: Payload,
) -> None:
    """Leave with an output that was just made, or is ``known``. Raises StateFailure where it is beyond the limits."""
    payload = turn.payload(output, frame, known)
    leave(turn, frame, next, payload, turn.assigned(frame, assigned) if assigned else None)


def leave(
    turn: Turn, frame: Frame, next: str | None, output: Payload, assigned: dict[str, Payload] | None
) -> None:
    """Record the exit; the frame goes on to ``next`` or, where that is None, ends."""
    turn.show(StateExited(frame.id, output, assigned, next, turn.execution.shown + 1, frame.last))
    if next is not None:
        turn.ready.append((frame.id, next))
    elif frame.parent is not None:
        turn.closing.append((frame.id, output))
    else:
        shown = turn.execution.shown + 1
        turn.emit(ExecutionEnded(SUCCEEDED, output, None, None, turn.now, shown, frame.last))
