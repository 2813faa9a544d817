"""Tasks: how long they may take, and whether a callback can ever come."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..diagnostics import Severity
from ..document import is_unknown
from ..findings import sentence
from ..outline import State
from .rule import Found, Subject, rule

TOKEN = ".waitForTaskToken"
SIGNAL = "signal:"


@rule(
    "task-without-timeout",
    Severity.INFO,
    "A Task without TimeoutSeconds may wait for a year for an answer that was lost.",
    on=False,
)
def task_without_timeout(subject: Subject) -> Iterator[Found]:
    for state in subject.states("Task"):
        if not _is_bounded(state) and not _is_callback(state):
            yield Found(
                state.pointer,
                f"{sentence(state.label)} has no TimeoutSeconds",
                "give it more than the longest time it should take",
                on_key=True,
            )


@rule(
    "callback-without-timeout",
    Severity.WARNING,
    "A task waits for somebody outside, and nothing ends the wait: neither HeartbeatSeconds nor TimeoutSeconds.",
)
def callback_without_timeout(subject: Subject) -> Iterator[Found]:
    for state in subject.states("Task"):
        if _is_callback(state) and not _is_bounded(state):
            yield Found(
                state.pointer,
                f"{sentence(state.label)} waits for {_awaited(state)} without HeartbeatSeconds or TimeoutSeconds",
                f"if {_awaited(state)} never comes, the execution hangs; add one of them",
                on_key=True,
            )


def _is_bounded(state: State) -> bool:
    bounds = {"TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"}
    return bool(bounds & state.value.keys())


def _is_callback(state: State) -> bool:
    resource = state.value.get("Resource")
    return isinstance(resource, str) and (
        resource.endswith(TOKEN) or ":activity:" in resource or resource.startswith(SIGNAL)
    )


def _awaited(state: State) -> str:
    return "a signal" if state.value["Resource"].startswith(SIGNAL) else "a callback"


@rule(
    "missing-task-token",
    Severity.WARNING,
    "A task waits for its token to come back and hands the token to nobody.",
)
def missing_task_token(subject: Subject) -> Iterator[Found]:
    for state in subject.states("Task"):
        resource = state.value.get("Resource")
        if not isinstance(resource, str) or not resource.endswith(TOKEN):
            continue
        passed = [state.value[name] for name in ("Parameters", "Arguments") if name in state.value]
        if any(map(is_unknown, passed)):
            continue
        text = json.dumps(passed, default=str)
        if not any(
            sign in text for sign in ("Task.Token", "['Task']", '"$$"', '"$$.Task"', "$states.context")
        ):
            yield Found(
                state.pointer,
                f"{sentence(state.label)} never passes on its task token, so nobody can answer",
                "put $$.Task.Token into Parameters ($states.context.Task.Token into Arguments)",
                on_key=True,
            )


@rule("task-without-retry", Severity.INFO, "A Task fails at the first error: it has no Retry.", on=False)
def task_without_retry(subject: Subject) -> Iterator[Found]:
    for state in subject.states("Task"):
        if not state.value.get("Retry"):
            yield Found(
                state.pointer,
                f"{sentence(state.label)} has no Retry",
                "retry what may pass by itself: throttling, lost connections",
                on_key=True,
            )
