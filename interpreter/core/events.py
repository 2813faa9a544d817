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

from . import run_events as r
from .rows import Row
from .values import Payload


class ExecutionStarted(Row, tag="ES"):
    """The first event. ``ends_at`` is the instant at which the machine's own TimeoutSeconds is over.

    ``spelling`` is the input as its caller spelled it, if that was kept.
    """

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


class StateEntered(Row, tag="En"):
    """A frame enters a state; ``kind`` is the state's type."""

    frame: int
    state: str
    kind: str
    input: Payload
    at: int
    shown: int
    previous: int


class StateExited(Row, tag="Ex"):
    """A state is left; ``next`` is None if the frame ends here. ``assigned`` are variables of the frame's scope."""

    frame: int
    output: Payload
    assigned: dict[str, Payload] | None
    next: str | None
    shown: int
    previous: int


class TaskScheduled(Row, tag="Ts"):
    """Opens a pending of kind task. ``timeout`` and ``heartbeat`` in seconds; ``token`` is the hash of the
    attempt's task token; ``attempt`` counts from 1 within the visit of the state."""

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


class ActivityMissing(Row, tag="Na"):
    """The activity whose task was to be scheduled did not exist. Who decides was told so; deciding again is told it
    by this event."""

    frame: int
    resource: str


class TaskOffered(Row, tag="To"):
    """A worker may take the task that was just scheduled until ``due``; then it has run out of time."""

    frame: int
    pending: int
    due: int


class TaskStarted(Row, tag="Tb"):
    """Someone works on the task; its deadlines count from here.

    Once more, and not shown, if an attempt is run again by another worker because the first one has died.
    """

    frame: int
    pending: int
    worker: str | None
    due: int | None
    beat_due: int | None
    shown: int
    previous: int


class TaskSubmitted(Row, tag="Tj"):
    frame: int
    pending: int
    output: Payload
    shown: int
    previous: int


class TaskSucceeded(Row, tag="Ty"):
    """Closes the pending."""

    frame: int
    pending: int
    output: Payload
    shown: int
    previous: int


class TaskFailed(Row, tag="Tn"):
    """Closes the pending. ``timed_out`` names the clock that ran out: ``task`` or ``heartbeat``."""

    frame: int
    pending: int
    error: str | None
    cause: str | None
    timed_out: str | None
    shown: int
    previous: int


class SignalReceived(Row, tag="Sg"):
    """A named signal is here and kept. The success of a task that waits for the name takes the oldest of them."""

    key: str
    name: str
    output: Payload


class StateAmended(Row, tag="Am"):
    """Closes a pending of kind task, timer or retry: ``output`` was given as the result of the state."""

    frame: int
    pending: int
    output: Payload
    shown: int
    previous: int


class WaitStarted(Row, tag="Wa"):
    """Opens a pending of kind timer. An absolute instant follows the wall clock, another the time that passes."""

    frame: int
    due: int
    absolute: bool


class RetryScheduled(Row, tag="Rt"):
    """Opens a pending of kind retry: the state is executed again at ``due``, jitter included."""

    frame: int
    retrier: int
    due: int
    last: int


class Yielded(Row, tag="Yi"):
    """Opens a pending of kind more, due at once: the frame will enter ``state`` in another turn."""

    frame: int
    state: str
    due: int


class TimerFired(Row, tag="Fi"):
    """Closes a pending of kind timer, retry or more."""

    frame: int
    pending: int


class Forked(Row, tag="Fo"):
    """A Parallel or Map state begins to open frames: ``width`` of them in all, ``limit`` at a time.

    ``scopes`` has one path per branch, or the path of a Map's body; ``items`` are a Map's.
    """

    frame: int
    width: int
    limit: int
    scopes: tuple[str, ...]
    items: Payload | None
    shown: int
    previous: int


class FrameOpened(Row, tag="Fr"):
    """A branch or an iteration begins; the new frame's number is the next one. ``frame`` is the parent."""

    frame: int
    index: int
    input: Payload
    shown: int
    previous: int


class FrameClosed(Row, tag="Fc"):
    """A branch or an iteration succeeded; ``last`` is where its parent's history goes on."""

    frame: int
    output: Payload
    last: int
    shown: int
    previous: int


class FrameAborted(Row, tag="Fa"):
    """A branch or an iteration ends without a result because its parent handles an error.

    What the history shows of it, in this order: the ``iteration`` (``failed``, ``aborted``, or None for a
    branch) and the type of the open ``state`` (None if it is none that the history aborts).
    """

    frame: int
    iteration: str | None
    state: str | None
    shown: int
    previous: int


class Halted(Row, tag="Ha"):
    """As FrameAborted, but nobody handles the error: the frame stays, with nothing pending."""

    frame: int
    iteration: str | None
    state: str | None
    shown: int
    previous: int


class Joined(Row, tag="Jo"):
    """All branches or iterations succeeded."""

    frame: int
    shown: int
    previous: int


class JoinFailed(Row, tag="Jf"):
    """A branch or iteration failed and the Parallel or Map does not try again."""

    frame: int
    shown: int
    previous: int


class EvaluationFailed(Row, tag="Ev"):
    """An expression of the state could not be evaluated; ``location`` is its place inside the state."""

    frame: int
    error: str
    cause: str
    location: str | None
    shown: int
    previous: int


class ExecutionPaused(Row, tag="Pa"):
    """From here on answers and due timers are recorded, and no state is entered or tried again."""

    key: str
    at: int


class ExecutionResumed(Row, tag="Re"):
    """What was held back by a pause goes on."""

    key: str
    at: int


class ExecutionEnded(Row, tag="EE"):
    """The last event, unless the execution is redriven."""

    status: str
    output: Payload | None
    error: str | None
    cause: str | None
    at: int
    shown: int
    previous: int


class ExecutionRedriven(Row, tag="Rd"):
    """The execution goes on where it ended. What halted is halted no longer, and retries count from zero.

    ``token`` is that of the request, ``ends_at`` the instant at which the execution's own time is over now.
    """

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
