"""What one state costs in the core, by its type and its language, beside the bare call of the library."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import jsonatapy

from detent.core.bindings import Bindings, Given
from detent.core.decide import advance
from detent.core.execution import Execution
from detent.core.machine import Machine
from detent.core.signals import Fired, Signal, Started, Succeeded
from detent.core.values import JSON, Payload
from detent.query.jsonpath import compile_path, not_in_input
from detent.runtime.compose import compile_machine

NOW = 1_700_000_000_000
INPUT = {"order": 1, "customer": {"name": "a name", "city": "a city"}, "total": 12.5, "lines": [1, 2, 3]}

#: A state of each type that evaluates one expression, as a dictionary with a place for the next state.
JSONPATH: dict[str, JSON] = {
    "Pass": {"Type": "Pass", "Parameters": {"name.$": "$.customer.name"}, "ResultPath": "$.found"},
    "Choice": {"Type": "Choice", "Choices": [{"Variable": "$.customer.name", "StringEquals": "a name"}]},
    "Wait": {"Type": "Wait", "SecondsPath": "$.order"},
    "Task": {
        "Type": "Task",
        "Resource": "task:noop",
        "InputPath": "$.customer.name",
        "ResultPath": "$.found",
    },
    "Map": {
        "Type": "Map",
        "ItemsPath": "$.lines",
        "ResultPath": "$.found",
        "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}},
    },
    "Parallel": {
        "Type": "Parallel",
        "ResultSelector": {"name.$": "$[0].customer.name"},
        "ResultPath": "$.found",
        "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}}],
    },
}
JSONATA: dict[str, JSON] = {
    "Pass": {
        "Type": "Pass",
        "Output": "{% $merge([$states.input, {'found': $states.input.customer.name}]) %}",
    },
    "Choice": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.customer.name = 'a name' %}"}]},
    "Wait": {"Type": "Wait", "Seconds": "{% $states.input.order %}"},
    "Task": {
        "Type": "Task",
        "Resource": "task:noop",
        "Arguments": "{% $states.input.customer.name %}",
        "Output": "{% $states.input %}",
    },
    "Map": {
        "Type": "Map",
        "Items": "{% $states.input.lines %}",
        "Output": "{% $states.input %}",
        "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}},
    },
    "Parallel": {
        "Type": "Parallel",
        "Output": "{% $states.input %}",
        "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}}],
    },
}


#: How many states are entered where one of a type is: its own iterations and branches count.
ENTERED = {"Map": 1 + len(INPUT["lines"]), "Parallel": 2}

#: What the bare library evaluates of the same input, for each type of state.
PATHS = {"Pass": "$.customer.name", "Choice": "$.customer.name", "Wait": "$.order", "Task": "$.customer.name"}
EXPRESSIONS = {
    "Pass": "$merge([$, {'found': customer.name}])",
    "Choice": "customer.name = 'a name'",
    "Wait": "order",
    "Task": "customer.name",
}


#: Short samples that are taken in one go, of all kinds in turns: what else the machine does takes time of some only.
SAMPLES = 20


def states(options: argparse.Namespace) -> dict[str, Any]:
    """Microseconds per state that is entered, and of one bare call of the library: the best of all samples."""
    bindings = Bindings(INPUT, {}, Given(dict, Random))
    paths = {
        name: partial(compile_path(path, on_missing=not_in_input("InputPath")), INPUT, bindings)
        for name, path in PATHS.items()
    }
    expressions = {
        name: partial(jsonatapy.compile(text).evaluate, INPUT) for name, text in EXPRESSIONS.items()
    }
    return _best(
        options.rounds,
        {
            "JSONPath": {name: _chain(state, "JSONPath") for name, state in JSONPATH.items()},
            "JSONPath library": {name: partial(_repeated, call) for name, call in paths.items()},
            "JSONata": {name: _chain(state, "JSONata") for name, state in JSONATA.items()},
            "JSONata library": {name: partial(_repeated, call) for name, call in expressions.items()},
        },
    )


def _best(rounds: int, measures: dict[str, dict[str, Callable[[], float]]]) -> dict[str, dict[str, float]]:
    best = {group: dict.fromkeys(named, math.inf) for group, named in measures.items()}
    for _ in range(rounds):
        for group, named in measures.items():
            for name, measure in named.items():
                best[group][name] = min(best[group][name], *(measure() for _ in range(SAMPLES)))
    return {
        group: {name: round(figure, 1) for name, figure in named.items()} for group, named in best.items()
    }


def _repeated(call: Callable[[], object], times: int = 500) -> float:
    begin = time.perf_counter()
    for _ in range(times):
        call()
    return 1e6 * (time.perf_counter() - begin) / times


def _chain(state: JSON, language: str, length: int = 100) -> Callable[[], float]:
    """Measures the microseconds per state of an execution with so many of one kind."""
    named = {f"S{number}": _followed(state, f"S{number + 1}") for number in range(length)}
    named[f"S{length}"] = {"Type": "Succeed"}
    machine = compile_machine({"QueryLanguage": language, "StartAt": "S0", "States": named})
    entered = length * ENTERED.get(state["Type"], 1)
    return lambda: 1e6 * _seconds(machine) / entered


def _seconds(machine: Machine) -> float:
    """What all decisions of one execution take."""
    execution = Execution()
    signal: Signal | None = Started("e", "n", "m", "d", "detent", "", Payload(INPUT))
    spent = 0.0
    now = NOW
    while signal is not None:
        begin = time.perf_counter()
        advance(machine, execution, signal, now=now, seed="seed")
        execution.take_journal()
        spent += time.perf_counter() - begin
        signal = None
        for pending in execution.pending.values():
            now = max(now, pending.due or 0)
            signal = Succeeded(pending.id, Payload("a name")) if pending.kind == "task" else Fired(pending.id)
    if execution.status != "SUCCEEDED":
        raise RuntimeError(f"the execution ended {execution.status}: {execution.cause}")
    return spent


def _followed(state: JSON, next: str) -> JSON:
    if state["Type"] != "Choice":
        return {**state, "Next": next}
    return {**state, "Choices": [{**rule, "Next": next} for rule in state["Choices"]]}
