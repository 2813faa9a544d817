"""Scopes and states: the graph of a definition as a Machine.

It takes a definition that the validator has found sound, with no placeholder left. What depends on the
query language of a state becomes closures and flows, made by its dialect; nothing behind the compiler
asks for it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256

from ..core.errors import DetentError
from ..core.machine import (
    Allowances,
    Catcher,
    Choice,
    DistributedMap,
    Fail,
    Machine,
    Map,
    Parallel,
    Pass,
    Retrier,
    Scope,
    State,
    Succeed,
    Task,
    TaskMode,
    Wait,
)
from ..core.parameters import problem_with
from ..core.resources import is_activity, signal_name
from ..core.runs import LABEL_MAX, NOT_IN_LABELS
from ..core.values import JSON, decode, encode
from ..query.jsonpath import Engine
from .dialect import Dialect, Fields
from .errors import CompileError
from .jsonata import JSONataFields
from .jsonpath import JSONPathFields


def digest_of(definition: JSON) -> str:
    """What identifies a definition: its content, not its spelling."""
    return sha256(encode(definition)).hexdigest()


def compile_definition(definition: JSON, *, engine: Engine = "detent") -> Machine:
    """Compile a sound definition.

    ``engine`` evaluates paths that are more than references. Raises CompileError.
    """
    return _Compiler(definition, engine).machine(digest_of(definition))


def compile_text(definition: bytes, digest: str, *, engine: Engine = "detent") -> Machine:
    """Compile a definition from its stored text. Raises CompileError."""
    return _Compiler(decode(definition), engine).machine(digest)


#: What is sound can still have placeholders where they were to be filled in.
_VALIDATE = "validate it first, and fill in what is a placeholder"


class _Compiler:
    """One definition being compiled."""

    def __init__(self, definition: Fields, engine: Engine) -> None:
        self._definition = definition
        self._engine: Engine = engine
        self._language = definition.get("QueryLanguage", "JSONPath")
        self._scopes: dict[str, Scope] = {}
        self._states: Mapping[str, Callable[[str, Fields, Dialect, str], State]] = {
            "Pass": self._pass,
            "Task": self._task,
            "Choice": self._choice,
            "Wait": self._wait,
            "Succeed": self._succeed,
            "Success": self._succeed,
            "Fail": self._fail,
            "Parallel": self._parallel,
            "Map": self._map,
        }

    def machine(self, digest: str) -> Machine:
        try:
            root = self._scope(self._definition, "")
            timeout = _seconds(self._definition, "TimeoutSeconds")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CompileError(f"the definition cannot be compiled ({error!r}): {_VALIDATE}") from error
        tasks = (
            state
            for scope in self._scopes.values()
            for state in scope.states.values()
            if isinstance(state, Task)
        )
        activities = frozenset(task.resource for task in tasks if task.mode == "activity")
        return Machine(digest, root, self._scopes, timeout, activities)

    def _scope(self, fields: Fields, path: str) -> Scope:
        states = {name: self._state(name, state, path) for name, state in fields["States"].items()}
        scope = self._scopes[path] = Scope(path, fields["StartAt"], states)
        for target in (scope.start, *(target for state in states.values() for target in _targets(state))):
            if target not in states:
                raise CompileError(f"there is no state {target!r} to go to: {_VALIDATE}")
        return scope

    def _state(self, name: str, fields: Fields, path: str) -> State:
        try:
            compile_state = self._states[fields["Type"]]
            return compile_state(name, fields, self._dialect(fields), f"{path}/States/{name}")
        except CompileError:
            raise
        except DetentError as error:  # of an expression, a path, a template, a rule
            raise CompileError(f"the state '{name}': {error}") from error
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CompileError(f"the state '{name}' cannot be compiled ({error!r}): {_VALIDATE}") from error

    def _dialect(self, fields: Fields) -> Dialect:
        if fields.get("QueryLanguage", self._language) == "JSONata":
            return JSONataFields(fields)
        return JSONPathFields(fields, self._engine)

    # One function per type of state

    def _pass(self, name: str, fields: Fields, dialect: Dialect, path: str) -> Pass:
        return Pass(name, _next(fields), dialect.flow())

    def _succeed(self, name: str, fields: Fields, dialect: Dialect, path: str) -> Succeed:
        return Succeed(name, None, dialect.flow())

    def _fail(self, name: str, fields: Fields, dialect: Dialect, path: str) -> Fail:
        return Fail(name, None, None, dialect.failure_text("Error"), dialect.failure_text("Cause"))

    def _wait(self, name: str, fields: Fields, dialect: Dialect, path: str) -> Wait:
        return Wait(name, _next(fields), dialect.flow(), dialect.until())

    def _choice(self, name: str, fields: Fields, dialect: Dialect, path: str) -> Choice:
        flow = dialect.flow()
        rules = tuple(
            dialect.rule(rule, flow, f"Choices[{index}]") for index, rule in enumerate(fields["Choices"])
        )
        return Choice(name, fields.get("Default"), flow, rules)

    def _task(self, name: str, fields: Fields, dialect: Dialect, path: str) -> Task:
        resource = fields["Resource"]
        return Task(
            name,
            _next(fields),
            dialect.flow(),
            resource,
            _mode(resource),
            _retriers(fields),
            _catchers(fields, dialect),
            _allowances(dialect),
            problem_with(resource),
        )

    def _parallel(self, name: str, fields: Fields, dialect: Dialect, path: str) -> Parallel:
        branches = tuple(
            self._scope(branch, f"{path}/Branches/{index}") for index, branch in enumerate(fields["Branches"])
        )
        return Parallel(
            name, _next(fields), dialect.flow(), branches, _retriers(fields), _catchers(fields, dialect)
        )

    def _map(self, name: str, fields: Fields, dialect: Dialect, path: str) -> Map | DistributedMap:
        key = "ItemProcessor" if "ItemProcessor" in fields else "Iterator"
        processor = fields[key]
        if processor.get("ProcessorConfig", {}).get("Mode", "INLINE") != "INLINE":
            return self._distributed_map(name, fields, dialect, f"{path}/{key}", processor)
        return Map(
            name,
            _next(fields),
            dialect.flow(),
            dialect.items(),
            dialect.selector(),
            self._scope(processor, f"{path}/{key}"),
            dialect.concurrency(),
            _retriers(fields),
            _catchers(fields, dialect),
        )

    def _distributed_map(
        self, name: str, fields: Fields, dialect: Dialect, path: str, processor: Fields
    ) -> DistributedMap:
        return DistributedMap(
            name,
            _next(fields),
            dialect.flow(),
            dialect.distributed_items(),
            dialect.selector(),
            self._scope(processor, path),
            dialect.concurrency(),
            dialect.tolerated_count(),
            dialect.tolerated_percentage(),
            dialect.reader(),
            dialect.batcher(),
            dialect.writer(),
            fields.get("Label") or _label(name, path),
            processor["ProcessorConfig"].get("ExecutionType") == "EXPRESS",
            _retriers(fields),
            _catchers(fields, dialect),
        )


def _label(name: str, path: str) -> str:
    """The label of a Map that has none: what its name may lend to one, and what is its own."""
    readable = NOT_IN_LABELS.sub("", name).replace("/", "")[: LABEL_MAX - 9]
    return f"{readable}-{sha256(path.encode()).hexdigest()[:8]}"


def _allowances(dialect: Dialect) -> Allowances | None:
    allowances = Allowances(
        dialect.seconds("TimeoutSeconds"), dialect.seconds("HeartbeatSeconds"), dialect.credentials()
    )
    return None if allowances == Allowances() else allowances


def _retriers(fields: Fields) -> tuple[Retrier, ...]:
    return tuple(
        Retrier(
            errors=tuple(retrier["ErrorEquals"]),
            interval=int(retrier.get("IntervalSeconds", 1)),
            max_attempts=int(retrier.get("MaxAttempts", 3)),
            backoff=float(retrier.get("BackoffRate", 2.0)),
            max_delay=_seconds(retrier, "MaxDelaySeconds"),
            jitter=retrier.get("JitterStrategy", "NONE") == "FULL",
        )
        for retrier in fields.get("Retry", ())
    )


def _seconds(fields: Fields, field: str) -> int | None:
    return None if fields.get(field) is None else int(fields[field])


def _catchers(fields: Fields, dialect: Dialect) -> tuple[Catcher, ...]:
    return tuple(
        Catcher(
            tuple(catcher["ErrorEquals"]), catcher["Next"], dialect.catch_flow(catcher, f"Catch[{index}]")
        )
        for index, catcher in enumerate(fields.get("Catch", ()))
    )


def _next(fields: Fields) -> str | None:
    return None if fields.get("End") is True else fields.get("Next")


def _mode(resource: str) -> TaskMode:
    if is_activity(resource):
        return "activity"
    if signal_name(resource) is not None:
        return "signal"
    if resource.endswith(".waitForTaskToken"):
        return "token"
    return "sync" if resource.endswith((".sync", ".sync:2")) else "request"


def _targets(state: State) -> Iterator[str]:
    """The states that one may be followed by."""
    if state.next is not None:
        yield state.next
    if isinstance(state, Choice):
        yield from (rule.next for rule in state.rules)
    if isinstance(state, Task | Parallel | Map | DistributedMap):
        yield from (catcher.next for catcher in state.catch)
