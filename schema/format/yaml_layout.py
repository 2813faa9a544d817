"""A tree of YAML written again: two blanks a level, one around colons and commas, comments where they were."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..frontdoor import Lines
from .order import Places, in_order
from .yaml_tree import Collection, Entry, Scalar, Tree

#: A collection in brackets stays on its line up to this column; then it is written in lines.
WIDTH = 110
INDENT = 2
_HEADER = re.compile(r"(?P<before>(?:[&!]\S*\s+)*)(?P<sign>[|>])(?P<options>[-+0-9]*)(?P<comment>\s+#.*)?")
_ANCHOR = re.compile(r"&([^\s,\[\]{}]+)")


class YamlLayout:
    """Writes one tree."""

    def __init__(self, text: str, places: Places) -> None:
        self._lines = Lines(text)
        self._places = places

    def write(self, tree: Tree) -> str:
        """The text, which ends with a line end."""
        lines = [*_stripped(tree.header), *self._root(tree.root), *tree.footer]
        return "\n".join(lines) + "\n"

    def _root(self, root: Scalar | Collection) -> list[str]:
        if isinstance(root, Scalar):
            return root.lines
        line = self._on_one_line(root)
        if line is not None and len(line) <= WIDTH:
            return [line]
        return [*filter(None, [root.properties]), *self._block(root, 0)]

    def _block(self, collection: Collection, indent: int) -> list[str]:
        """The lines of a collection, each entry beginning at the column ``indent``."""
        lines: list[str] = []
        margin = " " * indent
        for number, entry in enumerate(self._entries(collection)):
            above = entry.above if number else [comment for comment in entry.above if comment]
            lines += [margin + comment if comment else "" for comment in above]
            lines += self._entry(entry, indent)
        lines += [margin + comment if comment else "" for comment in collection.below]
        return lines

    def _entry(self, entry: Entry, indent: int) -> list[str]:
        beside = f"  {entry.beside}" if entry.beside else ""
        head = " " * indent + (f"{entry.key.text}:" if entry.key is not None else "-")
        value = entry.value
        if value is None or (isinstance(value, Scalar) and not value.text):
            return [head + beside]
        if isinstance(value, Scalar):
            return self._scalar(value, head, beside, indent)
        line = self._on_one_line(value)
        if line is not None and len(head) + 1 + len(line) <= WIDTH:
            return [f"{head} {line}{beside}"]
        inside = self._block(value, indent + INDENT)
        if value.properties:
            return [f"{head} {value.properties}{beside}", *inside]
        if entry.key is not None or beside:
            return [head + beside, *inside]
        # The first line of an item stands behind its dash; comments above that line stand above the dash.
        first = next(number for number, line in enumerate(inside) if not line.lstrip().startswith("#"))
        above = [line[INDENT:] for line in inside[:first]]
        return [*above, f"{head} {inside[first].lstrip()}", *inside[first + 1 :]]

    def _scalar(self, scalar: Scalar, head: str, beside: str, indent: int) -> list[str]:
        first, *rest = scalar.lines
        if not scalar.block:
            margin = " " * (indent + INDENT)
            rest = [line and margin + line for line in (line.strip(" \t") for line in rest)]
            lines = [f"{head} {first}", *rest]
            lines[-1] += beside
            return lines
        return self._block_scalar(scalar, head, beside, indent)

    def _block_scalar(self, scalar: Scalar, head: str, beside: str, indent: int) -> list[str]:
        """A literal or folded scalar: every line moves by the same number of blanks."""
        header, *content = scalar.lines
        found = _HEADER.match(header)
        assert found is not None, "the parser has read a block scalar here"
        sign = " ".join((found["before"] + found["sign"]).split())
        options = re.sub("[1-9]", str(INDENT), found["options"])
        comment = f"  {found['comment'].strip()}" if found["comment"] else beside
        margin = " " * (indent + INDENT)
        moved = [margin + line[scalar.indent :] if line[scalar.indent :] else "" for line in content]
        return [f"{head} {sign}{options}{comment}", *moved]

    def _on_one_line(self, value: Scalar | Collection | None) -> str | None:
        """What was written in brackets, on one line; None for what cannot stand there."""
        if value is None:
            return "null"
        if isinstance(value, Scalar):
            return None if value.block or "\n" in value.text else value.text or "null"
        tall = value.mapping and self._places.is_tall(self._lines.position(value.start))
        if not value.flow or value.below or (tall and value.entries):
            return None
        parts = []
        for entry in self._entries(value):
            inner = self._on_one_line(entry.value)
            if inner is None or entry.beside or any(entry.above):
                return None
            parts.append(inner if entry.key is None else f"{entry.key.text}: {inner}")
        inside = ", ".join(parts)
        return f"{value.properties} ".lstrip() + (f"{{{inside}}}" if value.mapping else f"[{inside}]")

    def _entries(self, collection: Collection) -> list[Entry]:
        order = self._places.order(self._lines.position(collection.start)) if collection.mapping else None
        if order is None or _is_bound(collection):
            return collection.entries
        return in_order([(_name(entry), entry) for entry in collection.entries], order)


def _is_bound(collection: Collection) -> bool:
    """Whether the order of the entries means something.

    It does where one repeats what another defines, and around a text that keeps the blank lines behind it.
    """
    scalars = [list(_scalars(entry.value)) for entry in collection.entries]
    if any(scalar.keeps for found in scalars for scalar in found):
        return True
    defined = [_anchors(entry.value) for entry in collection.entries]
    return any(
        any(scalar.alias in other for other in defined if other is not own)
        for found, own in zip(scalars, defined, strict=True)
        for scalar in found
        if scalar.alias
    )


def _scalars(value: Scalar | Collection | None) -> Iterator[Scalar]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Scalar):
            yield one
        elif one is not None:
            waiting.extend(entry.value for entry in one.entries)


def _anchors(value: Scalar | Collection | None) -> set[str]:
    """The names of the anchors in a value."""
    names: set[str] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Collection):
            names.update(_ANCHOR.findall(one.properties))
            waiting.extend(entry.value for entry in one.entries)
        elif one is not None and (found := _ANCHOR.match(one.text)):
            names.add(found[1])
    return names


def _name(entry: Entry) -> str:
    """The name of a field; quotes around it do not matter."""
    return entry.key.text.strip("\"'") if entry.key is not None else ""


def _stripped(lines: Sequence[str]) -> list[str]:
    """Without blank lines at the beginning, and at most one in a row."""
    kept = [line for index, line in enumerate(lines) if line or (index and lines[index - 1])]
    return kept[1:] if kept[:1] == [""] else kept
