"""What the engine refuses."""

from __future__ import annotations

from ..core.errors import DetentError


class EngineError(DetentError):
    """The engine cannot do what it was asked to."""

    code = "ENGINE"


class ExecutionExists(EngineError):
    """There is an execution of that name already."""

    code = "EXECUTION_EXISTS"

    @classmethod
    def named(cls, name: str) -> ExecutionExists:
        """The refusal of a start under a name that is taken."""
        return cls(f"there is an execution named {name!r} already: choose another name")


class KeyReused(EngineError):
    """An idempotency key was used before, with another request."""

    code = "IDEMPOTENCY_KEY_REUSED"


class RequestAtWork(EngineError):
    """Another process is at work on the same request, under the same idempotency key."""

    code = "REQUEST_AT_WORK"


class ExecutionStuck(EngineError):
    """An execution cannot be decided: a defect of detent, or a log that was changed. It stays as it is."""

    code = "EXECUTION_STUCK"


class StillRunning(EngineError):
    """The execution has not ended, and must have for what was asked."""

    code = "STILL_RUNNING"


class NotRunning(EngineError):
    """The execution has ended, and must run for what was asked."""

    code = "NOT_RUNNING"


class NotPaused(EngineError):
    """The execution is not paused, so there is no pause to end and no moment to give it a value."""

    code = "NOT_PAUSED"


class UnknownSignal(EngineError):
    """No state of the execution's definition waits for a signal of that name."""

    code = "UNKNOWN_SIGNAL"


class AmbiguousState(EngineError):
    """A value was given for the state that waits, and none does, or several do."""

    code = "AMBIGUOUS_STATE"


class ExecutionTaken(EngineError):
    """Another process works on the execution now; it goes on there."""

    code = "EXECUTION_TAKEN"

    @classmethod
    def named(cls, execution: str) -> ExecutionTaken:
        """Another process works on an execution, or will."""
        return cls(f"another process works on the execution {execution} now")


class NotRedrivable(EngineError):
    """The execution cannot be redriven; the message says why, in the service's words."""

    code = "NOT_REDRIVABLE"


class NotExpress(EngineError):
    """The state machine cannot run as type EXPRESS: something in it outlives a call."""

    code = "NOT_EXPRESS"


class TaskClosed(EngineError):
    """The task of a token waits no longer: answered, out of time, or its execution has moved on."""

    code = "TASK_CLOSED"


class InvalidOutput(EngineError):
    """What was sent as the output of a task is no JSON value."""

    code = "INVALID_OUTPUT"


class TooMany(EngineError):
    """A limit on how many there may be is reached; the message names it."""

    code = "TOO_MANY"

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"there may be {limit:,} {what}, and no more")
        self.what = what
        self.limit = limit
