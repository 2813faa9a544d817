"""Plays an execution by hand: the pure core, a clock that is set, and the rows that follow it."""

from __future__ import annotations

from typing import Any

from detent.cli.progress import Progress
from detent.core.codec import Step
from detent.core.decide import advance
from detent.core.execution import Execution, Pending
from detent.core.signals import Failed, Fired, Redriven, Signal, Started, Stopped, Succeeded
from detent.core.values import Payload
from detent.runtime.compose import compile_machine

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:play"


class Play:
    """``said`` collects what changed, without its time."""

    def __init__(self, states: dict[str, Any], input: Any = None) -> None:
        self.machine = compile_machine({"StartAt": next(iter(states)), "States": states})
        self.execution = Execution()
        self.progress = Progress(self.machine)
        self.now = 1_000_000
        self.said: list[str] = []
        started = Started("play:one", "one", ARN, self.machine.digest, "detent", "", Payload(input))
        self.signal(started)

    def signal(self, signal: Signal) -> None:
        events = advance(self.machine, self.execution, signal, now=self.now, seed="seed")
        changes = self.progress.fold([Step(signal, self.now, "seed", events)])
        self.said += [f"{change.place} {change.text}".strip() for change in changes]
        self.execution.take_journal()

    def pass_time(self, seconds: float) -> None:
        self.now += round(1000 * seconds)

    def answer(self, state: str, result: Any = None, *, index: int | None = None) -> None:
        self.signal(Succeeded(self._pending(state, index).id, Payload(result)))

    def fail(self, state: str, error: str, cause: str | None = None, *, index: int | None = None) -> None:
        self.signal(Failed(self._pending(state, index).id, error, cause))

    def fire(self, state: str, *, index: int | None = None) -> None:
        pending = self._pending(state, index)
        assert pending.due is not None
        self.now = max(self.now, pending.due)
        self.signal(Fired(pending.id))

    def stop(self) -> None:
        self.signal(Stopped())

    def redrive(self) -> None:
        self.signal(Redriven())

    def _pending(self, state: str, index: int | None) -> Pending:
        for pending in self.execution.pending.values():
            frame = self.execution.frames[pending.frame]
            if frame.state == state and index in (None, frame.index):
                return pending
        raise AssertionError(f"nothing is pending in {state}")


def task(next: str | None = None, **fields: Any) -> dict[str, Any]:
    way = {"End": True} if next is None else {"Next": next}
    return {"Type": "Task", "Resource": "task:work", **way, **fields}


def each(state: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A Map over its input whose body is one state, Item."""
    return {
        "Type": "Map",
        "ItemProcessor": {"StartAt": "Item", "States": {"Item": state}},
        "End": True,
        **fields,
    }
