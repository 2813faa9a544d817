"""What an execution is doing, as rows one can look at: a fold of its events, pure and bounded.

A *track* is what one frame has gone through: the root, a branch, an iteration. It holds a *row* per state
visited; the row of a Parallel or Map holds a *fan* of further tracks. Each event may also make a *change*,
one sentence for a log. How rows and changes are drawn is the business of ``live`` and ``plain``.

Instants are milliseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from detent.core import events as e
from detent.core import run_events as r
from detent.core.codec import Step
from detent.core.execution import FAILED, ROOT, RUNNING, SUCCEEDED
from detent.core.machine import DistributedMap, Machine, Map, Parallel, Task
from detent.core.resources import signal_name
from detent.core.runs import MapRun
from detent.core.signals import Stopped, TimedOut
from detent.visits import Status

from .words import seconds

#: Rows kept per track: a loop that runs for days shows its latest rounds.
ROWS_MAX = 200
#: Types of state that a redrive does not enter once more.
_WORKING = frozenset({"Task", "Wait", "Parallel", "Map"})
#: A Map of at most so many items keeps those that have ended; a wider one keeps the live ones and counts.
TRACKS_KEPT = 12


@dataclass(frozen=True, slots=True)
class Change:
    """One sentence about something that happened at ``place`` (empty for the execution itself)."""

    at: int
    place: str
    text: str


@dataclass(slots=True)
class Track:
    """What one frame has gone through. ``dropped`` earlier rows are no longer kept."""

    index: int
    label: str
    scope: str
    started_at: int
    parent: Track | None = None
    rows: list[Row] = field(default_factory=list)
    dropped: int = 0
    status: Status = Status.RUNNING
    ended_at: int | None = None

    @property
    def row(self) -> Row:
        """The state the track is in, or was in last."""
        return self.rows[-1]

    @property
    def place(self) -> str:
        """Where it is, for people: ``Ship[2] > Pack``; without a state yet, the branch or iteration itself."""
        return self.label + self.row.name if self.rows else self.label.removesuffix(" > ")


@dataclass(slots=True)
class Fan:
    """The branches or iterations of a Parallel or Map; ``width`` of them, at most ``limit`` at once."""

    kind: str
    width: int
    limit: int
    started_at: int
    done: int = 0
    failed: int = 0
    aborted: int = 0
    opened: int = 0
    #: Whether the items are executions of their own, which a Map Run counts.
    counted: bool = False
    tracks: dict[int, Track] = field(default_factory=dict)

    @property
    def running(self) -> int:
        return self.opened - self.done - self.failed - self.aborted


@dataclass(slots=True)
class Row:
    """One visit of a state. ``until`` is when what it waits for is due, None if that is not known."""

    name: str
    kind: str
    entered_at: int
    status: Status = Status.RUNNING
    ended_at: int | None = None
    attempt: int = 1
    attempts: int | None = None
    resource: str | None = None
    until: int | None = None
    error: str | None = None
    cause: str | None = None
    failing: bool = False
    retries: dict[int, int] = field(default_factory=dict)
    next: str | None = None
    fan: Fan | None = None


class Progress:
    """The rows of one execution of ``machine``. Feed it every step of the log, in order."""

    def __init__(self, machine: Machine, name: str = "", machine_name: str = "") -> None:
        self.machine = machine
        self.name = name
        self.machine_name = machine_name
        self._runs: dict[str, Fan] = {}
        self.status = RUNNING
        self.paused = False
        self.error: str | None = None
        self.cause: str | None = None
        self.started_at = 0
        self.ended_at: int | None = None
        self.root = Track(0, "", machine.root.path, 0)
        self._frames: dict[int, Track] = {ROOT: self.root}
        self._next_frame = ROOT + 1
        self._now = 0
        self._from_outside = False

    def fold(self, steps: Iterable[Step]) -> list[Change]:
        """Take in steps of the log; what changed, in sentences."""
        changes: list[Change] = []
        for step in steps:
            self._now = max(self._now, step.now)
            signal = step.signal
            self._from_outside = isinstance(signal, Stopped) or (
                isinstance(signal, TimedOut) and signal.pending is None
            )
            for event in step.events:
                changes.extend(self._fold(event))
        return changes

    def _fold(self, event: e.Event) -> Iterator[Change]:
        track = self._frames.get(event.frame) if hasattr(event, "frame") else None
        text = _TAKE[event.__class__](self, track, event) if event.__class__ in _TAKE else None
        if text is not None:
            yield Change(self._now, track.place if track is not None else "", text)

    # The execution

    def _execution_started(self, track: None, event: e.ExecutionStarted) -> str:
        self.name = event.name
        self.machine_name = event.machine_name.rpartition(":")[2]
        self.started_at = self.root.started_at = event.started_at
        return f"{self.machine_name} started as {event.name}"

    def _execution_ended(self, track: None, event: e.ExecutionEnded) -> str:
        self.status, self.error, self.cause = event.status, event.error, event.cause
        self.ended_at = self.root.ended_at = event.at
        self.paused = False
        self.root.status = Status.SUCCEEDED if event.status == SUCCEEDED else Status.FAILED
        if self.root.rows and self.root.row.status.live:
            failed = event.status == FAILED
            self._end(self.root.row, Status.FAILED if failed else Status.ABORTED)
            if failed:
                self.root.row.error, self.root.row.cause = event.error, event.cause
        return f"{event.status} after {seconds(event.at - self.started_at)}"

    def _redriven(self, track: None, event: e.ExecutionRedriven) -> str:
        self.status, self.error, self.cause, self.ended_at = RUNNING, None, None, None
        for halted in self._frames.values():
            self._revive(halted)
        return "redriven: goes on where it ended"

    def _paused(self, track: None, event: e.ExecutionPaused) -> str:
        self.paused = True
        return "paused"

    def _resumed(self, track: None, event: e.ExecutionResumed) -> str:
        self.paused = False
        return "resumed"

    # States

    def _entered(self, track: Track, event: e.StateEntered) -> str:
        track.rows.append(Row(event.state, event.kind, event.at))
        if len(track.rows) > ROWS_MAX:
            del track.rows[0]
            track.dropped += 1
        return "entered"

    def _exited(self, track: Track, event: e.StateExited) -> str:
        row = track.row
        row.next = event.next
        state = self.machine.scopes[track.scope].states[row.name]
        catches = isinstance(state, (Task, Parallel, Map, DistributedMap))
        if row.failing or (catches and event.next != state.next):
            self._end(row, Status.CAUGHT)
            return f"caught{_why(row.error)} -> {event.next}"
        self._end(row, Status.SUCCEEDED)
        if row.kind == "Choice":
            return f"chose {event.next}"
        took = self._now - row.entered_at
        return f"done after {seconds(took)}" if took else "done"

    def _evaluation_failed(self, track: Track, event: e.EvaluationFailed) -> str:
        return self._failed(track.row, event.error, event.cause)

    # Tasks and timers

    def _scheduled(self, track: Track, event: e.TaskScheduled) -> str:
        row = track.row
        row.status, row.failing, row.until = Status.RUNNING, False, None
        row.attempt, row.resource = event.attempt, event.resource
        name = signal_name(event.resource)
        if name is not None:
            row.status = Status.WAITING
            return f"waits for the signal {name}"
        return f"calls {event.resource}" + (f" (attempt {event.attempt})" if event.attempt > 1 else "")

    def _task_started(self, track: Track, event: e.TaskStarted) -> None:
        track.row.until = event.due

    def _task_succeeded(self, track: Track, event: e.TaskSucceeded) -> None:
        track.row.until = None

    def _signal_received(self, track: None, event: e.SignalReceived) -> str:
        return f"the signal {event.name} is here"

    def _amended(self, track: Track, event: e.StateAmended) -> str:
        track.row.status, track.row.until = Status.RUNNING, None
        return "was given its result"

    def _task_failed(self, track: Track, event: e.TaskFailed) -> str:
        if event.timed_out == "heartbeat":
            return self._failed(track.row, event.error, "no heartbeat in time")
        return self._failed(track.row, event.error, event.cause)

    def _waits(self, track: Track, event: e.WaitStarted) -> str:
        track.row.status, track.row.until = Status.WAITING, event.due
        return f"waits {seconds(event.due - self._now)}"

    def _retry(self, track: Track, event: e.RetryScheduled) -> str:
        row = track.row
        row.retries[event.retrier] = tried = row.retries.get(event.retrier, 0) + 1
        state = self.machine.scopes[track.scope].states[row.name]
        assert isinstance(state, (Task, Parallel, Map, DistributedMap))
        row.attempt, row.attempts = tried + 1, state.retry[event.retrier].max_attempts + 1
        row.status, row.until, row.failing, row.fan = Status.RETRYING, event.due, False, None
        return f"retry in {seconds(event.due - self._now)} (attempt {row.attempt} of {row.attempts})"

    def _fired(self, track: Track, event: e.TimerFired) -> None:
        if track.rows and track.row.status.live:
            track.row.status, track.row.until = Status.RUNNING, None

    # Map Runs

    def _run_started(self, track: Track, event: r.MapRunStarted) -> None:
        if track.row.fan is not None:
            track.row.fan.counted = True
            self._runs[event.run] = track.row.fan

    def _run_ended(self, track: Track, event: r.MapRunEnded) -> str | None:
        return self._failed(track.row, event.error, event.cause) if event.status == FAILED else None

    def count(self, arn: str, run: MapRun) -> bool:
        """Take over the counts of a Map Run; False if none of this execution's states waits for it."""
        fan = self._runs.get(arn)
        if fan is None:
            return False
        counts = run.item_counts
        fan.width, fan.opened, fan.done = run.read, counts.begun, counts.succeeded
        fan.failed, fan.aborted = counts.failed + counts.timed_out, counts.aborted
        return True

    # Branches and iterations

    def _forked(self, track: Track, event: e.Forked) -> str:
        track.row.fan = Fan(track.row.kind, event.width, event.limit, self._now)
        if track.row.kind == "Parallel":
            return f"{event.width} branches"
        if event.limit == 0:
            return "a Map Run begins"
        together = f", {event.limit} at a time" if event.limit < event.width else ""
        return f"{event.width} item{'' if event.width == 1 else 's'}{together}"

    def _opened(self, track: Track, event: e.FrameOpened) -> None:
        fan = track.row.fan
        assert fan is not None
        state = self.machine.scopes[track.scope].states[track.row.name]
        assert isinstance(state, (Parallel, Map))
        scope = state.branches[event.index] if isinstance(state, Parallel) else state.body
        child = Track(event.index, f"{track.place}[{event.index}] > ", scope.path, self._now, track)
        fan.opened += 1
        fan.tracks[event.index] = child
        self._frames[self._next_frame] = child
        self._next_frame += 1

    def _closed(self, track: Track, event: e.FrameClosed) -> None:
        self._leave_fan(track, event.frame, Status.SUCCEEDED)

    def _torn_down(self, track: Track, event: e.FrameAborted | e.Halted) -> str | None:
        """The first frame that ends in a fan is the one that failed, unless the end came from outside."""
        if track.parent is None:
            return None
        fan = _fan_of(track)
        first = not fan.failed and not fan.aborted and not self._from_outside
        status = Status.FAILED if first else Status.ABORTED
        if track.rows and track.row.status.live:
            self._end(track.row, status)
        if first and track.rows:
            track.parent.row.error, track.parent.row.cause = track.row.error, track.row.cause
        self._leave_fan(track, event.frame, status, gone=event.__class__ is e.FrameAborted)
        return None if first else "aborted"

    def _join_failed(self, track: Track, event: e.JoinFailed) -> None:
        track.row.failing = True

    # Shared

    def _revive(self, track: Track) -> None:
        """A track that halted goes on with the state it was in."""
        if track.parent is not None and not track.status.live:
            fan = _fan_of(track)
            fan.failed -= track.status is Status.FAILED
            fan.aborted -= track.status is Status.ABORTED
            fan.tracks[track.index] = track
        track.status, track.ended_at = Status.RUNNING, None
        if track.rows and track.row.kind in _WORKING and track.row.status in (Status.FAILED, Status.ABORTED):
            row = track.row
            row.status, row.ended_at, row.failing = Status.RUNNING, None, False
            row.error, row.cause, row.attempt, row.attempts = None, None, 1, None
            row.retries = {}

    def _failed(self, row: Row, error: str | None, cause: str | None) -> str:
        row.error, row.cause, row.failing, row.until = error, cause, True, None
        return f"failed{_why(error, cause)}"

    def _end(self, row: Row, status: Status) -> None:
        row.status, row.ended_at, row.until = status, self._now, None

    def _leave_fan(self, track: Track, frame: int, status: Status, *, gone: bool = True) -> None:
        fan = _fan_of(track)
        track.status, track.ended_at = status, self._now
        fan.done += status is Status.SUCCEEDED
        fan.failed += status is Status.FAILED
        fan.aborted += status is Status.ABORTED
        if fan.kind == "Map" and fan.width > TRACKS_KEPT:
            fan.tracks.pop(track.index, None)
        if gone:
            self._frames.pop(frame, None)


def _fan_of(track: Track) -> Fan:
    """The fan a branch or iteration belongs to."""
    assert track.parent is not None
    assert track.parent.row.fan is not None
    return track.parent.row.fan


def _why(error: str | None, cause: str | None = None) -> str:
    return f": {': '.join(filter(None, (error, cause)))}" if error or cause else ""


_TAKE: dict[type[e.Event], Callable[[Progress, Any, Any], str | None]] = {
    e.ExecutionStarted: Progress._execution_started,
    e.StateEntered: Progress._entered,
    e.StateExited: Progress._exited,
    e.TaskScheduled: Progress._scheduled,
    e.TaskStarted: Progress._task_started,
    e.TaskSucceeded: Progress._task_succeeded,
    e.SignalReceived: Progress._signal_received,
    e.StateAmended: Progress._amended,
    e.TaskFailed: Progress._task_failed,
    e.WaitStarted: Progress._waits,
    e.RetryScheduled: Progress._retry,
    e.TimerFired: Progress._fired,
    e.Forked: Progress._forked,
    e.FrameOpened: Progress._opened,
    e.FrameClosed: Progress._closed,
    e.FrameAborted: Progress._torn_down,
    e.Halted: Progress._torn_down,
    e.JoinFailed: Progress._join_failed,
    e.EvaluationFailed: Progress._evaluation_failed,
    e.ExecutionPaused: Progress._paused,
    e.ExecutionResumed: Progress._resumed,
    e.ExecutionEnded: Progress._execution_ended,
    r.MapRunStarted: Progress._run_started,
    r.MapRunEnded: Progress._run_ended,
    e.ExecutionRedriven: Progress._redriven,
}
