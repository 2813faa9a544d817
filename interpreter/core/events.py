"""Events: everything that may be recorded. An execution is the fold of its events.

An event holds the *results* of what was decided, never something that must be evaluated again. Events
are numbered densely per execution; the number of the event that opened a pending is the pending's id.

``shown`` is the id of the event (the first, if it shows as several) in the history that the service's
protocol knows, 0 for what that history does not show; ``previous`` is the ``previousEventId`` there.
Instants are milliseconds since the epoch. ``frame`` is the frame the event belongs to.

An event kind never changes its meaning. A new field gets a new ``code`` for the kind, and the old row is
brought to the new shape where rows are decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from . import run_events as r
from .values import Payload


@dataclass(slots=True)
class ExecutionStarted:
    """The first event. ``ends_at`` is the instant at which the machine's own TimeoutSeconds is over.

    ``spelling`` is the input as its caller spelled it, if that was kept.
    """

    code: ClassVar[str] = "ES"

    execution: str
    name: str
    machine_name: str
    digest: str
    profile: str
    role: str
    input: Payload
    spelling: Payload | None
    started_at: int
    ends_at: int | None
    scope: str
    shown: int
    previous: int


@dataclass(slots=True)
class StateEntered:
    """A frame enters a state; ``kind`` is the state's type."""

    code: ClassVar[str] = "En"

    frame: int
    state: str
    kind: str
    input: Payload
    at: int
    shown: int
    previous: int


@dataclass(slots=True)
class StateExited:
    """A state is left; ``next`` is None if the frame ends here. ``assigned`` are variables of the frame's scope."""

    code: ClassVar[str] = "Ex"

    frame: int
    output: Payload
    assigned: dict[str, Payload] | None
    next: str | None
    shown: int
    previous: int


@dataclass(slots=True)
class TaskScheduled:
    """Opens a pending of kind task. ``timeout`` and ``heartbeat`` in seconds; ``token`` is the hash of the
    attempt's task token; ``attempt`` counts from 1 within the visit of the state."""

    code: ClassVar[str] = "Ts"

    frame: int
    resource: str
    mode: str
    arguments: Payload
    timeout: int | None
    heartbeat: int | None
    credentials: Payload | None
    token: str | None
    attempt: int
    shown: int
    previous: int


@dataclass(slots=True)
class ActivityMissing:
    """The activity whose task was to be scheduled did not exist. Who decides was told so; deciding again is told it
    by this event."""

    code: ClassVar[str] = "Na"

    frame: int
    resource: str


@dataclass(slots=True)
class TaskOffered:
    """A worker may take the task that was just scheduled until ``due``; then it has run out of time."""

    code: ClassVar[str] = "To"

    frame: int
    pending: int
    due: int


@dataclass(slots=True)
class TaskStarted:
    """Someone works on the task; its deadlines count from here.

    Once more, and not shown, if an attempt is run again by another worker because the first one has died.
    """

    code: ClassVar[str] = "Tb"

    frame: int
    pending: int
    worker: str | None
    due: int | None
    beat_due: int | None
    shown: int
    previous: int


@dataclass(slots=True)
class TaskSubmitted:
    code: ClassVar[str] = "Tj"

    frame: int
    pending: int
    output: Payload
    shown: int
    previous: int


@dataclass(slots=True)
class TaskSucceeded:
    """Closes the pending."""

    code: ClassVar[str] = "Ty"

    frame: int
    pending: int
    output: Payload
    shown: int
    previous: int


@dataclass(slots=True)
class TaskFailed:
    """Closes the pending. ``timed_out`` names the clock that ran out: ``task`` or ``heartbeat``."""

    code: ClassVar[str] = "Tn"

    frame: int
    pending: int
    error: str | None
    cause: str | None
    timed_out: str | None
    shown: int
    previous: int


@dataclass(slots=True)
class SignalReceived:
    """A named signal is here and kept. The success of a task that waits for the name takes the oldest of them."""

    code: ClassVar[str] = "Sg"

    key: str
    name: str
    output: Payload


@dataclass(slots=True)
class StateAmended:
    """Closes a pending of kind task, timer or retry: ``output`` was given as the result of the state."""

    code: ClassVar[str] = "Am"

    frame: int
    pending: int
    output: Payload
    shown: int
    previous: int


@dataclass(slots=True)
class WaitStarted:
    """Opens a pending of kind timer. An absolute instant follows the wall clock, another the time that passes."""

    code: ClassVar[str] = "Wa"

    frame: int
    due: int
    absolute: bool


@dataclass(slots=True)
class RetryScheduled:
    """Opens a pending of kind retry: the state is executed again at ``due``, jitter included."""

    code: ClassVar[str] = "Rt"

    frame: int
    retrier: int
    due: int
    last: int


@dataclass(slots=True)
class Yielded:
    """Opens a pending of kind more, due at once: the frame will enter ``state`` in another turn."""

    code: ClassVar[str] = "Yi"

    frame: int
    state: str
    due: int


@dataclass(slots=True)
class TimerFired:
    """Closes a pending of kind timer, retry or more."""

    code: ClassVar[str] = "Fi"

    frame: int
    pending: int


@dataclass(slots=True)
class Forked:
    """A Parallel or Map state begins to open frames: ``width`` of them in all, ``limit`` at a time.

    ``scopes`` has one path per branch, or the path of a Map's body; ``items`` are a Map's.
    """

    code: ClassVar[str] = "Fo"

    frame: int
    width: int
    limit: int
    scopes: tuple[str, ...]
    items: Payload | None
    shown: int
    previous: int


@dataclass(slots=True)
class FrameOpened:
    """A branch or an iteration begins; the new frame's number is the next one. ``frame`` is the parent."""

    code: ClassVar[str] = "Fr"

    frame: int
    index: int
    input: Payload
    shown: int
    previous: int


@dataclass(slots=True)
class FrameClosed:
    """A branch or an iteration succeeded; ``last`` is where its parent's history goes on."""

    code: ClassVar[str] = "Fc"

    frame: int
    output: Payload
    last: int
    shown: int
    previous: int


@dataclass(slots=True)
class FrameAborted:
    """A branch or an iteration ends without a result because its parent handles an error.

    What the history shows of it, in this order: the ``iteration`` (``failed``, ``aborted``, or None for a
    branch) and the type of the open ``state`` (None if it is none that the history aborts).
    """

    code: ClassVar[str] = "Fa"

    frame: int
    iteration: str | None
    state: str | None
    shown: int
    previous: int


@dataclass(slots=True)
class Halted:
    """As FrameAborted, but nobody handles the error: the frame stays, with nothing pending."""

    code: ClassVar[str] = "Ha"

    frame: int
    iteration: str | None
    state: str | None
    shown: int
    previous: int


@dataclass(slots=True)
class Joined:
    """All branches or iterations succeeded."""

    code: ClassVar[str] = "Jo"

    frame: int
    shown: int
    previous: int


@dataclass(slots=True)
class JoinFailed:
    """A branch or iteration failed and the Parallel or Map does not try again."""

    code: ClassVar[str] = "Jf"

    frame: int
    shown: int
    previous: int


@dataclass(slots=True)
class EvaluationFailed:
    """An expression of the state could not be evaluated; ``location`` is its place inside the state."""

    code: ClassVar[str] = "Ev"

    frame: int
    error: str
    cause: str
    location: str | None
    shown: int
    previous: int


@dataclass(slots=True)
class ExecutionPaused:
    """From here on answers and due timers are recorded, and no state is entered or tried again."""

    code: ClassVar[str] = "Pa"

    key: str
    at: int


@dataclass(slots=True)
class ExecutionResumed:
    """What was held back by a pause goes on."""

    code: ClassVar[str] = "Re"

    key: str
    at: int


@dataclass(slots=True)
class ExecutionEnded:
    """The last event, unless the execution is redriven."""

    code: ClassVar[str] = "EE"

    status: str
    output: Payload | None
    error: str | None
    cause: str | None
    at: int
    shown: int
    previous: int


@dataclass(slots=True)
class ExecutionRedriven:
    """The execution goes on where it ended. What halted is halted no longer, and retries count from zero.

    ``token`` is that of the request, ``ends_at`` the instant at which the execution's own time is over now.
    """

    code: ClassVar[str] = "Rd"

    token: str | None
    at: int
    ends_at: int | None
    shown: int
    previous: int


Event = (
    ExecutionStarted
    | StateEntered
    | StateExited
    | TaskScheduled
    | ActivityMissing
    | TaskOffered
    | TaskStarted
    | TaskSubmitted
    | TaskSucceeded
    | TaskFailed
    | SignalReceived
    | StateAmended
    | WaitStarted
    | RetryScheduled
    | Yielded
    | TimerFired
    | Forked
    | FrameOpened
    | FrameClosed
    | FrameAborted
    | Halted
    | Joined
    | JoinFailed
    | EvaluationFailed
    | ExecutionPaused
    | ExecutionResumed
    | ExecutionEnded
    | ExecutionRedriven
    | r.MapRunStarted
    | r.MapRunEnded
    | r.MapRunRedriven
    | r.RunBegan
    | r.ItemsRead
    | r.ChildOpened
    | r.ChildClosed
    | r.ChildReopened
    | r.RunRedriveNoted
    | r.RunUpdated
    | r.RunYielded
    | r.RunResumed
    | r.RunClosing
    | r.ResultsGathered
    | r.ChildOf
)

EVENTS: tuple[type[Event], ...] = Event.__args__
