"""Signals: everything that may arrive at an execution.

A signal that answers something carries the id of the pending it answers. If nothing waits under that id
any more, the signal changes nothing: delivery may repeat, be late, or race. A signal that answers nothing in
particular and may come more than once carries a key of its own instead: a key counts once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .values import Payload


@dataclass(slots=True)
class Started:
    """Begin. ``machine_name`` is the machine's ARN, ``execution`` the execution's.

    ``spelling`` is the input as its caller spelled it (a JSON string), where that matters and is not the
    compact text.
    """

    code: ClassVar[str] = "started"

    execution: str
    name: str
    machine_name: str
    digest: str
    profile: str
    role: str
    input: Payload
    spelling: Payload | None = None


@dataclass(slots=True)
class StartedRun:
    """Begin a Map Run of the Map state at ``scope`` and ``state``, which its execution entered as event ``entered``.

    ``input`` is the state's, ``arguments`` what it tells the run (core.decide_runs).
    """

    code: ClassVar[str] = "started_run"

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


@dataclass(slots=True)
class StartedChild:
    """Begin a child of a Map Run, in the scope of its Map's body."""

    code: ClassVar[str] = "started_child"

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


@dataclass(slots=True)
class Began:
    """Someone took the task and works on it from now on: its clocks start.

    ``worker`` tells apart who may take an attempt one after the other: engines, or workers of an activity.
    """

    code: ClassVar[str] = "began"

    pending: int
    worker: str | None = None


@dataclass(slots=True)
class Submitted:
    """The call behind a job or a callback was answered; the task goes on waiting for its end."""

    code: ClassVar[str] = "submitted"

    pending: int
    output: Payload


@dataclass(slots=True)
class Succeeded:
    code: ClassVar[str] = "succeeded"

    pending: int
    output: Payload


@dataclass(slots=True)
class Failed:
    code: ClassVar[str] = "failed"

    pending: int
    error: str | None
    cause: str | None


@dataclass(slots=True)
class ChildEnded:
    """An execution that was started, and is waited for, has ended; ``description`` says how (core.children)."""

    code: ClassVar[str] = "child_ended"

    pending: int
    description: Payload


@dataclass(slots=True)
class Fired:
    """A timer's instant has come: a Wait, a retry, or a turn that was too long for one go."""

    code: ClassVar[str] = "fired"

    pending: int


@dataclass(slots=True)
class TimedOut:
    """A deadline has passed: of a task, of its heartbeat, or (``pending`` None) of the execution."""

    code: ClassVar[str] = "timed_out"

    pending: int | None
    heartbeat: bool = False


@dataclass(slots=True)
class Stopped:
    """Someone asked for the end."""

    code: ClassVar[str] = "stopped"

    error: str | None = None
    cause: str | None = None


@dataclass(slots=True)
class Redriven:
    """Someone asked an execution that ended without success to go on where it stood.

    The same ``token`` again, soon after, is the same request (core.redrive).
    """

    code: ClassVar[str] = "redriven"

    token: str | None = None


@dataclass(slots=True)
class Signalled:
    """A named signal: the answer to the task that waits longest for it, or kept until one does."""

    code: ClassVar[str] = "signalled"

    key: str
    name: str
    output: Payload


@dataclass(slots=True)
class Paused:
    """Someone asked that nothing new begins."""

    code: ClassVar[str] = "paused"

    key: str


@dataclass(slots=True)
class Resumed:
    """Someone asked a paused execution to go on."""

    code: ClassVar[str] = "resumed"

    key: str


@dataclass(slots=True)
class Amended:
    """Someone gave the result of the state that waits; whatever it waited for is awaited no longer."""

    code: ClassVar[str] = "amended"

    pending: int
    output: Payload


@dataclass(slots=True)
class Withdrawn:
    """Nobody waits any more for what the execution does: it ends as stopped, unless it was redriven since.

    ``redrives`` is how often it had been redriven when it was last waited for.
    """

    code: ClassVar[str] = "withdrawn"

    redrives: int


@dataclass(slots=True)
class UpdatedRun:
    """Somebody changes the limits of a Map Run; None leaves one as it is."""

    code: ClassVar[str] = "updated_run"

    concurrency: int | None = None
    tolerated_count: int | None = None
    tolerated_percentage: float | None = None


@dataclass(slots=True)
class Quarantined:
    """Who worked on the execution died of it too often: it ends as failed, and nobody's handlers are asked."""

    code: ClassVar[str] = "quarantined"

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
