"""Machines made by hand, and executions driven by hand: what tests of the core are written with.

Flows are plain functions here, so that a test says what it needs and nothing is parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from detent.core.bindings import Bindings
from detent.core.codec import Step
from detent.core.decide import advance
from detent.core.events import Event
from detent.core.execution import Execution, Pending
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
    Wait,
)
from detent.core.signals import (
    Amended,
    Began,
    Failed,
    Fired,
    Paused,
    Redriven,
    Resumed,
    Signal,
    Signalled,
    Started,
    Stopped,
    Submitted,
    Succeeded,
    TimedOut,
)
from detent.core.values import Payload

#: When executions of the tests begin.
NOON = 1_700_000_000_000

Finish = Callable[[Bindings], Any]


@dataclass(frozen=True, slots=True)
class Flow:
    """A data flow made of functions of the bindings. ``assign`` answers a dict or None."""

    make: Finish = lambda b: b.input
    output: Finish = lambda b: b.result
    assign: Finish = lambda b: None

    def arguments(self, bindings: Bindings) -> Any:
        return self.make(bindings)

    def finish(self, bindings: Bindings) -> tuple[Any, Mapping[str, Any] | None]:
        return self.output(bindings), self.assign(bindings)


#: A catcher's flow where the error output replaces the input.
ERROR = Flow(output=lambda b: b.error)


def result(value: Any) -> Flow:
    """The flow of a Pass state with a Result."""
    return Flow(make=lambda b: value)


def constant(value: Any) -> Callable[[Any, Bindings], Any]:
    return lambda document, bindings: value


def do(name: str, next: str | None = None, flow: Flow | None = None) -> Pass:
    return Pass(name, next, flow)


def task(
    name: str,
    next: str | None = None,
    *,
    retry: tuple[Retrier, ...] = (),
    catch: tuple[Catcher, ...] = (),
    timeout: int | None = None,
    heartbeat: int | None = None,
    flow: Flow | None = None,
    mode: Any = "request",
) -> Task:
    """A task whose resource is ``task:`` and its name."""
    given = [None if seconds is None else constant(seconds) for seconds in (timeout, heartbeat)]
    allowances = Allowances(*given) if any(given) else None
    return Task(name, next, flow, f"task:{name}", mode, retry, catch, allowances)


def asks(name: str, next: str | None = None, *, signal: str = "go", **fields: Any) -> Task:
    """A task that a named signal answers."""
    return replace(task(name, next, mode="signal", **fields), resource=f"signal:{signal}")


def wait(name: str, seconds: int, next: str | None = None) -> Wait:
    return Wait(name, next, None, lambda document, bindings, now: (now + seconds * 1000, False))


def choice(name: str, *rules: tuple[Callable[[Any], bool], str], default: str | None = None) -> Choice:
    tests = tuple(Rule(lambda d, b, test=test: test(d), next, None) for test, next in rules)
    return Choice(name, default, None, tests)


def fail(name: str, error: str | None = None, cause: str | None = None) -> Fail:
    return Fail(
        name,
        None,
        None,
        None if error is None else constant(error),
        None if cause is None else constant(cause),
    )


def succeed(name: str) -> Succeed:
    return Succeed(name, None, None)


def scope(path: str, *states: State) -> Scope:
    """A scope that begins with the first of its states."""
    return Scope(path, states[0].name, {state.name: state for state in states})


def parallel(
    name: str,
    *branches: Scope,
    next: str | None = None,
    retry: tuple[Retrier, ...] = (),
    catch: tuple[Catcher, ...] = (),
    flow: Flow | None = None,
) -> Parallel:
    return Parallel(name, next, flow, branches, retry, catch)


def each(
    name: str,
    body: Scope,
    next: str | None = None,
    *,
    concurrency: int = 0,
    items: Callable[[Any], Any] = lambda document: document,
    selector: Any = None,
    retry: tuple[Retrier, ...] = (),
    catch: tuple[Catcher, ...] = (),
    flow: Flow | None = None,
) -> Map:
    return Map(name, next, flow, lambda d, b: items(d), selector, body, constant(concurrency), retry, catch)


def retrier(*errors: str, attempts: int = 1, interval: int = 1, **more: Any) -> Retrier:
    return Retrier(errors or ("States.ALL",), interval, attempts, **more)


def catcher(next: str, *errors: str, flow: Any = ERROR) -> Catcher:
    return Catcher(errors or ("States.ALL",), next, flow)


def machine(*states: State, timeout: int | None = None) -> Machine:
    """A machine whose root scope holds the states, and begins with the first."""
    root = scope("", *states)
    return Machine("digest", root, {found.path: found for found in _scopes(root)}, timeout)


def _scopes(root: Scope) -> Iterator[Scope]:
    yield root
    for state in root.states.values():
        if isinstance(state, Parallel):
            for branch in state.branches:
                yield from _scopes(branch)
        elif isinstance(state, Map):
            yield from _scopes(state.body)


@dataclass
class Play:
    """An execution of a machine, driven signal by signal. ``log`` keeps what a log would."""

    machine: Machine
    profile: str = "detent"
    execution: Execution = field(default_factory=Execution)
    now: int = NOON
    log: list[Step] = field(default_factory=list)

    def send(self, signal: Signal) -> list[Event]:
        seed = f"seed-{len(self.log)}"
        events = advance(self.machine, self.execution, signal, now=self.now, seed=seed)
        if events:
            self.log.append(Step(signal, self.now, seed, events))
        return events

    def start(self, input: Any = None) -> list[Event]:
        return self.send(started({} if input is None else input, profile=self.profile))

    def later(self, seconds: float) -> Play:
        self.now += round(seconds * 1000)
        return self

    def begin(self, id: int) -> list[Event]:
        return self.send(Began(id))

    def submit(self, id: int, output: Any = None) -> list[Event]:
        return self.send(Submitted(id, Payload(output)))

    def succeed(self, id: int, output: Any = None) -> list[Event]:
        return self.send(Succeeded(id, Payload(output)))

    def fail(self, id: int, error: str | None = "Boom", cause: str | None = None) -> list[Event]:
        return self.send(Failed(id, error, cause))

    def fire(self, id: int) -> list[Event]:
        return self.send(Fired(id))

    def time_out(self, id: int | None = None, *, heartbeat: bool = False) -> list[Event]:
        return self.send(TimedOut(id, heartbeat))

    def stop(self, error: str | None = None, cause: str | None = None) -> list[Event]:
        return self.send(Stopped(error, cause))

    def signal(self, name: str, output: Any = None, *, key: str | None = None) -> list[Event]:
        """A named signal, with a key of its own unless one is given."""
        return self.send(Signalled(key or f"by-hand-{len(self.log)}", name, Payload(output)))

    def pause(self) -> list[Event]:
        return self.send(Paused(f"by-hand-{len(self.log)}"))

    def resume(self) -> list[Event]:
        return self.send(Resumed(f"by-hand-{len(self.log)}"))

    def amend(self, id: int, output: Any = None) -> list[Event]:
        return self.send(Amended(id, Payload(output)))

    def redrive(self, token: str | None = None) -> list[Event]:
        return self.send(Redriven(token))

    def only(self) -> Pending:
        """The one thing the execution waits for."""
        (pending,) = self.execution.pending.values()
        return pending

    def waiting(self) -> list[tuple[int, str]]:
        """What the execution waits for: the pendings' ids and kinds."""
        return [(pending.id, pending.kind) for pending in self.execution.pending.values()]

    @property
    def events(self) -> list[Event]:
        return [event for step in self.log for event in step.events]


def started(input: Any, *, profile: str = "detent") -> Started:
    return Started("arn:x", "x", "arn:m", "digest", profile, "", Payload(input))


def render(events: list[Event], first: int = 1) -> list[str]:
    """Events for reading: number in the log, ``id<-previous`` in the shown history, kind, frame, the rest.

    What is None, empty or the same in every test is left out; instants are seconds since noon.
    """
    return [_line(number, event) for number, event in enumerate(events, first)]


_HIDDEN = frozenset({"shown", "previous", "frame", "execution", "name", "machine_name", "digest", "profile"})
_HIDDEN |= {"role", "scope", "scopes", "mode", "started_at", "kind", "at", "resource", "token"}


def _line(number: int, event: Event) -> str:
    shown = getattr(event, "shown", 0)
    place = f"{shown}<-{event.previous}" if shown else "-"  # type: ignore[union-attr]  # what has one has both
    parts = [f"{number}:", place, type(event).__name__]
    if getattr(event, "frame", 0):
        parts.append(f"frame {event.frame}")  # type: ignore[union-attr]  # just asked for
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name in _HIDDEN or value is None:
            continue
        if name in ("due", "beat_due", "ends_at"):
            value = f"{name} {(value - NOON) / 1000:g}s"
        elif isinstance(value, Payload):
            value = value.text.decode()
        elif isinstance(value, dict):
            value = "assigned " + ",".join(f"{k}={v.text.decode()}" for k, v in value.items())
        elif name in ("state", "next", "status", "error", "cause"):
            value = str(value)
        else:
            value = f"{name} {value}"
        parts.append(value)
    return " ".join(parts)


def lines(text: str) -> list[str]:
    """The lines of an expected rendering, as they stand indented in a test."""
    return [line.strip() for line in text.strip().splitlines()]
