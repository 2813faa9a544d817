"""Compile a definition to a Machine: the only place that knows the names of fields.

It takes a definition that the validator has found sound, with no placeholder left. What depends on the
query language becomes closures and flows from ``detent.query``; nothing behind the compiler asks for it
again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256

from .core.bindings import Bindings, Evaluate
from .core.errors import DetentError
from .core.machine import (
    Catcher,
    Choice,
    DataFlow,
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
    TaskMode,
    Wait,
)
from .core.values import JSON, decode, encode
from .query import path_fields
from .query.choice import compile_rule
from .query.flow import PathCatchFlow, PathFlow
from .query.intrinsics import compile_intrinsic
from .query.jsonpath import Engine, compile_path, not_in_input
from .query.result_path import compile_result_path
from .query.template import compile_template

Fields = Mapping[str, JSON]


class CompileError(DetentError):
    """A definition that cannot become a machine. The message names the state and the field."""

    code = "COMPILE"


class NotSupported(CompileError):
    """The definition is sound, but uses something that this release cannot run."""

    code = "NOT_SUPPORTED"


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


class _Compiler:
    """One definition being compiled."""

    def __init__(self, definition: Fields, engine: Engine) -> None:
        self._definition = definition
        self._engine: Engine = engine
        self._scopes: dict[str, Scope] = {}
        self._states: Mapping[str, Callable[[str, Fields, str], State]] = {
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
        if self._definition.get("QueryLanguage", "JSONPath") != "JSONPath":
            raise NotSupported(
                "the machine's QueryLanguage is JSONata, which this release validates but cannot run"
            )
        root = self._scope(self._definition, "")
        return Machine(digest, root, self._scopes, self._definition.get("TimeoutSeconds"))

    def _scope(self, fields: Fields, path: str) -> Scope:
        states = {name: self._state(name, state, path) for name, state in fields["States"].items()}
        scope = self._scopes[path] = Scope(path, fields["StartAt"], states)
        return scope

    def _state(self, name: str, fields: Fields, path: str) -> State:
        if fields.get("QueryLanguage", "JSONPath") != "JSONPath":
            raise NotSupported(
                f"the state '{name}' uses JSONata, which this release validates but cannot run"
            )
        try:
            return self._states[fields["Type"]](name, fields, f"{path}/States/{name}")
        except (KeyError, TypeError, ValueError) as error:
            raise CompileError(
                f"the state '{name}' cannot be compiled ({error!r}): validate the definition first"
            ) from error

    # One function per type of state

    def _pass(self, name: str, fields: Fields, path: str) -> Pass:
        literal = (fields["Result"],) if "Result" in fields else None
        return Pass(name, _next(fields), self._flow(fields, literal=literal))

    def _succeed(self, name: str, fields: Fields, path: str) -> Succeed:
        return Succeed(name, None, self._flow(fields))

    def _fail(self, name: str, fields: Fields, path: str) -> Fail:
        return Fail(
            name, None, None, self._failure_text(fields, "Error"), self._failure_text(fields, "Cause")
        )

    def _wait(self, name: str, fields: Fields, path: str) -> Wait:
        return Wait(name, _next(fields), self._flow(fields), self._until(fields))

    def _choice(self, name: str, fields: Fields, path: str) -> Choice:
        flow = self._flow(fields)
        rules = tuple(self._rule(rule, flow) for rule in fields["Choices"])
        return Choice(name, fields.get("Default"), flow, rules)

    def _rule(self, fields: Fields, flow: PathFlow | None) -> Rule:
        """A rule's Assign replaces the state's."""
        test = compile_rule(fields, engine=self._engine)
        if "Assign" in fields:
            flow = replace(flow or PathFlow(), assign=self._template(fields, "Assign"))
        return Rule(test, fields["Next"], flow)

    def _task(self, name: str, fields: Fields, path: str) -> Task:
        resource = fields["Resource"]
        return Task(
            name,
            _next(fields),
            self._flow(fields),
            resource,
            _mode(resource),
            self._seconds(fields, "TimeoutSeconds"),
            self._seconds(fields, "HeartbeatSeconds"),
            self._on_effective_input(fields, self._template(fields, "Credentials")),
            self._retriers(fields),
            self._catchers(fields),
        )

    def _parallel(self, name: str, fields: Fields, path: str) -> Parallel:
        branches = tuple(
            self._scope(branch, f"{path}/Branches/{index}") for index, branch in enumerate(fields["Branches"])
        )
        return Parallel(
            name, _next(fields), self._flow(fields), branches, self._retriers(fields), self._catchers(fields)
        )

    def _map(self, name: str, fields: Fields, path: str) -> Map:
        key = "ItemProcessor" if "ItemProcessor" in fields else "Iterator"
        processor = fields[key]
        if processor.get("ProcessorConfig", {}).get("Mode", "INLINE") != "INLINE":
            raise NotSupported(
                f"the Map state '{name}' is DISTRIBUTED, which this release validates but cannot run: "
                "use Mode INLINE"
            )
        selector = self._template(fields, "ItemSelector" if "ItemSelector" in fields else "Parameters")
        items = path_fields.items_path(fields.get("ItemsPath", "$"), self._engine)
        flow_fields = {field: value for field, value in fields.items() if field != "Parameters"}
        return Map(
            name,
            _next(fields),
            self._flow(flow_fields),
            self._on_effective_input(fields, items) or items,
            self._on_effective_input(fields, selector),
            self._scope(processor, f"{path}/{key}"),
            self._concurrency(fields),
            self._retriers(fields),
            self._catchers(fields),
        )

    # Data flow

    def _flow(self, fields: Fields, *, literal: tuple[JSON] | None = None) -> PathFlow | None:
        """The stages a state has; None where data passes unchanged."""
        result_path = None
        if "ResultPath" in fields and fields["ResultPath"] != "$":
            text = fields["ResultPath"]
            result_path = _discard if text is None else compile_result_path(text)
        flow = PathFlow(
            input_path=self._input_path(fields, "InputPath"),
            parameters=self._template(fields, "Parameters"),
            literal=literal,
            result_selector=self._template(fields, "ResultSelector"),
            assign=self._template(fields, "Assign"),
            result_path=result_path,
            output_path=self._input_path(fields, "OutputPath"),
        )
        return None if flow == PathFlow() else flow

    def _input_path(self, fields: Fields, field: str) -> Evaluate | None:
        return path_fields.compile_input_path(fields.get(field, "$"), self._engine)

    def _template(self, fields: Fields, field: str) -> Evaluate | None:
        return compile_template(fields[field], field=field, engine=self._engine) if field in fields else None

    def _on_effective_input(self, fields: Fields, evaluate: Evaluate | None) -> Evaluate | None:
        """``evaluate`` with the effective input as its document, for callers that have the raw one."""
        input_path = self._input_path(fields, "InputPath")
        if evaluate is None or input_path is None:
            return evaluate
        return lambda document, bindings: evaluate(input_path(document, bindings), bindings)

    # Single fields

    def _until(self, fields: Fields) -> path_fields.Until:
        if "Seconds" in fields:
            return path_fields.wait_seconds(int(fields["Seconds"]))
        if "Timestamp" in fields:
            return path_fields.wait_timestamp(fields["Timestamp"])
        if "SecondsPath" in fields:
            return path_fields.wait_seconds_path(fields["SecondsPath"], self._engine)
        return path_fields.wait_timestamp_path(fields["TimestampPath"], self._engine)

    def _seconds(self, fields: Fields, field: str) -> Evaluate | None:
        if field in fields:
            return _constant(int(fields[field]))
        path = field + "Path"
        if path in fields:
            return self._on_effective_input(
                fields, path_fields.task_seconds_path(path, fields[path], self._engine)
            )
        return None

    def _concurrency(self, fields: Fields) -> Evaluate | None:
        if "MaxConcurrency" in fields:
            return _constant(int(fields["MaxConcurrency"]))
        if "MaxConcurrencyPath" in fields:
            return self._on_effective_input(
                fields, path_fields.concurrency_path(fields["MaxConcurrencyPath"], self._engine)
            )
        return None

    def _failure_text(self, fields: Fields, field: str) -> Evaluate | None:
        if field in fields:
            return _constant(fields[field])
        path = field + "Path"
        if path not in fields:
            return None
        text = fields[path]
        if text.startswith("States."):
            return compile_intrinsic(text, engine=self._engine)
        return compile_path(text, on_missing=not_in_input(path), engine=self._engine)

    def _retriers(self, fields: Fields) -> tuple[Retrier, ...]:
        return tuple(
            Retrier(
                errors=tuple(retrier["ErrorEquals"]),
                interval=retrier.get("IntervalSeconds", 1),
                max_attempts=retrier.get("MaxAttempts", 3),
                backoff=float(retrier.get("BackoffRate", 2.0)),
                max_delay=retrier.get("MaxDelaySeconds"),
                jitter=retrier.get("JitterStrategy", "NONE") == "FULL",
            )
            for retrier in fields.get("Retry", ())
        )

    def _catchers(self, fields: Fields) -> tuple[Catcher, ...]:
        return tuple(
            Catcher(tuple(catcher["ErrorEquals"]), catcher["Next"], self._catch_flow(catcher))
            for catcher in fields.get("Catch", ())
        )

    def _catch_flow(self, fields: Fields) -> DataFlow:
        text = fields.get("ResultPath", "$")
        place = None if text == "$" else _discard if text is None else compile_result_path(text)
        return PathCatchFlow(self._template(fields, "Assign"), place)


def _next(fields: Fields) -> str | None:
    return None if fields.get("End") is True else fields.get("Next")


def _mode(resource: str) -> TaskMode:
    if resource.endswith(".waitForTaskToken"):
        return "token"
    return "sync" if resource.endswith((".sync", ".sync:2")) else "request"


def _discard(document: JSON, result: JSON) -> JSON:
    """ResultPath null: the raw input goes on."""
    return document


def _constant(value: JSON) -> Evaluate:
    def constant(document: JSON, bindings: Bindings) -> JSON:
        return value

    return constant
