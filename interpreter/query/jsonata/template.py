"""Fields whose texts may be expressions at any depth: Arguments, Output, Assign, ItemSelector, Credentials...

Objects and arrays are walked. A text is an expression only if the delimiters are its very ends; every other
text, number and key is literal, whatever it looks like. Literal parts are shared by all results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...core.values import JSON
from ..bindings import Bindings, Evaluate
from .expression import JSONataError, Stage, compile_expression, inside, is_expression

#: Objects and arrays inside each other.
MAX_TEMPLATE_DEPTH = 150


def compile_template(value: JSON, *, place: str, stage: Stage, passes_on: bool = False) -> Evaluate:
    """Compile a field; ``place`` is its slash path inside the state.

    ``passes_on`` and what is raised are as for ``compile_expression``.
    """

    def compiled(text: str, place: str) -> Evaluate:
        return compile_expression(text, place=place, stage=stage, passes_on=passes_on)

    dynamic = _compile(value, place, compiled, 0)
    return dynamic if dynamic is not None else lambda document, bindings: value


def expressions_in(value: JSON) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text with the delimiters of an expression, with its path below the value, in reading order."""
    waiting: list[tuple[tuple[str | int, ...], JSON]] = [((), value)]
    while waiting:
        path, item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(reversed([((*path, key), inner) for key, inner in item.items()]))
        elif isinstance(item, list):
            waiting.extend(reversed([((*path, index), inner) for index, inner in enumerate(item)]))
        elif is_expression(item):
            yield path, item


def _compile(
    value: JSON, place: str, compiled: Callable[[str, str], Evaluate], depth: int
) -> Evaluate | None:
    """A function that builds the value, or None for a literal."""
    if depth > MAX_TEMPLATE_DEPTH:
        raise JSONataError(
            f"{place.partition('/')[0]}: objects and arrays may nest {MAX_TEMPLATE_DEPTH} deep"
        )
    if is_expression(value):
        return compiled(inside(value)[0], place)
    if isinstance(value, dict):
        parts = {key: _compile(item, f"{place}/{key}", compiled, depth + 1) for key, item in value.items()}
        return _object(value, parts)
    if isinstance(value, list):
        items = [_compile(item, f"{place}[{index}]", compiled, depth + 1) for index, item in enumerate(value)]
        return _array(value, items)
    return None


def _object(literal: dict[str, JSON], parts: dict[str, Evaluate | None]) -> Evaluate | None:
    dynamic = tuple((key, part) for key, part in parts.items() if part is not None)
    if not dynamic:
        return None

    def build(document: JSON, bindings: Bindings) -> JSON:
        built = literal.copy()
        for key, part in dynamic:
            built[key] = part(document, bindings)
        return built

    return build


def _array(literal: list[JSON], parts: list[Evaluate | None]) -> Evaluate | None:
    dynamic = tuple((index, part) for index, part in enumerate(parts) if part is not None)
    if not dynamic:
        return None

    def build(document: JSON, bindings: Bindings) -> JSON:
        built = literal.copy()
        for index, part in dynamic:
            built[index] = part(document, bindings)
        return built

    return build
