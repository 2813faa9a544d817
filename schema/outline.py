"""A definition taken apart: its scopes, its states, and the objects inside them.

Every part knows its place, how to speak of it ("Retry[0] of state 'Charge' (Task)") and which schema
describes it. The passes of the validator go over these lists instead of walking the document again.

Nothing is judged here. What has not the shape of a part (a state that is a number, say) is left out,
because the schema of the part around it says so already. The walk keeps its own stack: no depth of
nesting can exhaust Python's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from detent.core.values import JSON

from .diagnostics import Pointer
from .document import is_unknown
from .findings import shorten

JSONATA = "JSONata"
JSONPATH = "JSONPath"

STATE_TYPES = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")

#: Kinds of objects inside a state that have a schema of their own.
_LISTED = {"Retry": "retrier", "Catch": "catcher"}
_SINGLE = {"ItemReader": "itemReader", "ItemBatcher": "itemBatcher", "ResultWriter": "resultWriter"}
_PROCESSORS = ("ItemProcessor", "Iterator")


@dataclass(frozen=True, slots=True)
class Part:
    """An object of the definition; ``kind`` names its schema (``Task``, ``retrier``, ``branch`` ...)."""

    kind: str
    value: Mapping[str, JSON]
    pointer: Pointer
    label: str

    def at(self, *steps: str | int) -> Pointer:
        """The place of something inside."""
        return (*self.pointer, *steps)

    def fields(self) -> Iterator[tuple[Pointer, str, JSON]]:
        """Place, name and value of each field, those of a ReaderConfig included."""
        for name, value in self.value.items():
            yield self.at(name), name, value
            if name == "ReaderConfig" and isinstance(value, dict):
                for inner, setting in value.items():
                    yield self.at(name, inner), inner, setting


@dataclass(frozen=True, slots=True)
class State(Part):
    """A state; ``type`` is None where it is missing, unknown, or not known yet.

    ``language`` is None when a placeholder decides it. ``inside`` holds the parts below the state that are
    no scopes: retriers, catchers, choice rules, the reader, batcher and writer of a Map.
    """

    name: str
    type: str | None
    scope: Scope
    language: str | None
    inside: list[Part] = field(default_factory=list)

    def parts(self, *kinds: str) -> Iterator[Part]:
        return (part for part in self.inside if part.kind in kinds)


@dataclass(frozen=True, slots=True)
class Scope(Part):
    """A ``States`` object and its ``StartAt``; ``owner`` is the Parallel or Map around it, None at the root."""

    owner: State | None
    states: dict[str, State] = field(default_factory=dict)

    @property
    def names(self) -> Mapping[str, JSON]:
        """The States object: also names whose value is no state stand in it."""
        states = self.value.get("States")
        return states if isinstance(states, dict) else {}

    @property
    def is_open(self) -> bool:
        """Whether a placeholder may still add states."""
        states = self.value.get("States")
        return is_unknown(states) or any(is_unknown(name) for name in self.names)

    def around(self) -> Iterator[Scope]:
        """The enclosing scopes, nearest first."""
        owner = self.owner
        while owner is not None:
            yield owner.scope
            owner = owner.scope.owner


@dataclass(frozen=True, slots=True)
class Outline:
    """All of it, in the order of the document."""

    language: str | None
    scopes: list[Scope]
    states: list[State]

    def parts(self) -> Iterator[Part]:
        """Every part of every kind."""
        yield from self.scopes
        for state in self.states:
            yield state
            yield from state.inside


def outline(definition: Mapping[str, JSON]) -> Outline:
    language = _language_of(definition, JSONPATH)
    root = Scope("machine", definition, (), "the state machine", None)
    found = Outline(language, [], [])
    waiting = [root]
    while waiting:
        scope = waiting.pop()
        found.scopes.append(scope)
        inner: list[Scope] = []
        for state in _states_of(scope, language):
            scope.states[state.name] = state
            found.states.append(state)
            state.inside.extend(_inside(state))
            inner.extend(_scopes_of(state))
        waiting.extend(reversed(inner))
    return found


def _states_of(scope: Scope, language: str | None) -> Iterator[State]:
    states = scope.value.get("States")
    if not isinstance(states, dict) or is_unknown(states):
        return
    for name, value in states.items():
        if not isinstance(value, dict) or is_unknown(value):
            continue
        type_ = _type_of(value)
        label = f"state '{shorten(name)}'" + (f" ({value['Type']})" if type_ else "")
        yield State(
            type_ or ("unknown" if is_unknown(value.get("Type")) else "state"),
            value,
            scope.at("States", name),
            label,
            name,
            type_,
            scope,
            _language_of(value, language),
        )


def _type_of(state: Mapping[str, JSON]) -> str | None:
    type_ = state.get("Type")
    if type_ == "Success":
        return "Succeed"
    return type_ if isinstance(type_, str) and type_ in STATE_TYPES else None


def _language_of(value: Mapping[str, JSON], inherited: str | None) -> str | None:
    language = value.get("QueryLanguage")
    if is_unknown(language):
        return None
    return language if language in (JSONATA, JSONPATH) else inherited


def _inside(state: State) -> Iterator[Part]:
    for name, kind in _LISTED.items():
        elements = state.value.get(name)
        for index, element in enumerate(elements if isinstance(elements, list) else ()):
            if isinstance(element, dict):
                yield Part(kind, element, state.at(name, index), f"{name}[{index}] of {state.label}")
    for name, kind in _SINGLE.items():
        element = state.value.get(name)
        if isinstance(element, dict):
            yield Part(kind, element, state.at(name), f"{name} of {state.label}")
    if state.type == "Choice":
        yield from _rules(state)


def _rules(state: State) -> Iterator[Part]:
    choices = state.value.get("Choices")
    waiting = [
        ("rule", rule, state.at("Choices", index), f"Choices[{index}]")
        for index, rule in enumerate(choices if isinstance(choices, list) else ())
    ]
    waiting.reverse()
    while waiting:
        kind, rule, pointer, path = waiting.pop()
        if not isinstance(rule, dict) or is_unknown(rule):
            continue
        yield Part(kind, rule, pointer, f"{path} of {state.label}")
        nested = [("nestedRule", rule["Not"], (*pointer, "Not"), f"{path}.Not")] if "Not" in rule else []
        for name in ("And", "Or"):
            elements = rule.get(name)
            for index, element in enumerate(elements if isinstance(elements, list) else ()):
                nested.append(("nestedRule", element, (*pointer, name, index), f"{path}.{name}[{index}]"))
        waiting.extend(reversed(nested))


def _scopes_of(state: State) -> Iterator[Scope]:
    if state.type == "Parallel":
        branches = state.value.get("Branches")
        for index, branch in enumerate(branches if isinstance(branches, list) else ()):
            if isinstance(branch, dict) and not is_unknown(branch):
                label = f"Branches[{index}] of {state.label}"
                yield Scope("branch", branch, state.at("Branches", index), label, state)
    if state.type == "Map":
        for name in _PROCESSORS:
            processor = state.value.get(name)
            if isinstance(processor, dict) and not is_unknown(processor):
                yield Scope("itemProcessor", processor, state.at(name), f"{name} of {state.label}", state)
