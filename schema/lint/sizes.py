"""Widths, sizes and durations: Maps without a limit, literals and waits beyond what can run."""

from __future__ import annotations

from collections.abc import Iterator

from detent.core.limits import AWS
from detent.core.values import JSON

from ..diagnostics import Severity
from ..findings import sentence
from ..outline import State
from ..validate_variables import is_distributed
from .rule import Found, Subject, rule

#: How long an Express execution may run, in seconds (limits, section 4).
EXPRESS_SECONDS = 300


@rule(
    "map-without-concurrency",
    Severity.INFO,
    "A distributed Map without MaxConcurrency starts up to 10,000 executions at once.",
)
def map_without_concurrency(subject: Subject) -> Iterator[Found]:
    distributed = {
        scope.owner.pointer for scope in subject.outline.scopes if scope.owner and is_distributed(scope)
    }
    for state in subject.states("Map"):
        if state.pointer in distributed and not _limits_concurrency(state):
            yield Found(
                state.pointer,
                f"{sentence(state.label)} is DISTRIBUTED and has no MaxConcurrency",
                "choose what the services behind it can bear",
                on_key=True,
            )


@rule(
    "inline-map-without-concurrency",
    Severity.INFO,
    "An inline Map without MaxConcurrency works on as many items at once as it can.",
    on=False,
)
def inline_map_without_concurrency(subject: Subject) -> Iterator[Found]:
    distributed = {
        scope.owner.pointer for scope in subject.outline.scopes if scope.owner and is_distributed(scope)
    }
    for state in subject.states("Map"):
        if state.pointer not in distributed and not _limits_concurrency(state):
            yield Found(
                state.pointer,
                f"{sentence(state.label)} has no MaxConcurrency",
                "1 works on one item after the other",
                on_key=True,
            )


def _limits_concurrency(state: State) -> bool:
    return "MaxConcurrencyPath" in state.value or state.value.get("MaxConcurrency", 0) != 0


@rule(
    "payload-too-large",
    Severity.WARNING,
    "A literal in the definition is larger than the payload the service allows (256 KiB).",
)
def payload_too_large(subject: Subject) -> Iterator[Found]:
    for state in subject.outline.states:
        for name in ("Result", "Parameters", "Arguments", "Output", "ItemSelector"):
            if name in state.value and _size(state.value[name]) > AWS.payload_bytes:
                yield Found(
                    state.at(name),
                    f"{name} of {state.label} alone is larger than {AWS.payload_bytes:,} bytes",
                    "keep large data in a file or a table, and pass its place",
                    on_key=True,
                )


def _size(value: JSON) -> int:
    """Bytes of a value as JSON, roughly: enough to tell small from too large."""
    size = 0
    waiting = [value]
    while waiting and size <= AWS.payload_bytes:
        item = waiting.pop()
        if isinstance(item, dict):
            size += sum(len(str(key)) + 4 for key in item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            size += len(item) + 1
            waiting.extend(item)
        else:
            size += len(item) + 2 if isinstance(item, str) else 4
    return size


@rule(
    "too-long-for-express",
    Severity.WARNING,
    "An Express execution ends after five minutes, whatever it waits for.",
)
def too_long_for_express(subject: Subject) -> Iterator[Found]:
    if not subject.express:
        return
    for state in subject.states("Wait", "Task"):
        name = "Seconds" if state.type == "Wait" else "TimeoutSeconds"
        seconds = state.value.get(name)
        if isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > EXPRESS_SECONDS:
            yield Found(
                state.at(name),
                f"{name} of {state.label} is {seconds}, and an Express execution may take {EXPRESS_SECONDS} in all",
                "make it a STANDARD machine, or wait less",
            )
