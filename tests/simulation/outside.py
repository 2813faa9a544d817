"""A simulated world of executions that wait for somebody outside: for answers, for workers, for each other.

Whoever answers lives on when an engine dies, and insists until the answer is acknowledged. What a task comes to
is written in advance and does not depend on how often it had to be handed out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from random import Random
from typing import Any

from detent.audit import replay, verify
from detent.compile import compile_definition, digest_of
from detent.core.events import ExecutionEnded
from detent.core.evolve import fold
from detent.core.execution import ABORTED, RUNNING, SUCCEEDED
from detent.core.machine import Machine
from detent.core.values import encode
from detent.runtime.answers import Answers
from detent.runtime.engine import Engine
from detent.runtime.errors import TaskClosed
from detent.runtime.handlers.base import Beat, Handler, TaskCall
from detent.runtime.machines import Machines
from detent.runtime.names import Names
from detent.runtime.recall import recall_steps
from detent.store.base import ExecutionRecord, MachineRecord, Query, StoreUnavailable

from .faults import FaultyStore
from .world import UNSUSPECTING, World

REVIEW = "arn:aws:states:us-east-1:123456789012:activity:review"
START = "arn:aws:states:::states:startExecution"

AGAIN = {"ErrorEquals": ["E1"], "IntervalSeconds": 1, "MaxAttempts": 2}
#: A task that was handed out in the moment of a crash has nobody who works on it.
LOST = {"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 99, "BackoffRate": 1.0}
CATCH = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
CAUGHT = {"Type": "Pass", "Result": "caught", "End": True}
KNOWN = {"name.$": "$$.Execution.Name", "again.$": "$$.State.RetryCount"}


def _task(resource: str, parameters: Any, **fields: Any) -> dict[str, Any]:
    shape = {"Type": "Task", "Resource": resource, "Parameters": parameters, "Catch": CATCH, "End": True}
    return {"StartAt": "T", "States": {"T": {**shape, **fields}, "Caught": CAUGHT}}


def _child(machine: str, suffix: str, pattern: str = ".sync:2") -> dict[str, Any]:
    """A task that starts an execution named after its own, and answers what that has answered."""
    parameters = {
        "StateMachineArn": Names(machine).machine_arn,
        "Name.$": f"States.Format('{{}}-{suffix}', $$.Execution.Name)",
        "Input": {"token.$": "$$.Task.Token"} if pattern == ".waitForTaskToken" else {},
    }
    selector = {} if pattern == ".waitForTaskToken" else {"ResultSelector": {"child.$": "$.Output"}}
    return _task(START + pattern, parameters, **selector)


ASK = _task(
    "task:ask.waitForTaskToken", {**KNOWN, "token.$": "$$.Task.Token"}, HeartbeatSeconds=2000, Retry=[AGAIN]
)
DEFINITIONS: dict[str, Any] = {
    "ask": ASK,
    "review": _task(REVIEW, KNOWN, HeartbeatSeconds=50, Retry=[LOST, AGAIN]),
    "hold": {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 15_000, "End": True}}},
    "hand-over": _task("task:hand-over", {"token.$": "$$.Execution.Input.token"}),
    "parent": {
        "StartAt": "P",
        "States": {
            "P": {
                "Type": "Parallel",
                "Branches": [
                    _child("ask", "a"),
                    _child("review", "b"),
                    _child("hand-over", "c", ".waitForTaskToken"),
                ],
                "End": True,
            }
        },
    },
    "gives-up": {
        "StartAt": "P",
        "States": {
            "P": {
                "Type": "Parallel",
                "Branches": [
                    _child("hold", "h"),
                    {
                        "StartAt": "W",
                        "States": {
                            "W": {"Type": "Wait", "Seconds": 5, "Next": "F"},
                            "F": {"Type": "Fail", "Error": "Enough"},
                        },
                    },
                ],
                "Catch": CATCH,
                "End": True,
            },
            "Caught": CAUGHT,
        },
    },
}
MACHINES: dict[str, Machine] = {name: compile_definition(each) for name, each in DEFINITIONS.items()}
DIGESTS = {name: digest_of(each) for name, each in DEFINITIONS.items()}
BY_DIGEST = {DIGESTS[name]: MACHINES[name] for name in MACHINES}
STARTED = ("ask", "review", "parent", "gives-up")


def outcome(name: str, again: int) -> str | None:
    """What an attempt comes to: a result, or None for a failure."""
    draw = Random(f"{name}/{again}").random()
    return f"{name}, at attempt {again}" if draw < 0.5 else None


def asked(name: str) -> Any:
    """What an ``ask`` of a name comes to in the end."""
    return next((result for again in range(3) if (result := outcome(name, again))), "caught")


def reviewed(name: str) -> Any:
    """What a ``review`` comes to: all its attempts come to the same."""
    return outcome(name, 0) or "caught"


def expected(machine: str, name: str) -> Any:
    """The output of an execution when nothing goes wrong around it."""
    if machine == "ask":
        return asked(name)
    if machine == "review":
        return reviewed(name)
    if machine == "gives-up":
        return "caught"
    return [{"child": asked(f"{name}-a")}, {"child": reviewed(f"{name}-b")}, "handed over"]


class OutsideWorld(World):
    """Executions of :data:`DEFINITIONS`, workers of an activity, and somebody who answers."""

    def __init__(self, seed: int, **settings: Any) -> None:
        super().__init__(seed, **settings)
        #: Answers that nobody has acknowledged yet, by token.
        self.open: dict[str, str | None] = {}
        self.started = list(self.records)

    async def live(self) -> None:
        """As any world; then what the executions have left behind comes to its end, too."""
        await super().live()
        while left := await self.memory.find(Query(status=RUNNING)):
            self.records += [found.record for found in left]
            self.acknowledged |= {found.record.id for found in left}
            await super().live()

    def _record(self, number: int) -> ExecutionRecord:
        machine = self.random.choice(STARTED)
        names = Names(machine)
        name = f"{self.random.randrange(1000)}-{number}"
        return ExecutionRecord(
            names.execution_arn(name), name, names.machine_arn, DIGESTS[machine], "detent", 0
        )

    def _resolve(self, resource: str) -> Handler | None:
        return self if resource.startswith("task:") else None

    async def _work(self, store: FaultyStore) -> None:
        engine = Engine(
            store,  # type: ignore[arg-type]  # what it does not define is the memory store's
            Machines(store, lambda text, digest: BY_DIGEST[digest]),  # type: ignore[arg-type]  # as above
            self._resolve,
            release="1.0",
            clock=self.clock,
            takes_over=True,
            member=UNSUSPECTING,
        )
        engine.observe(self._observe)
        await self.memory.open(engine=True)
        for name, definition in DEFINITIONS.items():
            record = MachineRecord(DIGESTS[name], Names(name).machine_arn, encode(definition), 0)
            await self.memory.publish(record)
        await engine.open()
        people: list[Coroutine[Any, Any, None]] = [self._worker(engine), self._worker(engine)]
        guest = Answers(self.memory, self.clock)
        people += [self._answerer(engine.answers), self._answerer(guest)]
        tasks = [asyncio.create_task(one) for one in people]
        clients = (self._client(engine, record) for record in self.records if record.id not in self.ends)
        await asyncio.gather(*clients)
        for task in tasks:
            assert not task.done() or task.result() is None
            task.cancel()
        await engine.close()
        await self.memory.open(engine=True)

    # People

    async def run(self, task: TaskCall, beat: Beat) -> Any:
        """Somebody is asked, or handed a token."""
        await asyncio.sleep(self.random.choice((0, 0, 0.01, 1)))
        token = task.arguments["token"]
        if task.resource == "task:hand-over":
            self.open.setdefault(token, "handed over")
        else:
            self.open.setdefault(token, outcome(task.arguments["name"], task.arguments["again"]))
        if self.random.random() < 0.1:
            await asyncio.sleep(5)
        return "asked"

    async def _worker(self, engine: Engine) -> None:
        while True:
            with suppress(StoreUnavailable):
                task = await engine.activities.get_activity_task(REVIEW, "worker", wait_seconds=20)
                if task is not None:
                    self.open[task.token] = outcome(task.input["name"], 0)
            await asyncio.sleep(self.random.choice((0, 1)))

    async def _answerer(self, answers: Answers) -> None:
        """Answer what is open, again and again until that is acknowledged, some of it twice."""
        while True:
            await asyncio.sleep(self.random.choice((0.01, 1, 3)))
            for token, result in list(self.open.items()):
                with suppress(StoreUnavailable):
                    await self._answer(answers, token, result)

    async def _answer(self, answers: Answers, token: str, result: str | None) -> None:
        try:
            if self.random.random() < 0.2:
                await answers.send_task_heartbeat(token)
            if result is None:
                await answers.send_task_failure(token, "E1")
            else:
                await answers.send_task_success(token, result)
        except TaskClosed:
            pass  # answered: the acknowledgement was lost, or another was quicker
        if self.random.random() < 0.9:
            self.open.pop(token, None)

    # Laws

    async def check(self) -> None:
        for record in self.started:
            state = self.ends[record.id]
            machine = record.machine.rpartition(":")[2]
            end = state.status, state.output and state.output.value
            assert end == (SUCCEEDED, expected(machine, record.name)), f"{record.id} ended as {end}"
        for found in await self.memory.find(Query(limit=10_000)):
            held = found.record.digest == DIGESTS["hold"]
            assert found.head.status == (ABORTED if held else SUCCEEDED), found
            _, steps = await recall_steps(self.memory, found.record.id)
            events = [event for step in steps for event in step.events]
            assert [type(event) for event in events].count(ExecutionEnded) == 1
            assert fold(events).status == found.head.status
            if self.random.random() < 0.1:
                assert verify(steps) == []
                assert replay(BY_DIGEST[found.record.digest], steps) is None
