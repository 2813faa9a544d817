"""Loops: what never ends, what asks without waiting, what nothing bounds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from ..diagnostics import Severity
from ..document import is_unknown
from ..findings import show
from ..outline import JSONATA, Scope, State
from .graph import cycles
from .rule import Found, Subject, rule

#: What the service allows in the history of one STANDARD execution.
HISTORY_EVENTS = 25_000

_WAITING = (".sync", ".sync:2", ".waitForTaskToken")

#: Signs of something that counts, in the text of the states of a loop.
_COUNTING = (
    "States.MathAdd",
    "States.ArrayLength",
    "$count(",
    "+ 1",
    "+1",
    "- 1",
    "-1",
    "NextToken",
    "nextToken",
)


@rule(
    "endless-loop", Severity.WARNING, "Nothing leads out of a loop: the execution runs until it is stopped."
)
def endless_loop(subject: Subject) -> Iterator[Found]:
    for scope, loop in subject.loops:
        states = [scope.states[name] for name in loop]
        leaves = any(
            target not in loop for name in loop for target in subject.successors[scope.pointer][name]
        )
        if leaves or any(_may_leave(state) for state in states):
            continue
        yield Found(
            states[0].pointer,
            f"Nothing leads out of the loop {_described(loop)}",
            "let a Choice in it end the work, or lead on",
            on_key=True,
            related=tuple((state.pointer, "in the loop") for state in states[1:4]),
        )


def _may_leave(state: State) -> bool:
    """Whether the state is not whole, or a placeholder may lead elsewhere."""
    return state.type is None or state.value.get("End") is True or is_unknown(state.value.get("Next"))


@rule(
    "busy-loop",
    Severity.WARNING,
    "A loop asks for a status again and again without a Wait in between.",
)
def busy_loop(subject: Subject) -> Iterator[Found]:
    for scope, loop in subject.loops:
        asking = {name for name in loop if not _takes_time(scope.states[name])}
        successors = {
            name: [target for target in subject.successors[scope.pointer][name] if target in asking]
            for name in asking
        }
        for inner in cycles(successors):
            tasks = [name for name in inner if scope.states[name].type == "Task"]
            decides = any(scope.states[name].type == "Choice" for name in inner)
            if (
                len(tasks) == 1
                and decides
                and not _is_counting(scope, inner)
                and _asks(scope.states[tasks[0]])
            ):
                state = scope.states[tasks[0]]
                yield Found(
                    state.pointer,
                    f"The loop {_described(inner)} calls {state.label} again without waiting",
                    "put a Wait into the loop, or use an integration that waits (.sync)",
                    on_key=True,
                )


#: How the names of things begin that only look; and how those end that only fetch the standing of something.
_ASKING = ("describe", "check", "poll", "status")
_FETCHING = ("job", "execution", "run", "state", "status")


def _asks(state: State) -> bool:
    """Whether a task looks at something that changes by itself."""
    resource = state.value.get("Resource")
    words = [state.name.lower().replace(" ", "")]
    if isinstance(resource, str):
        words.append(resource.rpartition(":")[2].lower())
    return any(
        word.startswith(_ASKING) or (word.startswith("get") and word.endswith(_FETCHING)) for word in words
    )


def _takes_time(state: State) -> bool:
    resource = state.value.get("Resource")
    waits = isinstance(resource, str) and (resource.endswith(_WAITING) or ":activity:" in resource)
    return waits or state.type in ("Wait", "Map", "Parallel", None)


@rule(
    "unbounded-loop",
    Severity.INFO,
    "A loop counts nothing and the machine has no TimeoutSeconds: it may go round for ever.",
    on=False,
)
def unbounded_loop(subject: Subject) -> Iterator[Found]:
    if "TimeoutSeconds" in subject.value:
        return
    for scope, loop in subject.loops:
        if not _is_counting(scope, loop):
            state = scope.states[loop[0]]
            yield Found(
                state.pointer,
                f"Nothing bounds the loop {_described(loop)}",
                "count the rounds and leave after some, or give the machine TimeoutSeconds",
                on_key=True,
            )


@rule(
    "history-limit",
    Severity.INFO,
    "A loop with a fixed Wait fills the history of one execution, which the service ends after 25,000 events.",
    on=False,
)
def history_limit(subject: Subject) -> Iterator[Found]:
    if subject.express or subject.target == "detent" or "TimeoutSeconds" in subject.value:
        return
    for scope, loop in subject.loops:
        waits = [scope.states[name] for name in loop if scope.states[name].type == "Wait"]
        seconds = [state.value.get("Seconds") for state in waits]
        if not waits or not all(isinstance(each, int) for each in seconds) or _is_counting(scope, loop):
            continue
        events = sum(_EVENTS.get(str(scope.states[name].type), 2) for name in loop)
        hours = HISTORY_EVENTS / events * sum(map(int, map(str, seconds))) / 3600
        yield Found(
            waits[0].pointer,
            f"The loop {_described(loop)} uses up the {HISTORY_EVENTS:,} events of an execution in about "
            f"{hours:.0f} hours",
            "wait longer, bound the rounds, or go on in a new execution",
            on_key=True,
        )


#: Events of the service's history for one state.
_EVENTS = {"Task": 5, "Parallel": 4, "Map": 8}


@rule(
    "growing-payload",
    Severity.INFO,
    "A loop adds to a value in every round, and the payload is limited (256 KiB on the service).",
)
def growing_payload(subject: Subject) -> Iterator[Found]:
    for scope, loop in subject.loops:
        for name in loop:
            state = scope.states[name]
            for grown, pointer in _grown(state):
                yield Found(
                    pointer,
                    f"{state.label} adds to {show(grown)} in every round of the loop {_described(loop)}",
                    "keep what grows outside of the payload, in a table or a file",
                )


_ADDING = ("States.Array(", "States.JsonMerge(", "States.Format(", "$append(", "$merge(")


def _grown(state: State) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Values of a state that are made of themselves and something more."""
    place = state.value.get("ResultPath")
    parameters = state.value.get("Parameters")
    if isinstance(place, str) and place != "$" and isinstance(parameters, dict) and state.type == "Pass":
        for key, text in parameters.items():
            grown = f"{place}.{key.removesuffix('.$')}"
            if _adds(text) and _mentions(text, grown):
                yield grown, state.at("Parameters", key)
    assign = state.value.get("Assign")
    for key, text in assign.items() if isinstance(assign, dict) else ():
        grown = "$" + (key if state.language == JSONATA else key.removesuffix(".$"))
        if _adds(text) and _mentions(text, grown):
            yield grown, state.at("Assign", key)


def _adds(text: object) -> bool:
    return isinstance(text, str) and any(sign in text for sign in _ADDING)


def _mentions(text: str, name: str) -> bool:
    """Whether the name stands in the text as a whole."""
    index = text.find(name)
    while index >= 0:
        following = text[index + len(name) : index + len(name) + 1]
        if not (following.isalnum() or following in ("_", ".", "[")):
            return True
        index = text.find(name, index + 1)
    return False


def _is_counting(scope: Scope, loop: list[str]) -> bool:
    text = json.dumps([_without_scopes(scope.states[name].value) for name in loop], default=str)
    return any(sign in text for sign in _COUNTING)


def _without_scopes(value: Mapping[str, object]) -> dict[str, object]:
    return {
        name: inner for name, inner in value.items() if name not in ("Branches", "ItemProcessor", "Iterator")
    }


def _described(loop: list[str]) -> str:
    names = [show(name) for name in loop[:3]]
    return f"{', '.join(names)}{', ...' if len(loop) > 3 else ''}"
