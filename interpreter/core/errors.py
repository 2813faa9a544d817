"""Failures of a workflow: their names, how retriers and catchers match them, how they travel.

Two columns of errors are kept apart everywhere in detent. A failure *of the workflow* is a value with
a name and a cause; inside the pure core it travels as :class:`StateFailure` until the function that
decides turns it into an event. A failure *of detent* is an exception below :class:`DetentError`.
"""

from __future__ import annotations

from collections.abc import Iterable

ALL = "States.ALL"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
EXCEED_TOLERATED_FAILURE_THRESHOLD = "States.ExceedToleratedFailureThreshold"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
ITEM_READER_FAILED = "States.ItemReaderFailed"
QUERY_EVALUATION_ERROR = "States.QueryEvaluationError"
RESULT_WRITER_FAILED = "States.ResultWriterFailed"
RUNTIME = "States.Runtime"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"

#: Names of the States Language; ErrorEquals may name these, a Fail state may not invent others with the prefix.
KNOWN_ERRORS = frozenset(
    {
        ALL,
        DATA_LIMIT_EXCEEDED,
        EXCEED_TOLERATED_FAILURE_THRESHOLD,
        HEARTBEAT_TIMEOUT,
        ITEM_READER_FAILED,
        QUERY_EVALUATION_ERROR,
        RESULT_WRITER_FAILED,
        RUNTIME,
        TASK_FAILED,
        TIMEOUT,
        "States.BranchFailed",
        "States.Http.Socket",
        "States.IntrinsicFailure",
        "States.NoChoiceMatched",
        "States.ParameterPathFailure",
        "States.Permissions",
        "States.ResultPathMatchFailure",
    }
)

#: Matched by States.TaskFailed: everything but these.
_NOT_TASK_FAILED = frozenset({TIMEOUT, HEARTBEAT_TIMEOUT, RUNTIME, DATA_LIMIT_EXCEEDED})


class DetentError(Exception):
    """Root of every exception detent raises on purpose.

    ``code`` is stable and documented; the message says what happened, where, and how to mend it.
    """

    code = "DETENT"


class StateFailure(Exception):
    """What makes a state fail: an error name and a cause, on their way to a retrier, a catcher or the end.

    ``cause`` is the text without the opening sentence "An error occurred while executing the state ...";
    ``prefixed`` says whether that sentence belongs before it. ``location`` is the slash path of the field
    inside the state (``Output/result``) and is set by JSONata evaluation only. ``unstarted`` is set where a
    Map failed over its items, before it had any iteration, ``of_run`` where its Map Run did.
    """

    def __init__(
        self, error: str | None, cause: str | None, *, prefixed: bool = True, location: str | None = None
    ) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause
        self.prefixed = prefixed
        self.location = location
        self.unstarted = False
        self.of_run = False


def matches(error_equals: Iterable[str], error: str | None) -> bool:
    """Whether an ``ErrorEquals`` list covers the error (language, section 6).

    States.Runtime is terminal: nothing covers it, not even its own name.
    """
    if error == RUNTIME:
        return False
    for name in error_equals:
        if name == error or name == ALL:
            return True
        if name == TASK_FAILED and error not in _NOT_TASK_FAILED:
            return True
        if name == TIMEOUT and error == HEARTBEAT_TIMEOUT:
            return True
    return False
