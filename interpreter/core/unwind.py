"""When a state fails: one climb finds who handles the error, then everything below is torn down.

A retrier executes its state again later, a catcher leaves it on another way, and if neither the failing
state nor any state around it has one for the error, the execution ends. Then the frames stay, halted,
so that it is known where the execution stood.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from .errors import (
    DATA_LIMIT_EXCEEDED,
    HEARTBEAT_TIMEOUT,
    QUERY_EVALUATION_ERROR,
    RUNTIME,
    TIMEOUT,
    StateFailure,
    matches,
)
from .events import (
    EvaluationFailed,
    ExecutionEnded,
    FrameAborted,
    Halted,
    JoinFailed,
    RetryScheduled,
)
from .execution import ABORTED, FAILED, ROOT, Frame
from .leaving import leave
from .limits import CAUSE_CHARACTERS_MAX, ERROR_CHARACTERS_MAX, SECONDS_MAX
from .machine import Catcher, DistributedMap, Map, Parallel, Retrier, Task, Wait
from .run_events import MapRunEnded
from .turn import HistoryFull, Turn
from .values import JSON

#: States that the history shows as aborted while they are open.
_ABORTABLE = frozenset({"Task", "Wait", "Parallel", "Map"})


def within_limits(error: str | None, cause: str | None) -> tuple[str | None, str | None]:
    """Error and cause cut to what an execution keeps of them."""
    return error and error[:ERROR_CHARACTERS_MAX], cause and cause[:CAUSE_CHARACTERS_MAX]


def fail(turn: Turn, frame: Frame, failure: StateFailure) -> None:
    """The frame's state failed: find who handles it, from the state itself outwards."""
    _climb(turn, frame, frame, failure)


def _climb(turn: Turn, leaf: Frame, level: Frame | None, failure: StateFailure) -> None:
    """Consult ``level`` and the frames around it about a failure of ``leaf``'s state."""
    name, cause = within_limits(failure.error, explain(leaf, failure))
    if failure.error == QUERY_EVALUATION_ERROR and failure.prefixed:
        _show_evaluation(turn, leaf, cause or "", failure)
    while level is not None:
        state = turn.state(level)
        if failure.of_run and level is not leaf:
            # Nobody beside the run's own state has it tried again: that state is shown to fail.
            _show_failed(turn, leaf, failure)
        outer = None if level.parent is None else turn.execution.frames[level.parent]
        if isinstance(state, (Task, Parallel, Map, DistributedMap)):
            index = _retrier(turn, level, state.retry, name)
            if index is not None:
                _retry(turn, leaf, level, index, state.retry[index])
                return
            catcher = _catcher(turn, state.catch, name)
            if catcher is not None:
                try:
                    _catch(turn, leaf, level, catcher, name, cause)
                except StateFailure as second:
                    # What a catcher cannot evaluate is a new failure, and not its own state's to handle.
                    _climb(turn, level, outer, second)
                return
        level = outer
    _show_failed(turn, leaf, failure)
    shown_name = TIMEOUT if name == HEARTBEAT_TIMEOUT else name
    _end_uncaught(turn, leaf, shown_name, cause)


def _show_failed(turn: Turn, leaf: Frame, failure: StateFailure) -> None:
    """Show, once, that a state failed with its Map Run."""
    if failure.of_run:
        failure.of_run = False
        turn.show(JoinFailed(leaf.id, turn.execution.shown + 1, leaf.last))


def _show_evaluation(turn: Turn, leaf: Frame, cause: str, failure: StateFailure) -> None:
    """Show that an expression failed: beside the state's entry, but after it where a Wait had begun to wait."""
    state = turn.state(leaf)
    previous = leaf.last if isinstance(state, Wait) else leaf.before
    turn.show(
        EvaluationFailed(
            leaf.id, QUERY_EVALUATION_ERROR, cause, failure.location, turn.execution.shown + 1, previous
        )
    )
    if failure.unstarted:
        # A Map that never started is shown to fail all the same.
        turn.show(JoinFailed(leaf.id, turn.execution.shown + 1, leaf.last))


def explain(frame: Frame, failure: StateFailure) -> str | None:
    """The cause of a failure of the frame's state, with the sentence that says where it happened."""
    if not failure.prefixed or failure.cause is None:
        return failure.cause
    return (
        f"An error occurred while executing the state '{frame.state}' "
        f"(entered at the event id #{frame.entered}). {failure.cause}"
    )


def _covers(turn: Turn, errors: tuple[str, ...], name: str | None) -> bool:
    if name == DATA_LIMIT_EXCEEDED and not turn.limits.all_covers_data_limit:
        return name in errors
    return matches(errors, name)


def _retrier(turn: Turn, frame: Frame, retriers: tuple[Retrier, ...], name: str | None) -> int | None:
    """The retrier that has an attempt left. The first that covers the error decides, spent or not."""
    for index, retrier in enumerate(retriers):
        if _covers(turn, retrier.errors, name):
            used = frame.retries.get(index, 0) if frame.retries else 0
            return index if used < retrier.max_attempts else None
    return None


def _catcher(turn: Turn, catchers: tuple[Catcher, ...], name: str | None) -> Catcher | None:
    return next((catcher for catcher in catchers if _covers(turn, catcher.errors, name)), None)


def _retry(turn: Turn, leaf: Frame, level: Frame, index: int, retrier: Retrier) -> None:
    last = _tear_down(turn, leaf, level)
    used = level.retries.get(index, 0) if level.retries else 0
    chance = Random(f"{turn.seed}/{turn.execution.id}/{turn.execution.seq}")
    due = turn.now + round(1000 * _delay(retrier, used, chance))
    turn.emit(RetryScheduled(level.id, index, due, last))


def _delay(retrier: Retrier, used: int, chance: Random) -> float:
    """Seconds before the next attempt, when ``used`` retries of this retrier lie behind (language, section 6)."""
    most = SECONDS_MAX if retrier.max_delay is None else retrier.max_delay
    try:
        delay = min(float(most), retrier.interval * retrier.backoff**used)
    except OverflowError:
        delay = float(most)
    return chance.uniform(0, delay) if retrier.jitter else delay


def _catch(
    turn: Turn, leaf: Frame, level: Frame, catcher: Catcher, name: str | None, cause: str | None
) -> None:
    bindings = turn.bindings(level, error=_error_output(name, cause))
    output, assigned = catcher.flow.finish(bindings)
    payload = turn.payload(output, level, level.input)
    payloads = turn.assigned(level, assigned)
    last = _tear_down(turn, leaf, level)
    if level.join is not None:
        turn.show(JoinFailed(level.id, turn.execution.shown + 1, last))
    leave(turn, level, catcher.next, payload, payloads)


def _error_output(name: str | None, cause: str | None) -> JSON:
    if name in (TIMEOUT, HEARTBEAT_TIMEOUT):
        return {"Error": TIMEOUT, "Cause": cause or ""}
    return {"Error": name, "Cause": cause}


def _tear_down(
    turn: Turn, leaf: Frame, level: Frame, kind: type[FrameAborted] | type[Halted] = FrameAborted
) -> int:
    """End every frame below ``level``, beginning where it failed; the history id of what made ``level`` fail."""
    last = leaf.last
    # A Map can fail by itself, over the input of its next iteration or a catcher's expressions.
    for child in turn.execution.children(leaf):
        _end_tree(turn, kind, child, leaf, last)
    frame = leaf
    while frame is not level:
        assert frame.parent is not None
        parent = turn.execution.frames[frame.parent]
        siblings = [child for child in turn.execution.children(parent) if child is not frame]
        _end(turn, kind, frame, parent, last, failed=True)
        for sibling in siblings:
            _end_tree(turn, kind, sibling, parent, last)
        if parent is not level:
            turn.show(JoinFailed(parent.id, turn.execution.shown + 1, last))
            last = parent.last
        frame = parent
    return last


def _end_tree(
    turn: Turn, kind: type[FrameAborted] | type[Halted], frame: Frame, parent: Frame, last: int
) -> None:
    for child in turn.execution.children(frame):
        _end_tree(turn, kind, child, frame, last)
    _end(turn, kind, frame, parent, last, failed=False)


def _end(
    turn: Turn,
    kind: type[FrameAborted] | type[Halted],
    frame: Frame,
    parent: Frame,
    last: int,
    *,
    failed: bool,
) -> None:
    """End one branch or iteration, showing what the history shows of it."""
    assert parent.join is not None
    _abort_run(turn, frame, last)
    iteration = None
    if parent.join.kind == "Map":
        iteration = "failed" if failed else "aborted"
    state = None
    # A container that failed has said so itself; a task is shown as aborted even if it was what failed.
    if frame.state is not None and frame.kind in _ABORTABLE and (frame.kind == "Task" or not failed):
        state = frame.kind
    count = (iteration is not None) + (state is not None)
    if count:
        turn.show(kind(frame.id, iteration, state, turn.execution.shown + 1, last), count)
    else:
        turn.emit(kind(frame.id, iteration, state, 0, 0))


def _abort_run(turn: Turn, frame: Frame, last: int) -> None:
    """Show the end of the Map Run that a frame waits for, if it waits for one."""
    pending = frame.pending
    if pending is not None and pending.kind == "child":
        turn.show(MapRunEnded(frame.id, pending.id, ABORTED, None, None, turn.execution.shown + 1, last))


def _end_uncaught(turn: Turn, leaf: Frame, error: str | None, cause: str | None) -> None:
    root = turn.execution.frames[ROOT]
    last = _tear_down(turn, leaf, root, Halted)
    if leaf is not root:
        turn.show(JoinFailed(root.id, turn.execution.shown + 1, last))
    _finish(turn, FAILED, error, cause, root.last)


def end_from_outside(turn: Turn, status: str, error: str | None, cause: str | None) -> None:
    """End the execution where it stands: somebody stopped it, or its own time is over."""
    root = turn.execution.frames[ROOT]
    previous = root.before if root.state is not None else root.last
    try:
        for child in turn.execution.children(root):
            _end_tree(turn, Halted, child, root, previous)
        _abort_run(turn, root, previous)
        if root.join is not None:
            turn.show(Halted(root.id, None, root.kind, turn.execution.shown + 1, previous))
        elif root.pending is not None:
            turn.emit(Halted(root.id, None, None, 0, 0))
    except HistoryFull:
        _halt_unseen(turn)
    _finish(turn, status, error, cause, previous)


def end_by_full_history(turn: Turn) -> None:
    """End the execution with the last event that its history may hold."""
    _halt_unseen(turn)
    root = turn.execution.frames[ROOT]
    limit = turn.limits.history_events
    cause = f"The execution reached the maximum number of history events ({limit})."
    _finish(turn, FAILED, RUNTIME, cause, root.last)


def _halt_unseen(turn: Turn) -> None:
    """Halt what still waits where the history has no room left to show it."""
    for frame in list(turn.execution.frames.values()):
        if frame.pending is not None:
            turn.emit(Halted(frame.id, None, None, 0, 0))


def _finish(turn: Turn, status: str, error: str | None, cause: str | None, previous: int) -> None:
    shown = turn.execution.shown + 1
    turn.emit(ExecutionEnded(status, None, error, cause, turn.now, shown, previous))


def guarded(turn: Turn, frame: Frame, action: Callable[[], None]) -> None:
    """Do something for a frame's state; what fails fails that state."""
    try:
        action()
    except StateFailure as failure:
        fail(turn, frame, failure)
