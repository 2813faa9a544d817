"""A value with the place of everything in it: what both readers build and a Document walks."""

from __future__ import annotations

from collections.abc import Iterator

from detent.core.values import JSON


class Node:
    """A value, where it starts in the text, and the nodes below it.

    ``value`` is the plain value; containers of ``value`` hold the values of ``children``. ``children`` maps keys,
    or indexes, to nodes and is None for a scalar; ``keys`` maps each key to the offset where it is written.
    ``plain`` marks a scalar written without quotes. A node may stand in several places (YAML aliases).
    """

    __slots__ = ("children", "keys", "plain", "start", "value")

    def __init__(self, value: JSON, start: int, *, plain: bool = False) -> None:
        self.value = value
        self.start = start
        self.plain = plain
        self.children: dict[str | int, Node] | None = None
        self.keys: dict[str | int, int] | None = None

    @classmethod
    def array(cls, start: int) -> Node:
        node = cls([], start)
        node.children = {}
        return node

    @classmethod
    def object(cls, start: int) -> Node:
        node = cls({}, start)
        node.children = {}
        node.keys = {}
        return node

    @property
    def is_object(self) -> bool:
        return self.keys is not None

    def child(self, part: str | int) -> Node | None:
        """The node below, or None where there is none."""
        return None if self.children is None else self.children.get(part)

    def key_start(self, key: str | int) -> int:
        """Where the key of an object is written."""
        assert self.keys is not None, "only objects have keys"
        return self.keys[key]

    def append(self, child: Node) -> None:
        """Add an item to an array."""
        assert self.children is not None, "a scalar has no items"
        self.children[len(self.value)] = child
        self.value.append(child.value)

    def put(self, key: str, key_start: int, child: Node) -> None:
        """Add a member to an object, or replace it."""
        assert self.children is not None, "a scalar has no members"
        assert self.keys is not None, "an array has no keys"
        self.children[key] = child
        self.keys[key] = key_start
        self.value[key] = child.value

    def __iter__(self) -> Iterator[tuple[str | int, Node]]:
        """Keys or indexes with their nodes, in the order of the text."""
        return iter(self.children.items() if self.children is not None else ())
