"""Error names: what retriers and catchers wait for, and what a Fail state may raise (language, section 6)."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from detent.core.errors import ALL, KNOWN_ERRORS, RUNTIME, TASK_FAILED, TIMEOUT, matches

from .document import is_unknown
from .findings import Findings, sentence, show
from .outline import Outline, Part, State

#: The prefix that the language keeps for itself.
RESERVED_PREFIX = "States."

#: Names that stand for several errors.
_CLASSES = frozenset({ALL, TASK_FAILED, TIMEOUT})

_HTTP_STATUS = re.compile(r"States\.Http\.StatusCode\.[0-9]{3}")


def check_errors(outline: Outline, findings: Findings) -> None:
    raised = {error for state in outline.states if (error := _raised(state)) is not None}
    for state in outline.states:
        for kind in ("retrier", "catcher"):
            _check_list(list(state.parts(kind)), raised, findings)
        _check_raised(state, findings)


def _raised(state: State) -> str | None:
    error = state.value.get("Error")
    return error if state.type == "Fail" and isinstance(error, str) else None


def _check_list(parts: Sequence[Part], raised: Set[str], findings: Findings) -> None:
    """The retriers, or the catchers, of one state in their order."""
    earlier: dict[str, Part] = {}
    for index, part in enumerate(parts):
        names = part.value.get("ErrorEquals")
        if not isinstance(names, list):
            continue
        known = [name for name in names if isinstance(name, str) and not is_unknown(name)]
        _check_all(part, names, last=index == len(parts) - 1, findings=findings)
        for position, name in enumerate(known):
            if name not in raised:
                _check_name(part, position, name, findings)
        if known and len(known) == len(names) and all(_covered(name, earlier.keys()) for name in known):
            handlers = {
                other.pointer: other
                for name, other in earlier.items()
                if any(_covered(one, {name}) for one in known)
            }
            findings.warning(
                "never-used",
                part.pointer,
                f"{sentence(part.label)} is never used: all its errors are handled before it",
                hint="remove it, or move it up",
                related=[(other.pointer, f"handled by {other.label}") for other in handlers.values()],
            )
        for name in known:
            earlier.setdefault(name, part)


def _covered(name: str, earlier: Set[str]) -> bool:
    """Whether one of the names handles the error, as itself or as a class of errors."""
    return name in earlier or matches(earlier & _CLASSES, name)


def _check_all(part: Part, names: Sequence[object], *, last: bool, findings: Findings) -> None:
    if ALL not in names:
        return
    place = part.at("ErrorEquals")
    if len(names) > 1:
        findings.error(
            "states-all-not-alone",
            place,
            f"{ALL} stands beside other names in {part.label}",
            hint=f"{ALL} covers them; leave them out or give them an entry of their own before it",
        )
    if not last:
        findings.error(
            "states-all-not-last",
            place,
            f"{ALL} is not in the last place, in {part.label}",
            hint="what follows it could never be used; move it to the end",
        )


def _check_name(part: Part, position: int, name: str, findings: Findings) -> None:
    place = part.at("ErrorEquals", position)
    if name == RUNTIME:
        findings.warning(
            "never-used",
            place,
            f"{RUNTIME} in {part.label} has no effect: this error is never retried or caught",
            hint="check the data before the state that could fail so",
        )
    elif _is_unknown_reserved(name):
        findings.warning(
            "unknown-error-name",
            place,
            f"{show(name)} in {part.label} is no error of the language and will never match",
            meant=findings.similar(name, KNOWN_ERRORS),
        )


def _is_unknown_reserved(name: str) -> bool:
    if name in KNOWN_ERRORS or _HTTP_STATUS.fullmatch(name):
        return False
    return name.startswith(RESERVED_PREFIX) or "States." + name.partition(".")[2] in KNOWN_ERRORS


def _check_raised(state: State, findings: Findings) -> None:
    error = _raised(state)
    if error is not None and error.startswith(RESERVED_PREFIX):
        findings.warning(
            "reserved-error-name",
            state.at("Error"),
            f"{sentence(state.label)} raises {show(error)}, but names with '{RESERVED_PREFIX}' belong to the language",
            hint="use a name of your own",
        )
