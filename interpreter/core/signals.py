"""Signals: everything that may arrive at an execution.

A signal that answers something carries the id of the pending it answers. If nothing waits under that id
any more, the signal changes nothing: delivery may repeat, be late, or race. A signal that answers nothing in
particular and may come more than once carries a key of its own instead: a key counts once.
"""

from __future__ import annotations

from .rows import Row
from .values import Payload


class Started(Row, tag="started"):
    """Begin. ``machine_name`` is the machine's ARN, ``execution`` the execution's.

    ``spelling`` is the input as its caller spelled it (a JSON string), where that matters and is not the
    compact text.
    """

    execution: str
    name: str
    machine_name: str
    digest: str
    profile: str
    role: str
    input: Payload
    spelling: Payload | None = None


class StartedRun(Row, tag="started_run"):
    """Begin a Map Run of the Map state at ``scope`` and ``state``, which its execution entered as event ``entered``.

    ``input`` is the state's, ``arguments`` what it tells the run (core.decide_runs).
    """

    execution: str
    name: str
    machine_name: str
    digest: str
    profile: str
    role: str
    scope: str
    state: str
    entered: int
    input: Payload
    arguments: Payload


class StartedChild(Row, tag="started_child"):
    """Begin a child of a Map Run, in the scope of its Map's body."""

    execution: str
    name: str
    machine_name: str
    digest: str
    profile: str
    role: str
    input: Payload
    scope: str
    run: str
    pending: int
    count: int


class Began(Row, tag="began"):
    """Someone took the task and works on it from now on: its clocks start.

    ``worker`` tells apart who may take an attempt one after the other: engines, or workers of an activity.
    """

    pending: int
    worker: str | None = None


class Submitted(Row, tag="submitted"):
    """The call behind a job or a callback was answered; the task goes on waiting for its end."""

    pending: int
    output: Payload


class Succeeded(Row, tag="succeeded"):
    pending: int
    output: Payload


class Failed(Row, tag="failed"):
    pending: int
    error: str | None
    cause: str | None


class ChildEnded(Row, tag="child_ended"):
    """An execution that was started, and is waited for, has ended; ``description`` says how (core.children)."""

    pending: int
    description: Payload


class Fired(Row, tag="fired"):
    """A timer's instant has come: a Wait, a retry, or a turn that was too long for one go."""

    pending: int


class TimedOut(Row, tag="timed_out"):
    """A deadline has passed: of a task, of its heartbeat, or (``pending`` None) of the execution."""

    pending: int | None
    heartbeat: bool = False


class Stopped(Row, tag="stopped"):
    """Someone asked for the end."""

    error: str | None = None
    cause: str | None = None


class Redriven(Row, tag="redriven"):
    """Someone asked an execution that ended without success to go on where it stood.

    The same ``token`` again, soon after, is the same request (core.redrive).
    """

    token: str | None = None


class Signalled(Row, tag="signalled"):
    """A named signal: the answer to the task that waits longest for it, or kept until one does."""

    key: str
    name: str
    output: Payload


class Paused(Row, tag="paused"):
    """Someone asked that nothing new begins."""

    key: str


class Resumed(Row, tag="resumed"):
    """Someone asked a paused execution to go on."""

    key: str


class Amended(Row, tag="amended"):
    """Someone gave the result of the state that waits; whatever it waited for is awaited no longer."""

    pending: int
    output: Payload


class Withdrawn(Row, tag="withdrawn"):
    """Nobody waits any more for what the execution does: it ends as stopped, unless it was redriven since.

    ``redrives`` is how often it had been redriven when it was last waited for.
    """

    redrives: int


class UpdatedRun(Row, tag="updated_run"):
    """Somebody changes the limits of a Map Run; None leaves one as it is."""

    concurrency: int | None = None
    tolerated_count: int | None = None
    tolerated_percentage: float | None = None


class Quarantined(Row, tag="quarantined"):
    """Who worked on the execution died of it too often: it ends as failed, and nobody's handlers are asked."""

    error: str
    cause: str


Signal = (
    Started
    | StartedRun
    | StartedChild
    | Began
    | Submitted
    | Succeeded
    | Failed
    | ChildEnded
    | Fired
    | TimedOut
    | Stopped
    | Signalled
    | Paused
    | Resumed
    | Amended
    | Redriven
    | Withdrawn
    | UpdatedRun
    | Quarantined
)

#: The first signal of an execution is one of these, no later one is.
STARTS = (Started, StartedRun, StartedChild)

SIGNALS: tuple[type[Signal], ...] = Signal.__args__
