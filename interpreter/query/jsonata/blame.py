"""Which part of an expression failed, and with which values: the reference says so, the engine does not.

Once an evaluation has failed, the parts that can be to blame are evaluated by themselves: operands of comparisons and
negations, arguments of functions. Parts inside functions, steps and predicates see what only the whole expression
shows; for a failure there the engine's own words remain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from ...core.values import JSON, encode
from .builtin import BUILT_IN
from .messages import EvaluationError
from .parser import Node
from .signatures import Argument, has_signature, misfit

#: Evaluations that one failure may cost.
EVALUATIONS_MAX = 20

#: Numbers that the range operator makes at most.
_RANGE_MAX = 10_000_000
_COMPARISONS = ("<", "<=", ">", ">=")
_OPERATORS = frozenset({*_COMPARISONS, "+", "-", "*", "/", "%", "&", "=", "!=", "in", "and", "or"})
#: Kinds of nodes all of whose parts see what the node sees.
_OPEN = _OPERATORS | {"negate", "array", "range", "object", "condition"}
#: Kinds of nodes of which that holds for the first part alone.
_OPEN_FIRST = frozenset({".", "~>", "predicate", "group", "sort", "focus", "index"})


class Found(Protocol):
    """What came out of an evaluation."""

    @property
    def type(self) -> str: ...
    @property
    def value(self) -> Any: ...


class _Part(NamedTuple):
    """A node, and the text that has to be evaluated before it: what the blocks around it assign.

    ``name`` is the operator or function that the reference names: what fails on the right side of ``and`` or ``or``
    it tells by their name.
    """

    node: Node
    before: str
    name: str


class _Unknown(Exception):
    """A part cannot be evaluated by itself, or it would be too many. ``limit`` is the one that it came to."""

    def __init__(self, found: Found | None) -> None:
        failure = None if found is None else found.value
        self.limit: EvaluationError | None = None if failure is None or failure.code else failure


def blamed(
    error: EvaluationError, text: str, tree: Node, evaluate: Callable[[str], Found | None]
) -> EvaluationError:
    """The error in the reference's words, as far as they can be found out; ``evaluate`` evaluates a part.

    Where a part comes to a limit the error is that one: whoever evaluates with more has the words.
    """
    judge = _JUDGES.get(error.code or "")
    if judge is None:
        return error
    left = EVALUATIONS_MAX

    def argument(part: Node, before: str) -> Argument:
        nonlocal left
        left -= 1
        found = evaluate(f"({before}{text[part.begin : part.end]}\n)") if left >= 0 else None
        if found is None or found.type == "error":
            raise _Unknown(found)
        return Argument(found.type, found.value)

    try:
        for part in _parts(tree, text, "", None):
            found = judge(part, lambda node, before=part.before: argument(node, before))  # type: ignore[misc]
            if found is not None:
                return found
    except _Unknown as unknown:
        if unknown.limit is not None:
            return unknown.limit
    return error


def _parts(node: Node, text: str, before: str, around: str | None) -> Iterator[_Part]:
    """The nodes that can be evaluated by themselves, inner ones first: so they are evaluated."""
    if node.kind == "block":
        for part in node.parts:
            yield from _parts(part, text, before + text[node.begin + 1 : part.begin], around)
        return
    is_call = node.kind == "call" and node.parts[0].kind == "variable"
    if node.kind in _OPEN:
        inner = node.parts
    elif is_call or node.kind == "bind":
        inner = node.parts[1:]
    else:
        inner = node.parts[:1] if node.kind in _OPEN_FIRST else ()
    for place, part in enumerate(inner):
        renamed = node.kind if place and node.kind in ("and", "or") else None
        yield from _parts(part, text, before, around or renamed)
    yield _Part(node, before, around or (node.parts[0].value if is_call else node.kind))


_Evaluate = Callable[[Node], Argument]


def _misfitting(part: _Part, evaluate: _Evaluate) -> EvaluationError | None:
    node = part.node
    if node.kind != "call" or node.parts[0].kind != "variable":
        return None
    function = node.parts[0].value
    if function not in BUILT_IN or not has_signature(function):
        return None
    return misfit(function, [evaluate(given) for given in node.parts[1:]], part.name)


def _uneven(part: _Part, evaluate: _Evaluate) -> EvaluationError | None:
    node = part.node
    if node.kind not in _COMPARISONS:
        return None
    left, right = (evaluate(operand) for operand in node.parts)
    if {left.type, right.type} != {"string", "number"}:
        return None
    return EvaluationError(
        "T2009",
        f"The values {_told(left.value)} and {_told(right.value)} either side of operator "
        f'"{part.name}" must be of the same data type',
    )


def _incomparable(part: _Part, evaluate: _Evaluate) -> EvaluationError | None:
    node = part.node
    if node.kind not in _COMPARISONS:
        return None
    if all(evaluate(operand).type in ("string", "number", "undefined") for operand in node.parts):
        return None
    return EvaluationError(
        "T2010",
        f'The expressions either side of operator "{part.name}" must evaluate to numeric or string values',
    )


def _not_negated(part: _Part, evaluate: _Evaluate) -> EvaluationError | None:
    node = part.node
    if node.kind != "negate":
        return None
    operand = evaluate(node.parts[0])
    if operand.type in ("number", "undefined"):
        return None
    return EvaluationError("D1002", f"Cannot negate a non-numeric value: {_told(operand.value)}")


def _too_long(part: _Part, evaluate: _Evaluate) -> EvaluationError | None:
    node = part.node
    if node.kind != "range":
        return None
    first, last = (evaluate(operand) for operand in node.parts)
    if first.type != "number" or last.type != "number" or last.value - first.value < _RANGE_MAX:
        return None
    size = _told(last.value - first.value + 1)
    return EvaluationError(
        "D2014",
        f"The size of the sequence allocated by the range operator (..) must not exceed 1e6.  Attempted to "
        f"allocate {size}.",
    )


def _told(value: JSON) -> str:
    return encode(value).decode()


_JUDGES: Mapping[str, Callable[[_Part, _Evaluate], EvaluationError | None]] = {
    "D1002": _not_negated,
    "D2014": _too_long,
    "T0410": _misfitting,
    "T0411": _misfitting,
    "T0412": _misfitting,
    "T2009": _uneven,
    "T2010": _incomparable,
}
