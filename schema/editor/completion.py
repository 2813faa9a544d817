"""What can be written at the cursor: fields, names of states, types, errors, resources, and what expressions read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from detent.core.errors import KNOWN_ERRORS

from ..inference.shapes import UNKNOWN
from ..outline import JSONATA, STATE_TYPES
from ..validate_graph import targets
from ..validate_language import belongs_to
from ..validate_resources import INTEGRATIONS
from . import fields
from .cursor import Cursor, cursor_at
from .data import TYPED_PATH, members, roots, shape_of, variables
from .jsonata_words import JSONATA_FUNCTIONS, about_jsonata
from .names import is_plain, states_under
from .place import Place, place_of, value_at
from .source import Source, Written, source_at
from .words import INTRINSICS, about_function, shape_text, signature

#: Fields whose value is the name of a state.
_TARGETS = ("StartAt", "Next", "Default")
#: Fields of JSONPath states with a path, beside those whose name ends in Path.
_PATHS = ("Variable",)
#: Of a rule, what JSONata leaves; the tests of JSONPath all stand in Condition.
_RULE_IN_JSONATA = ("Comment", "Condition", "Assign", "Output", "Next")
_UNREAL = {"Iterator"}  # still read, not written any more

_EXPRESSION = re.compile(r"\{%(?:(?!%\}).)*\Z", re.DOTALL)
_WORD = re.compile(r"[\w.]*\Z")
#: Names of errors and resources: they hold colons, and blanks nowhere.
_PLAIN = re.compile(r"[A-Za-z][\w.]*(?::+[\w.:-]+)?")
_VARIABLE = re.compile(r"\$\$?\w*\Z")


class Kind(StrEnum):
    FIELD = "field"
    STATE = "state"
    VALUE = "value"
    ERROR = "error"
    RESOURCE = "resource"
    VARIABLE = "variable"
    MEMBER = "member"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True)
class Completion:
    """``text`` takes the place of the text from offset ``start`` up to ``end``. ``about`` is Markdown."""

    label: str
    kind: Kind
    text: str
    start: int
    end: int
    detail: str = ""
    about: str = ""


def complete(
    text: str,
    offset: int,
    *,
    name: str | None = None,
    handlers: Iterable[str] = (),
    before: Source | None = None,
) -> list[Completion]:
    """What can be written at an offset. ``handlers`` are names that ``task:NAME`` may have; ``before`` is the text
    as it was when it could be read, in case it now cannot."""
    cursor = cursor_at(text, offset)
    if cursor is None:
        return []
    source = source_at(text, offset, name=name)
    if not source.machines and before is not None:
        source = before
    machine = _machine(source, cursor)
    if machine is None:
        return []
    place = place_of(machine.document.value, cursor.path[len(machine.home) :])
    # An item of a sequence may become an object, or be all there is to it.
    if cursor.is_key and place.field != "ErrorEquals":
        found = _keys(machine, place, cursor)
    else:
        found = _values(machine, place, cursor, handlers)
    return list({each.label: each for each in found}.values())


def _machine(source: Source, cursor: Cursor) -> Written | None:
    """The machine that the cursor is in."""
    around = [each for each in source.machines if cursor.path[: len(each.home)] == each.home]
    return around[0] if around else None


# Keys


def _keys(machine: Written, place: Place, cursor: Cursor) -> Iterator[Completion]:
    if place.rest == ("States",):
        yield from _missing_states(machine, place, cursor)
        return
    present = value_at(machine.document.value, (*place.part, *place.rest))
    taken = set(present) if isinstance(present, dict) else set()
    must = fields.required(place.kind) if not place.rest else ()
    for field in _fields(place):
        if field in taken and field != cursor.typed:
            continue
        dotted = f"{place.dotted}.{field}" if place.rest else field
        detail = "required" if field in must else ""
        yield _key(cursor, field, Kind.FIELD, detail, fields.description(place.kind, dotted) or "")


def _fields(place: Place) -> Iterator[str]:
    if place.rest:
        yield from fields.inner_fields(place.kind, place.dotted)
        return
    for field in fields.fields(place.kind):
        if (
            place.kind in ("rule", "nestedRule")
            and place.language == JSONATA
            and field not in _RULE_IN_JSONATA
        ):
            continue
        if field not in _UNREAL and belongs_to(field, place.language):
            yield field


def _missing_states(machine: Written, place: Place, cursor: Cursor) -> Iterator[Completion]:
    """States that are named somewhere and not there yet."""
    scope = machine.scopes.get(place.scope)
    if scope is None:
        return
    named = [
        scope.value.get("StartAt"),
        *(to for state in scope.states.values() for to, _, _ in targets(state)),
    ]
    for target in named:
        if isinstance(target, str) and target not in scope.names:
            yield _key(cursor, target, Kind.STATE, "named, and not there yet", "")


def _key(cursor: Cursor, label: str, kind: Kind, detail: str, about: str) -> Completion:
    if cursor.quote:
        written = _in_quotes(label, cursor.quote)
    elif cursor.is_json or not (is_plain(label) or label.startswith("$")):
        written = json.dumps(label, ensure_ascii=False)
    else:
        written = label
    if not cursor.quote and not cursor.has_colon:
        written += ": "
    return Completion(label, kind, written, cursor.start, cursor.end, detail, about)


# Values


def _values(machine: Written, place: Place, cursor: Cursor, handlers: Iterable[str]) -> Iterator[Completion]:
    field = place.field
    if field in _TARGETS and len(place.rest) == 1:
        yield from _states(machine, place, cursor)
    elif field == "Type" and place.kind in (*STATE_TYPES, "state"):
        for type_ in STATE_TYPES:
            yield _value(cursor, type_, Kind.VALUE, "", fields.summary(type_) or "")
    elif field == "ErrorEquals" or (field == "Error" and place.kind == "Fail"):
        for error in _errors(machine):
            yield _value(cursor, error, Kind.ERROR)
    elif field == "Resource":
        for resource, detail in _resources(machine, place, handlers):
            yield _value(cursor, resource, Kind.RESOURCE, detail)
    else:
        for value in fields.values(place.kind, place.dotted):
            yield _value(cursor, value if isinstance(value, str) else json.dumps(value), Kind.VALUE)
        yield from _in_expression(machine, place, cursor)


def _states(machine: Written, place: Place, cursor: Cursor) -> Iterator[Completion]:
    for name, state in states_under(machine, place.scope).items():
        comment = state.value.get("Comment")
        yield _value(cursor, name, Kind.STATE, state.type or "", comment if isinstance(comment, str) else "")


def _errors(machine: Written) -> Iterator[str]:
    yield from sorted(KNOWN_ERRORS)
    for part in machine.outline.parts():
        names = part.value.get("ErrorEquals")
        for name in [*(names if isinstance(names, list) else ()), part.value.get("Error")]:
            if isinstance(name, str) and not name.startswith("{%"):
                yield name


def _resources(machine: Written, place: Place, handlers: Iterable[str]) -> Iterator[tuple[str, str]]:
    if place.kind == "itemReader":
        yield from (("arn:aws:states:::s3:getObject", ""), ("arn:aws:states:::s3:listObjectsV2", ""))
        return
    if place.kind == "resultWriter":
        yield "arn:aws:states:::s3:putObject", ""
        return
    for handler in handlers:
        yield f"task:{handler}", "a handler of this project"
    for state in machine.outline.states:
        resource = state.value.get("Resource")
        if isinstance(resource, str) and state.type == "Task" and state.pointer != place.state:
            yield resource, f"as in {state.name}"
    for service, integration in INTEGRATIONS.items():
        for action in integration.actions:
            for pattern in ("", *sorted(integration.patterns)):
                yield f"arn:aws:states:::{service}:{action}{pattern}", "an integration of the service"


def _value(cursor: Cursor, label: str, kind: Kind, detail: str = "", about: str = "") -> Completion:
    if cursor.quote:
        written = _in_quotes(label, cursor.quote)
    elif cursor.is_json:
        written = label if label in ("true", "false") else json.dumps(label, ensure_ascii=False)
    elif kind is Kind.VALUE or is_plain(label) or _PLAIN.fullmatch(label):
        written = label
    else:
        written = json.dumps(label, ensure_ascii=False)
    return Completion(label, kind, written, cursor.start, cursor.end, detail, about)


def _in_quotes(label: str, quote: str) -> str:
    return json.dumps(label, ensure_ascii=False)[1:-1] if quote == '"' else label.replace("'", "''")


# Expressions


def _in_expression(machine: Written, place: Place, cursor: Cursor) -> Iterator[Completion]:
    last = place.rest[-1] if place.rest else ""
    if place.language == JSONATA:
        opened = _EXPRESSION.search(cursor.typed)
        if opened is not None:
            yield from _read(machine, place, cursor, opened.group())
    elif isinstance(last, str) and (last.endswith((".$", "Path")) or last in _PATHS):
        yield from _read(machine, place, cursor, cursor.typed)
        if last.endswith(".$") or last in ("ErrorPath", "CausePath"):
            yield from _functions(cursor)


def _read(machine: Written, place: Place, cursor: Cursor, typed: str) -> Iterator[Completion]:
    known = roots(machine, place)
    end = cursor.start + len(cursor.typed)
    path = TYPED_PATH.search(typed)
    if path is not None:
        shape = shape_of(path["base"], known) or UNKNOWN
        for name, member in members(shape):
            detail = shape_text(member.shape) if member.certain else f"perhaps {shape_text(member.shape)}"
            yield Completion(name, Kind.MEMBER, name, end - len(path["last"]), cursor.word_end, detail)
        return
    begun = _VARIABLE.search(typed)
    start = end - (len(begun.group()) if begun else 0)
    assigned = variables(machine, place)
    for root, shape in known.items():
        variable = assigned.get(root[1:])
        detail = shape_text(shape) if variable is None or variable.certain else "not assigned on every way"
        yield Completion(root, Kind.VARIABLE, root, start, cursor.word_end, detail)
    if place.language == JSONATA:
        for function, (called, _) in JSONATA_FUNCTIONS.items():
            about = about_jsonata(function)
            yield Completion(function, Kind.FUNCTION, function, start, cursor.word_end, called, about)


def _functions(cursor: Cursor) -> Iterator[Completion]:
    end = cursor.start + len(cursor.typed)
    word = _WORD.search(cursor.typed)
    start = end - len(word.group() if word else "")
    if cursor.typed[: start - cursor.start].endswith("$"):
        return
    for function in INTRINSICS:
        detail = signature(function)
        yield Completion(
            function, Kind.FUNCTION, function, start, cursor.word_end, detail, about_function(function)
        )
