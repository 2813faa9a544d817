"""The second pass, over the graph: names, targets, what can be reached, where a scope ends.

Language, section 1. A placeholder in a place of a target could mean any state of the scope, so such a scope
is never said to have unreachable states or no end.
"""

from __future__ import annotations

from collections.abc import Iterator

from detent.core.values import JSON

from .diagnostics import Pointer
from .document import is_unknown
from .findings import Findings, sentence, show
from .outline import Outline, Part, Scope, State

#: The longest name of a state, in characters (language, section 1).
NAME_LENGTH_MAX = 80

#: Types that end a scope by themselves, and types that say Next or End.
_ENDINGS = ("Succeed", "Fail")
_MOVING = ("Task", "Pass", "Wait", "Parallel", "Map")


def check_graph(outline: Outline, findings: Findings) -> None:
    _check_names(outline, findings)
    homes: dict[str, list[Scope]] = {}
    for state in outline.states:
        homes.setdefault(state.name, []).append(state.scope)
    for scope in outline.scopes:
        _check_targets(scope, homes, findings)
        _check_reach(scope, findings)
    for state in outline.states:
        _check_transition(state, findings)


def _check_names(outline: Outline, findings: Findings) -> None:
    first: dict[str, State] = {}
    for state in outline.states:
        if len(state.name) > NAME_LENGTH_MAX:
            findings.error(
                "name-too-long",
                state.pointer,
                f"The name of {state.label} has {len(state.name)} characters",
                hint=f"at most {NAME_LENGTH_MAX} are allowed",
                on_key=True,
            )
        other = first.setdefault(state.name, state)
        if other is not state:
            findings.error(
                "duplicate-name",
                state.pointer,
                f"{sentence(state.label)} in {state.scope.label} has the name of a state in {other.scope.label}",
                hint="names are unique in the whole machine, nested scopes included",
                on_key=True,
                related=[(other.pointer, "first declared here")],
            )


def _check_transition(state: State, findings: Findings) -> None:
    """Exactly one of Next and End; only ``true`` counts as End."""
    if state.type not in _MOVING:
        return
    end = state.value.get("End")
    if "Next" in state.value:
        if end is True:
            findings.error(
                "next-with-end",
                state.at("End"),
                f"{sentence(state.label)} has both Next and End",
                hint="keep Next to go on, End to stop here",
                on_key=True,
                related=[(state.at("Next"), "Next stands here")],
            )
    elif end is not True and not is_unknown(end):
        findings.error(
            "missing-transition",
            state.pointer,
            f"{sentence(state.label)} has neither Next nor End",
            hint="add Next with the name of a state, or End: true",
            on_key=True,
        )


Target = tuple[JSON, Pointer, Part]


def targets(state: State) -> Iterator[Target]:
    """Every name a state may go to: the value, its place, and the part it stands in."""
    if state.type in _MOVING and "Next" in state.value:
        yield state.value["Next"], state.at("Next"), state
    if state.type == "Choice" and "Default" in state.value:
        yield state.value["Default"], state.at("Default"), state
    for part in state.parts("catcher", "rule"):
        if "Next" in part.value:
            yield part.value["Next"], part.at("Next"), part


def _check_targets(scope: Scope, homes: dict[str, list[Scope]], findings: Findings) -> None:
    if "StartAt" in scope.value:
        _check_target((scope.value["StartAt"], scope.at("StartAt"), scope), scope, homes, findings)
    for state in scope.states.values():
        for target in targets(state):
            _check_target(target, scope, homes, findings)


def _check_target(target: Target, scope: Scope, homes: dict[str, list[Scope]], findings: Findings) -> None:
    name, pointer, part = target
    if not isinstance(name, str) or is_unknown(name) or name in scope.names:
        return
    field = pointer[-1]
    if name in homes:
        findings.error(
            "target-out-of-scope",
            pointer,
            f"{field} of {part.label} names {show(name)}, a state of {homes[name][0].label}",
            hint=f"a transition stays inside its scope, here {scope.label}",
            related=[(homes[name][0].at("States", name), "the state is declared here")],
        )
    elif not scope.is_open:
        findings.error(
            "missing-target",
            pointer,
            f"{field} of {part.label} names {show(name)}, which does not exist",
            meant=findings.similar(name, scope.names),
        )


def _check_reach(scope: Scope, findings: Findings) -> None:
    """Unreachable states, and a scope without an end."""
    if not scope.names or scope.is_open:
        return
    reached = _reachable(scope)
    for name, state in scope.states.items():
        if reached is not None and name not in reached:
            findings.error(
                "unreachable-state",
                state.pointer,
                f"{sentence(state.label)} cannot be reached",
                hint=f"no transition of {scope.label} leads to it",
                on_key=True,
            )
    if not any(_may_end(scope.states.get(name)) for name in scope.names):
        findings.error(
            "no-terminal-state",
            scope.at("States"),
            f"No state ends {scope.label}",
            hint="one state needs End: true, or the type Succeed or Fail",
            on_key=True,
        )


def _reachable(scope: Scope) -> set[str] | None:
    """The states reached from StartAt; None if a transition is broken or not known yet.

    What a broken transition should lead to is no finding of its own.
    """
    start = scope.value.get("StartAt")
    reached: set[str] = set()
    waiting: list[JSON] = [start]
    while waiting:
        name = waiting.pop()
        if not isinstance(name, str):
            return None
        if name in reached:
            continue
        reached.add(name)
        state = scope.states.get(name)
        if state is None or state.type is None:
            return None
        waiting.extend(target for target, _, _ in targets(state))
    return reached


def _may_end(state: State | None) -> bool:
    """Whether a state ends its scope, or would if it were whole."""
    if state is None or state.type is None or state.type in _ENDINGS:
        return True
    return state.type in _MOVING and (bool(state.value.get("End")) or "Next" not in state.value)
