"""The functions at the end of a path: ``length()``, ``sum()``, ``concat()`` and their kin.

They behave as in Jayway JsonPath: aggregates are floats, ignore what is no number and fail on nothing;
``length()`` of a scalar is null. Arguments that are paths start from the document, not from the value.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import reduce
from typing import TypeAlias

from ...core.values import JSON
from ..javaish import java_text
from .run import PathMiss, Run
from .syntax import Call, Literal, Path, Wildcard

Select: TypeAlias = Callable[[JSON, Run], JSON]
Function: TypeAlias = Callable[[JSON, list[JSON]], JSON]


def compile_call(step: Call, compile_select: Callable[[Path], Select]) -> Select:
    """Compile one call to a function of the value before it. It raises :class:`PathMiss`."""
    function = _FUNCTIONS[step.function]
    counts_children = function is _length
    arguments = tuple(
        _compile_argument(argument, compile_select, counts_children) for argument in step.arguments
    )

    def call(value: JSON, run: Run) -> JSON:
        result = function(value, [argument(run.root, run) for argument in arguments])
        if isinstance(value, (list, dict)):
            run.spend(len(value))
        return result

    return call


def _compile_argument(
    argument: Path | Literal, compile_select: Callable[[Path], Select], counts_children: bool
) -> Select:
    if isinstance(argument, Literal):
        constant = argument.value
        return lambda value, run: constant
    if counts_children and not any(isinstance(step, Call) for step in argument.steps):
        # length(path) counts the children of all that the path matches.
        steps = (*argument.steps, Wildcard())
        argument = Path(argument.text, argument.root, steps, (*argument.columns, 0))
    return compile_select(argument)


def _length(value: JSON, arguments: list[JSON]) -> JSON:
    counted = arguments[0] if arguments and isinstance(arguments[0], list) else value
    return len(counted) if isinstance(counted, (list, dict)) else None


def _numbers(value: JSON, arguments: list[JSON]) -> list[float]:
    candidates = list(value) if isinstance(value, list) else []
    for argument in arguments:
        candidates += argument if isinstance(argument, list) else [argument]
    numbers = [float(n) for n in candidates if isinstance(n, (int, float)) and not isinstance(n, bool)]
    if not numbers:
        raise PathMiss("Aggregation function attempted to calculate value using empty array", "unfit")
    return numbers


def _total(numbers: list[float]) -> float:
    """The sum as Java adds it; Python's own sum corrects itself since 3.12."""
    return reduce(operator.add, numbers, 0.0)


def _stddev(value: JSON, arguments: list[JSON]) -> float:
    numbers = _numbers(value, arguments)
    total, count = _total(numbers), len(numbers)
    return math.sqrt(max(0.0, _total([n * n for n in numbers]) / count - total * total / count / count))


def _average(value: JSON, arguments: list[JSON]) -> float:
    numbers = _numbers(value, arguments)
    return _total(numbers) / len(numbers)


def _concat(value: JSON, arguments: list[JSON]) -> str:
    texts = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    for argument in arguments:
        if isinstance(argument, list):
            texts += [java_text(item) for item in argument if item is not None]
        elif isinstance(argument, str):
            texts.append(argument)
    return "".join(texts)


def _append(value: JSON, arguments: list[JSON]) -> JSON:
    return [*value, *arguments] if isinstance(value, list) else value


def _keys(value: JSON, arguments: list[JSON]) -> list[str]:
    if not isinstance(value, dict):
        raise PathMiss("keys() can only be applied to objects", "unfit")
    return list(value)


def _item(value: JSON, index: JSON) -> JSON:
    if not isinstance(value, list):
        raise PathMiss("Aggregation function attempted to calculate value using empty array", "unfit")
    if not isinstance(index, int) or not -len(value) <= index < len(value):
        raise PathMiss(f"Index {java_text(index)} out of bounds for length {len(value)}", "unfit")
    return value[index]


_FUNCTIONS: dict[str, Function] = {
    "length": _length,
    "size": _length,
    "min": lambda value, arguments: min(_numbers(value, arguments)),
    "max": lambda value, arguments: max(_numbers(value, arguments)),
    "sum": lambda value, arguments: _total(_numbers(value, arguments)),
    "avg": _average,
    "stddev": _stddev,
    "concat": _concat,
    "append": _append,
    "keys": _keys,
    "first": lambda value, arguments: _item(value, 0),
    "last": lambda value, arguments: _item(value, -1),
    "index": lambda value, arguments: _item(value, arguments[0]),
}
