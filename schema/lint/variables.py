"""Variables: read before they are set, on some ways or on all; set and never read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detent.core.values import JSON

from ..diagnostics import Pointer, Severity
from ..document import is_unknown
from ..findings import closest, show
from ..inference.notes import VariableRead
from ..outline import Scope
from ..validate_variables import assigned_in, visible_around
from .rule import Found, Subject, rule

_NAME = re.compile(r"\$(\w+)")


@rule(
    "undefined-variable", Severity.ERROR, "A variable is read that nothing on the way to the state assigns."
)
def undefined_variable(subject: Subject) -> Iterator[Found]:
    everywhere = {scope.pointer: assigned_in(scope) for scope in subject.outline.scopes}
    for note in subject.inference.notes.variables:
        if note.known is None and not note.tested:
            yield Found(note.pointer, _says(note, "which is not set here"), *_why(note, everywhere))


@rule(
    "maybe-undefined-variable",
    Severity.WARNING,
    "A variable is read that is not assigned on every way to the state.",
)
def maybe_undefined_variable(subject: Subject) -> Iterator[Found]:
    for note in subject.inference.notes.variables:
        if note.known is None or note.known.certain or note.tested:
            continue
        related = tuple(
            (way.pointer, f"this way does not set ${note.name}")
            for way in subject.inference.ways.get(note.state.pointer, ())
            if way.env.variable(note.name) is None
        )
        yield Found(
            note.pointer,
            _says(note, "which is not set on every way to this state"),
            "assign it before the ways part, or on each of them",
            related=related,
        )


@rule("unused-variable", Severity.INFO, "A variable is assigned and never read.")
def unused_variable(subject: Subject) -> Iterator[Found]:
    read = _named_anywhere(subject.value)
    for scope in subject.outline.scopes:
        for name, pointer in assigned_in(scope).items():
            if name not in read and not is_unknown(name):
                yield Found(
                    pointer,
                    f"Variable {show(name)} is assigned and never read",
                    f"read it as ${name}, or remove it",
                    on_key=True,
                )


def _named_anywhere(value: JSON) -> set[str]:
    """Every name that stands after a dollar sign in any text of the definition."""
    names: set[str] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and "$" in item:
            names.update(_NAME.findall(item))
    return names


def _says(note: VariableRead, what: str) -> str:
    return f"{show(note.pointer[-1])} in {note.part.label} reads ${note.name}, {what}"


def _why(
    note: VariableRead, everywhere: dict[Pointer, dict[str, Pointer]]
) -> tuple[str | None, bool, tuple[tuple[Pointer, str], ...]]:
    """A hint, that the finding is about a value, and where the variable is set, if it is set anywhere."""
    scope = note.state.scope
    here = everywhere[scope.pointer]
    if note.name in here:
        place = here[note.name]
        if place[: len(note.state.pointer)] == note.state.pointer:
            return "what a state assigns is visible from the next state on", False, ((place, "set here"),)
        return "no way from there leads here", False, ((place, "set here"),)
    seen = {scope.pointer, *(around.pointer for around in visible_around(scope))}
    for pointer, names in everywhere.items():
        if note.name in names and pointer not in seen:
            return _hidden(pointer, scope), False, ((names[note.name], "set here, in another scope"),)
    known = [name for names in everywhere.values() for name in names]
    similar = closest(note.name, known)
    return (f"did you mean '${similar}'?" if similar else "assign it in an earlier state"), False, ()


def _hidden(pointer: Pointer, scope: Scope) -> str:
    outer = any(around.pointer == pointer for around in scope.around())
    if outer:
        return "a distributed Map sees no outer variables: pass it in with ItemSelector"
    return "variables of an inner scope end with it: hand the value out as its output"
