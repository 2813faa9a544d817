"""Recorded executions: load them, drive the core through them, compare what it says.

A recording names what every task answered. The driver answers the tasks of a running execution in the
same way and lets timers fire at their instants, so that only the interpreter's own decisions are compared.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from detent.compile import compile_definition
from detent.core.codec import Step
from detent.core.decide import advance
from detent.core.execution import RUNNING, Execution, Pending
from detent.core.limits import profile_for
from detent.core.signals import (
    Began,
    ChildEnded,
    Failed,
    Fired,
    Signal,
    Started,
    Stopped,
    Submitted,
    Succeeded,
    TimedOut,
)
from detent.core.values import Payload
from detent.history import project

DATA = Path(__file__).parent / "data"
START = 1_790_000_000_000
#: The unique part of the ARNs of Express executions.
UNIQUE = "0b5c8f0e-6f1c-4b37-9d0b-4d6a4f1f1d11"
STEPS_MAX = 10_000
FOREVER = 2**62
#: Since then a distributed Map's state is left from where its Map Run started, not from where that succeeded.
EXITS_FROM_RUN_SINCE = datetime(2024, 11, 13, tzinfo=UTC)


def recordings() -> Iterator[dict[str, Any]]:
    """Every recording."""
    for path in sorted(DATA.glob("*.json")):
        yield from json.loads(path.read_text())


class Driver:
    """One recording being acted out."""

    def __init__(self, recording: dict[str, Any]) -> None:
        self.recording = recording
        self.machine = compile_definition(recording["definition"])
        self.execution = Execution()
        self.steps: list[Step] = []
        self.now = START
        self.answers = list(recording.get("tasks", []))
        self.given: dict[int, dict[str, Any]] = {}

    def run(self) -> list[dict[str, Any]]:
        """The history, as the protocol spells it, without times."""
        self.signal(self.started())
        for _ in range(STEPS_MAX):
            if self.execution.status != RUNNING or not self.act():
                break
        return [
            {key: value for key, value in event.as_json().items() if key != "timestamp"}
            for event in project(self.steps)
        ]

    def started(self) -> Started:
        name = self.recording["state_machine_name"]
        place = "arn:aws:states:us-east-1:111111111111"
        value = self.recording.get("input", {})
        spelling = None
        if "input_text" in self.recording:
            value = json.loads(self.recording["input_text"])
        elif not isinstance(value, dict):
            # The tests behind the recordings spelled their inputs as Python's json does.
            spelling = Payload(json.dumps(value))
        express = self.recording.get("type") == "EXPRESS"
        synchronous = self.recording.get("api") != "StartExecution"
        return Started(
            f"{place}:express:{name}:run-1:{UNIQUE}" if express else f"{place}:execution:{name}:run-1",
            "run-1",
            f"{place}:stateMachine:{name}",
            self.machine.digest,
            profile_for("aws", "EXPRESS", synchronous=synchronous) if express else "aws",
            self.role(),
            Payload(value),
            spelling,
        )

    def role(self) -> str:
        history = self.recording["expected"].get("history")
        given = self.recording.get("role_arn", "role")
        role: str = history[0]["executionStartedEventDetails"]["roleArn"] if history else given
        return role

    def signal(self, signal: Signal) -> None:
        events = advance(self.machine, self.execution, signal, now=self.now, seed=str(len(self.steps)))
        if events:
            self.steps.append(Step(signal, self.now, str(len(self.steps)), events))

    def act(self) -> bool:
        """Let the next thing happen: tasks begin, then answer, then time passes. False if nothing can."""
        pendings = list(self.execution.pending.values())
        tasks = [pending for pending in pendings if pending.kind == "task"]
        for pending in tasks:
            if not pending.started:
                self.given[pending.id] = self.answer_for(pending)
                self.signal(Began(pending.id, self.given[pending.id].get("workerName")))
                if "submitted_output" in self.given[pending.id]:
                    self.signal(Submitted(pending.id, Payload(self.given[pending.id]["submitted_output"])))
        for pending in tasks:
            answer = self.given[pending.id]
            description = _description(answer)
            if description is not None:
                self.signal(ChildEnded(pending.id, Payload(description)))
                return True
            if answer["outcome"] == "succeeded":
                self.signal(Succeeded(pending.id, Payload(_output(answer))))
                return True
            if answer["outcome"] == "failed":
                self.signal(Failed(pending.id, answer.get("error"), _cause(answer)))
                return True
        if self.stopped():
            return True
        return self.let_time_pass(pendings)

    def stopped(self) -> bool:
        for call in self.recording.get("mocks", {}).get("client_calls_while_running", []):
            if call.get("operation") == "StopExecution" or call.get("call") == "StopExecution":
                self.signal(Stopped(call.get("error"), call.get("cause")))
                return True
        return False

    def let_time_pass(self, pendings: list[Pending]) -> bool:
        clocks = [(p.due, p, False) for p in pendings if p.due is not None]
        clocks += [(p.beat_due, p, True) for p in pendings if p.beat_due is not None]
        if self.execution.ends_at is not None and self.execution.ends_at < min(clocks, default=(FOREVER,))[0]:
            self.now = self.execution.ends_at
            self.signal(TimedOut(None))
            return True
        if not clocks:
            return False
        due, pending, beat = min(clocks, key=lambda clock: (clock[0], clock[1].id))
        self.now = max(self.now, due)
        self.signal(TimedOut(pending.id, beat) if pending.kind == "task" else Fired(pending.id))
        return True

    def answer_for(self, pending: Pending) -> dict[str, Any]:
        """The recorded answer for a task: the first left of its state, arguments alike if there are several."""
        state = self.execution.frames[pending.frame].state
        left = [answer for answer in self.answers if answer.get("state", state) == state]
        assert left, f"no answer was recorded for another task of {state}"
        assert pending.arguments is not None
        masks = list(self.recording.get("placeholders", {}))
        for answer in left:
            wanted = answer.get("parameters", answer.get("input"))
            if first_difference(wanted, _parsed(wanted, pending.arguments), Masks(masks)) is None:
                break
        else:
            answer = left[0]
        self.answers.remove(answer)
        return answer


def _parsed(wanted: Any, payload: Payload) -> Any:
    return payload.value if isinstance(wanted, dict) else payload.text.decode()


def _output(answer: dict[str, Any]) -> Any:
    """Outputs that are objects were recorded parsed, all others as their texts."""
    output = answer.get("output")
    return json.loads(output) if isinstance(output, str) else output


def _cause(answer: dict[str, Any]) -> str | None:
    """Causes that are JSON objects were recorded parsed; a function ARN's keeps the runtime's spacing."""
    cause = answer.get("cause")
    if cause is None or isinstance(cause, str):
        return cause
    return json.dumps(cause, separators=(", ", ": ") if answer["kind"] == "LambdaFunction" else (",", ":"))


def _description(answer: dict[str, Any]) -> Any:
    """How the execution that a task started has ended, if that is what ends the task: values as texts."""
    if answer.get("resourceType") != "states" or answer["outcome"] == "timed_out":
        return None
    told = answer.get("output") if answer["outcome"] == "succeeded" else answer.get("cause")
    if not isinstance(told, dict) or "Status" not in told:
        return None
    values = {key: told[key] for key in ("Input", "Output") if not isinstance(told.get(key, ""), str)}
    return told | {key: Payload(value).text.decode() for key, value in values.items()}


def logged(event: dict[str, Any], execution: Execution) -> dict[str, Any]:
    """An event as it stands in the log group of an Express machine."""
    details = next((part for key, part in event.items() if key.endswith("EventDetails")), {})
    return {
        "id": str(event["id"]),
        "type": event["type"],
        "details": _plain(details),
        "previous_event_id": str(event["previousEventId"]),
        "event_timestamp": str(execution.now),
        "execution_arn": execution.id,
        "redrive_count": str(execution.redrive_count),
    }


def difference(recording: dict[str, Any], events: list[dict[str, Any]]) -> tuple[str, Any, Any] | None:
    """The first place where a history is not the recorded one: path, recorded, ours."""
    want = _as_since_changed(recording)
    got = [_plain(event) for event in events]
    if recording["expected"].get("unordered"):
        # Where branches ran side by side this one event was left out of the recording.
        got = [event for event in got if event["type"] != "ParallelStateSucceeded"]
    masks = Masks(list(recording.get("placeholders", {})))
    place = 0
    while place < len(want):
        if want[place].get("id") != 0:
            have = got[place] if place < len(got) else "<absent>"
            if found := first_difference(want[place], have, masks, f"events[{place}]"):
                return found
            place += 1
            continue
        end = next((i for i in range(place, len(want)) if want[i].get("id") != 0), len(want))
        if found := _unordered_difference(want[place:end], got[place:end], masks):
            return found
        place = end
    return None if len(got) <= len(want) else (f"events[{len(want)}]", "<absent>", got[len(want)])


def _as_since_changed(recording: dict[str, Any]) -> list[Any]:
    """The recorded history, but for what the service has changed since."""
    history: list[Any] = recording["expected"]["history"]
    recorded = datetime.strptime(recording["recorded"], "%d-%m-%Y, %H:%M:%S").replace(tzinfo=UTC)
    if recorded >= EXITS_FROM_RUN_SINCE:
        return history
    runs = {event["id"]: event["previousEventId"] for event in history if event["type"] == "MapRunSucceeded"}
    return [
        {**event, "previousEventId": runs.get(event["previousEventId"], event["previousEventId"])}
        if event["type"] == "MapStateExited"
        else event
        for event in history
    ]


def _unordered_difference(want: list[Any], got: list[Any], masks: Masks) -> tuple[str, Any, Any] | None:
    """Events of branches that ran side by side were recorded as a set, without ids."""
    pool = [_without_ids(event) for event in got]
    for event in want:
        for candidate in pool:
            trial = copy.deepcopy(masks)
            if first_difference(_without_ids(event), candidate, trial) is None:
                masks.bound = trial.bound
                pool.remove(candidate)
                break
        else:
            return ("side by side", event, "<absent>")
    return None


def _without_ids(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in ("id", "previousEventId")}


def _plain(value: Any) -> Any:
    """Texts that are JSON objects parsed, one level: how the recordings hold them."""
    if isinstance(value, dict):
        return {
            key: _parsed_text(part) if isinstance(part, str) else _plain(part) for key, part in value.items()
        }
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _parsed_text(text: str) -> Any:
    if text.startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            pass
    return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


class Masks:
    """Placeholders of a recording, and what the numbered ones have stood for so far."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = sorted(tokens, key=len, reverse=True)
        self.bound: dict[str, Any] = {}
        self._split = re.compile("(" + "|".join(map(re.escape, self.tokens)) + ")") if tokens else None

    def match(self, expected: str, actual: Any) -> bool:
        # A value that was masked twice is masked.
        expected = re.sub(r"<(<[^<>]+>):\d+>", r"\1", expected)
        if expected == actual:
            return True
        if self._split is None or not self._split.search(expected):
            return False
        if expected in self.tokens:
            return self._bind(expected, actual)
        if not isinstance(actual, str):
            return False
        parts = self._split.split(expected)
        pattern = "".join("(.*?)" if part in self.tokens else re.escape(part) for part in parts)
        found = re.fullmatch(pattern, actual, re.DOTALL)
        order = [part for part in parts if part in self.tokens]
        return bool(found) and all(map(self._bind, order, found.groups()))  # type: ignore[union-attr]

    def _bind(self, token: str, actual: Any) -> bool:
        if not re.fullmatch(r".*:\d+>", token):
            return True
        return bool(self.bound.setdefault(token, actual) == actual)


def first_difference(
    expected: Any, actual: Any, masks: Masks, path: str = "$"
) -> tuple[str, Any, Any] | None:
    """None if ``actual`` satisfies ``expected``; the order of an object's keys does not matter."""
    if isinstance(actual, str) and isinstance(expected, (list, int, float)):
        # A few recordings hold texts that are not objects parsed, too.
        actual = _json(actual)
    if isinstance(expected, dict) and isinstance(actual, dict):
        keys = [*expected, *(key for key in actual if key not in expected)]
        for key in sorted(keys, key=lambda key: key != "type"):
            if key not in expected or key not in actual:
                return (f"{path}.{key}", expected.get(key, "<absent>"), actual.get(key, "<absent>"))
            if found := first_difference(expected[key], actual[key], masks, f"{path}.{key}"):
                return found
        return None
    if isinstance(expected, list) and isinstance(actual, list):
        for index, (a, b) in enumerate(zip(expected, actual, strict=False)):
            if found := first_difference(a, b, masks, f"{path}[{index}]"):
                return found
        return None if len(expected) == len(actual) else (path, expected, actual)
    if isinstance(expected, str):
        return None if masks.match(expected, actual) else (path, expected, actual)
    if isinstance(expected, bool) or isinstance(actual, bool):
        return None if expected is actual else (path, expected, actual)
    return None if expected == actual else (path, expected, actual)
