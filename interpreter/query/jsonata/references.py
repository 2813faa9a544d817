"""What an expression refers to: members of ``$states``, variables, and what the service refuses to look up.

An expression of a state has no context item. A bare name, ``$`` and ``$$`` mean something only below a
step, a predicate, a sort or a function; elsewhere the service refuses the definition. (Functions are
judged leniently: what ``$`` is inside one depends on where it is called.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from .parser import Node
from .signatures import asking_the_context

#: Members of ``$states``. The last two exist at some places only.
MEMBERS = ("input", "context", "result", "errorOutput")

#: Nodes whose value is that of their first part, looked at more closely.
_REFINEMENTS = frozenset({"predicate", "group", "sort", "focus", "index"})
#: Functions that take a context item, by how many arguments they then are given; ``$sift`` is called with its function.
_ASKS_THE_CONTEXT = {**asking_the_context(), "sift": 1}
_CONTEXT_NAMES = {"wildcard": "*", "descendant": "**", "parent": "%"}


class Problem(NamedTuple):
    """What the service refuses an expression for; ``column`` counts from 1 inside the expression.

    ``is_syntax``: it cannot be parsed. Otherwise it refers to something that the service does not look up.
    """

    message: str
    column: int
    is_syntax: bool = False


@dataclass(slots=True)
class References:
    """``members`` are those of ``$states`` that are read; all of them where ``$states`` is taken whole.

    ``roots`` are the places of ``$$``, and of ``$``, ``*`` and ``**`` where nothing but a function gives a meaning;
    ``calls`` says with how many arguments a function is called at most, ``contextual`` where the parentheses
    open of calls that leave their first argument to a context item that there is not.
    """

    members: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    operators: set[str] = field(default_factory=set)
    roots: list[tuple[int, str]] = field(default_factory=list)
    unknown: list[Problem] = field(default_factory=list)
    named: list[tuple[str, int]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    contextual: list[tuple[int, bool]] = field(default_factory=list)


def references(tree: Node) -> References:
    """Everything an expression refers to."""
    found = References()
    # (node, whether there is a context item, whether a function is around)
    waiting: list[tuple[Node, bool, bool]] = [(tree, False, False)]
    applied: set[int] = set()
    own: set[str] = set()
    contextual: list[tuple[str, int, bool]] = []
    while waiting:
        node, context, inside = waiting.pop()
        found.operators.add(node.kind)
        if node.kind == "call" and node.parts[0].kind == "variable":
            name = node.parts[0].value
            given = len(node.parts) - 1
            found.calls[name] = max(found.calls.get(name, 0), given)
            if not context and _ASKS_THE_CONTEXT.get(name) == given and id(node) not in applied:
                contextual.append((name, node.start, given > 0))
        elif node.kind == "~>":
            applied.add(id(node.parts[1]))  # what stands left of it is the first argument
        elif node.kind == "bind":
            own.add(node.parts[0].value)
        elif node.kind == "lambda":
            own.update(part.value for part in node.parts[:-1])
        if _note_member(node, found):
            waiting.append((node.parts[1], True, inside))
            continue
        _note(node, context, inside, found)
        waiting.extend(reversed(list(_below(node, context, inside))))
    found.contextual = [(start, goes_on) for name, start, goes_on in contextual if name not in own]
    return found


def refused(found: References, available: frozenset[str]) -> list[Problem]:
    """What the service would not accept, in reading order; ``available`` are the members that exist here."""
    problems = list(found.unknown)
    for member, column in found.named:
        if member not in available:
            problems.append(Problem(f"Field '$states.{member}' does not exist.", column))
    return sorted(problems, key=lambda problem: problem.column)


def _note_member(node: Node, found: References) -> bool:
    """Whether a node is ``$states.member``."""
    if node.kind != "." or node.parts[0].kind != "variable" or node.parts[0].value != "states":
        return False
    step = node.parts[1]
    while step.kind in _REFINEMENTS:
        step = step.parts[0]
    if step.kind not in ("name", "string"):
        return False
    found.named.append((step.value, node.parts[0].start + 1))
    found.members.add(step.value)
    return True


def _note(node: Node, context: bool, inside: bool, found: References) -> None:
    if node.kind == "variable":
        if node.value == "states":
            found.members.update(MEMBERS)
        elif node.value not in ("", "$"):
            found.variables.add(node.value)
        elif not context or node.value == "$":
            found.roots.append((node.start, "$" + node.value))
            if not context and not inside:
                _refuse("$" + node.value, node, found)
    elif not context and not inside:
        if node.kind == "name":
            _refuse(node.value, node, found)
        elif node.kind in _CONTEXT_NAMES:
            _refuse(_CONTEXT_NAMES[node.kind], node, found)
    elif not context and node.kind in ("wildcard", "descendant"):
        found.roots.append((node.start, _CONTEXT_NAMES[node.kind]))


def _refuse(name: str, node: Node, found: References) -> None:
    message = f"Reference to '{name}' at the top level is not supported."
    found.unknown.append(Problem(message, node.start + 1))


def _below(node: Node, context: bool, inside: bool) -> Iterator[tuple[Node, bool, bool]]:
    if node.kind == "lambda":
        for part in node.parts:
            yield part, context, True
    elif node.kind == ".":
        yield node.parts[0], context, inside
        yield node.parts[1], True, inside
    elif node.kind == "transform":
        for part in node.parts:
            yield part, True, inside
    elif node.kind in _REFINEMENTS:
        yield node.parts[0], context, inside
        for part in node.parts[1:]:
            yield part, True, inside
    else:
        for part in node.parts:
            yield part, context, inside
