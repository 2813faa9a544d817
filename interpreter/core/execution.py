"""The live state of an execution: a tree of frames, and what it waits for.

It is a cache of the log: only ``evolve`` changes it, and folding the log again gives an equal one. The
objects are slotted and mutable because they are the hot path; nobody outside the core writes to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from .clocks import Clocks
from .rows import Record
from .run_events import ChildOf
from .runs import MapRun
from .values import JSON, Payload

RUNNING = "RUNNING"
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
TIMED_OUT = "TIMED_OUT"
ABORTED = "ABORTED"

#: The frame every execution begins with.
ROOT = 0

_NO_VARIABLES: Mapping[str, JSON] = {}
#: What an execution begins without, and few ever get: one for all of them.
_NO_TOKENS: Mapping[str, int] = {}
_NO_SIGNALS: Mapping[str, Sequence[Payload]] = {}
_NO_KEYS: Set[str] = frozenset()


class Pending(Record):
    """One thing an execution waits for. ``id`` is the number of the event that opened it.

    ``kind`` is task, timer, retry, more or child. ``due`` is when a timer fires or a task runs out of time,
    ``beat_due`` when a running task is taken for dead; both None where no clock runs. ``timeout`` and
    ``heartbeat`` are a task's allowances in seconds, which start to count when it begins. ``child`` is the
    execution that is waited for, ``number`` and ``count`` which of a Map Run's children it is and its number of
    items, ``began_at`` when it was started. It was redriven ``redrives`` times, and is there already if ``again``.
    """

    id: int
    kind: str
    frame: int
    due: int | None = None
    absolute: bool = False
    beat_due: int | None = None
    state: str | None = None
    resource: str | None = None
    mode: str | None = None
    arguments: Payload | None = None
    credentials: Payload | None = None
    timeout: int | None = None
    heartbeat: int | None = None
    token: str | None = None
    attempt: int = 1
    started: bool = False
    worker: str | None = None
    submitted: bool = False
    child: str | None = None
    number: int = 0
    count: int = 0
    began_at: int = 0
    redrives: int = 0
    again: bool = False


@dataclass(slots=True)
class Join:
    """What a Parallel or Map state gathers. ``cursor`` is the next index to open, ``live`` the open frames."""

    kind: str
    width: int
    limit: int
    scopes: tuple[str, ...]
    items: Payload | None
    results: list[Payload | None]
    cursor: int = 0
    done: int = 0
    live: dict[int, None] = field(default_factory=dict)

    def scope(self, index: int) -> str:
        """The scope a branch or iteration runs in."""
        return self.scopes[index if len(self.scopes) > 1 else 0]


@dataclass(frozen=True, slots=True)
class RunOf:
    """The Map Run of a state's latest attempt: its ARN, the pending that waits for it, how often it was redriven."""

    arn: str
    pending: int
    redrives: int


@dataclass(slots=True)
class Frame:
    """A place in a scope: the root, a branch or an iteration.

    ``entered`` and ``before`` are the history ids of the current state's entry and of what came before
    it; ``last`` is where the frame's history goes on. ``retries`` counts per retrier, for this visit.
    Between two states ``state`` is None and ``next`` the one to enter, None before the first.
    """

    id: int
    parent: int | None
    index: int
    scope: str
    input: Payload
    last: int
    state: str | None = None
    kind: str | None = None
    next: str | None = None
    entered_at: int = 0
    entered: int = 0
    before: int = 0
    attempt: int = 0
    retries: dict[int, int] | None = None
    variables: dict[str, Payload] | None = None
    pending: Pending | None = None
    join: Join | None = None
    run: RunOf | None = None
    halted: bool = False


def size_of(variables: Mapping[str, Payload] | None) -> int:
    """What variables take, in bytes of JSON."""
    return sum(len(payload.text) for payload in variables.values()) if variables else 0


@dataclass(slots=True)
class Execution:
    """``seq`` is the number of the last event, ``shown`` the last id of the history that the service's
    protocol shows, ``now`` the time of the last event (milliseconds). ``spelling`` is the input as its
    caller spelled it, where that was kept. ``open_for`` is how long the execution was open in all (milliseconds)
    until it last ended, ``redrive_tokens`` has the instants of the latest redrives that carried a token.
    ``run`` is set where the execution is a Map Run, ``child_of`` where it is a child of one.

    While it is ``paused`` no state is entered or tried again. ``signals`` are the named signals that nobody has
    taken yet, oldest first, ``keys`` those of everything that counts once.

    ``variable_bytes`` is what all variables take, None until somebody counts. ``clocks`` has the deadlines of tasks
    by instant, None until the first of them has passed.
    ``opened`` and ``closed`` journal the pendings that came and went since the journal was last taken.
    """

    id: str = ""
    name: str = ""
    machine_name: str = ""
    digest: str = ""
    profile: str = "detent"
    role: str = ""
    input: Payload | None = None
    spelling: Payload | None = None
    output: Payload | None = None
    error: str | None = None
    cause: str | None = None
    status: str = RUNNING
    started_at: int = 0
    ended_at: int | None = None
    ends_at: int | None = None
    open_for: int = 0
    redrive_count: int = 0
    redriven_at: int | None = None
    redrive_tokens: Mapping[str, int] = field(default_factory=lambda: _NO_TOKENS)
    now: int = 0
    seq: int = 0
    shown: int = 0
    next_frame: int = 0
    paused: bool = False
    signals: Mapping[str, Sequence[Payload]] = field(default_factory=lambda: _NO_SIGNALS)
    keys: Set[str] = _NO_KEYS
    frames: dict[int, Frame] = field(default_factory=dict)
    pending: dict[int, Pending] = field(default_factory=dict)
    run: MapRun | None = None
    child_of: ChildOf | None = None
    variable_bytes: int | None = field(default=None, compare=False)
    clocks: Clocks | None = field(default=None, compare=False)
    opened: dict[int, Pending] | None = field(default=None, compare=False)
    closed: dict[int, None] | None = field(default=None, compare=False)

    def open(self, pending: Pending) -> None:
        """Wait for something."""
        id = pending.id
        self.pending[id] = pending
        if self.opened is None:
            self.opened = {id: pending}
        else:
            self.opened[id] = pending
        if self.closed and id in self.closed:
            del self.closed[id]

    def close(self, pending: int) -> None:
        """Wait for it no longer."""
        del self.pending[pending]
        if self.opened and pending in self.opened:
            # A pending that came and went since the journal was taken is nobody's business.
            del self.opened[pending]
        elif self.closed is None:
            self.closed = {pending: None}
        else:
            self.closed[pending] = None

    def set_clocks(self, pending: Pending, due: int | None, beat_due: int | None) -> None:
        """From now on a task runs out of time, and is taken for dead, at these instants."""
        pending.due = due
        pending.beat_due = beat_due
        if self.clocks is not None:
            self.clocks.note(pending.id, due, beat_due)
            if self.clocks.full:
                self.clocks = None

    def over_at(self, instant: int) -> list[Pending]:
        """The tasks that run out of time, or are taken for dead, at an instant, in the order of their scheduling."""
        if self.clocks is None:
            self.clocks = Clocks(4 * len(self.pending))
            for pending in self.pending.values():
                self.clocks.note(pending.id, pending.due, pending.beat_due)
        found = (self.pending.get(id) for id in self.clocks.at(instant))
        return [
            pending
            for pending in found
            if pending is not None and pending.kind == "task" and instant in (pending.due, pending.beat_due)
        ]

    def take_journal(self) -> tuple[list[Pending], list[int]]:
        """The pendings opened since the last call that still wait, and the ids of those that no longer do."""
        opened, closed = self.opened, self.closed
        self.opened = self.closed = None
        return list(opened.values()) if opened else [], list(closed) if closed else []

    def due(self) -> int | None:
        """The earliest instant at which the execution needs attention by itself."""
        earliest = self.ends_at if self.status == RUNNING else None
        for pending in self.pending.values():
            due, beat_due = pending.due, pending.beat_due
            if (due is None and beat_due is None) or self.holds(pending):
                continue
            for at in (due, beat_due):
                if at is not None and (earliest is None or at < earliest):
                    earliest = at
        return earliest

    def holds(self, pending: Pending) -> bool:
        """Whether a pause keeps a pending from going on when its instant has come."""
        return self.paused and pending.kind in ("retry", "more")

    def variables(self, frame: Frame) -> Mapping[str, JSON]:
        """The variables a frame can read: its own scope's, then those of the scopes around it."""
        if frame.variables is None and frame.parent is None:
            return _NO_VARIABLES
        found: dict[str, JSON] = {}
        level: Frame | None = frame
        while level is not None:
            if level.variables is not None:
                for name, payload in level.variables.items():
                    found.setdefault(name, payload.value)
            level = None if level.parent is None else self.frames[level.parent]
        return found or _NO_VARIABLES

    def count_variables(self) -> int:
        """What all variables take, in bytes of JSON. Their values must be loaded."""
        if self.variable_bytes is None:
            self.variable_bytes = sum(size_of(frame.variables) for frame in self.frames.values())
        return self.variable_bytes

    def children(self, frame: Frame) -> list[Frame]:
        """The open branches or iterations of a frame, in order of index."""
        if frame.join is None:
            return []
        return sorted((self.frames[id] for id in frame.join.live), key=lambda child: child.index)

    def payloads(self) -> Iterator[Payload]:
        """Every payload a live execution may read again: what a fold must load before work goes on."""
        yield from (payload for payload in (self.input, self.spelling, self.output) if payload is not None)
        for kept in self.signals.values():
            yield from kept
        for frame in self.frames.values():
            yield frame.input
            if frame.variables is not None:
                yield from frame.variables.values()
            if frame.pending is not None:
                if frame.pending.arguments is not None:
                    yield frame.pending.arguments
                if frame.pending.credentials is not None:
                    yield frame.pending.credentials
            if frame.join is not None:
                if frame.join.items is not None:
                    yield frame.join.items
                yield from (result for result in frame.join.results if result is not None)
        if self.run is not None:
            yield from self._payloads_of_run(self.run)

    def _payloads_of_run(self, run: MapRun) -> Iterator[Payload]:
        yield run.settings
        yield from (payload for payload in (run.items, run.cursor, run.results) if payload is not None)
        yield from (item.value for item in run.queue)
        yield from (ended.input for ended in (*run.unsuccessful, *run.again) if run.express)
        for pending in self.pending.values():
            if pending.arguments is not None:
                yield pending.arguments
