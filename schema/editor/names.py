"""Names of states in a text: where one is declared, where it is used, what it becomes when it is renamed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..diagnostics import Edit, Pointer
from ..document import Document
from ..outline import Scope, State
from ..scalars import NotFiniteError, NumberRangeError, plain_scalar
from ..validate_graph import NAME_LENGTH_MAX, targets
from ..written import like, written_key, written_text
from .source import Source, Written


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the text, from offset ``start`` up to ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """A state for the outline of an editor: ``span`` is all of it, ``name_span`` its name."""

    name: str
    detail: str
    span: Span
    name_span: Span
    inside: tuple[Symbol, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """A name of a state in its scope, found under the cursor at ``span``."""

    machine: Written
    scope: Scope
    name: str
    span: Span


class RenameError(ValueError):
    """A state cannot be called so; the message says why."""


def name_at(source: Source, offset: int) -> Named | None:
    """The name under the cursor, declared or used there."""
    for machine in source.machines:
        for scope in machine.outline.scopes:
            for name, place in _uses(scope):
                span = _value_span(machine.document, place)
                if span is not None and span.start <= offset <= span.end:
                    return Named(machine, scope, name, span)
            for name in scope.states:
                key = _key_span(machine.document, scope.at("States", name))
                if key is not None and key.start <= offset <= key.end:
                    return Named(machine, scope, name, key)
    return None


def definition(source: Source, offset: int) -> Span | None:
    """Where the state is declared whose name is under the cursor."""
    named = name_at(source, offset)
    if named is None or named.name not in named.scope.states:
        return None
    return _key_span(named.machine.document, named.scope.at("States", named.name))


def references(source: Source, offset: int, *, declaration: bool = True) -> list[Span]:
    """Everywhere the state under the cursor is named, in the order of the text."""
    named = name_at(source, offset)
    if named is None:
        return []
    document = named.machine.document
    found = {
        span
        for name, place in _uses(named.scope)
        if name == named.name and (span := _value_span(document, place)) is not None
    }
    if declaration and named.name in named.scope.states:
        key = _key_span(document, named.scope.at("States", named.name))
        found |= set() if key is None else {key}
    return sorted(found, key=lambda span: span.start)


def rename(source: Source, offset: int, name: str) -> list[Edit]:
    """The edits that give the state under the cursor another name, in its declaration and wherever it is used.

    Raises RenameError if it cannot be called so, or is written in a way that cannot be edited.
    """
    named = name_at(source, offset)
    if named is None or named.name not in named.scope.states:
        raise RenameError("there is no state here")
    if not name or len(name) > NAME_LENGTH_MAX:
        raise RenameError(f"a name has 1 to {NAME_LENGTH_MAX} characters")
    machine = named.machine
    if name != named.name and any(state.name == name for state in machine.outline.states):
        raise RenameError(f"there is a state {name!r} already; names are unique in the whole machine")
    places = [place for used, place in _uses(named.scope) if used == named.name]
    written = [written_text(machine.document, place) for place in places]
    written.append(written_key(machine.document, named.scope.at("States", named.name)))
    edits = {Edit(each.start, each.end, _spelled(each.text, name)) for each in written if each is not None}
    if None in written:
        raise RenameError("a place that names the state is written in a way that cannot be edited")
    return sorted(edits, key=lambda edit: edit.start)


def symbols(source: Source) -> list[Symbol]:
    """The states of every machine, those of branches and item processors inside their owners."""
    return [symbol for machine in source.machines for symbol in _of_scope(machine, machine.outline.scopes[0])]


def _of_scope(machine: Written, scope: Scope, end: int | None = None) -> Iterator[Symbol]:
    document = machine.document
    keys = [
        (span, state)
        for state in scope.states.values()
        if (span := _key_span(document, state.pointer)) is not None
    ]
    keys.sort(key=lambda pair: pair[0].start)
    last = len(document.text) if end is None else end
    for index, (key, state) in enumerate(keys):
        following = keys[index + 1][0].start if index + 1 < len(keys) else last
        stop = key.start + len(document.text[key.start : following].rstrip().rstrip(","))
        inner = [each for each in machine.outline.scopes if each.owner is state]
        inside = tuple(symbol for each in inner for symbol in _of_scope(machine, each, stop))
        yield Symbol(state.name, state.type or "", Span(key.start, max(stop, key.end)), key, inside)


def _uses(scope: Scope) -> Iterator[tuple[str, Pointer]]:
    """Every name of a state that is used in a scope, and its place."""
    start = scope.value.get("StartAt")
    if isinstance(start, str):
        yield start, scope.at("StartAt")
    for state in scope.states.values():
        for target, place, _ in targets(state):
            if isinstance(target, str):
                yield target, place


def states_under(machine: Written, scope: Pointer) -> dict[str, State]:
    """The states of the scope at a place."""
    found = machine.scopes.get(scope)
    return {} if found is None else found.states


def _key_span(document: Document, pointer: Pointer) -> Span | None:
    found = written_key(document, pointer)
    return None if found is None else Span(found.start, found.end)


def _value_span(document: Document, pointer: Pointer) -> Span | None:
    found = written_text(document, pointer)
    return None if found is None else Span(found.start, found.end)


def _spelled(written: str, name: str) -> str:
    """The new name in the quotes of the old one, or in quotes of its own if it would not be read as it is."""
    if written[:1] == "'":
        return "'" + name.replace("'", "''") + "'"
    if written[:1] != '"' and not is_plain(name):
        return like('"', name)
    return like(written, name)


def is_plain(name: str) -> bool:
    """Whether a name can stand in YAML without quotes, and is text then."""
    if (
        name != name.strip()
        or not name[:1].isalpha()
        or any(mark in name for mark in (": ", " #", *",[]{}\n\r\t"))
    ):
        return False
    try:
        return not name.endswith(":") and plain_scalar(name) == name
    except (NumberRangeError, NotFiniteError):
        return False
