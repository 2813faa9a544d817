"""Retriers and catchers: delays that explode, errors that disappear."""

from __future__ import annotations

from collections.abc import Iterator

from detent.core.errors import ALL

from ..diagnostics import Severity
from ..findings import sentence, show
from ..outline import Part, State
from .rule import Found, Insert, Remedy, Subject, rule

#: A delay between two attempts beyond this, in seconds, is taken for an oversight.
DELAY_MAX = 3_600


@rule(
    "retry-without-jitter",
    Severity.INFO,
    "A retrier without JitterStrategy lets many executions try again at the same moment.",
    on=False,
)
def retry_without_jitter(subject: Subject) -> Iterator[Found]:
    for part in _retriers(subject):
        if "JitterStrategy" not in part.value and part.value.get("MaxAttempts") != 0:
            change = Insert(part.pointer, "JitterStrategy", "FULL", before="ErrorEquals")
            yield Found(
                part.pointer,
                f"{sentence(part.label)} has no JitterStrategy",
                "FULL spreads the attempts over the delay",
                remedy=Remedy("add JitterStrategy: FULL", change, safe=False),
            )


@rule(
    "retry-without-cap",
    Severity.WARNING,
    "The delays of a retrier grow beyond an hour, and no MaxDelaySeconds caps them.",
)
def retry_without_cap(subject: Subject) -> Iterator[Found]:
    for part in _retriers(subject):
        longest = _longest_delay(part)
        if longest > DELAY_MAX and "MaxDelaySeconds" not in part.value:
            yield Found(
                part.pointer,
                f"{sentence(part.label)} waits up to {_duration(longest)} between two attempts",
                "add MaxDelaySeconds, or lower MaxAttempts or BackoffRate",
            )


def _longest_delay(part: Part) -> float:
    """The delay before the last attempt, in seconds; 0 where it is not known."""
    values = [
        part.value.get(name, default)
        for name, default in (("IntervalSeconds", 1), ("BackoffRate", 2.0), ("MaxAttempts", 3))
    ]
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in values):
        return 0.0
    interval, rate, attempts = values
    if not (0 < interval < 1e9 and 1 <= rate < 1e6 and 1 <= attempts < 1e9):
        return 0.0
    try:
        return float(interval * rate ** (attempts - 1))
    except OverflowError:
        return float("inf")


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}" if seconds < 1e15 else "for ever"
    return f"{seconds:,.0f} seconds"


@rule(
    "hidden-error",
    Severity.WARNING,
    "A catcher for every error throws the error away and goes on as if nothing had happened.",
)
def hidden_error(subject: Subject) -> Iterator[Found]:
    for _, part, onward in _catchers(subject):
        discards = "ResultPath" in part.value and part.value["ResultPath"] is None
        if not _catches_all(part) or "Assign" in part.value or not discards:
            continue
        if part.value.get("Next") == onward:
            yield Found(
                part.pointer,
                f"{sentence(part.label)} hides every error: it discards the error and leads on to {show(onward)}",
                "keep the error with ResultPath: $.error, or name the errors that may be ignored",
                related=(((*part.pointer[:-2], "Next"), "the way without an error leads there, too"),),
            )


@rule(
    "error-replaces-payload",
    Severity.WARNING,
    "A catcher leads to the same state as success, and the error output takes the place of the payload.",
)
def error_replaces_payload(subject: Subject) -> Iterator[Found]:
    for state, part, onward in _catchers(subject):
        replaces = part.value.get("ResultPath", "$") == "$" and "Output" not in part.value
        if replaces and part.value.get("Next") == onward and not _ends(state, onward):
            yield Found(
                part.pointer,
                f"{sentence(part.label)} leads on to {show(onward)} with the error in place of the payload",
                "add ResultPath: $.error, or lead to a state that handles errors",
            )


@rule("fail-without-error", Severity.INFO, "A Fail state says neither Error nor Cause.")
def fail_without_error(subject: Subject) -> Iterator[Found]:
    for state in subject.states("Fail"):
        if not {"Error", "ErrorPath", "Cause", "CausePath"} & state.value.keys():
            yield Found(
                state.pointer,
                f"{sentence(state.label)} says neither Error nor Cause",
                "whoever reads the execution will want to know why it failed",
                on_key=True,
            )


def _retriers(subject: Subject) -> Iterator[Part]:
    for state in subject.outline.states:
        yield from state.parts("retrier")


def _catchers(subject: Subject) -> Iterator[tuple[State, Part, object]]:
    """Each catcher, with its state, and where that goes when all is well."""
    for state in subject.outline.states:
        for part in state.parts("catcher"):
            yield state, part, state.value.get("Next", False)


def _ends(state: State, name: object) -> bool:
    """Whether the named state reads nothing and ends the scope."""
    target = state.scope.states.get(name) if isinstance(name, str) else None
    return target is not None and target.type in ("Fail", "Succeed")


def _catches_all(part: Part) -> bool:
    return part.value.get("ErrorEquals") == [ALL]
