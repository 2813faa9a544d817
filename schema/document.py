"""Documents: definitions and inputs, from text in YAML or JSON to plain values whose places are known.

:func:`read_document` and :func:`read_file` read definitions; a :class:`Document` knows the line and column of
every key and value and which holes (``${Name}``) are not filled in. :func:`read_json` reads the input of an
execution. All three refuse what is malformed, ambiguous or too large with a :class:`DocumentError` that
lists every problem; no other exception comes out. What a value *means* is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePath
from typing import Literal

from detent.core.values import JSON

from . import json_reader, yaml_reader
from .diagnostics import Pointer, Position
from .frontdoor import (
    DEFINITION_LIMITS,
    INPUT_LIMITS,
    DocumentError,
    Findings,
    Lines,
    TextLimits,
    admit,
    refuse,
)
from .nodes import Node
from .placeholders import (
    HoleKind,
    Placeholder,
    fill,
    foreign_function,
    has_holes,
    holes,
    is_hole,
    is_unknown,
)
from .scalars import NotFiniteError, NumberRangeError, plain_scalar

__all__ = [
    "DEFINITION_LIMITS",
    "INPUT_LIMITS",
    "Document",
    "DocumentError",
    "Format",
    "HoleKind",
    "Placeholder",
    "TextLimits",
    "has_holes",
    "is_hole",
    "is_unknown",
    "read_bytes",
    "read_document",
    "read_file",
    "read_json",
]

Format = Literal["yaml", "json"]

_SUFFIXES: dict[str, Format] = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}


def read_document(
    text: str | bytes,
    *,
    source: str | None = None,
    format: Format | None = None,
    limits: TextLimits = DEFINITION_LIMITS,
    functions: bool = False,
) -> Document:
    """Read a definition. ``source`` is the name it has in messages, usually its path.

    Without ``format`` the suffix of ``source`` decides, and without a known suffix the first character: a brace or
    a bracket begins JSON. Bytes are UTF-8, with or without a byte order mark. ``functions`` reads the short tags of
    CloudFormation, such as ``!Ref``, which a definition by itself does not have.

    Raises DocumentError with every problem found.
    """
    characters = admit(text, source=source, limits=limits)
    chosen = format or _SUFFIXES.get(PurePath(source or "").suffix.lower()) or _guess(characters)
    if chosen == "yaml" and _guess(characters) == "json":
        # JSON is YAML, but the YAML parser does not know its tabs and escapes, nor holes in place of values.
        try:
            root = _read_json_nodes(characters, source, limits)
        except DocumentError:
            root = _read_yaml_nodes(characters, source, limits, functions)
    elif chosen == "yaml":
        root = _read_yaml_nodes(characters, source, limits, functions)
    else:
        root = _read_json_nodes(characters, source, limits)
    return Document(root, text=characters, source=source, format=chosen)


def read_file(path: str | Path, *, limits: TextLimits = DEFINITION_LIMITS) -> Document:
    """Read the definition in a file; its suffix, or else its content, says whether it is YAML or JSON.

    Raises DocumentError, also when there is no such file or it cannot be read.
    """
    source = str(path)
    return read_document(read_bytes(path, limits=limits), source=source, limits=limits)


def read_bytes(path: str | Path, *, limits: TextLimits) -> bytes:
    """The content of a file, one byte more than the limit at most. Raises DocumentError if it cannot be read."""
    source = str(path)
    try:
        with Path(path).open("rb") as file:
            return file.read(limits.max_bytes + 1)
    except FileNotFoundError:
        refuse("not-found", "there is no such file", source, "check the path")
    except IsADirectoryError:
        refuse("not-a-file", "this is a directory", source, "name the file in it")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        refuse("unreadable", f"the file cannot be read: {reason}", source)


def read_json(text: str | bytes, *, source: str | None = None, limits: TextLimits = INPUT_LIMITS) -> JSON:
    """Read a JSON value, such as the input of an execution, without keeping places. Raises DocumentError."""
    return json_reader.read_fast(admit(text, source=source, limits=limits), source=source, limits=limits)


class Document:
    """A definition that was read. Immutable: :meth:`substitute` makes another one."""

    def __init__(self, root: Node, *, text: str, source: str | None, format: Format) -> None:
        self._root = root
        self._lines = Lines(text)
        self.text = text
        self.source = source
        self.format = format

    @property
    def root(self) -> Node:
        """The value with the place of everything in it."""
        return self._root

    @property
    def value(self) -> JSON:
        """The plain value; holes are texts as written, ``${Name}``."""
        return self._root.value

    def position(self, pointer: Pointer, *, key: bool = False) -> Position | None:
        """Where the value stands, or the key of it; for a place that does not exist, its nearest ancestor.

        What a YAML alias or merge repeats stands where it was written.
        """
        return self._lines.position(self.offset(pointer, key=key))

    def offset(self, pointer: Pointer, *, key: bool = False) -> int:
        """The same place, as the number of characters before it."""
        node, start = self._root, self._root.start
        for depth, part in enumerate(pointer, 1):
            child = node.child(part)
            if child is None:
                break
            start = child.start
            if key and depth == len(pointer) and node.is_object:
                start = node.key_start(part)
            node = child
        return start

    @cached_property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """Every place that is not filled in, in the order of the text."""
        return tuple(self._placeholders(self._root, ()))

    def substitute(self, values: Mapping[str, str]) -> Document:
        """The document with the named holes filled in.

        In a text, or a key, the value becomes part of the text. A hole that was written without quotes and stands
        for a whole value takes what is written: a number, true, null, a JSON array or object, otherwise text.
        Places stay those of the original. Names that do not occur are ignored.

        Raises DocumentError if two keys become the same, or a number is out of range.
        """
        findings = Findings(self.text, self.source)
        root = _Substitution(values, findings).apply(self._root)
        findings.raise_if_any()
        return Document(root, text=self.text, source=self.source, format=self.format)

    def _placeholders(self, node: Node, pointer: Pointer) -> Iterator[Placeholder]:
        if node.children is None:
            if has_holes(node.value):
                kind = HoleKind.BARE if node.plain and is_hole(node.value) else HoleKind.TEXT
                yield from self._in_text(node.value, node.start, pointer, kind)
            return
        if function := foreign_function(node.value):
            yield Placeholder(function, pointer, self._lines.position(node.start), HoleKind.FOREIGN)
        for part, child in node:
            below = (*pointer, part)
            if node.is_object and has_holes(part):
                yield from self._in_text(str(part), node.key_start(part), below, HoleKind.KEY)
            yield from self._placeholders(child, below)

    def _in_text(self, value: str, start: int, pointer: Pointer, kind: HoleKind) -> Iterator[Placeholder]:
        """The holes of one text; found in the source from where the text begins, unless written with escapes."""
        for hole in holes(value):
            found = self.text.find(hole.group(), start)
            if found >= 0:
                start = found
            yield Placeholder(hole.group(1), pointer, self._lines.position(start), kind)
            start += found >= 0


class _Substitution:
    """One pass over the nodes of a document that fills holes in; nodes without any are shared."""

    def __init__(self, values: Mapping[str, str], findings: Findings) -> None:
        self.values = values
        self.findings = findings

    def apply(self, node: Node, pointer: Pointer = ()) -> Node:
        if node.children is None:
            return self._scalar(node, pointer)
        if not node.is_object:
            items = Node.array(node.start)
            for index, child in node:
                items.append(self.apply(child, (*pointer, index)))
            return items
        members = Node.object(node.start)
        for key, child in node:
            name = fill(str(key), self.values)
            if name in members.value:
                self.findings.add(
                    "duplicate-key", f"two keys become {name!r}", node.key_start(key), (*pointer, name), None
                )
            members.put(name, node.key_start(key), self.apply(child, (*pointer, key)))
        return members

    def _scalar(self, node: Node, pointer: Pointer) -> Node:
        if not has_holes(node.value):
            return node
        text = fill(node.value, self.values)
        if text == node.value:
            return node
        if not (node.plain and is_hole(node.value)):
            return Node(text, node.start)
        return self._typed(text, node, pointer)

    def _typed(self, text: str, node: Node, pointer: Pointer) -> Node:
        """What stands in place of a whole value: anything JSON, or a scalar of YAML."""
        if text[:1] in ("[", "{", '"'):
            # What is filled in counts towards the depth of the whole.
            limits = replace(DEFINITION_LIMITS, max_depth=DEFINITION_LIMITS.max_depth - len(pointer))
            try:
                filled = json_reader.read_nodes(text, Findings(text, None), limits=limits, holes=True)
            except DocumentError:
                return Node(text, node.start)
            return _at(filled, node.start)
        try:
            return Node(plain_scalar(text), node.start, plain=True)
        except (NumberRangeError, NotFiniteError) as error:
            self.findings.add("number-range", str(error), node.start, pointer, "put it in quotes")
            return node


def _at(node: Node, start: int) -> Node:
    """The node with everything in it placed where its hole was."""
    moved = Node(node.value, start, plain=node.plain)
    if node.children is not None:
        moved.children = {part: _at(child, start) for part, child in node}
    if node.keys is not None:
        moved.keys = dict.fromkeys(node.keys, start)
    return moved


def _guess(text: str) -> Format:
    return "json" if text.lstrip()[:1] in ("{", "[") else "yaml"


def _read_json_nodes(text: str, source: str | None, limits: TextLimits) -> Node:
    return json_reader.read_nodes(text, Findings(text, source), limits=limits, holes=True)


def _read_yaml_nodes(text: str, source: str | None, limits: TextLimits, functions: bool) -> Node:
    return yaml_reader.read_nodes(text, Findings(text, source), limits=limits, functions=functions)
