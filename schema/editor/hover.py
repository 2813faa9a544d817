"""What stands under the cursor: the meaning of a field, the payload of a state, a function, what a path leads to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from detent.core.values import JSON

from ..diagnostics import Pointer
from ..document import Document
from ..nodes import Node
from ..outline import JSONATA, State
from ..written import written_key
from . import fields
from .data import path_under, roots, shape_of
from .jsonata_words import JSONATA_FUNCTIONS, about_jsonata
from .names import Span, name_at
from .place import place_of, value_at
from .source import Source, Written
from .words import INTRINSICS, about_function, shape_text

_FUNCTION = re.compile(r"States\.\w+")


@dataclass(frozen=True, slots=True)
class Hover:
    """Markdown about the text in ``span``."""

    text: str
    span: Span


def hover(source: Source, offset: int) -> Hover | None:
    """What is known of the thing at an offset; None if nothing is."""
    named = name_at(source, offset)
    if named is not None:
        state = named.scope.states.get(named.name)
        return None if state is None else Hover(about_state(named.machine, state), named.span)
    for machine in source.machines:
        document = machine.document
        pointer = pointer_at(document, offset)
        key = written_key(document, pointer) if pointer and isinstance(pointer[-1], str) else None
        if key is not None and key.start <= offset <= key.end:
            text = about_field(document.value, pointer)
            return None if text is None else Hover(text, Span(key.start, key.end))
        value = value_at(document.value, pointer)
        if isinstance(value, str) and (found := _in_text(machine, pointer, value, offset)) is not None:
            return found
    return None


def about_state(machine: Written, state: State) -> str:
    """A state in Markdown: its type, its comment, what it is entered with."""
    parts = [f"**{state.name}** ({state.type})" if state.type else f"**{state.name}**"]
    comment = state.value.get("Comment")
    if isinstance(comment, str) and comment:
        parts.append(comment)
    env = machine.inference.entered.get(state.pointer)
    if env is None:
        parts.append("Nothing leads here." if machine.inference.entered else "")
    elif env.payload.is_known:
        parts.append(f"Is entered with\n```text\n{shape_text(env.payload)}\n```")
    if env is not None and env.variables:
        known = [
            f"${name}: {shape_text(variable.shape)}{'' if variable.certain else '  (perhaps not assigned)'}"
            for name, variable in env.variables.items()
        ]
        parts.append("Variables\n```text\n" + "\n".join(known) + "\n```")
    left = machine.inference.left.get(state.pointer)
    if left is not None and left.is_known and left.kinds:
        parts.append(f"Hands on\n```text\n{shape_text(left)}\n```")
    return "\n\n".join(part for part in parts if part)


def about_field(definition: JSON, pointer: Pointer) -> str | None:
    """The field whose key is at a place, in Markdown."""
    name = pointer[-1]
    place = place_of(definition, pointer[:-1])
    dotted = f"{place.dotted}.{name}" if place.rest else str(name)
    text = fields.description(place.kind, dotted)
    if text is None:
        return None
    facts = (
        [f"One of {', '.join(f'`{_shown(value)}`' for value in values)}."]
        if (values := fields.values(place.kind, dotted)) and len(values) > 1
        else []
    )
    usual = fields.default(place.kind, dotted)
    if usual is not None:
        facts.append(f"Left out: `{_shown(usual)}`.")
    return "\n\n".join([f"**{name}**", " ".join([text, *facts])])


def _shown(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _in_text(machine: Written, pointer: Pointer, value: str, offset: int) -> Hover | None:
    """The function or the path under the cursor in a text that holds an expression."""
    text = machine.document.text
    start = text.find(value, machine.document.offset(pointer))
    if start < 0 or not start <= offset <= start + len(value):
        return None  # spelled with escapes, or over several lines
    column = offset - start
    for found in _FUNCTION.finditer(value):
        if found.start() <= column <= found.end() and found.group() in INTRINSICS:
            return Hover(about_function(found.group()), Span(start + found.start(), start + found.end()))
    path = path_under(value, column)
    if path is None:
        return None
    written, begins, ends = path
    span = Span(start + begins, start + ends)
    place = place_of(machine.document.value, pointer)
    shape = shape_of(written, roots(machine, place))
    if shape is not None:
        return Hover(f"```text\n{written}: {shape_text(shape)}\n```", span)
    if place.language == JSONATA and written in JSONATA_FUNCTIONS:
        return Hover(about_jsonata(written), span)
    return None


def pointer_at(document: Document, offset: int) -> Pointer:
    """The place whose key or value is the last to begin at an offset or before it."""
    node = document.root
    pointer: Pointer = ()
    while True:
        before = [pair for pair in _starts(node) if pair[0] <= offset]
        if not before:
            return pointer
        _, part, node = max(before, key=lambda pair: pair[0])
        pointer = (*pointer, part)


def _starts(node: Node) -> Iterator[tuple[int, str | int, Node]]:
    for part, child in node:
        yield (node.key_start(part) if node.is_object else child.start), part, child
