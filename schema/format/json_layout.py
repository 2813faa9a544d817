"""A JSON document written again: the same keys and values, each text and number as its author spelled it."""

from __future__ import annotations

from collections.abc import Iterator

from ..frontdoor import Lines
from ..json_reader import token
from ..nodes import Node
from .order import Places, in_order

#: An array or object that was written on one line stays there up to this column.
WIDTH = 100
INDENT = "  "


class JsonLayout:
    """Writes the nodes of one text."""

    def __init__(self, text: str, places: Places) -> None:
        self._text = text
        self._lines = Lines(text)
        self._places = places

    def write(self, root: Node) -> str:
        return self._value(root, 0, 0) + "\n"

    def _value(self, node: Node, level: int, column: int) -> str:
        """The value at a level, when ``column`` characters stand before it on its line."""
        if node.children is None:
            return token(self._text, node.start)
        opening, closing = "{}" if node.is_object else "[]"
        if not node.children:
            return opening + closing
        line = self._on_one_line(node)
        if line is not None and column + len(line) <= WIDTH:
            return line
        inner = INDENT * (level + 1)
        members: list[str] = []
        for blank, key, child in self._members(node):
            name = f"{key}: " if key else ""
            value = self._value(child, level + 1, len(inner) + len(name))
            members.append(("\n" if blank and members else "") + inner + name + value)
        return f"{opening}\n" + ",\n".join(members) + f"\n{INDENT * level}{closing}"

    def _on_one_line(self, node: Node) -> str | None:
        """The value on one line, if its author wrote it so and nothing in it is tall."""
        if node.children is None:
            return token(self._text, node.start)
        position = self._lines.position(node.start)
        if self._places.is_tall(position):
            return None
        parts = []
        for _, key, child in self._members(node):
            if self._lines.position(child.start).line != position.line:
                return None
            value = self._on_one_line(child)
            if value is None:
                return None
            parts.append(f"{key}: {value}" if key else value)
        inside = ", ".join(parts)
        if node.is_object:
            return f"{{ {inside} }}" if parts else "{}"
        return f"[{inside}]"

    def _members(self, node: Node) -> Iterator[tuple[bool, str, Node]]:
        """Whether a blank line stands before, the key as it is written, and the value; in their final order."""
        members: list[tuple[str, tuple[bool, str, Node]]] = []
        for part, child in node:
            start = node.key_start(part) if node.is_object else child.start
            key = token(self._text, start) if node.is_object else ""
            members.append((str(part), (self._after_blank_line(start), key, child)))
        order = self._places.order(self._lines.position(node.start)) if node.is_object else None
        yield from (member for _, member in members) if order is None else in_order(members, order)

    def _after_blank_line(self, start: int) -> bool:
        end = start
        while end > 0 and self._text[end - 1] in " \t\r\n":
            end -= 1
        return self._text.count("\n", end, start) > 1
