"""Which part of an expression failed, and with which values: the reference says so, the engine does not.

Once an evaluation has failed, the parts that can be to blame are evaluated by themselves: operands of comparisons and
negations, arguments of functions; in steps, predicates and functions like ``$map`` for each item. Parts inside other
functions see what only the whole expression shows; for a failure there the engine's own words remain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from ...core.values import JSON, encode
from .builtin import BUILT_IN
from .messages import EvaluationError
from .ordering import first_uneven
from .parser import Node
from .signatures import Argument, argument_of, arguments_of_items, has_signature, leaves_out_the_first, misfit

#: Evaluations that one failure may cost.
EVALUATIONS_MAX = 20
#: Evaluations that it may cost to find the calls that ask for a context item.
CONTEXTS_MAX = 5

#: Numbers that the range operator makes at most.
_RANGE_MAX = 10_000_000
_COMPARISONS = ("<", "<=", ">", ">=")
_OPERATORS = frozenset({*_COMPARISONS, "+", "-", "*", "/", "%", "&", "=", "!=", "in", "and", "or"})
#: Kinds of nodes all of whose parts see what the node sees.
_OPEN = _OPERATORS | {"negate", "array", "range", "object", "condition"}
#: Kinds of nodes of which that holds for the first part alone.
_OPEN_FIRST = frozenset({"group", "focus", "index", "~>"})
#: Kinds of nodes whose other parts are evaluated for each item of the first.
_STEPS = frozenset({".", "predicate", "sort"})
#: Functions that call another one for each item, by one that gives what it answered for each.
_WALKERS = {"map": "map", "filter": "map", "single": "map", "each": "each", "sift": "each"}
#: Kinds of nodes that are functions.
_FUNCTIONS = frozenset({"lambda", "partial", "transform"})


class Found(Protocol):
    """What came out of an evaluation."""

    @property
    def type(self) -> str: ...
    @property
    def value(self) -> Any: ...


class _Place(NamedTuple):
    """What has to stand around the text of a node for it to be evaluated: assignments, steps, functions.

    ``each``: it is evaluated for several items.
    """

    prefix: str = ""
    suffix: str = ""
    each: bool = False

    def within(self, opening: str, closing: str, *, each: bool = True) -> _Place:
        """The place of what stands inside a part that opens and closes so."""
        return _Place(self.prefix + opening, f"\n{closing}{self.suffix}", self.each or each)


_TOP = _Place()


class _Part(NamedTuple):
    """A node and its place. ``name`` is the operator or function that the reference names: what fails on the right
    side of ``and`` or ``or`` it tells by their name.
    """

    node: Node
    place: _Place
    name: str


#: What some nodes are, for each item that they are evaluated for: once, where there are no items.
_Rows = Callable[[Sequence[Node]], Iterable[Sequence[Argument]]]


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
    parts = _Parts(text, evaluate)
    try:
        for part in parts.of(tree):
            found = judge(part, partial(parts.rows, part))
            if found is not None:
                return found
    except _Unknown as unknown:
        if unknown.limit is not None:
            return unknown.limit
    return error


def without_context(
    text: str, tree: Node, evaluate: Callable[[str], Found | None]
) -> list[Node] | EvaluationError:
    """The calls that ask for a context item where there is none, by the types of their arguments; a few at most.

    To the reference the first argument of each is undefined; the engine has a context item everywhere, and refuses it.
    Where a part comes to a limit the answer is that one: whoever evaluates with more finds the calls.
    """
    found: list[Node] = []
    parts = _Parts(text, evaluate, CONTEXTS_MAX)
    try:
        for part in parts.of(tree):
            call = _called(part.node) if part.node.kind == "call" and not part.place.each else None
            if call is None or call[0] not in BUILT_IN or not has_signature(call[0]):
                continue
            if any(leaves_out_the_first(call[0], given) for given in parts.rows(part, call[1])):
                found.append(part.node)
    except _Unknown as unknown:
        return found if unknown.limit is None else unknown.limit
    return found


class _Parts:
    """The parts of one expression, and what they are."""

    def __init__(
        self, text: str, evaluate: Callable[[str], Found | None], left: int = EVALUATIONS_MAX
    ) -> None:
        self._text = text
        self._evaluate = evaluate
        self._left = left

    def of(self, node: Node, place: _Place = _TOP, around: str | None = None) -> Iterator[_Part]:
        """The nodes that can be evaluated by themselves, inner ones first: so they are evaluated."""
        if node.kind == "block":
            for part in node.parts:
                before = self._text[node.begin + 1 : part.begin]
                yield from self.of(part, place.within(f"({before}", ")", each=False), around)
            return
        call = _called(node)
        if node.kind in _STEPS:
            first, *others = node.parts
            yield from self.of(first, place, around)
            inside = place.within(f"{self._source(first)}.(", ")")
            for part in others if node.kind != "sort" else ():
                yield from self.of(part, inside, around)
            # The terms of a sort see the items, the sort itself does not.
            place = inside if node.kind == "sort" else place
        elif node.kind == "~>" and node.parts[1].kind == "transform":
            left, node = node.parts
            yield from self.of(left, place, around)
            place = place.within(f"{self._source(left)}.{self._source(node.parts[0])}.(", ")")
        elif call is not None:
            yield from self._of_call(*call, place, around)
        elif node.kind in _OPEN or node.kind == "bind":
            for index, part in enumerate(node.parts if node.kind in _OPEN else node.parts[1:]):
                renamed = node.kind if index and node.kind in ("and", "or") else None
                yield from self.of(part, place, around or renamed)
        elif node.kind in _OPEN_FIRST:
            yield from self.of(node.parts[0], place, around)
        yield _Part(node, place, around or (node.kind if call is None else call[0]))

    def _of_call(
        self, function: str, given: Sequence[Node], place: _Place, around: str | None
    ) -> Iterator[_Part]:
        """The arguments of a call; of a function that is called for each item, its body for each."""
        for part in given:
            yield from self.of(part, place, around)
        walker = _WALKERS.get(function)
        if walker is not None and len(given) == 2 and given[1].kind == "lambda":
            *parameters, body = given[1].parts
            names = ",".join(f"${parameter.value}" for parameter in parameters)
            opening = f"${walker}({self._source(given[0])},function({names}){{"
            yield from self.of(body, place.within(opening, "})"))

    def rows(self, part: _Part, nodes: Sequence[Node]) -> Iterable[Sequence[Argument]]:
        """What nodes beside a part are. Raises _Unknown."""
        if not part.place.each:
            return [[self._ask(part.place, self._source(node)) for node in nodes]]
        if any(node.kind in _FUNCTIONS or node.value in BUILT_IN for node in nodes):
            raise _Unknown(None)  # a function is no member of an object
        members = ",".join(f'"{index}":{self._source(node)}' for index, node in enumerate(nodes))
        found = self._ask(part.place, f"{{{members}}}").value
        rows = found if isinstance(found, list) else [] if found is None else [found]
        return [[argument_of(row, str(index)) for index in range(len(nodes))] for row in rows]

    def _ask(self, place: _Place, source: str) -> Argument:
        self._left -= 1
        found = self._evaluate(f"({place.prefix}{source}{place.suffix})") if self._left >= 0 else None
        if found is None or found.type == "error":
            raise _Unknown(found)
        return Argument(found.type, found.value)

    def _source(self, node: Node) -> str:
        return f"({self._text[node.begin : node.end]}\n)"


def _called(node: Node) -> tuple[str, Sequence[Node]] | None:
    """Function and arguments of a call, also of one that is applied to what stands left of it."""
    if node.kind == "call" and node.parts[0].kind == "variable":
        return node.parts[0].value, node.parts[1:]
    if node.kind == "~>":
        left, right = node.parts
        if right.kind == "variable":
            return right.value, (left,)
        inner = _called(right) if right.kind == "call" else None
        return None if inner is None else (inner[0], (left, *inner[1]))
    return None


def _misfitting(part: _Part, rows: _Rows) -> EvaluationError | None:
    call = _called(part.node)
    if call is None or call[0] not in BUILT_IN or not has_signature(call[0]):
        return None
    for given in rows(call[1]):
        if part.node.kind == "~>" and given[0].type == "function":
            return None  # two functions become one
        found = misfit(call[0], given, part.name) or _misfitting_passed(call, given)
        if found is not None:
            return found
    return None


def _misfitting_passed(call: tuple[str, Sequence[Node]], given: Sequence[Argument]) -> EvaluationError | None:
    """A function of the language that is passed to another one, for the first item that does not fit it."""
    if call[0] not in _WALKERS or len(given) != 2 or call[1][1].kind != "variable":
        return None
    function = call[1][1].value
    if function not in BUILT_IN or not has_signature(function):
        return None
    of_members = _WALKERS[call[0]] == "each"
    for arguments in arguments_of_items(given[0], function, of_members=of_members):
        found = misfit(function, arguments, function)
        if found is not None:
            return found
    return None


def _uneven(part: _Part, rows: _Rows) -> EvaluationError | None:
    if part.node.kind not in _COMPARISONS:
        return None
    for left, right in rows(part.node.parts):
        if {left.type, right.type} == {"string", "number"}:
            return EvaluationError(
                "T2009",
                f"The values {_told(left.value)} and {_told(right.value)} either side of operator "
                f'"{part.name}" must be of the same data type',
            )
    return None


def _incomparable(part: _Part, rows: _Rows) -> EvaluationError | None:
    if part.node.kind not in _COMPARISONS:
        return None
    for row in rows(part.node.parts):
        if not all(operand.type in ("string", "number", "undefined") for operand in row):
            return EvaluationError(
                "T2010",
                f'The expressions either side of operator "{part.name}" must evaluate to numeric or string values',
            )
    return None


def _not_negated(part: _Part, rows: _Rows) -> EvaluationError | None:
    if part.node.kind != "negate":
        return None
    for (operand,) in rows(part.node.parts):
        if operand.type not in ("number", "undefined"):
            return EvaluationError("D1002", f"Cannot negate a non-numeric value: {_told(operand.value)}")
    return None


def _too_long(part: _Part, rows: _Rows) -> EvaluationError | None:
    if part.node.kind != "range":
        return None
    for first, last in rows(part.node.parts):
        if first.type != "number" or last.type != "number" or last.value - first.value < _RANGE_MAX:
            continue
        size = _told(last.value - first.value + 1)
        return EvaluationError(
            "D2014",
            f"The size of the sequence allocated by the range operator (..) must not exceed 1e6.  Attempted to "
            f"allocate {size}.",
        )
    return None


def _uneven_order(part: _Part, rows: _Rows) -> EvaluationError | None:
    if part.node.kind != "sort":
        return None
    pair = first_uneven(list(rows(part.node.parts[1:])), part.node.value)
    if pair is None:
        return None
    left, right = pair
    return EvaluationError(
        "T2007", f"Type mismatch when comparing values {_told(left)} and {_told(right)} in order-by clause"
    )


def _untransformed(part: _Part, rows: _Rows) -> EvaluationError | None:
    """What a transformation puts in is an object, what it takes out is named by texts; the update comes first."""
    if part.node.kind != "transform":
        return None
    for update, *names in rows(part.node.parts[1:]):
        if update.type not in ("object", "undefined"):
            return EvaluationError(
                "T2011",
                "The insert/update clause of the transform expression must evaluate to an object: "
                + _told(update.value),
            )
        for taken in names:
            texts = taken.value if taken.type == "array" else [taken.value]
            if taken.type != "undefined" and not all(isinstance(text, str) for text in texts):
                return EvaluationError(
                    "T2012",
                    "The delete clause of the transform expression must evaluate to a string or array of strings: "
                    + _told(taken.value),
                )
    return None


def _told(value: JSON) -> str:
    return encode(value).decode()


_JUDGES: Mapping[str, Callable[[_Part, _Rows], EvaluationError | None]] = {
    "D1002": _not_negated,
    "D2014": _too_long,
    "T0410": _misfitting,
    "T0411": _misfitting,
    "T0412": _misfitting,
    "T2007": _uneven_order,
    "T2009": _uneven,
    "T2010": _incomparable,
    "T2011": _untransformed,
    "T2012": _untransformed,
}
