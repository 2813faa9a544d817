"""What a JSONata expression reads: paths from ``$states`` and from variables, and which of them it is careful with.

A missing value is no error in JSONata: it is left out, and only an expression whose own value is missing
fails. An author who asks ``$exists($x)``, or tests a path in a condition, knows that it may be missing: such
paths are *tested*, wherever in the expression they stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from detent.query.jsonata.parser import Node

#: Functions that make something of a value that is not there.
_CAREFUL = frozenset({"append", "boolean", "count", "exists", "lookup", "merge", "not", "type"})

#: Operators with a meaning where a side is not there.
_TESTING = frozenset({"=", "!=", "and", "or", "in", "<", "<=", ">", ">="})

#: Nodes whose first part is looked at more closely by the others.
_REFINEMENTS = frozenset({"predicate", "group", "sort", "focus", "index"})

#: Members of ``$states``.
_MEMBERS = frozenset({"input", "result", "errorOutput", "context"})

#: What can be called without being assigned.
FUNCTIONS = frozenset(
    """
    abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl
    decodeUrlComponent distinct each encodeUrl encodeUrlComponent error eval exists filter floor formatBase
    formatInteger formatNumber fromMillis hash join keys length lookup lowercase map match max merge millis min not
    now number pad parse parseInteger partition power random range reduce replace reverse round shuffle sift single
    sort split spread sqrt string substring substringAfter substringBefore sum toMillis trim type uppercase uuid zip
    """.split()
)


@dataclass(frozen=True, slots=True)
class PathRead:
    """A path: ``root`` is ``$states.input`` and the like, or the name of a variable. ``whole``: nothing more is
    asked of what the path names. ``column`` counts from 1."""

    root: str
    names: tuple[str, ...]
    whole: bool
    column: int
    tested: bool = False

    @property
    def is_variable(self) -> bool:
        return not self.root.startswith("$")


def reads_in(tree: Node) -> list[PathRead]:
    """Every path of an expression, in reading order."""
    local = _local_names(tree)
    found: list[PathRead] = []
    careful: list[tuple[str, ...]] = []
    waiting: list[tuple[Node, bool]] = [(tree, False)]
    while waiting:
        node, tested = waiting.pop()
        read, rest = path_of(node)
        if read is not None:
            if read.root not in local:
                found.append(read)
                if tested:
                    careful.append((read.root, *read.names))
            waiting.extend((part, False) for part in reversed(rest))
            continue
        waiting.extend(reversed(list(_parts(node, tested))))
    return [
        PathRead(read.root, read.names, read.whole, read.column, _is_tested(read, careful)) for read in found
    ]


def _is_tested(read: PathRead, careful: list[tuple[str, ...]]) -> bool:
    path = (read.root, *read.names)
    return any(path[: len(one)] == one or one[: len(path)] == path for one in careful)


def _parts(node: Node, tested: bool) -> Iterator[tuple[Node, bool]]:
    """The parts of a node that is no path, each with whether a missing value means something there."""
    if node.kind in ("call", "partial"):
        callee, *arguments = node.parts
        name = callee.value if callee.kind == "variable" else ""
        if callee.kind != "variable":
            yield callee, False
        for argument in arguments:
            yield argument, name in _CAREFUL
    elif node.kind == "condition":
        yield node.parts[0], True
        for part in node.parts[1:]:
            yield part, tested
    elif node.kind == "bind":
        yield node.parts[1], tested
    else:
        inner = node.kind in _TESTING or (tested and node.kind in ("block", "."))
        for part in node.parts:
            yield part, inner


def path_of(node: Node) -> tuple[PathRead | None, list[Node]]:
    """The path that a node is, and the parts of it that are expressions of their own; None if it is no path."""
    spine: list[Node] = []
    base = node
    while base.kind == "." or base.kind in _REFINEMENTS:
        spine.append(base)
        base = base.parts[0]
    if base.kind != "variable" or base.value in ("", "$"):
        return None, []
    names: list[str] = []
    rest: list[Node] = []
    whole = True
    for link in reversed(spine):
        step, refined = (link.parts[1], False) if link.kind == "." else (link, True)
        while step.kind in _REFINEMENTS:
            rest.extend(step.parts[1:])
            refined = True
            if step is link:
                break
            step = step.parts[0]
        if step.kind in ("name", "string"):
            names += [step.value] if whole else []
        elif step is not link:
            rest.append(step)
        whole = whole and not refined and step.kind in ("name", "string")
    return _rooted(base, names, whole), rest


def _rooted(base: Node, names: list[str], whole: bool) -> PathRead | None:
    if base.value != "states":
        return PathRead(base.value, tuple(names), whole, base.start + 1)
    if not names or names[0] not in _MEMBERS:
        return None
    return PathRead(f"$states.{names[0]}", tuple(names[1:]), whole, base.start + 1)


def _local_names(tree: Node) -> set[str]:
    """Names that the expression itself gives to something."""
    names: set[str] = set()
    for node in tree.walk():
        if node.kind == "bind":
            names.add(node.parts[0].value)
        elif node.kind == "lambda":
            names.update(part.value for part in node.parts[:-1])
        elif node.kind in ("focus", "index"):
            names.add(node.parts[1].value)
    return names
