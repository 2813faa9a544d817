"""The tree of what an execution has gone through: paths, the visits on them, the attempts of each.

A *path* is what one frame went through: the root, a branch, an iteration. It holds a *visit* for every state
that was entered; a visit of a Task, Parallel or Map holds its *attempts*, and an attempt of the latter two
the paths below it. :mod:`detent.trace` folds a log to it. Pure; it draws nothing and formats nothing.

Instants are milliseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from .core.execution import FAILED, RUNNING, Execution, Pending
from .core.values import Payload


class Status(StrEnum):
    """How a visit, an attempt or a path stands."""

    RUNNING = "running"
    #: A Wait state, or a task that was scheduled and that nobody has begun.
    WAITING = "waiting"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    #: The state failed, and a catcher led on.
    CAUGHT = "caught"
    FAILED = "failed"
    #: Ended from outside: something beside or around it failed, or the execution was stopped.
    ABORTED = "aborted"

    @property
    def live(self) -> bool:
        return self in (Status.RUNNING, Status.WAITING, Status.RETRYING)


@dataclass(slots=True)
class Attempt:
    """One try of a state's work. ``retry_at`` is when the next one begins, if there is to be one.

    ``arguments``, ``resource``, ``began_at`` and ``output`` are a task's: what it was given, who does it, when
    somebody took it, what it answered. ``paths``, ``width`` and ``at_once`` are those of a Parallel or Map.
    """

    number: int
    started_at: int
    status: Status = Status.RUNNING
    ended_at: int | None = None
    retry_at: int | None = None
    error: str | None = None
    cause: str | None = None
    timed_out: str | None = None
    resource: str | None = None
    arguments: Payload | None = None
    began_at: int | None = None
    output: Payload | None = None
    width: int = 0
    at_once: int = 0
    paths: list[Path] = field(default_factory=list)
    #: The Map Run that a distributed Map has started.
    run: str | None = None
    #: Whether one of its paths has failed: the others are aborted then.
    broken: bool = False


@dataclass(slots=True)
class Visit:
    """A state from its entry on. ``event`` is the number of the event that entered it.

    ``due`` is when a Wait is over. ``error`` and ``cause`` are those of the state, not of an attempt that was
    repeated; ``location`` is the place of an expression inside the state. ``pending`` is what it waits for now.
    """

    scope: str
    state: str
    kind: str
    event: int
    entered_at: int
    input: Payload
    status: Status = Status.RUNNING
    left_at: int | None = None
    output: Payload | None = None
    assigned: dict[str, Payload] = field(default_factory=dict)
    next: str | None = None
    due: int | None = None
    error: str | None = None
    cause: str | None = None
    location: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    pending: Pending | None = None
    failing: bool = False
    #: Whether its result was given by somebody who resumed the execution.
    amended: bool = False


@dataclass(slots=True)
class Path:
    """The states that a frame went through. ``index`` counts branches or iterations.

    Of a Map Run's child, which has a log of its own, ``child`` is the id, and there are no visits.
    """

    scope: str
    index: int
    started_at: int
    input: Payload
    status: Status = Status.RUNNING
    ended_at: int | None = None
    visits: list[Visit] = field(default_factory=list)
    parent: Visit | None = None
    child: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A state that will be entered in another turn: when the execution is resumed, or at once if it is not paused."""

    scope: str
    state: str
    pending: Pending


@dataclass(slots=True)
class Trace:
    """The whole execution: its live state as the log leaves it, and the way there."""

    execution: Execution
    root: Path | None
    held: list[Held] = field(default_factory=list)

    @property
    def running(self) -> bool:
        return self.execution.status == RUNNING

    @property
    def waits(self) -> Iterator[Visit]:
        """The visits that something is pending for, in the order in which it was opened."""
        open = [visit for visit in visits(self.root) if visit.pending is not None]
        return iter(sorted(open, key=lambda visit: visit.pending.id if visit.pending else 0))

    @property
    def failed(self) -> Visit | None:
        """The innermost visit that ended the execution; None if none did."""
        found = None
        path = self.root if self.execution.status == FAILED else None
        while path is not None and path.visits and path.visits[-1].status is Status.FAILED:
            found = path.visits[-1]
            below = found.attempts[-1].paths if found.attempts else []
            path = next((path for path in below if path.status is Status.FAILED), None)
        return found


def visits(path: Path | None) -> Iterator[Visit]:
    """Every visit of a path and below it; a state comes before what runs inside it."""
    for visit in path.visits if path is not None else ():
        yield visit
        for attempt in visit.attempts:
            for below in attempt.paths:
                yield from visits(below)
