"""Whether an expression may make much out of little.

The engine shares what an expression uses twice: a value can hold more copies of another than memory has
room for, and show it only when it is taken out. Such a value needs an expression that repeats itself: a
function that calls itself, a fold that uses what it has folded twice, a step that puts something from
outside into each item. What is found here is measured before it is taken out, or left to a process of its
own where it is looked at as a whole before that; what is not found cannot outgrow the data it sees by much.
"""

from __future__ import annotations

from collections.abc import Iterator

from .builtin import BUILT_IN as _FUNCTIONS
from .parser import Node

#: Names given to values, calls of functions of one's own, steps that build something: each may double what
#: the one before it made, and so many doublings are harmless.
_DOUBLINGS_MAX = 10
#: The same for texts, which take room at once.
_TEXT_DOUBLINGS_MAX = 3

#: Nodes that hand on what some of their parts are worth.
_VALUES = frozenset({"object", "array", "block", "bind", "condition", "group", "partial"})
_CONSTRUCTORS = frozenset({"object", "array"})
#: Functions whose results are numbers, truth values or texts, however large their arguments.
_SCALAR = frozenset(
    """
    abs average boolean ceil contains count exists floor formatBase formatInteger formatNumber fromMillis
    hash join length lowercase max millis min not now number pad parseInteger power random replace round
    sqrt string substring substringAfter substringBefore sum toMillis trim type uppercase uuid
    """.split()
)
#: Functions that look no deeper into a value than its own members, and those that only take what is no deeper.
_SHALLOW = frozenset(
    """
    abs append average ceil count each error exists filter floor fromMillis keys length lookup lowercase map
    max merge millis min now number power random reduce reverse round sift single spread sqrt substring
    substringAfter substringBefore sum toMillis trim type uppercase uuid zip
    """.split()
)
_COMPARISONS = frozenset({"=", "!=", "<", ">", "<=", ">=", "in"})
_LITERALS = frozenset({"number", "string", "value", "negate"})


def needs_room(tree: Node) -> bool:
    """Whether an evaluation may take time or memory at one stroke, while nobody can stop it.

    A step may bring a list along for each item, and all of them are joined before anyone can count; what may
    have outgrown its data may be looked at as a whole; a text may be doubled again and again.
    """
    nodes = list(tree.walk())
    return (
        _flattens(nodes)
        or sum(node.kind == "bind" and _repeats_text(node.parts[1]) for node in nodes) > _TEXT_DOUBLINGS_MAX
        or (any(map(_looks_deep, nodes)) and may_outgrow(tree))
    )


def may_outgrow(tree: Node) -> bool:
    """Whether the value of an expression must be measured."""
    nodes = list(tree.walk())
    lambdas = [node for node in nodes if node.kind == "lambda"]
    if _doublings(nodes) > _DOUBLINGS_MAX:
        return True
    return (
        _calls_itself(nodes, lambdas)
        or any(_doubles(function) for function in lambdas if "reduce" in _called(nodes))
        or any(_brings_along(body, own) for body, own in _repeated(nodes))
    )


def _flattens(nodes: list[Node]) -> bool:
    steps = (node.parts[1] for node in nodes if node.kind == ".")
    return any(_brings_along(step, set(), into=_VALUES - _CONSTRUCTORS) for step in steps)


def _repeats_text(node: Node) -> bool:
    """Whether something stands more than once in texts put together."""
    joined = [part for found in node.walk() if found.kind == "&" for part in found.parts]
    names = [part.value for part in joined if part.kind == "variable"]
    return len(set(names)) < len(names)


def _looks_deep(node: Node) -> bool:
    """Whether a node looks at a value as a whole: writes it as text, compares it, asks whether it is true."""
    if node.kind in ("=", "!=", "in"):
        return not any(part.kind in _LITERALS for part in node.parts)
    if node.kind in ("condition", "and", "or"):
        tests = node.parts[:1] if node.kind == "condition" else node.parts
        return not all(_is_simple(test) for test in tests)
    if node.kind == "call" and node.parts[0].kind == "variable":
        name = node.parts[0].value
        return name in _FUNCTIONS and name not in _SHALLOW
    if node.kind == "variable":
        # A function handed to another.
        return node.value in _FUNCTIONS and node.value not in _SHALLOW
    return node.kind in ("&", "descendant")


def _is_simple(test: Node) -> bool:
    if test.kind in ("and", "or"):
        return all(map(_is_simple, test.parts))
    return test.kind in _COMPARISONS or (test.kind == "call" and _is_scalar_call(test))


def _doublings(nodes: list[Node]) -> int:
    named = _functions(nodes)
    return sum(
        node.kind == "bind"
        or (node.kind == "variable" and node.value in named)
        or (node.kind in (".", "group", "transform") and any(map(_builds, node.parts[1:])))
        for node in nodes
    )


def _builds(node: Node) -> bool:
    return any(part.kind in _CONSTRUCTORS for part in node.walk())


def _functions(nodes: list[Node]) -> set[str]:
    """Names that stand for functions of the expression, or may."""
    return {
        node.parts[0].value
        for node in nodes
        if node.kind == "bind"
        and any(part.kind in ("lambda", "partial", "~>") for part in node.parts[1].walk())
    }


def _called(nodes: list[Node]) -> set[str]:
    return {node.parts[0].value for node in nodes if node.kind == "call" and node.parts[0].kind == "variable"}


def _parameters(function: Node) -> set[str]:
    return {part.value for part in function.parts[:-1]}


def _calls_itself(nodes: list[Node], lambdas: list[Node]) -> bool:
    """Whether a function may, by its name or as an argument, be called from inside a function."""
    named = _functions(nodes)
    for function in lambdas:
        inner = list(function.parts[-1].walk())
        if any(node.kind == "variable" and node.value in named for node in inner):
            return True
        if _called(inner) & _parameters(function):
            return True
    return any(node.kind == "call" and node.parts[0].kind not in ("variable", "name") for node in nodes)


def _doubles(function: Node) -> bool:
    """Whether a fold uses what it has folded so far more than once."""
    if len(function.parts) < 2:
        return False
    folded = function.parts[0].value
    return sum(node.kind == "variable" and node.value == folded for node in function.parts[-1].walk()) > 1


def _repeated(nodes: list[Node]) -> Iterator[tuple[Node, set[str]]]:
    """What is evaluated once for each item, with the names that are its own."""
    for node in nodes:
        if node.kind == "lambda":
            yield node.parts[-1], _parameters(node)
        elif node.kind == ".":
            yield node.parts[1], set()
        elif node.kind in ("group", "transform"):
            for part in node.parts[1:]:
                yield part, set()


def _brings_along(body: Node, own: set[str], into: frozenset[str] = _VALUES) -> bool:
    """Whether the value of ``body`` may hold a value that is not its own, or be one."""
    waiting = [body]
    while waiting:
        node = waiting.pop()
        if node.kind == "variable" and node.value and node.value not in own:
            return True
        if node.kind in ("predicate", "sort"):
            waiting.append(node.parts[0])
        elif node.kind in into:
            waiting.extend(node.parts)
        elif node.kind == ".":
            waiting.append(node.parts[0])
        elif node.kind in ("call", "~>") and not _is_scalar_call(node):
            waiting.extend(node.parts[1:] if node.kind == "call" else node.parts)
    return False


def _is_scalar_call(node: Node) -> bool:
    callee = node.parts[0 if node.kind == "call" else -1]
    if callee.kind in ("call", "partial"):
        callee = callee.parts[0]
    return callee.kind == "variable" and callee.value in _SCALAR
