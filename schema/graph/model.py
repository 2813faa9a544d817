"""What there is to draw: states, the ways between them, and the scopes inside Parallel and Map states.

Every state has an id that is short and unique (``s1``), whatever it is called. A :class:`Trail` is the path of an
execution; states and ways know whether it went through them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from detent.core.values import JSON

from ..diagnostics import Pointer
from ..outline import Scope, State, outline
from .words import errors_in_words, resource_in_words, retries_in_words, rule_in_words

Kind = Literal["next", "choice", "default", "catch", "end", "start"]


@dataclass(frozen=True, slots=True)
class Visits:
    """How an execution stands in a state: how often it was entered, and how the last visit stands.

    ``status`` is ``succeeded``, ``failed``, ``caught``, ``running``, ``waiting``, ``retrying`` or ``aborted``.
    """

    count: int
    status: str


@dataclass(frozen=True, slots=True)
class Trail:
    """The path of an execution: visits by the pointer of the state, and which state followed which."""

    visits: Mapping[Pointer, Visits]
    moves: frozenset[tuple[Pointer, Pointer]]


@dataclass(frozen=True, slots=True)
class Way:
    """An arrow between two states of one scope, by id; ``labels`` hold a line for each rule or catcher."""

    source: str
    target: str
    kind: Kind
    labels: tuple[str, ...] = ()
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """A scope: the machine, a branch, or the body of a Map. ``start`` is the id of its first state."""

    id: str
    title: str
    start: str | None
    states: list[Box]
    ways: list[Way]
    #: The states whose End is true.
    ends: list[str]


@dataclass(frozen=True, slots=True)
class Box:
    """A state. ``detail`` is what does its work; ``lanes`` are the scopes in it."""

    id: str
    name: str
    type: str
    detail: str
    retries: str | None
    note: str
    visits: Visits | None
    lanes: list[Lane] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole picture; ``trailed`` says that it shows an execution."""

    root: Lane
    trailed: bool

    def lanes(self) -> Iterator[Lane]:
        """All scopes; one comes before those inside it."""
        waiting = [self.root]
        while waiting:
            lane = waiting.pop()
            yield lane
            waiting.extend(inner for box in reversed(lane.states) for inner in reversed(box.lanes))


def chart(definition: JSON, trail: Trail | None = None) -> Chart:
    """The picture of a definition, valid or not, with the path of an execution."""
    builder = _Builder(trail)
    scopes = outline(definition if isinstance(definition, dict) else {}).scopes
    lanes = {scope.pointer: builder.lane(scope) for scope in scopes}
    for scope in scopes:
        if scope.owner is not None:
            builder.boxes[scope.owner.pointer].lanes.append(lanes[scope.pointer])
    return Chart(lanes[()], trail is not None)


class _Builder:
    def __init__(self, trail: Trail | None) -> None:
        self.trail = trail
        self.boxes: dict[Pointer, Box] = {}
        self.lane_count = 0

    def lane(self, scope: Scope) -> Lane:
        self.lane_count += 1
        for state in scope.states.values():
            self.boxes[state.pointer] = self._box(state)
        start = scope.states.get(str(scope.value.get("StartAt")))
        ids = [self.boxes[state.pointer] for state in scope.states.values()]
        ends = [
            self.boxes[state.pointer].id for state in scope.states.values() if state.value.get("End") is True
        ]
        ways = [way for state in scope.states.values() for way in self._ways(state)]
        first = None if start is None else self.boxes[start.pointer].id
        return Lane(f"c{self.lane_count}", _title(scope), first, ids, ways, ends)

    def _box(self, state: State) -> Box:
        visits = self.trail.visits.get(state.pointer) if self.trail is not None else None
        value = state.value
        return Box(
            f"s{len(self.boxes) + 1}",
            state.name,
            state.type or "",
            resource_in_words(value),
            retries_in_words(value.get("Retry")),
            value["Comment"] if isinstance(value.get("Comment"), str) else "",
            visits,
        )

    def _ways(self, state: State) -> Iterator[Way]:
        """The arrows out of a state, those of one kind to one target together."""
        labels: dict[tuple[Kind, str], list[str]] = {}
        for kind, target, label in _transitions(state):
            if target in state.scope.states:
                labels.setdefault((kind, target), []).extend([label] if label else [])
        source = self.boxes[state.pointer].id
        for (kind, target), texts in labels.items():
            other = state.scope.states[target].pointer
            taken = self.trail is not None and (state.pointer, other) in self.trail.moves
            yield Way(source, self.boxes[other].id, kind, tuple(texts), taken)


def _transitions(state: State) -> Iterator[tuple[Kind, str, str]]:
    """Kind, target and label of each way out."""
    if state.type == "Choice":
        rules = state.value.get("Choices")
        for rule in rules if isinstance(rules, list) else ():
            if isinstance(rule, dict) and isinstance(target := rule.get("Next"), str):
                yield "choice", target, rule_in_words(rule)
        if isinstance(target := state.value.get("Default"), str):
            yield "default", target, "otherwise"
    elif isinstance(target := state.value.get("Next"), str):
        yield "next", target, ""
    for catcher in state.parts("catcher"):
        if isinstance(target := catcher.value.get("Next"), str):
            yield "catch", target, errors_in_words(catcher.value)


def _title(scope: Scope) -> str:
    if scope.owner is None:
        return ""
    if scope.kind == "branch":
        return f"branch {int(scope.pointer[-1]) + 1}"
    limit = scope.owner.value.get("MaxConcurrency")
    at_once = f", {limit} at once" if isinstance(limit, int) and not isinstance(limit, bool) and limit else ""
    config = scope.value.get("ProcessorConfig")
    mode = config.get("Mode") if isinstance(config, dict) else None
    return f"each item{at_once}{', distributed' if mode == 'DISTRIBUTED' else ''}"
