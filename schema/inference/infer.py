"""The walk over the graph: what every state is entered with, by every way that leads to it.

A scope is walked until nothing changes any more; a state that is visited too often, and a definition that is
too large, become unknown. Only then are the reads noted, once per state, against what is finally known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..diagnostics import Pointer
from ..document import is_unknown
from ..outline import JSONATA, JSONPATH, Outline, Scope, State
from ..validate_graph import targets
from .expressions import jsonata_exits
from .notes import Env, Notes, Read, Variable
from .shapes import NOTHING, UNKNOWN, Shape, join, join_all
from .states import exits_of
from .walk import Exit, Walk

#: The largest definition that is looked into, in states and the parts inside of them.
_PARTS_MAX = 3_000
#: Visits of a state after which its payload counts as unknown; visits in all; scopes inside each other.
_VISITS_MAX = 6
_WALK_MAX = 5_000
_NESTING_MAX = 20


class _TooMuch(Exception):
    """The definition is beyond what is worth inferring."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way into a state: the state it comes from (None at the start of a scope), where it is written, and
    what comes along."""

    source: State | None
    pointer: Pointer
    env: Env


@dataclass(frozen=True, slots=True)
class Inference:
    """What was found out. ``entered`` and ``ways`` know each state that can be reached, by its place; ``left``
    is what it hands on when nothing fails; ``reads`` are the notes by state."""

    entered: Mapping[Pointer, Env] = field(default_factory=dict)
    ways: Mapping[Pointer, list[Way]] = field(default_factory=dict)
    left: Mapping[Pointer, Shape] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)
    reads: Mapping[Pointer, list[Read]] = field(default_factory=dict)


def infer(
    outline: Outline, *, payload: Shape = UNKNOWN, results: Mapping[str, Shape] | None = None
) -> Inference:
    """Infer the payload at every state. ``payload`` is the machine's input, ``results`` are the answers of
    tasks by their Resource, where the author described them."""
    if sum(1 for _ in outline.parts()) > _PARTS_MAX:
        return Inference()
    walker = _Walker(outline, results or {})
    try:
        walker.settle(outline.scopes[0], Env(payload))
        walker.note(outline.scopes[0], Env(payload))
    except _TooMuch:
        return Inference()
    reads: dict[Pointer, list[Read]] = {}
    for note in walker.notes.reads:
        reads.setdefault(note.state.pointer, []).append(note)
    return Inference(walker.entered, walker.ways, walker.left, walker.notes, reads)


@dataclass(slots=True)
class _Settled:
    """A scope that was walked with some env: what its states are entered with, and what comes out."""

    env: Env
    entered: dict[str, Env]
    ways: dict[str, dict[Pointer, Way]]
    output: Shape


class _Walker:
    def __init__(self, outline: Outline, results: Mapping[str, Shape]) -> None:
        self.results = results
        self.below: dict[Pointer, list[Scope]] = {}
        for scope in outline.scopes:
            if scope.owner is not None:
                self.below.setdefault(scope.owner.pointer, []).append(scope)
        self.settled: dict[Pointer, _Settled] = {}
        self.walked = 0
        self.nesting = 0
        self.entered: dict[Pointer, Env] = {}
        self.ways: dict[Pointer, list[Way]] = {}
        self.left: dict[Pointer, Shape] = {}
        self.notes = Notes()

    def settle(self, scope: Scope, env: Env) -> Shape:
        """Walk a scope until nothing changes; what comes out of it."""
        before = self.settled.get(scope.pointer)
        if before is not None and before.env == env:
            return before.output
        if self.nesting >= _NESTING_MAX:
            return UNKNOWN
        self.nesting += 1
        found = self._walk(scope, env)
        self.nesting -= 1
        self.settled[scope.pointer] = found
        return found.output

    def _walk(self, scope: Scope, env: Env) -> _Settled:
        found = _Settled(env, {}, {}, NOTHING)
        outputs: dict[Pointer, Shape] = {}
        visits: dict[str, int] = {}
        waiting = deque(self._begin(scope, env, found))
        walk = Walk(Notes(), self.below, self.settle, self.results)
        while waiting:
            name = waiting.popleft()
            state = scope.states[name]
            visits[name] = visits.get(name, 0) + 1
            for exit in self._exits(state, found.entered[name], walk):
                if exit.target is None:
                    outputs[exit.pointer] = exit.env.payload
                elif exit.target in scope.states:
                    way = Way(state, exit.pointer, exit.env)
                    if _arrives(found, exit.target, way, visits.get(exit.target, 0)):
                        waiting.append(exit.target)
            walk.notes = Notes()
        found.output = join_all(outputs.values())
        return found

    def _begin(self, scope: Scope, env: Env, found: _Settled) -> Iterator[str]:
        start = scope.value.get("StartAt")
        known = isinstance(start, str) and not is_unknown(start) and not scope.is_open
        if known and start in scope.states:
            _arrives(found, str(start), Way(None, scope.at("StartAt"), env), 0)
            yield str(start)
        if not known or any(_is_open(state) for state in scope.states.values()):
            # A placeholder may lead anywhere, with anything.
            anything = Env(complete=False)
            for name in scope.states:
                _arrives(found, name, Way(None, scope.at("States"), anything), 0)
                if name != start:
                    yield name

    def _exits(self, state: State, env: Env, walk: Walk) -> Iterator[Exit]:
        self.walked += 1
        if self.walked > _WALK_MAX:
            raise _TooMuch
        if state.type is None or state.language not in (JSONPATH, JSONATA):
            for target, pointer, _ in targets(state):
                if isinstance(target, str):
                    yield Exit(target, pointer, Env(complete=False))
            yield Exit(None, state.pointer, Env(complete=False))
        elif state.language == JSONATA:
            yield from jsonata_exits(state, env, walk)
        else:
            yield from exits_of(state, env, walk)

    def note(self, scope: Scope, env: Env) -> Shape:
        """Walk every state of a settled scope once more, and keep what it notes."""
        output = self.settle(scope, env)
        if self.nesting >= _NESTING_MAX:
            return output
        found = self.settled[scope.pointer]
        self.nesting += 1
        walk = Walk(self.notes, self.below, self.note, self.results)
        for name, entered in found.entered.items():
            state = scope.states[name]
            self.entered[state.pointer] = entered
            self.ways[state.pointer] = list(found.ways[name].values())
            exits = list(self._exits(state, entered, walk))
            onward = [exit.env.payload for exit in exits if exit.pointer[:-1] == state.pointer]
            self.left[state.pointer] = join_all(onward)
        self.nesting -= 1
        return output


def _arrives(found: _Settled, name: str, way: Way, visits: int) -> bool:
    """Note a way into a state; whether the state is to be visited (again)."""
    ways = found.ways.setdefault(name, {})
    ways[way.pointer] = way
    before = found.entered.get(name)
    after = way.env if before is None else _joined([before, way.env])
    if visits > _VISITS_MAX:
        variables = {known: Variable(UNKNOWN, each.certain) for known, each in after.variables.items()}
        after = replace(after, payload=UNKNOWN, variables=variables)
    if visits > 3 * _VISITS_MAX or after == before:
        return False
    found.entered[name] = after
    return True


def _joined(envs: list[Env]) -> Env:
    """What is known where several ways meet."""
    first, *others = envs
    for other in others:
        variables: dict[str, Variable] = {}
        for name in {**first.variables, **other.variables}:
            one, two = first.variable(name), other.variable(name)
            if one is None or two is None:
                known = one or two
                assert known is not None, "one of the two knows the name"
                variables[name] = Variable(known.shape, certain=False)
            else:
                variables[name] = Variable(join(one.shape, two.shape), one.certain and two.certain)
        first = Env(join(first.payload, other.payload), variables, first.complete and other.complete)
    return first


def _is_open(state: State) -> bool:
    return any(is_unknown(target) for target, _, _ in targets(state))
