"""A Machine: the compiled, immutable form of a definition.

A machine is a tree of scopes; a scope is a set of states with a start: the root, a branch of a Parallel
and the body of a Map are the same thing. What a field of a definition says has become a closure or a
number; nothing here knows names of fields or which query language was used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from .bindings import Bindings, Evaluate
from .values import JSON


class DataFlow(Protocol):
    """How data passes through a state: the only thing that knows a query language (language, 3 and 4)."""

    def arguments(self, bindings: Bindings, /) -> JSON:
        """What the state's work receives: the effective input, or the arguments made from it."""

    def finish(self, bindings: Bindings, /) -> tuple[JSON, Mapping[str, JSON] | None]:
        """The state's output and what it assigns, once ``bindings.result`` is known."""


@dataclass(frozen=True, slots=True)
class Retrier:
    """Language, section 6. Intervals and delays in seconds."""

    errors: tuple[str, ...]
    interval: int = 1
    max_attempts: int = 3
    backoff: float = 2.0
    max_delay: int | None = None
    jitter: bool = False


@dataclass(frozen=True, slots=True)
class Catcher:
    """Language, section 6. ``flow.finish`` sees the error output as ``bindings.error``."""

    errors: tuple[str, ...]
    next: str
    flow: DataFlow


@dataclass(frozen=True, slots=True)
class State:
    """What all states share. ``next`` is None where the scope ends; without ``flow`` data passes unchanged."""

    kind: ClassVar[str]

    name: str
    next: str | None
    flow: DataFlow | None


@dataclass(frozen=True, slots=True)
class Pass(State):
    kind: ClassVar[str] = "Pass"


@dataclass(frozen=True, slots=True)
class Succeed(State):
    kind: ClassVar[str] = "Succeed"


@dataclass(frozen=True, slots=True)
class Fail(State):
    kind: ClassVar[str] = "Fail"

    error: Evaluate | None
    cause: Evaluate | None


@dataclass(frozen=True, slots=True)
class Wait(State):
    """``until`` gives the instant in milliseconds, and whether it is absolute (a timestamp) or counted from now."""

    kind: ClassVar[str] = "Wait"

    until: Callable[[JSON, Bindings, int], tuple[int, bool]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One choice: where ``test`` holds for the effective input, go to ``next``."""

    test: Callable[[JSON, Bindings], bool]
    next: str
    flow: DataFlow | None


@dataclass(frozen=True, slots=True)
class Choice(State):
    """``next`` is the default; with neither a rule nor a default the state fails."""

    kind: ClassVar[str] = "Choice"

    rules: tuple[Rule, ...]


#: How a task's end is reported: by the call's answer, by the end of the job it started, by who holds a task
#: token, by the worker who took the activity's task (and its token with it), by a named signal.
TaskMode = Literal["request", "sync", "token", "activity", "signal"]

#: The modes of tasks that are not called: somebody takes them, or sends something.
OTHERS_ANSWER: tuple[TaskMode, ...] = ("activity", "signal")


@dataclass(frozen=True, slots=True)
class Allowances:
    """What a definition may give a task beside its arguments; ``timeout`` and ``heartbeat`` give seconds."""

    timeout: Evaluate | None = None
    heartbeat: Evaluate | None = None
    credentials: Evaluate | None = None


@dataclass(frozen=True, slots=True)
class Task(State):
    """``allowances`` is None where the definition gives none.

    ``problem`` tells what is wrong with arguments that the service refuses to start the task with (core.parameters).
    """

    kind: ClassVar[str] = "Task"

    resource: str
    mode: TaskMode
    retry: tuple[Retrier, ...]
    catch: tuple[Catcher, ...]
    allowances: Allowances | None = None
    problem: Callable[[JSON], str | None] | None = None


@dataclass(frozen=True, slots=True)
class Parallel(State):
    kind: ClassVar[str] = "Parallel"

    branches: tuple[Scope, ...]
    retry: tuple[Retrier, ...]
    catch: tuple[Catcher, ...]


@dataclass(frozen=True, slots=True)
class Map(State):
    """An inline Map: ``items`` gives the list, ``selector`` an iteration's input (by default the item)."""

    kind: ClassVar[str] = "Map"

    items: Evaluate
    selector: Evaluate | None
    body: Scope
    concurrency: Evaluate | None
    retry: tuple[Retrier, ...]
    catch: tuple[Catcher, ...]


@dataclass(frozen=True, slots=True)
class DistributedMap(State):
    """A Map whose items, or batches of them, are executions of their own.

    ``items`` gives the list or object, or is None where a ``reader`` says where they are read. ``reader``,
    ``batcher`` and ``writer`` give objects (core.decide_runs). ``label`` names the machine of the children,
    which are Express executions if ``express``.
    """

    kind: ClassVar[str] = "Map"

    items: Evaluate | None
    selector: Evaluate | None
    body: Scope
    concurrency: Evaluate | None
    tolerated_count: Evaluate | None
    tolerated_percentage: Evaluate | None
    reader: Evaluate | None
    batcher: Evaluate | None
    writer: Evaluate | None
    label: str
    express: bool
    retry: tuple[Retrier, ...]
    catch: tuple[Catcher, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """States that may go to one another. ``path`` is its place in the definition, unique in the machine."""

    path: str
    start: str
    states: Mapping[str, State]


@dataclass(frozen=True, slots=True)
class Machine:
    """``digest`` identifies the definition's content; ``timeout`` is the execution's, in seconds.

    ``activities`` are the resources whose tasks workers take.
    """

    digest: str
    root: Scope
    scopes: Mapping[str, Scope]
    timeout: int | None = None
    activities: frozenset[str] = frozenset()
