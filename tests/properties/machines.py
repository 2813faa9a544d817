"""Random machines: every type of state in both languages, nested, with retriers, catchers, failing flows, loops.

States lead forwards, except that a Choice may lead back while a counter in a variable allows it. So every
machine comes to an end once its tasks are answered, whatever the answers.

A machine is read off a tape of bytes: one quick draw for hypothesis, which simplifies a machine by setting
bytes to zero, where zero always is the plainest choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar

from core.building import Flow, constant, each, scope, wait
from hypothesis import strategies as st

from detent.core.bindings import Bindings
from detent.core.errors import StateFailure
from detent.core.machine import (
    Allowances,
    Catcher,
    Choice,
    Fail,
    Machine,
    Map,
    Parallel,
    Pass,
    Retrier,
    Rule,
    Scope,
    State,
    Succeed,
    Task,
)

from . import spoken

ERRORS = ("E1", "E2", "States.Timeout")
SIGNALS = ("a", "b")
COVERED = ("E1", "E2", "States.TaskFailed", "States.Timeout", "States.HeartbeatTimeout", "States.ALL")


def _raise(bindings: Bindings) -> Any:
    raise StateFailure("E1", "on purpose")


def _raise_query(bindings: Bindings) -> Any:
    raise StateFailure("States.QueryEvaluationError", "on purpose", location="Output")


def _raise_at_times(bindings: Bindings) -> Any:
    if bindings.chance.random() < 0.3:
        raise StateFailure("E2", "by chance")
    return bindings.result


def _counted(bindings: Bindings) -> dict[str, Any]:
    return {"rounds": bindings.variables.get("rounds", 0) + 1}


FLOWS: tuple[Any, ...] = (
    *[None] * 14,
    *[Flow()] * 5,
    Flow(make=lambda b: [1, {"deep": "x" * 40}]),
    Flow(output=lambda b: {"result": b.result, "context": b.context["State"]["Name"]}),
    Flow(output=lambda b: b.chance.random()),
    Flow(output=lambda b: dict(b.variables), assign=lambda b: {"seen": b.input}),
    Flow(output=lambda b: "y" * 20_000),
    Flow(output=_raise_at_times),
    Flow(output=_raise),
    Flow(make=_raise_query),
    *spoken.FLOWS,
)
CATCHES = (
    Flow(output=lambda b: b.error),
    Flow(output=_raise),
    Flow(output=lambda b: b.input, assign=_counted),
    *spoken.CATCHES,
)

T = TypeVar("T")


class Tape:
    """Choices read off bytes; where the tape has ended, always the first."""

    def __init__(self, tape: bytes) -> None:
        self._bytes = iter(tape)

    def upto(self, most: int) -> int:
        """A number from 0 to ``most``."""
        return next(self._bytes, 0) % (most + 1)

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.upto(len(choices) - 1)]


def machines(*, depth: int = 3, width: int = 4, sound: bool = False) -> st.SearchStrategy[Machine]:
    """Machines with containers nested ``depth`` deep and scopes of up to ``width`` states.

    In a ``sound`` one nothing fails but its tasks.
    """
    tapes = st.binary(min_size=600, max_size=600)
    return tapes.map(lambda tape: read_machine(tape, depth, width, sound=sound))


def read_machine(tape: bytes, depth: int, width: int, *, sound: bool = False) -> Machine:
    return _Reader(Tape(tape), width, sound=sound).machine(depth)


class _Reader:
    def __init__(self, tape: Tape, width: int, *, sound: bool) -> None:
        self.tape = tape
        self.sound = sound
        self.flows = [flow for flow in FLOWS if not (sound and _may_fail(flow))]
        self.catches = [flow for flow in CATCHES if not (sound and _may_fail(flow))]
        self.width = width
        self.numbers = count()
        self.scopes: dict[str, Scope] = {}

    def machine(self, depth: int) -> Machine:
        root = self.scope("", depth)
        return Machine("digest", root, self.scopes, self.tape.pick((None, None, None, 30)))

    def scope(self, path: str, depth: int) -> Scope:
        names = [f"S{next(self.numbers)}" for _ in range(2 + self.tape.upto(self.width - 2))]
        states = [self.state(path, depth, names, place) for place in range(len(names))]
        self.scopes[path] = scope(path, *states)
        return self.scopes[path]

    def state(self, path: str, depth: int, names: list[str], place: int) -> State:
        name, later = names[place], names[place + 1 :]
        next = later[0] if later else None
        kinds = "Pass Task Task Task Wait " + ("Map Parallel " * 4 if depth else "")
        kinds += "Choice Choice Pass Fail Succeed" if later else "Pass Pass Pass Wait Wait Fail Succeed"
        kind = self.tape.pick([kind for kind in kinds.split() if not (self.sound and kind == "Fail")])
        if kind == "Choice":
            bound, counted = self.tape.upto(3), Flow(assign=_counted)
            back = Rule(_round_below(bound), names[0], counted)
            if self.speaks_jsonata():
                back = spoken.round_below(bound, names[0], counted)
            return Choice(name, self.tape.pick(later), None, (back,))
        if kind == "Wait":
            paused = wait(name, self.tape.upto(5), next)
            seconds = self.tape.upto(5)
            return replace(paused, until=spoken.until(seconds)) if self.speaks_jsonata() else paused
        if kind == "Fail":
            error = spoken.error() if self.speaks_jsonata() else constant("E1")
            return Fail(name, None, None, error, None)
        flow = self.tape.pick(self.flows)
        if kind == "Pass":
            return Pass(name, next, flow)
        if kind == "Succeed":
            return Succeed(name, None, flow)
        handlers = self.retriers(), self.catchers(later)
        if kind == "Task":
            return self.task(name, next, flow, *handlers)
        inner = f"{path}/{name}"
        if kind == "Parallel":
            branches = tuple(self.scope(f"{inner}/{n}", depth - 1) for n in range(1 + self.tape.upto(2)))
            return Parallel(name, next, flow, branches, *handlers)
        return self.map(name, next, flow, self.scope(inner, depth - 1), *handlers)

    def task(self, name: str, next: str | None, flow: Flow | None, retry: Any, catch: Any) -> Task:
        timeout, heartbeat = self.tape.pick(((None, None), (9, None), (None, 2), (9, 2)))
        mode: Any = self.tape.pick(("request", "token", "signal"))
        # Few names, so that several tasks wait for the same signal.
        resource = f"signal:{self.tape.pick(SIGNALS)}" if mode == "signal" else f"task:{name}"
        seconds: Any = spoken.seconds if self.speaks_jsonata() else _seconds
        allowances = Allowances(seconds(timeout), seconds(heartbeat)) if timeout or heartbeat else None
        return Task(name, next, flow, resource, mode, retry, catch, allowances)

    def speaks_jsonata(self) -> bool:
        """Whether a state's fields are expressions: of every third."""
        return self.tape.upto(2) == 2

    def map(self, name: str, next: str | None, flow: Flow | None, body: Scope, retry: Any, catch: Any) -> Map:
        items = list(range(self.tape.upto(4)))
        selectors = (None, None, None, None if self.sound else _failing_selector, spoken.selector())
        made = each(
            name,
            body,
            next,
            items=lambda document: items,
            selector=self.tape.pick(selectors),
            concurrency=self.tape.upto(3),
            flow=flow,
            retry=retry,
            catch=catch,
        )
        return replace(made, items=spoken.items(len(items))) if self.speaks_jsonata() else made

    def retriers(self) -> tuple[Retrier, ...]:
        return tuple(
            Retrier(
                (self.tape.pick(COVERED),),
                1 + self.tape.upto(2),
                self.tape.upto(2),
                self.tape.pick((1.0, 2.0)),
                jitter=self.tape.pick((False, True)),
            )
            for _ in range(self.tape.upto(2))
        )

    def catchers(self, later: list[str]) -> tuple[Catcher, ...]:
        many = self.tape.upto(2) if later else 0
        return tuple(
            Catcher((self.tape.pick(COVERED),), self.tape.pick(later), self.tape.pick(self.catches))
            for _ in range(many)
        )


def _round_below(bound: int) -> Callable[[Any, Bindings], bool]:
    def test(document: Any, bindings: Bindings) -> bool:
        rounds: int = bindings.variables.get("rounds", 0)
        return rounds < bound

    return test


def _may_fail(flow: Any) -> bool:
    if flow is spoken.FAILING or flow is spoken.CATCHES[1]:
        return True
    return isinstance(flow, Flow) and bool({flow.make, flow.output} & {_raise, _raise_query, _raise_at_times})


def _seconds(value: int | None) -> Callable[[Any, Bindings], int | None] | None:
    return None if value is None else constant(value)


def _failing_selector(document: Any, bindings: Bindings) -> Any:
    item = bindings.context["Map"]["Item"]
    if item["Index"] == 2:
        raise StateFailure("E2", "no third item")
    return {"item": item["Value"]}
