"""The test of a filter, compiled to a function of the item.

Comparisons are those of Jayway JsonPath: a number and a text are equal when their texts are, order exists
between two numbers or two texts only, a missing path equals nothing (so ``!=`` holds for it).
"""

from __future__ import annotations

import operator as operators
from collections.abc import Callable
from typing import TypeAlias

from ...core.values import JSON
from ..javaish import code_units, decimal_of, number_text, same_json
from .patterns import compile_pattern
from .run import PathMiss, Run
from .syntax import (
    Absent,
    All,
    Any,
    Comparison,
    Exists,
    Literal,
    Names,
    Not,
    Operand,
    Path,
    Pattern,
    Test,
)
from .walk import MISSES, lane, reference_length

Predicate: TypeAlias = Callable[[JSON, Run], bool]
Select: TypeAlias = Callable[[JSON, Run], JSON]


class _Undefined:
    """What a path that matches nothing stands for; it equals nothing, not even itself."""


_UNDEFINED = _Undefined()


def compile_test(test: Test, compile_select: Callable[[Path], Select]) -> Predicate:
    """Compile a test; ``compile_select`` compiles the paths in it that are more than references."""
    match test:
        case All(tests):
            return _all([compile_test(each, compile_select) for each in tests])
        case Any(tests):
            return _any([compile_test(each, compile_select) for each in tests])
        case Not(inner):
            negated = compile_test(inner, compile_select)
            return lambda item, run: not negated(item, run)
        case Exists(path):
            present = _compile_presence(path, compile_select)
            return lambda item, run: present(item, run) is not _UNDEFINED
        case Absent(path):
            read = _compile_presence(path, compile_select)
            # A null member counts as absent here, and only here (jsonpath, "What AWS answers").
            return lambda item, run: (found := read(item, run)) is _UNDEFINED or found is None
        case Comparison(left, operator, right):
            return _comparison(left, operator, right, compile_select)


def _all(tests: list[Predicate]) -> Predicate:
    return lambda item, run: all(test(item, run) for test in tests)


def _any(tests: list[Predicate]) -> Predicate:
    return lambda item, run: any(test(item, run) for test in tests)


def _compile_presence(path: Path, compile_select: Callable[[Path], Select]) -> Select:
    """A path that can match many is present when its definite beginning is."""
    if not path.definite:
        head = reference_length(path.steps)
        path = Path(path.text, path.root, path.steps[:head], path.columns[:head])
    return _compile_path(path, compile_select)


def _compile_path(path: Path, compile_select: Callable[[Path], Select]) -> Select:
    """A function that reads the path of an item and answers ``_UNDEFINED`` for a miss."""
    from_root = path.root == "$"
    if not path.steps:
        return (lambda item, run: run.root) if from_root else (lambda item, run: item)
    if path.is_reference:
        step = path.steps[0]
        if isinstance(step, Names) and len(path.steps) == 1 and not from_root:
            return _compile_member(step.names[0])
        return _compile_lane(lane(path.steps), from_root)
    select = compile_select(path)

    def read(item: JSON, run: Run) -> JSON:
        try:
            return select(run.root if from_root else item, run)
        except PathMiss:
            run.spend(0)  # a miss for lack of budget must not count as an answer
            return _UNDEFINED

    return read


def _compile_member(name: str) -> Select:
    return lambda item, run: item.get(name, _UNDEFINED) if item.__class__ is dict else _UNDEFINED


def _compile_lane(walk: Callable[[JSON], JSON], from_root: bool) -> Select:
    def read(item: JSON, run: Run) -> JSON:
        try:
            return walk(run.root if from_root else item)
        except MISSES:
            return _UNDEFINED

    return read


def _compile_operand(operand: Path | Literal, compile_select: Callable[[Path], Select]) -> Select:
    if isinstance(operand, Path):
        return _compile_path(operand, compile_select)
    constant = operand.value
    return lambda item, run: constant


def _comparison(
    left: Operand, operator: str, right: Operand, compile_select: Callable[[Path], Select]
) -> Predicate:
    if isinstance(left, Pattern):
        left, right = right, left
    if isinstance(right, Pattern):
        if isinstance(left, Pattern):
            raise TypeError("the parser admits one pattern")
        return _matching(_compile_operand(left, compile_select), compile_pattern(right))
    if isinstance(left, Pattern):
        raise TypeError("the parser admits a pattern beside '=~' only")
    read_left, read_right = _compile_operand(left, compile_select), _compile_operand(right, compile_select)
    if operator in _WITH_LISTS:
        relation = _WITH_LISTS[operator]
        return lambda item, run: relation(read_left(item, run), read_right(item, run), run)
    if isinstance(right, Literal) and operator in _ORDERS and _is_number(right.value):
        return _beyond(read_left, _ORDERS[operator], right.value)
    holds = _RELATIONS[operator]
    return lambda item, run: holds(read_left(item, run), read_right(item, run))


def _beyond(read: Select, compare: Callable[[JSON, JSON], bool], limit: float) -> Predicate:
    """An order against a number that stands in the path, the commonest of filters."""

    def test(item: JSON, run: Run) -> bool:
        value = read(item, run)
        return (value.__class__ is int or value.__class__ is float) and compare(value, limit)

    return test


def _matching(read: Select, matches: Callable[[str], bool]) -> Predicate:
    def test(item: JSON, run: Run) -> bool:
        value = read(item, run)
        candidates = value if isinstance(value, list) else [value]
        run.spend(len(candidates))
        return any(matches(text) for each in candidates if (text := _matchable(each)) is not None)

    return test


def _matchable(value: JSON) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, (int, float)) else None


def equal(left: JSON, right: JSON) -> bool:
    """``==`` of the filter language."""
    left_is_number = left.__class__ is int or left.__class__ is float
    right_is_number = right.__class__ is int or right.__class__ is float
    if left_is_number and right_is_number:
        return bool(left == right)
    if left.__class__ is str:
        return bool(left == (number_text(right) if right_is_number else right))
    if left_is_number:
        return right.__class__ is str and decimal_of(right) == decimal_of(number_text(left))
    if left is None or left.__class__ is bool:
        return left is right
    return left.__class__ in (list, dict) and same_json(left, right)


def _identical(left: JSON, right: JSON) -> bool:
    return (_is_number(left) == _is_number(right)) and equal(left, right)


def _is_number(value: JSON) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _ordered(compare: Callable[[JSON, JSON], bool]) -> Callable[[JSON, JSON], bool]:
    def holds(left: JSON, right: JSON) -> bool:
        if left.__class__ is str and right.__class__ is str:
            if left.isascii() and right.isascii():
                return compare(left, right)
            return compare(code_units(left), code_units(right))
        return _is_number(left) and _is_number(right) and compare(left, right)

    return holds


def _size(left: JSON, right: JSON) -> bool:
    return isinstance(left, (str, list)) and _is_number(right) and len(left) == int(right)


def _empty(left: JSON, right: JSON) -> bool:
    return isinstance(left, (str, list, dict)) and (len(left) == 0) is right


_ORDERS: dict[str, Callable[[JSON, JSON], bool]] = {
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}
_RELATIONS: dict[str, Callable[[JSON, JSON], bool]] = {
    "==": equal,
    "===": _identical,
    "!=": lambda left, right: not equal(left, right),
    "!==": lambda left, right: not _identical(left, right),
    **{symbol: _ordered(compare) for symbol, compare in _ORDERS.items()},
    "size": _size,
    "empty": _empty,
}


def _in(left: JSON, right: JSON, run: Run) -> bool:
    if right.__class__ is not list:
        return False
    run.spend(len(right))
    return any(equal(left, item) for item in right)


def _contains(left: JSON, right: JSON, run: Run) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return _in(right, left, run)


def _lists(left: JSON, right: JSON) -> bool:
    return isinstance(left, list) and isinstance(right, list)


_WITH_LISTS: dict[str, Callable[[JSON, JSON, Run], bool]] = {
    "in": _in,
    "nin": lambda left, right, run: not _in(left, right, run),
    "contains": _contains,
    "all": lambda left, right, run: _lists(left, right) and all(_in(item, left, run) for item in right),
    "subsetof": lambda left, right, run: _lists(left, right) and all(_in(item, right, run) for item in left),
    "anyof": lambda left, right, run: _lists(left, right) and any(_in(item, right, run) for item in left),
    "noneof": lambda left, right, run: (
        _lists(left, right) and not any(_in(item, right, run) for item in left)
    ),
}
