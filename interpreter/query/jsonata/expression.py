"""Expressions of a state, compiled: parsed once, checked for what they refer to, evaluated within limits.

What only follows names (``$states.input.order.id``, ``$total``) is walked over the values as they are, and
passes them on as they are. Everything else is evaluated by the engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import attrgetter
from random import Random

from ...core.errors import QUERY_EVALUATION_ERROR, DetentError, StateFailure
from ...core.rows import Record
from ...core.values import JSON, encode
from ..bindings import Bindings, Evaluate
from .apart import Request, read_answer, write_request
from .engine import CLOCK, SERVICE, Document, Outcome, Program, check
from .messages import EvaluationError
from .parser import JSONataSyntaxError, Node, parse
from .references import Problem, References, references, refused

_OPEN, _CLOSE = "{%", "%}"

#: What expressions see before the work of a state is done, after it, and in a catcher.
ENTRY = frozenset({"input", "context"})
EXIT = frozenset({"input", "context", "result"})
CATCH = frozenset({"input", "context", "errorOutput"})

_UNKNOWN = object()
_NO_VARIABLES: Mapping[str, JSON] = {}

#: Expressions that are known by their text, and how long each may be: ever new ones do not fill the memory.
_PARSED_MAX = 1_000
_PARSED_CHARACTERS_MAX = 500


class JSONataError(DetentError):
    """An expression that cannot be compiled; the message names the field."""

    code = "JSONATA"


def is_expression(value: JSON) -> bool:
    """Whether a value is a text that stands for what it evaluates to (language, section 4)."""
    return isinstance(value, str) and value.startswith(_OPEN) and value.endswith(_CLOSE) and len(value) >= 4


def inside(text: str) -> tuple[str, int]:
    """The expression between the delimiters, and how many characters stand before it."""
    inner = text[len(_OPEN) : -len(_CLOSE)]
    return inner.strip(), len(_OPEN) + len(inner) - len(inner.lstrip())


class Stage:
    """A point of a state's life: what its expressions may see there, and what they do see, all together.

    The values are converted for the engine once per visit, for all of them.
    """

    __slots__ = ("_members", "_tells_time", "_variables", "available")

    def __init__(self, available: frozenset[str] = ENTRY) -> None:
        self.available = available
        self._members: tuple[tuple[str, Callable[[Bindings], JSON]], ...] = ()
        self._variables: frozenset[str] = frozenset()
        self._tells_time = False

    def include(self, found: References) -> None:
        """One expression more stands here."""
        names = {name for name, _ in self._members} | (found.members & self.available)
        self._members = tuple((name, _READ[name]) for name in sorted(names))
        self._variables |= found.variables
        self._tells_time = not CLOCK.isdisjoint(self._variables)

    def document(self, bindings: Bindings) -> Document:
        """The values for one visit."""
        kept = bindings.shared
        if kept is None or kept[0] is not self:
            states = {}
            for name, read in self._members:  # a comprehension would cost more than what it does
                states[name] = read(bindings)
            variables = self.variables(bindings) if bindings.variables else _NO_VARIABLES
            document = Document(states, variables, bindings.now if self._tells_time else None)
            bindings.shared = self, document
            return document
        known: Document = kept[1]
        return known

    def request(self, text: str, bindings: Bindings, seed: int | None) -> Request:
        """One of the expressions here, and the values for one visit, to be evaluated elsewhere."""
        states = {name: read(bindings) for name, read in self._members}
        return Request(text, states, self.variables(bindings), bindings.now, seed)

    def variables(self, bindings: Bindings) -> Mapping[str, JSON]:
        """The workflow variables that the expressions here read."""
        known = bindings.variables
        return {name: known[name] for name in self._variables if name in known}


def compile_expression(
    text: str, *, place: str, stage: Stage, expected: str | None = None, passes_on: bool = False
) -> Evaluate:
    """Compile what stands between the delimiters.

    ``place`` is the slash path of the field inside the state, ``expected`` the type that the field asks
    for. A field that ``passes_on`` its value to a payload gets it as it comes, maybe Written. Raises
    JSONataError; evaluating raises StateFailure with States.QueryEvaluationError and ``place`` as its location.
    """
    for problem in expression_problems(text, stage.available):
        raise JSONataError(f"{place}: {problem.message} (column {problem.column} of '{text}')")
    parsed = _parsed if len(text) <= _PARSED_CHARACTERS_MAX else _parsed.__wrapped__
    tree, found, program = parsed(text)
    stage.include(found)
    evaluate = _engine(text, place, stage, program, passes_on=passes_on)
    walk = _walk(tree)
    if walk is not None:
        evaluate = _first(walk, evaluate)
    return evaluate if expected is None else _typed(evaluate, text, place, expected)


def expression_problems(text: str, available: frozenset[str]) -> list[Problem]:
    """Why the service refuses an expression: its syntax, or what it refers to. Most have none."""
    try:
        problems = refused(references(parse(text)), available)
    except JSONataSyntaxError as error:
        return [Problem(error.message, error.column, is_syntax=True)]
    if not problems and (refusal := check(text)) is not None:
        return [Problem(refusal.message, 1, is_syntax=True)]
    return problems


def calls(text: str) -> frozenset[str]:
    """The functions that an expression without problems calls by their names."""
    return frozenset(references(parse(text)).calls)


@lru_cache(maxsize=_PARSED_MAX)
def _parsed(text: str) -> tuple[Node, References, Program]:
    """What is known of an expression wherever it stands: many states have the same."""
    tree = parse(text)
    found = references(tree)
    return tree, found, Program(text, tree, found)


def _engine(text: str, place: str, stage: Stage, program: Program, *, passes_on: bool) -> Evaluate:
    expression = _Expression(text, program, stage, passes_on)

    def evaluate(document: JSON, bindings: Bindings) -> JSON:
        evaluation = _Evaluation(expression, bindings)
        if program.draws:
            evaluation.seed = bindings.chance.getrandbits(64)
        outcome = evaluation.unhurried() if bindings.evaluator is None else bindings.evaluator(evaluation)
        if outcome.type not in _FAILURES:
            return outcome.value
        # The failure must not keep what belongs to this thread.
        bindings.shared = None
        raise failure(text, place, _FAILURES[outcome.type](outcome.value))

    return evaluate


class _Expression(Record):
    """What is known of an expression where it stands."""

    text: str
    program: Program
    stage: Stage
    passes_on: bool


class _Evaluation(Record):
    """An expression and what it sees, as the core's Evaluator takes it."""

    expression: _Expression
    bindings: Bindings
    seed: int | None = None
    shares: bool = False

    @property
    def passes_on(self) -> bool:
        return self.expression.passes_on

    def unhurried(self) -> Outcome:
        """What comes out under the limits of the service."""
        expression, seed = self.expression, self.seed
        try:
            return expression.program.run(
                expression.stage.document(self.bindings), None if seed is None else Random(seed), SERVICE
            )
        except EvaluationError as error:
            return Outcome("error", error)

    def quick(self) -> Outcome | None:
        expression, seed = self.expression, self.seed
        try:
            return expression.program.quick(
                expression.stage.document(self.bindings), None if seed is None else Random(seed)
            )
        except EvaluationError as error:
            return Outcome("error", error)

    def request(self) -> bytes:
        expression = self.expression
        self.bindings.shared = None
        return write_request(expression.stage.request(expression.text, self.bindings, self.seed))

    def outcome(self, answer: bytes) -> Outcome:
        return read_answer(answer, passes_on=self.passes_on)


_FAILURES: dict[str, Callable[[EvaluationError], str]] = {
    "error": lambda error: f"threw an error during evaluation{error.tail}",
    "undefined": lambda _: "returned nothing (undefined).",
    "function": lambda _: "returned an unsupported result type.",
}


def failure(text: str, place: str, tail: str) -> StateFailure:
    """The failure of an expression (language, section 8)."""
    return StateFailure(
        QUERY_EVALUATION_ERROR,
        f"The JSONata expression '{text}' specified for the field '{place}' {tail}",
        location=place,
    )


def unexpected(text: str, place: str, expected: str, value: JSON) -> StateFailure:
    """The failure of an expression whose value is not of the type that its field asks for."""
    return failure(
        text,
        place,
        f"returned an unexpected result type. Expected '{expected}', but was '{type_name(value)}' for value: "
        f"{encode(value).decode()}",
    )


def type_name(value: JSON) -> str:
    """The type of a value as the service names it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _typed(evaluate: Evaluate, text: str, place: str, expected: str) -> Evaluate:
    def typed(document: JSON, bindings: Bindings) -> JSON:
        value = evaluate(document, bindings)
        if type_name(value) != expected:
            bindings.shared = None  # as where the evaluation fails
            raise unexpected(text, place, expected, value)
        return value

    return typed


# What only follows names

_IDENTIFIER = re.compile(r"[^\W\d]\w*")

_READ: dict[str, Callable[[Bindings], JSON]] = {
    "input": attrgetter("input"),
    "context": attrgetter("context"),
    "result": attrgetter("result"),
    "errorOutput": attrgetter("error"),
}


def _walk(tree: Node) -> Callable[[Bindings], JSON] | None:
    """A walk over names, if the expression is one. It answers _UNKNOWN where only the engine knows."""
    names: list[str] = []
    while tree.kind == "." and tree.parts[1].kind == "name":
        names.append(tree.parts[1].value)
        tree = tree.parts[0]
    names.reverse()
    if tree.kind != "variable" or not _IDENTIFIER.fullmatch(tree.value):
        return None
    if tree.value != "states":
        return _walk_variable(tree.value, tuple(names))
    if not names or names[0] not in _READ:
        return None
    read, path = _READ[names[0]], tuple(names[1:])
    return lambda bindings: _follow(read(bindings), path)


def _walk_variable(variable: str, path: tuple[str, ...]) -> Callable[[Bindings], JSON]:
    def walk(bindings: Bindings) -> JSON:
        return _follow(bindings.variables.get(variable, _UNKNOWN), path)

    return walk


def _follow(value: JSON, path: tuple[str, ...]) -> JSON:
    for name in path:
        # The language maps over lists.
        if value.__class__ is not dict or name not in value:
            return _UNKNOWN
        value = value[name]
    return value


def _first(walk: Callable[[Bindings], JSON], general: Evaluate) -> Evaluate:
    def evaluate(document: JSON, bindings: Bindings) -> JSON:
        value = walk(bindings)
        return general(document, bindings) if value is _UNKNOWN else value

    return evaluate
