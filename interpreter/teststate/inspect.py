"""What happens to the data of a state on its way, noted stage by stage.

The stages of a compiled state are closures; here each gets one around it that notes what came out. A stage that
the state has not passes its value on, and is noted all the same, as the service does (api, section 14).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ..core.bindings import Bindings, Evaluate, Given
from ..core.machine import Catcher, Choice, Map, Parallel, State, Task
from ..core.values import JSON
from ..query.flow import PathFlow
from ..query.jsonata import ExpressionFlow, Stage, compile_integer, compile_percentage
from ..query.path_fields import tolerated_count_path, tolerated_percentage_path

Notes: TypeAlias = dict[str, Any]

#: The stages that are shown of each type of state that speaks JSONPath; of the others, the effective input.
_SHOWN: Mapping[str, tuple[str, ...]] = {
    "Pass": ("afterInputPath", "afterParameters", "afterResultSelector", "afterResultPath"),
    "Task": ("afterInputPath", "afterParameters", "result", "afterResultSelector", "afterResultPath"),
    "Parallel": ("afterResultSelector", "afterResultPath"),
    "Map": ("afterInputPath", "afterResultSelector", "afterResultPath"),
}
_SHOWN_OF_LITERAL = ("result", "afterResultSelector", "afterResultPath")
_SHOWN_OF_OTHERS = ("afterInputPath",)

#: The work of a container that is tried: somebody else's, as a task's is.
_MOCKED = "mocked"


def watched(state: State, fields: Mapping[str, JSON], language: str, items: JSON, notes: Notes) -> State:
    """The state with its stages noting into ``notes``; a Parallel or Map becomes a task.

    ``items`` are those of a Map whose reader's are given.
    """
    flow = _flow(state, fields, language, notes)
    if isinstance(state, (Task, Parallel, Map)):
        catch = tuple(_catcher(index, catcher, notes) for index, catcher in enumerate(state.catch))
        if isinstance(state, Task):
            return replace(state, flow=flow, catch=catch)
        work = flow if isinstance(state, Parallel) else _map_work(state, flow, fields, language, items, notes)
        return Task(state.name, state.next, work, _MOCKED, "request", state.retry, catch)
    if isinstance(state, Choice):
        rules = tuple(
            rule if language == "JSONata" else replace(rule, flow=rule.flow or PathFlow())
            for rule in state.rules
        )
        return replace(state, flow=flow, rules=rules)
    return replace(state, flow=flow)


def _noting(notes: Notes, name: str, evaluate: Evaluate | None) -> Evaluate:
    def noted(document: JSON, bindings: Bindings) -> JSON:
        value = notes[name] = document if evaluate is None else evaluate(document, bindings)
        return value

    return noted


def _flow(state: State, fields: Mapping[str, JSON], language: str, notes: Notes) -> Any:
    if language == "JSONata":
        if state.kind != "Task":
            return state.flow
        spoken = state.flow if isinstance(state.flow, ExpressionFlow) else ExpressionFlow()
        made = _noting(notes, "afterArguments", spoken.made_arguments)
        return _Resulting(replace(spoken, made_arguments=made), notes)
    own = state.flow if isinstance(state.flow, PathFlow) else PathFlow()
    shown = _SHOWN.get(state.kind, _SHOWN_OF_OTHERS)
    if own.literal is not None:
        shown = _SHOWN_OF_LITERAL
    stages: dict[str, tuple[str, Evaluate | None]] = {
        "afterInputPath": ("input_path", own.input_path),
        "afterParameters": ("parameters", own.parameters),
        "afterResultSelector": ("result_selector", own.result_selector),
    }
    changes: dict[str, Any] = {
        field: _noting(notes, name, stage) for name, (field, stage) in stages.items() if name in shown
    }
    if "afterResultPath" in shown:
        changes["result_path"] = _placing(notes, own.result_path)
    flow = replace(own, **changes)
    return _Resulting(flow, notes) if "result" in shown else flow


def _placing(notes: Notes, place: Callable[[JSON, JSON], JSON] | None) -> Callable[[JSON, JSON], JSON]:
    def placed(document: JSON, result: JSON) -> JSON:
        value = notes["afterResultPath"] = result if place is None else place(document, result)
        return value

    return placed


@dataclass(frozen=True, slots=True)
class _Resulting:
    """A flow that notes the result its state's work had."""

    flow: Any
    notes: Notes

    def arguments(self, bindings: Bindings) -> JSON:
        return self.flow.arguments(bindings)

    def finish(self, bindings: Bindings) -> tuple[JSON, Mapping[str, JSON] | None]:
        self.notes["result"] = bindings.result
        output: tuple[JSON, Mapping[str, JSON] | None] = self.flow.finish(bindings)
        return output


def _catcher(index: int, catcher: Catcher, notes: Notes) -> Catcher:
    return replace(catcher, flow=_Catching(catcher.flow, index, notes))


@dataclass(frozen=True, slots=True)
class _Catching:
    """The flow of a catcher, noting that this one has caught."""

    flow: Any
    index: int
    notes: Notes

    def arguments(self, bindings: Bindings) -> JSON:
        return self.flow.arguments(bindings)

    def finish(self, bindings: Bindings) -> tuple[JSON, Mapping[str, JSON] | None]:
        caught: tuple[JSON, Mapping[str, JSON] | None] = self.flow.finish(bindings)
        self.notes["errorDetails"] = {"catchIndex": self.index}
        return caught


@dataclass(frozen=True, slots=True)
class _MapWork:
    """What a Map does before its iterations begin: find the items, and how many may run and fail."""

    flow: Any
    state: Map
    items: Evaluate
    tolerances: Mapping[str, Evaluate]
    notes: Notes

    def arguments(self, bindings: Bindings) -> JSON:
        paths = isinstance(self.flow, PathFlow)
        effective = self.flow.arguments(bindings) if paths else bindings.input
        items = self.items(bindings.input, bindings)
        if paths:
            self.notes["afterItemsPath"] = items
        if self.state.selector is not None:
            self.notes["afterItemSelector"] = _selected(self.state.selector, items, bindings)
        concurrency = self.state.concurrency
        self.notes["maxConcurrency"] = 0 if concurrency is None else concurrency(bindings.input, bindings)
        for name, evaluate in self.tolerances.items():
            self.notes[name] = evaluate(effective, bindings)
        return items

    def finish(self, bindings: Bindings) -> tuple[JSON, Mapping[str, JSON] | None]:
        if self.flow is None:
            return bindings.result, None
        output: tuple[JSON, Mapping[str, JSON] | None] = self.flow.finish(bindings)
        return output


def _selected(selector: Evaluate, items: JSON, bindings: Bindings) -> JSON:
    """The inputs of all iterations."""
    return [
        selector(
            bindings.input,
            Bindings(
                bindings.input,
                bindings.variables,
                Given(
                    lambda: {**bindings.context, "Map": {"Item": {"Index": index, "Value": item}}},  # noqa: B023
                    lambda: bindings.chance,
                ),
                now=bindings.now,
                evaluator=bindings.evaluator,
            ),
        )
        for index, item in enumerate(items)
    ]


def _map_work(
    state: Map, flow: Any, fields: Mapping[str, JSON], language: str, items: JSON, notes: Notes
) -> _MapWork:
    tolerances: dict[str, Evaluate] = {}
    for field in ("ToleratedFailureCount", "ToleratedFailurePercentage"):
        evaluate = _tolerance(field, fields, language)
        if evaluate is not None:
            tolerances[field[0].lower() + field[1:]] = evaluate
    find = state.items if "ItemReader" not in fields else _read_items(items)
    return _MapWork(flow, state, find, tolerances, notes)


def _read_items(items: JSON) -> Evaluate:
    def read(document: JSON, bindings: Bindings) -> JSON:
        return [] if items is None else items

    return read


def _tolerance(field: str, fields: Mapping[str, JSON], language: str) -> Evaluate | None:
    """How many iterations may fail, read and checked as a run does it."""
    count = field == "ToleratedFailureCount"
    if language == "JSONata" and field in fields:
        if count:
            return compile_integer(fields[field], field=field, stage=Stage(), least=0)
        return compile_percentage(fields[field], stage=Stage())
    if field in fields:
        return lambda document, bindings: fields[field]
    path = fields.get(f"{field}Path")
    if path is None:
        return None
    return tolerated_count_path(path, "detent") if count else tolerated_percentage_path(path, "detent")
