"""Payload templates of JSONPath states: Parameters, ResultSelector, ItemSelector, Assign, Credentials...

A key that ends in ``.$`` has a path or an intrinsic function as its value and loses the suffix; objects and
arrays are walked; everything else is literal, whatever it looks like. Literal parts of a compiled template
are shared by all its results, never copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from ..core.errors import DATA_LIMIT_EXCEEDED, DetentError, StateFailure
from ..core.measure import written_length
from ..core.values import JSON
from .bindings import Bindings, Evaluate
from .cursor import ExpressionSyntaxError
from .intrinsics import (
    Intrinsic,
    compile_intrinsic,
    is_intrinsic,
    parse_intrinsic,
    variables_in_intrinsic,
)
from .jsonpath import Engine, Path, compile_path, not_in_template, parse_path, variables_in_path

#: The ending of a key whose value is evaluated.
SUFFIX = ".$"

#: Paths in a template from which on its value is measured before it is written.
MANY_PLACES = 16
#: Characters that the value of a template may have as JSON text: four times what any profile takes as a payload.
WRITTEN_MAX = 4 * 1024 * 1024
#: Objects and arrays inside each other.
MAX_TEMPLATE_DEPTH = 150

Expression: TypeAlias = Path | Intrinsic


class TemplateError(DetentError):
    """A payload template that cannot be compiled; the message names the field and the place in it."""

    code = "TEMPLATE"


def compile_template(value: JSON, *, field: str, engine: Engine = "detent") -> Evaluate:
    """Compile a template; ``field`` is the name of its field, for error messages.

    Raises :class:`TemplateError` for bad expressions and for ``k`` beside ``k.$``. Evaluating raises
    :class:`~detent.core.errors.StateFailure`.
    """
    dynamic = _compile(value, field, engine, 0)
    if dynamic is None:
        return lambda document, bindings: value
    return dynamic if _places(value) < MANY_PLACES else _within_bounds(dynamic, field)


def _places(template: JSON) -> int:
    """How many paths, functions and arguments of functions a template has: each may stand for the whole document."""
    return sum(
        1 + (item.count(",") if is_intrinsic(item) else 0)
        for node in _nodes(template)
        if isinstance(node, dict)
        for key, item in node.items()
        if is_evaluated(key)
    )


def _within_bounds(dynamic: Evaluate, field: str) -> Evaluate:
    """A template whose value is never written if that would take more memory than there may be."""

    def evaluate(document: JSON, bindings: Bindings) -> JSON:
        value = dynamic(document, bindings)
        try:
            length = written_length(value, WRITTEN_MAX)
        except RecursionError:
            return value  # who writes it says so
        if length > WRITTEN_MAX:
            raise StateFailure(
                DATA_LIMIT_EXCEEDED,
                f"The value of the field '{field}' has more than {WRITTEN_MAX:,} characters: too many by far.",
            )
        return value

    return evaluate


def variables_in(value: Expression | JSON) -> set[str]:
    """The workflow variables a path, an intrinsic or a whole template reads; what cannot be parsed reads none."""
    if isinstance(value, Path):
        return variables_in_path(value)
    if isinstance(value, Intrinsic):
        return variables_in_intrinsic(value)
    names: set[str] = set()
    for node in _nodes(value):
        if isinstance(node, dict):
            for key, item in node.items():
                if is_evaluated(key) and isinstance(item, str):
                    try:
                        names |= variables_in(parse_expression(item))
                    except ExpressionSyntaxError:
                        continue
    return names


def is_evaluated(key: str) -> bool:
    """Whether a template evaluates the value of this key."""
    return key.endswith(SUFFIX)


def parse_expression(text: str) -> Expression:
    """Parse what may stand under ``k.$``, ErrorPath or CausePath: a path or an intrinsic function call.

    Raises :class:`~detent.query.cursor.ExpressionSyntaxError`.
    """
    return parse_intrinsic(text) if is_intrinsic(text) else parse_path(text)


def compile_expression(text: str, *, key: str, engine: Engine = "detent") -> Evaluate:
    """Compile what stands under ``key``, a template's ``k.$``. Raises as :func:`parse_expression`."""
    expression = parse_expression(text)
    if isinstance(expression, Intrinsic):
        return compile_intrinsic(expression, engine=engine)
    return compile_path(expression, on_missing=not_in_template(key), engine=engine)


def _nodes(value: JSON) -> Iterator[JSON]:
    """Every object and array of a template, in reading order; evaluated values are leaves."""
    pending = [value]
    while pending:
        node = pending.pop()
        yield node
        below: list[JSON] = []
        if isinstance(node, dict):
            below = [item for key, item in node.items() if not is_evaluated(key)]
        elif isinstance(node, list):
            below = node
        pending += reversed([item for item in below if isinstance(item, (dict, list))])


def _escaped(key: str) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


def _compile(value: JSON, place: str, engine: Engine, depth: int) -> Evaluate | None:
    """A function that builds the value, or None for a literal."""
    if depth > MAX_TEMPLATE_DEPTH:
        raise TemplateError(f"{place}: a template may nest {MAX_TEMPLATE_DEPTH} deep")
    if isinstance(value, dict):
        return _compile_object(value, place, engine, depth)
    if isinstance(value, list):
        return _compile_array(value, place, engine, depth)
    return None


def _compile_object(template: dict[str, JSON], place: str, engine: Engine, depth: int) -> Evaluate | None:
    literal: dict[str, JSON] = {}
    dynamic: list[tuple[str, Evaluate]] = []
    for key, item in template.items():
        here = f"{place}/{_escaped(key)}"
        if is_evaluated(key):
            name = key.removesuffix(SUFFIX)
            if name in template:
                raise TemplateError(f"{here}: '{key}' and '{name}' cannot stand side by side")
            part: Evaluate | None = _compile_key(item, key, here, engine)
        else:
            name, part = key, _compile(item, here, engine, depth + 1)
        literal[name] = item if part is None else None  # keeps the place of the member
        if part is not None:
            dynamic.append((name, part))
    if not dynamic:
        return None
    return _object(literal, tuple(dynamic))


def _object(literal: dict[str, JSON], dynamic: tuple[tuple[str, Evaluate], ...]) -> Evaluate:
    if len(dynamic) == len(literal):
        return lambda document, bindings: {name: part(document, bindings) for name, part in dynamic}

    def build(document: JSON, bindings: Bindings) -> JSON:
        built = literal.copy()
        for name, part in dynamic:
            built[name] = part(document, bindings)
        return built

    return build


def _compile_array(template: list[JSON], place: str, engine: Engine, depth: int) -> Evaluate | None:
    parts = [_compile(item, f"{place}/{index}", engine, depth + 1) for index, item in enumerate(template)]
    dynamic = tuple((index, part) for index, part in enumerate(parts) if part is not None)
    if not dynamic:
        return None

    def build(document: JSON, bindings: Bindings) -> JSON:
        built = template.copy()
        for index, part in dynamic:
            built[index] = part(document, bindings)
        return built

    return build


def _compile_key(value: JSON, key: str, place: str, engine: Engine) -> Evaluate:
    if not isinstance(value, str):
        raise TemplateError(f"{place}: '{key}' needs a text: a path or an intrinsic function")
    try:
        return compile_expression(value, key=key, engine=engine)
    except ExpressionSyntaxError as error:
        raise TemplateError(f"{place}: {error}") from None
