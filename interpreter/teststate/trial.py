"""One state tried: a start, the answer to its work, and what the service tells of it.

Seconds of a Wait are not waited for. The work of a Task without a mock is somebody else's: :attr:`Trial.call` says
what it is, and :meth:`Trial.succeed` or :meth:`Trial.fail` goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import NAMESPACE_OID, uuid5

from ..core.bindings import Bindings
from ..core.context import instant_text
from ..core.decide import advance
from ..core.errors import EXCEED_TOLERATED_FAILURE_THRESHOLD, matches
from ..core.events import (
    EvaluationFailed,
    Event,
    ExecutionEnded,
    RetryScheduled,
    StateEntered,
    StateExited,
    TaskFailed,
    WaitStarted,
)
from ..core.execution import FAILED, ROOT, Execution
from ..core.machine import Choice, Fail, Machine, Map, Parallel, Pass, Scope, State, Succeed, Task
from ..core.resources import signal_name
from ..core.signals import Failed, Fired, Signal, Signalled, Started, Succeeded
from ..core.tokens import make_token
from ..core.values import JSON, Payload, decode
from .inspect import Notes, watched
from .mock import check_mock
from .refusal import Refused, invalid
from .request import Request, check_context
from .subject import Subject, find_subject

#: What a request may not ask for without a mock: it would take a run, or somebody outside.
_NEED_A_MOCK = (
    "TestState API does not support Map or Parallel states. Supported state types include: "
    "[Task, Wait, Pass, Succeed, Fail, Choice]"
)
_PLACE = "arn:aws:states:us-east-1:123456789012"
_ROOT_PATH = ""
#: Comes before the state, and assigns the variables of the request; no state of a definition is called so.
_BEFORE = ""
_ENDS = (StateExited, RetryScheduled, ExecutionEnded)
#: Members of the inspection data that are no texts of JSON.
_PLAIN = frozenset(
    {
        "errorDetails",
        "maxConcurrency",
        "request",
        "response",
        "toleratedFailureCount",
        "toleratedFailurePercentage",
    }
)


class Call(NamedTuple):
    """The work that a Task asks for."""

    resource: str
    arguments: JSON
    state: str
    execution: str
    name: str
    machine: str
    timeout: int | None


class Trial:
    """One request being answered. ``now`` and ``seed`` are as in :func:`detent.core.decide.advance`.

    ``place`` begins the ARNs that the default context object shows. Raises Refused for a request that the
    service refuses.
    """

    def __init__(self, request: Mapping[str, Any], *, now: int, seed: str, place: str = _PLACE) -> None:
        self._request = asked = Request.read(request)
        self._subject = subject = find_subject(asked.definition, asked.state_name)
        _check_type(subject, asked)
        if asked.mock is not None:
            check_mock(subject, asked.mock)
        mode = subject.state.mode if isinstance(subject.state, Task) else None
        if asked.context is not None:
            check_context(asked.context, may_have_task=mode in ("sync", "token"))
        self._now = now
        self._seed = seed
        self._notes: Notes = {}
        self._execution = Execution()
        machine, name = str(uuid5(NAMESPACE_OID, f"{seed}/machine")), str(uuid5(NAMESPACE_OID, seed))
        self._machine_arn = f"{place}:stateMachine:{machine}"
        self._arn, self._name = f"{place}:express:{machine}:{name}", name
        self._context = self._default_context() if asked.context is None else asked.context
        self._machine = self._compiled()
        self._ended: Event | None = None
        self._entered = False
        self._failure: tuple[str | None, str | None] = (None, None)
        self.call: Call | None = None
        self._begin()

    @property
    def response(self) -> dict[str, JSON]:
        """The answer. Only once there is no :attr:`call` left to be made."""
        return self._answered(self._ended)

    @property
    def traced(self) -> bool:
        """Whether it is to be told what the work was done with."""
        return self._request.level == "TRACE"

    @property
    def reveals(self) -> bool:
        """Whether secrets may be told."""
        return self._request.reveals

    def note(self, name: str, value: JSON) -> None:
        """Show what the work was done with in the inspection data."""
        self._notes[name] = value

    def succeed(self, result: JSON) -> None:
        """The work was done."""
        (pending,) = self._execution.pending.values()
        self.call = None
        name = signal_name(pending.resource or "") if pending.mode == "signal" else None
        if name is None:
            self._follow(Succeeded(pending.id, Payload(result)))
            return
        self._follow(Signalled("mock", name, Payload(result)))
        if self._ended is None:
            raise invalid("The result of the mock is larger than what a signal may carry.")

    def fail(self, error: str | None, cause: str | None) -> None:
        """The work failed."""
        (pending,) = self._execution.pending.values()
        retriers = getattr(self._subject.state, "retry", ())
        self._execution.frames[ROOT].retries = dict.fromkeys(range(len(retriers)), self._request.retries)
        self.call = None
        self._follow(Failed(pending.id, error, cause))

    # The run

    def _begin(self) -> None:
        asked = self._request
        self._follow(
            Started(
                self._arn,
                self._name,
                self._machine_arn,
                self._machine.digest,
                "aws",
                asked.role or "",
                Payload(asked.input),
            )
        )
        pending = next(iter(self._execution.pending.values()), None)
        if self._ended is not None or pending is None or pending.kind != "task":
            return
        if asked.mock is not None:
            self._answer_with_mock()
            return
        assert pending.arguments is not None
        self.call = Call(
            pending.resource or "",
            decode(pending.arguments.text),
            self._subject.name,
            self._arn,
            self._name,
            self._machine_arn,
            pending.timeout,
        )

    def _answer_with_mock(self) -> None:
        mock = self._request.mock
        assert mock is not None
        if mock.error is not None:
            self.fail(mock.error.get("error"), mock.error.get("cause"))
            return
        assert mock.result is not None
        if self._too_many_failures():
            self.fail(
                EXCEED_TOLERATED_FAILURE_THRESHOLD, "The specified tolerated failure threshold was exceeded"
            )
            return
        self.succeed(decode(mock.result.encode("utf-8", "surrogatepass")))

    def _too_many_failures(self) -> bool:
        """Whether more iterations of a Map are said to fail than it tolerates; one that says nothing tolerates all."""
        failures = self._request.failures
        if failures is None or not isinstance(self._subject.state, Map):
            return False
        (pending,) = self._execution.pending.values()
        assert pending.arguments is not None
        items = len(pending.arguments.value)
        if failures > items:
            raise invalid(
                "Map iteration failure count must be less than or equal to the number of Map iterations"
            )
        count = self._notes.get("toleratedFailureCount")
        percentage = self._notes.get("toleratedFailurePercentage")
        beyond_percentage = percentage is not None and items and failures * 100 / items > percentage
        return bool((count is not None and failures > count) or beyond_percentage)

    def _follow(self, signal: Signal) -> None:
        """Let a signal do its work, until the state has been left, has failed, or waits for its work."""
        while True:
            events = advance(
                self._machine, self._execution, signal, now=self._now, seed=self._seed, context=self._context
            )
            own = self._of_the_subject(events)
            for event in own:
                if isinstance(event, (TaskFailed, EvaluationFailed)):
                    self._failure = (event.error, self._own(event.cause))
            self._ended = next((event for event in own if isinstance(event, _ENDS)), None)
            if self._ended is not None or not any(isinstance(event, WaitStarted) for event in own):
                return
            (pending,) = self._execution.pending.values()
            self._now = max(self._now, pending.due or 0)
            signal = Fired(pending.id)

    def _of_the_subject(self, events: list[Event]) -> list[Event]:
        """The events from the entry of the state on: before it, the variables were assigned."""
        if not self._entered:
            entries = (
                i for i, one in enumerate(events) if isinstance(one, StateEntered) and one.state != _BEFORE
            )
            first = next(entries, len(events))
            self._entered = first < len(events)
            return events[first:]
        return events

    def _compiled(self) -> Machine:
        subject = self._subject
        state = watched(
            subject.state, subject.fields, subject.language, self._request.reader_items, self._notes
        )
        states: dict[str, State] = {name: Succeed(name, None, None) for name in _leading_to(state)}
        states[subject.name] = state
        states[_BEFORE] = Pass(_BEFORE, subject.name, _Assigning(self._request.variables))
        scope = Scope(_ROOT_PATH, _BEFORE, states)
        return Machine("", scope, {_ROOT_PATH: scope})

    def _default_context(self) -> JSON:
        asked, instant = self._request, instant_text(self._now)
        state: dict[str, JSON] = {"Name": self._subject.name, "EnteredTime": instant}
        if isinstance(self._subject.state, (Task, Map, Parallel)):
            state["RetryCount"] = asked.retries
        found: dict[str, JSON] = {
            "Execution": {
                "Id": self._arn,
                "Input": asked.input,
                "Name": self._name,
                "RoleArn": asked.role,
                "StartTime": instant,
            },
            "StateMachine": {
                "Id": self._machine_arn,
                "Name": self._machine_arn.rpartition(":")[2],
            },
            "State": state,
        }
        if isinstance(self._subject.state, Task) and self._subject.state.mode == "token":
            found["Task"] = {"Token": make_token(self._seed, self._arn, 1)}
        return found

    # The answer

    def _answered(self, ended: Event | None) -> dict[str, JSON]:
        answer: dict[str, JSON]
        if isinstance(ended, StateExited):
            answer = {"status": "SUCCEEDED", "output": _text(ended.output.value)}
            if ended.next is not None:
                answer["nextState"] = ended.next
            if "errorDetails" in self._notes:
                answer |= {"status": "CAUGHT_ERROR", **self._error()}
        elif isinstance(ended, RetryScheduled):
            self._notes["errorDetails"] = {
                "retryIndex": ended.retrier,
                "retryBackoffIntervalSeconds": round((ended.due - self._now) / 1000),
            }
            answer = {"status": "RETRIABLE", **self._error()}
        else:
            assert isinstance(ended, ExecutionEnded)
            self._note_exhausted(ended.error)
            answer = {"status": FAILED, **_present(error=ended.error, cause=self._own(ended.cause))}
        if self._request.level != "INFO":
            answer["inspectionData"] = self._inspected()
        return answer

    def _error(self) -> dict[str, JSON]:
        return _present(error=self._failure[0], cause=self._failure[1])

    def _own(self, cause: str | None) -> str | None:
        """A cause without the sentence that says where in an execution it happened."""
        if cause is None:
            return None
        frame = self._execution.frames[ROOT]
        return cause.removeprefix(
            f"An error occurred while executing the state '{frame.state}' (entered at the event id #{frame.entered}). "
        )

    def _note_exhausted(self, error: str | None) -> None:
        """Note the retrier that covers the error but has no attempt left."""
        for index, retrier in enumerate(getattr(self._subject.state, "retry", ())):
            if matches(retrier.errors, error):
                self._notes["errorDetails"] = {"retryIndex": index}
                return

    def _inspected(self) -> dict[str, JSON]:
        notes = {"input": self._request.input, **self._notes}
        if isinstance(self._subject.state, Fail) and self._subject.language == "JSONPath":
            # It has no stages at all; the service shows the first one.
            notes["afterInputPath"] = self._request.input
        if self._request.variables:
            notes["variables"] = self._request.variables
        return {name: value if name in _PLAIN else _text(value) for name, value in notes.items()}


@dataclass(frozen=True, slots=True)
class _Assigning:
    """The flow of a state that does nothing but assign variables."""

    variables: Mapping[str, JSON]

    def arguments(self, bindings: Bindings) -> JSON:
        return bindings.input

    def finish(self, bindings: Bindings) -> tuple[JSON, Mapping[str, JSON] | None]:
        return bindings.input, self.variables


def _check_type(subject: Subject, asked: Request) -> None:
    """Refuse a state that cannot be tried this way. Raises Refused."""
    kind = subject.state.kind
    if asked.mock is not None:
        if kind not in ("Task", "Map", "Parallel"):
            raise invalid(f"State type '{kind}' is not supported when a mock is specified")
        return
    if kind in ("Map", "Parallel"):
        raise Refused("InvalidDefinition", _NEED_A_MOCK)
    if isinstance(subject.state, Task):
        if subject.state.mode != "request":
            raise invalid("A mock is required for a Task that waits for a job, a task token or an activity.")
        if asked.role is None:
            raise invalid("RoleArn must be specified when testing a Task state")


def _leading_to(state: State) -> set[str]:
    """The states that follow this one in any way."""
    found = {state.next}
    if isinstance(state, Choice):
        found |= {rule.next for rule in state.rules}
    if isinstance(state, Task):
        found |= {catcher.next for catcher in state.catch}
    return {name for name in found if name is not None}


def _present(**members: str | None) -> dict[str, JSON]:
    return {name: value for name, value in members.items() if value is not None}


def _text(value: JSON) -> str:
    """The text of a value as it is told: with blanks behind commas and colons."""
    return json.dumps(value, ensure_ascii=False)
