"""What an execution has gone through, to the last value: a log folded to the tree of :mod:`detent.visits`.

Unlike the live state nothing is dropped, and unlike the history that the service shows, timers and retries of
branches are seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .core import events as e
from .core import run_events as r
from .core.codec import LogError, Step
from .core.evolve import evolve
from .core.execution import ABORTED, FAILED, ROOT, SUCCEEDED, Execution
from .core.resources import signal_name
from .core.signals import Quarantined, Stopped, TimedOut
from .core.values import Payload
from .places import Places
from .visits import Attempt, Held, Path, Status, Trace, Visit


def trace(steps: Iterable[Step], places: Places, beats: Mapping[int, int] | None = None) -> Trace:
    """Fold a log. Its values need not be loaded to build the tree, only to be read from it.

    ``places`` are those of the definition: they tell a catcher's way from the state's own where no event does.
    ``beats`` are heartbeat deadlines that have moved, by pending id: liveness does not stand in a log.
    Raises LogError for a log that contradicts itself.
    """
    folding = _Folding(places)
    try:
        for step in steps:
            folding.take(step)
    except (KeyError, IndexError, AssertionError, AttributeError, TypeError) as error:
        number = folding.seen
        raise LogError(
            f"the log contradicts itself after event {number}: `detent verify` tells more"
        ) from error
    return folding.finished(beats or {})


#: Types of state that a redrive does not enter once more.
_WORKING = frozenset({"Task", "Wait", "Parallel", "Map"})


class _Folding:
    def __init__(self, places: Places) -> None:
        self._places = places
        self._execution = Execution()
        self._paths: dict[int, Path] = {}
        self._children: dict[int, Path] = {}
        self._next_frame = ROOT + 1
        self._now = 0
        self._from_outside = False

    @property
    def seen(self) -> int:
        """The number of the last event that was folded."""
        return self._execution.seq

    def take(self, step: Step) -> None:
        self._now = max(self._now, step.now)
        signal = step.signal
        self._from_outside = isinstance(signal, (Stopped, Quarantined)) or (
            isinstance(signal, TimedOut) and signal.pending is None
        )
        for event in step.events:
            evolve(self._execution, event)
            read = _READ.get(event.__class__)
            if read is not None:
                read(self, event)

    def finished(self, beats: Mapping[int, int]) -> Trace:
        held = []
        for pending in self._execution.pending.values():
            if pending.state is not None:
                held.append(Held(self._paths[pending.frame].scope, pending.state, pending))
                continue
            if pending.beat_due is not None:
                pending.beat_due = max(pending.beat_due, beats.get(pending.id, 0))
            path = self._paths.get(pending.frame)
            if path is not None and path.visits:
                path.visits[-1].pending = pending
        return Trace(self._execution, self._paths.get(ROOT), held)

    def _visit(self, frame: int) -> Visit:
        return self._paths[frame].visits[-1]

    # The execution

    def _started(self, event: e.ExecutionStarted) -> None:
        self._paths[ROOT] = Path(event.scope, 0, event.started_at, event.input)

    def _ended(self, event: e.ExecutionEnded) -> None:
        root = self._paths[ROOT]
        ways = {SUCCEEDED: Status.SUCCEEDED, FAILED: Status.FAILED}
        self._close(root, ways.get(event.status, Status.ABORTED))
        failed = Trace(self._execution, root).failed
        if failed is not None:
            failed.error, failed.cause = event.error, event.cause

    def _redriven(self, event: e.ExecutionRedriven) -> None:
        """What halted goes on where it stood; a state that is entered once more is a visit of its own."""
        for number, path in self._paths.items():
            path.status, path.ended_at = Status.RUNNING, None
            visit = path.visits[-1] if path.visits else None
            frame = self._execution.frames[number]
            if visit is None or frame.state is None or visit.kind not in _WORKING:
                continue
            visit.status, visit.left_at, visit.failing = Status.RUNNING, None, False
            visit.error = visit.cause = visit.location = None
            if frame.join is not None:
                attempt = visit.attempts[-1]
                attempt.status, attempt.ended_at, attempt.broken = Status.RUNNING, None, False
                attempt.error = attempt.cause = None

    # Map Runs

    def _run_started(self, event: r.MapRunStarted) -> None:
        self._visit(event.frame).attempts[-1].run = event.run

    def _run_ended(self, event: r.MapRunEnded) -> None:
        visit = self._visit(event.frame)
        if event.status == FAILED:
            self._failing(visit, event.error, event.cause)

    def _run_began(self, event: r.RunBegan) -> None:
        root = self._paths[ROOT] = Path(event.scope, 0, event.started_at, event.input)
        visit = Visit(event.scope, event.state, "Map", self._execution.seq, event.started_at, event.input)
        root.visits.append(visit)
        attempt = self._attempt(visit, Status.RUNNING)
        attempt.width, attempt.at_once = event.width or 0, event.concurrency

    def _items_read(self, event: r.ItemsRead) -> None:
        self._visit(ROOT).attempts[-1].width += len(event.items)

    def _child_opened(self, event: r.ChildOpened) -> None:
        visit = self._visit(ROOT)
        path = Path(visit.scope, event.number, event.at, event.input, parent=visit, child=event.child)
        visit.attempts[-1].paths.append(path)
        self._children[self._execution.seq] = path

    def _child_closed(self, event: r.ChildClosed) -> None:
        path = self._children[event.pending]
        ways = {SUCCEEDED: Status.SUCCEEDED, ABORTED: Status.ABORTED}
        path.status, path.ended_at = ways.get(event.status, Status.FAILED), self._now

    def _child_reopened(self, event: r.ChildReopened) -> None:
        number = self._execution.pending[event.pending].number
        path = self._visit(ROOT).attempts[-1].paths[number]
        path.status, path.ended_at, path.child = Status.RUNNING, None, event.child
        self._children[event.pending] = path

    # States

    def _entered(self, event: e.StateEntered) -> None:
        path = self._paths[event.frame]
        number = self._execution.seq
        path.visits.append(Visit(path.scope, event.state, event.kind, number, event.at, event.input))

    def _exited(self, event: e.StateExited) -> None:
        visit = self._visit(event.frame)
        visit.output, visit.next, visit.assigned = event.output, event.next, event.assigned or {}
        caught = visit.failing or self._by_a_catcher(visit)
        if caught and visit.error is None:
            visit.error, visit.cause = _error_in(event.output)
        self._leave(visit, Status.CAUGHT if caught else Status.SUCCEEDED)

    def _by_a_catcher(self, visit: Visit) -> bool:
        """Where an expression of the state failed, only the way it was left on tells."""
        fields = self._places.fields(visit.scope, visit.state)
        own = None if fields.get("End") is True else fields.get("Next")
        return "Catch" in fields and visit.next is not None and visit.next != own

    def _evaluation_failed(self, event: e.EvaluationFailed) -> None:
        visit = self._visit(event.frame)
        visit.location = event.location
        self._failing(visit, event.error, event.cause)

    # Tasks, timers, retries

    def _scheduled(self, event: e.TaskScheduled) -> None:
        if self._execution.run is not None:
            return  # what a Map Run has read or gathered is no work of the state's own
        attempt = self._attempt(self._visit(event.frame), Status.WAITING)
        attempt.resource, attempt.arguments = event.resource, event.arguments

    def _began(self, event: e.TaskStarted) -> None:
        visit = self._visit(event.frame)
        attempt = visit.attempts[-1]
        attempt.began_at = self._now
        # A named signal is awaited; nobody is at work on it.
        status = Status.RUNNING if signal_name(attempt.resource or "") is None else Status.WAITING
        visit.status = attempt.status = status

    def _succeeded(self, event: e.TaskSucceeded) -> None:
        attempt = self._visit(event.frame).attempts[-1]
        attempt.status, attempt.ended_at, attempt.output = Status.SUCCEEDED, self._now, event.output

    def _amended(self, event: e.StateAmended) -> None:
        visit = self._visit(event.frame)
        visit.amended = True
        if visit.attempts:
            attempt = visit.attempts[-1]
            attempt.retry_at = None
            if attempt.ended_at is None:
                attempt.status, attempt.ended_at, attempt.output = Status.SUCCEEDED, self._now, event.output

    def _failed(self, event: e.TaskFailed) -> None:
        if self._execution.run is not None:
            return
        visit = self._visit(event.frame)
        visit.attempts[-1].timed_out = event.timed_out
        self._failing(visit, event.error, event.cause)

    def _waits(self, event: e.WaitStarted) -> None:
        visit = self._visit(event.frame)
        visit.due, visit.status = event.due, Status.WAITING

    def _retry(self, event: e.RetryScheduled) -> None:
        visit = self._visit(event.frame)
        last = visit.attempts[-1] if visit.attempts else self._attempt(visit, Status.FAILED)
        if visit.error is None:
            # An error inside a branch or iteration is its parent's as well.
            visit.error, visit.cause = self._error_below(last)
        self._end_attempt(visit, Status.FAILED)
        last.retry_at = event.due
        visit.status, visit.failing, visit.error, visit.cause = Status.RETRYING, False, None, None

    def _fired(self, event: e.TimerFired) -> None:
        visits = self._paths[event.frame].visits
        if visits and visits[-1].status.live:
            visits[-1].status = Status.RUNNING

    # Branches and iterations

    def _forked(self, event: e.Forked) -> None:
        attempt = self._attempt(self._visit(event.frame), Status.RUNNING)
        attempt.width, attempt.at_once = event.width, event.limit

    def _opened(self, event: e.FrameOpened) -> None:
        parent = self._visit(event.frame)
        scope = self._execution.frames[self._next_frame].scope
        path = Path(scope, event.index, self._now, event.input, parent=parent)
        parent.attempts[-1].paths.append(path)
        self._paths[self._next_frame] = path
        self._next_frame += 1

    def _closed(self, event: e.FrameClosed) -> None:
        self._close(self._paths.pop(event.frame), Status.SUCCEEDED)

    def _torn_down(self, event: e.FrameAborted | e.Halted) -> None:
        path = self._paths[event.frame]
        if path.parent is None:
            return  # The root ends with the execution.
        self._close(path, Status.FAILED if self._failed_first(path, event) else Status.ABORTED)
        if event.__class__ is e.FrameAborted:
            del self._paths[event.frame]

    def _failed_first(self, path: Path, event: e.FrameAborted | e.Halted) -> bool:
        """Whether this one failed and took the others with it; of branches it is the first that ends."""
        if self._from_outside or event.iteration == "aborted":
            return False
        assert path.parent is not None
        attempt = path.parent.attempts[-1]
        first, attempt.broken = not attempt.broken, True
        return first

    def _joined(self, event: e.Joined) -> None:
        attempt = self._visit(event.frame).attempts[-1]
        attempt.status, attempt.ended_at = Status.SUCCEEDED, self._now

    def _join_failed(self, event: e.JoinFailed) -> None:
        visit = self._visit(event.frame)
        self._failing(visit, *self._error_below(visit.attempts[-1]))

    # Shared

    def _attempt(self, visit: Visit, status: Status) -> Attempt:
        if visit.attempts:  # after a redrive everything may be done again: the last attempt is over
            self._end_attempt(visit, Status.FAILED)
        attempt = Attempt(len(visit.attempts) + 1, self._now, status)
        visit.attempts.append(attempt)
        visit.status, visit.failing = status, False
        return attempt

    def _failing(self, visit: Visit, error: str | None, cause: str | None) -> None:
        visit.error, visit.cause, visit.failing = error, cause, True
        if visit.attempts:
            self._end_attempt(visit, Status.FAILED)

    def _end_attempt(self, visit: Visit, status: Status) -> None:
        attempt = visit.attempts[-1]
        if attempt.ended_at is None:
            attempt.status, attempt.ended_at = status, self._now
            if status is Status.FAILED:
                attempt.error, attempt.cause = visit.error, visit.cause

    def _error_below(self, attempt: Attempt) -> tuple[str | None, str | None]:
        failed = next((path for path in attempt.paths if path.status is Status.FAILED), None)
        if failed is None or not failed.visits:
            return None, None
        return failed.visits[-1].error, failed.visits[-1].cause

    def _leave(self, visit: Visit, status: Status) -> None:
        visit.status, visit.left_at = status, self._now
        if visit.attempts:
            self._end_attempt(visit, Status.FAILED if status is Status.CAUGHT else status)

    def _close(self, path: Path, status: Status) -> None:
        path.status, path.ended_at = status, self._now
        if path.visits and path.visits[-1].status.live:
            self._leave(path.visits[-1], status)


def _error_in(output: Payload) -> tuple[str | None, str | None]:
    """The error output that a catcher left in a state's output: all of it, or one field."""
    value = output.value if output.loaded else None
    for found in (value, *(value.values() if isinstance(value, dict) else ())):
        if isinstance(found, dict) and found.keys() == {"Error", "Cause"}:
            return found["Error"], found["Cause"]
    return None, None


_READ: dict[type[e.Event], Callable[[_Folding, Any], None]] = {
    e.ExecutionStarted: _Folding._started,
    e.StateEntered: _Folding._entered,
    e.StateExited: _Folding._exited,
    e.TaskScheduled: _Folding._scheduled,
    e.TaskStarted: _Folding._began,
    e.TaskSucceeded: _Folding._succeeded,
    e.TaskFailed: _Folding._failed,
    e.StateAmended: _Folding._amended,
    e.WaitStarted: _Folding._waits,
    e.RetryScheduled: _Folding._retry,
    e.TimerFired: _Folding._fired,
    e.Forked: _Folding._forked,
    e.FrameOpened: _Folding._opened,
    e.FrameClosed: _Folding._closed,
    e.FrameAborted: _Folding._torn_down,
    e.Halted: _Folding._torn_down,
    e.Joined: _Folding._joined,
    e.JoinFailed: _Folding._join_failed,
    e.EvaluationFailed: _Folding._evaluation_failed,
    e.ExecutionEnded: _Folding._ended,
    r.MapRunStarted: _Folding._run_started,
    r.MapRunEnded: _Folding._run_ended,
    r.RunBegan: _Folding._run_began,
    r.ItemsRead: _Folding._items_read,
    r.ChildOpened: _Folding._child_opened,
    r.ChildClosed: _Folding._child_closed,
    r.ChildReopened: _Folding._child_reopened,
    e.ExecutionRedriven: _Folding._redriven,
}
