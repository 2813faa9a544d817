"""Recorded executions, acted out by the real engine.

An engine over a store in memory runs the execution in virtual time. The world outside gives what the recording says
that it gave: results of tasks, answers to callbacks and from workers, a stop.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from simulation.loop import BEGINNING, VirtualClock
from simulation.loop import run as simulated

from detent.compile import compile_definition, compile_text, digest_of
from detent.core.codec import Step, encode_signal
from detent.core.errors import DetentError
from detent.core.events import TaskScheduled, TaskSubmitted
from detent.core.execution import Execution
from detent.core.limits import profile_for
from detent.core.resources import is_activity
from detent.core.signals import ChildEnded, Failed, Signal, Succeeded
from detent.core.values import Payload, encode
from detent.history import project
from detent.runtime.engine import Engine
from detent.runtime.handlers.base import Beat, TaskCall, TaskError
from detent.runtime.machines import Machines
from detent.runtime.mocks import TEST_CASE, MockFile
from detent.runtime.names import Names
from detent.store.base import ExecutionRecord, Letter, MachineRecord
from detent.store.memory import MemoryStore

from .buckets import Buckets
from .comparing import Difference, Masks, difference, first_difference, logged, masks_of, plain
from .functions import Functions

#: Virtual seconds: how long a task takes at least, when somebody stops an execution, and when one is stuck.
WORK, STOP, PATIENCE = 0.1, 1, 50_000
#: When a run begins, in milliseconds since the epoch: just after the instants that the recordings call now.
LATER = 1_795_219_200_000
EXACT, VERDICT, WRONG = "exact", "status and output only", "failed"


@dataclass
class Outcome:
    """How a recording was met; the first difference where it was not in all."""

    kind: str
    difference: Difference | None = None


def judged(vector: dict[str, Any]) -> Outcome:
    """Act a recording out and compare."""
    if "partial" in vector["expected"]:
        return _judged_on_the_way(vector)
    try:
        performance, execution = performed(vector)
    except (DetentError, AssertionError, TimeoutError) as error:
        return Outcome(WRONG, ("the run", "an end", repr(error)))
    wrong = _verdict_difference(vector, execution)
    if wrong is not None:
        return Outcome(WRONG, wrong)
    found = _history_difference(vector, performance.history(), execution)
    return Outcome(EXACT) if found is None else Outcome(VERDICT, found)


def _judged_on_the_way(vector: dict[str, Any]) -> Outcome:
    """A recording that was read before the run had ended: it is how every history of it begins."""
    performance = Performance(vector)
    with suppress(TimeoutError):
        simulated(performance.play())
    begun = performance.history()[: len(vector["expected"]["history"])]
    found = difference(vector, begun)
    return Outcome(EXACT) if found is None else Outcome(WRONG, found)


def _history_difference(
    vector: dict[str, Any], events: list[dict[str, Any]], execution: Execution
) -> Difference | None:
    """Also where only what a log group got was recorded, or its last event."""
    expected = vector["expected"]
    if "history" in expected:
        return difference(vector, events)
    masks = masks_of(vector)
    if "last_logged_event" in expected:
        return first_difference(expected["last_logged_event"], logged(events[-1], execution), masks)
    return None


def performed(vector: dict[str, Any], mocks: MockFile | None = None) -> tuple[Performance, Execution]:
    """Act a recording out, with its mocks where they are given."""
    performance = Performance(vector, mocks)
    return performance, simulated(performance.play())


def _verdict_difference(vector: dict[str, Any], execution: Execution) -> Difference | None:
    members = {
        "status": execution.status,
        "output": execution.output.text.decode() if execution.output else None,
        "error": execution.error,
        "cause": execution.cause,
    }
    ours = plain({key: value for key, value in members.items() if value is not None})
    verdict = {key: _value(value) for key, value in vector["expected"].items() if key in members}
    masks = masks_of(vector)
    return first_difference(verdict, {key: _value(ours.get(key)) for key in verdict}, masks)


def _value(text: Any) -> Any:
    """A text that is an array, as its value: it is the end that counts here, and not how it is spelled."""
    return json.loads(text) if isinstance(text, str) and text.startswith("[") else text


class LaterClock(VirtualClock):
    """The clock of a run that begins when what the recordings call now is past, and what they call far is far."""

    def now(self) -> int:
        return super().now() + LATER - BEGINNING


class Performance:
    """One recording being acted out."""

    slots = None

    def __init__(self, vector: dict[str, Any], mocks: MockFile | None = None) -> None:
        self.mocks = mocks
        self.vector = vector
        self.steps: list[Step] = []
        self.answers = list(vector.get("tasks", []))
        self.given: dict[int, dict[str, Any]] = {}
        self.functions = Functions(vector)
        self.store = MemoryStore()
        self.helpers: set[asyncio.Task[None]] = set()
        self.letters = 0

    def history(self) -> list[dict[str, Any]]:
        """The history, as the protocol spells it, without times."""
        return [
            {key: value for key, value in event.as_json().items() if key != "timestamp"}
            for event in project(self.steps)
        ]

    async def play(self) -> Execution:
        definition = self.vector["definition"]
        self.machine = compile_definition(definition)
        storages: Any = Buckets(self.vector.get("mocks", {}).get("setup", []))
        self.engine = engine = Engine(
            self.store,
            Machines(self.store, compile_text),
            lambda resource: self,
            release="1.0",
            clock=LaterClock(),
            storages=storages,
            mocks=self.mocks,
        )
        engine.observe(self._observe)
        await engine.open()
        try:
            digest = digest_of(definition)
            names = Names(self.vector["state_machine_name"], account="111111111111")
            await engine.machines.publish(MachineRecord(digest, names.machine_arn, encode(definition), 0))
            for activity in self._activities():
                await engine.catalogue.create_activity(activity)
            self.record = self._record(names, digest)
            async with asyncio.timeout(PATIENCE):
                return await self._run(engine, self.record)
        finally:
            await engine.close()

    def _activities(self) -> frozenset[str]:
        """Those that were there: the ones whose tasks somebody has heard of."""
        return self.machine.activities if self.answers else frozenset()

    def _record(self, names: Names, digest: str) -> ExecutionRecord:
        kind = self.vector["type"]
        id = names.execution_arn("run-1") if kind == "STANDARD" else names.express_arn("run-1", "unique")
        case = None if self.mocks is None else json.dumps({TEST_CASE: self.vector["mock_test_case"]})
        return ExecutionRecord(
            id, "run-1", names.machine_arn, digest, profile_for("aws", kind), 0, origin=case
        )

    async def _run(self, engine: Engine, record: ExecutionRecord) -> Execution:
        value, spelling = self._input()
        role = self._role()
        if self.vector["api"] == "StartSyncExecution":
            result = await engine.run_express(record, Payload(value), role=role, spelling=spelling)
            return result.execution
        await engine.start(record, Payload(value), role=role, spelling=spelling)
        if self.vector["expected"].get("status") == "ABORTED":
            await asyncio.sleep(STOP)
            engine.stop(record.id)
        return await engine.result(record.id)

    def _role(self) -> str:
        """The role of the run; the one that the definition's tasks assume is named beside it in some recordings."""
        history = self.vector["expected"].get("history")
        role = history[0]["executionStartedEventDetails"]["roleArn"] if history else self.vector["role_arn"]
        return str(role)

    def _input(self) -> tuple[Any, Payload | None]:
        value = self.vector.get("input", {})
        history = self.vector["expected"].get("history")
        got = history[0]["executionStartedEventDetails"].get("input") if history else None
        if isinstance(got, dict) and "<" not in json.dumps(got):
            # In a few recordings the names of what was made for the run are given otherwise.
            value = got
        if "input_text" in self.vector:
            return json.loads(self.vector["input_text"]), None
        # The tests behind the recordings spelled their inputs as Python's json does.
        return value, None if isinstance(value, dict) else Payload(json.dumps(value))

    # Tasks

    async def run(self, task: TaskCall, beat: Beat) -> Any:
        """The one handler of all tasks."""
        answer = self._answer_for(task.state, task.arguments)
        self.given[task.pending] = answer
        await asyncio.sleep(WORK)
        if "submitted_output" in answer:
            return answer["submitted_output"]
        if answer["outcome"] == "succeeded":
            return _output(answer)
        if answer["outcome"] == "failed":
            raise TaskError(answer.get("error"), _cause(answer))  # type: ignore[arg-type]  # a failure may have none
        if answer["outcome"] == "none recorded":
            handler = self.functions.resolve(task.resource)
            if task.execution != self.record.id and not self.vector.get("mocks", {}).get("lambda"):
                return {}  # of a child of a Map Run, whose results are not recorded and show nowhere
            assert handler is not None, f"nothing was recorded of {task.resource}"
            return await handler.run(task, beat)
        await asyncio.Event().wait()

    def _answer_for(self, state: str, arguments: Any) -> dict[str, Any]:
        """The recorded answer for a task: the first left of its state, arguments alike if there are several."""
        left = [answer for answer in self.answers if answer.get("state", state) == state]
        if not left:
            return {"outcome": "none recorded"}
        masks = masks_of(self.vector).tokens
        payload = Payload(arguments)
        for answer in left:
            wanted = answer.get("parameters", answer.get("input"))
            if first_difference(wanted, _parsed(wanted, payload), Masks(masks)) is None:
                break
        else:
            answer = left[0]
        self.answers.remove(answer)
        return answer

    def _observe(self, execution: Execution, steps: Sequence[Step]) -> None:
        if execution.id == self.record.id:
            self.steps += steps
        for step in steps:
            for event in step.events:
                if isinstance(event, TaskSubmitted) and self.mocks is None:
                    self._help(self._end(execution.id, event.pending))
                elif isinstance(event, TaskScheduled) and is_activity(event.resource):
                    state = execution.frames[event.frame].state or ""
                    self._help(self._work(event.resource, self._answer_for(state, event.arguments.value)))

    def _help(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.helpers.add(task)
        task.add_done_callback(self.helpers.discard)

    async def _end(self, execution: str, pending: int) -> None:
        """A job or a callback ends."""
        answer = self.given[pending]
        description = _description(answer)
        if description is not None:
            signal: Signal = ChildEnded(pending, Payload(description))
        elif answer["outcome"] == "succeeded":
            signal = Succeeded(pending, Payload(_output(answer)))
        elif answer["outcome"] == "failed":
            signal = Failed(pending, answer.get("error"), _cause(answer))
        else:
            return
        await asyncio.sleep(WORK)
        self.letters += 1
        await self.store.send([Letter(execution, f"end-{self.letters}", encode_signal(signal))])
        await self.engine.upkeep.poll()

    async def _work(self, activity: str, answer: dict[str, Any]) -> None:
        """A worker takes a task of an activity."""
        if "workerName" not in answer and answer["outcome"] == "timed_out":
            return
        task = await self.engine.activities.get_activity_task(activity, answer.get("workerName"), PATIENCE)
        assert task is not None
        await asyncio.sleep(WORK)
        if answer["outcome"] == "succeeded":
            await self.engine.answers.send_task_success(task.token, _output(answer))
        elif answer["outcome"] == "failed":
            await self.engine.answers.send_task_failure(task.token, answer.get("error"), _cause(answer))


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
