"""Mocked tasks: which attempts of running executions get their answers from a mock configuration (mocking).

An execution that was started with a test case says so in its record. How often a state was tried is counted in
its log: so a restart changes nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..core.codec import decode_log
from ..core.events import Event, StateEntered, TaskScheduled
from ..core.resources import integration, signal_name
from ..core.signals import Failed, Signal, Signalled, Submitted, Succeeded
from ..core.values import JSON, Payload, decode
from ..mocking import Answer, MockConfig, MockError, read_mocks
from ..store.base import ExecutionRecord, Store
from .handlers.base import TaskCall
from .handlers.metadata import request_id, sdk_metadata

#: Executions whose counters are kept in mind.
EXECUTIONS_MAX = 256
#: The member of an execution's origin that names its test case.
TEST_CASE = "test_case"


class MockFile:
    """A mock configuration file, read again when it has changed."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._read: tuple[tuple[int, int], MockConfig] | None = None

    def config(self) -> MockConfig:
        """What the file says now. Raises MockError."""
        try:
            status = os.stat(self.path)
        except OSError as error:
            raise MockError(f"the mock configuration {self.path} cannot be read: {error.strerror}") from error
        stamp = (status.st_mtime_ns, status.st_size)
        if self._read is None or self._read[0] != stamp:
            self._read = (stamp, read_mocks(self.path))
        return self._read[1]


@dataclass(slots=True)
class _Seen:
    """What is known of one execution: its case, and how often each state was tried."""

    machine: str
    case: str | None
    attempts: dict[int, int] = field(default_factory=dict)
    unwritten: Counter[str] = field(default_factory=Counter)


class Mocks:
    """The answers of one mock configuration, for the executions of one store."""

    def __init__(self, file: MockFile, store: Store) -> None:
        self._file = file
        self._store = store
        self._seen: dict[str, _Seen] = {}

    def check(self, machine: str, case: str) -> None:
        """Whether a machine of that name has the test case. Raises MockError if it has not."""
        self._file.config().case(machine, case)

    async def answer(self, call: TaskCall) -> Answer | None:
        """What an attempt gets; None if its work is really to be done.

        Raises MockError for a configuration that cannot be used, or has no answer left; StoreUnavailable.
        """
        seen = await self._look(call.execution)
        if seen.case is None:
            return None
        response = self._file.config().case(seen.machine, seen.case).get(call.state)
        if response is None:
            return None
        attempt = await self._attempt(seen, call)
        answer = response.answer(attempt)
        if answer is None:
            raise MockError(
                f"the mocked response {response.name!r} has no answer for attempt {attempt} of the state {call.state!r}"
            )
        return answer

    async def _look(self, execution: str) -> _Seen:
        seen = self._seen.get(execution)
        if seen is None:
            record = (await self._store.load(execution, limit=0)).record
            if len(self._seen) >= EXECUTIONS_MAX:
                self._seen.pop(next(iter(self._seen)))
            seen = self._seen[execution] = _Seen(machine_name(record.machine), test_case_of(record))
        return seen

    async def _attempt(self, seen: _Seen, call: TaskCall) -> int:
        """How often the state was tried before, in this execution."""
        if call.pending not in seen.attempts:
            log = await self._store.load(call.execution)
            steps = decode_log((segment.after, segment.control) for segment in log.segments)
            seen.attempts |= _attempts(event for step in steps for event in step.events)
        if call.pending not in seen.attempts:
            # An EXPRESS execution, which is not written until it ends, and begins anew after a crash.
            seen.attempts[call.pending] = seen.unwritten[call.state]
            seen.unwritten[call.state] += 1
        return seen.attempts[call.pending]


def _attempts(events: Iterable[Event]) -> dict[int, int]:
    """The numbers of all attempts, from 0 for each state, by the events that scheduled them."""
    states: dict[int, str] = {}
    tries: Counter[str] = Counter()
    found = {}
    for id, event in enumerate(events, start=1):
        if isinstance(event, StateEntered):
            states[event.frame] = event.state
        elif isinstance(event, TaskScheduled):
            state = states[event.frame]
            found[id] = tries[state]
            tries[state] += 1
    return found


def test_case_of(record: ExecutionRecord) -> str | None:
    """The test case that an execution was started with."""
    origin = None if record.origin is None else decode(record.origin.encode())
    return origin.get(TEST_CASE) if isinstance(origin, dict) else None


def machine_name(arn: str) -> str:
    """The name by which a configuration knows a machine: without what tells the children of a Map apart."""
    return arn.rpartition(":")[2].partition("/")[0]


def mocked_signals(call: TaskCall, mode: str | None, answer: Answer) -> list[Signal]:
    """What happens to an attempt that gets a mocked answer.

    A job or a callback is submitted first, as it would be. A named signal is sent, and once.
    """
    signals: list[Signal] = []
    name = signal_name(call.resource)
    if name is not None and answer.error is None:
        return [Signalled(f"mock-{call.pending}", name, Payload(answer.result))]
    if mode in ("sync", "token"):
        signals.append(Submitted(call.pending, Payload(sdk_metadata({}, request_id(call)))))
    if answer.error is not None:
        return [*signals, Failed(call.pending, answer.error, answer.cause)]
    return [*signals, Succeeded(call.pending, Payload(_result(call.resource, answer.result)))]


def _result(resource: str, returned: JSON) -> JSON:
    """What the task gets: of a function called by its ARN the payload, where the whole answer of the call is given."""
    is_answer = isinstance(returned, dict) and {"StatusCode", "Payload"} <= returned.keys()
    if integration(resource) is None and ":lambda:" in resource and is_answer:
        return returned["Payload"]
    return returned
