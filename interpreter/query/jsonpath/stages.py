"""Paths that can match many: a pipeline of stages, each from a list of values to a list of values.

No stage recurses, so neither a deep document nor a long path can exhaust the stack, and each accounts for
what it looks at. The rules are those of Jayway JsonPath with what is known of the service where versions
differ: a missing prefix answers nothing instead of failing; a slice or index on something that is no
array fails while the way to it is definite, and matches nothing behind a wildcard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from ...core.values import JSON
from .functions import compile_call
from .predicates import compile_test
from .run import PathMiss, Run
from .syntax import Call, Descent, Filter, Index, Indexes, Names, Path, Slice, Step, Wildcard, spelled
from .walk import MISSES, lane, reference_length, require_array, walk

Stage: TypeAlias = Callable[[list[JSON], Run], list[JSON]]
Select: TypeAlias = Callable[[JSON, Run], JSON]


def compile_select(path: Path) -> Select:
    """Compile a path that is more than a reference to a function of the value at its root.

    It answers the value if the path is definite, else a list; it raises :class:`PathMiss`.
    """
    split = reference_length(path.steps)
    head, whole = path.steps[:split], path.steps
    way = lane(head)
    stages = tuple(_compile_stages(path, split))
    definite = path.definite

    def begin(value: JSON) -> list[JSON]:
        if value is not None:
            try:
                return [way(value)]
            except MISSES:
                pass
        try:
            return [walk(head, value, whole)]
        except PathMiss as miss:
            if definite or miss.kind == "unfit":
                raise
            return []

    def select(value: JSON, run: Run) -> JSON:
        values = begin(value)
        for stage in stages if values else ():
            values = stage(values, run)
        if not definite:
            return values
        if not values:
            raise PathMiss(f"No results for path: {spelled(whole)}")
        return values[0]

    return select


def _compile_stages(path: Path, split: int) -> Iterator[Stage]:
    steps = path.steps
    certain = True
    scanning = False
    for place in range(split, len(steps)):
        step, is_last = steps[place], place + 1 == len(steps)
        if isinstance(step, Descent):
            yield _containers
        elif scanning:
            yield _scanned(step, is_last)
        elif certain:
            yield _strict(step, steps[:place], is_last, path.definite)
        else:
            yield _lenient(step, is_last)
        scanning = isinstance(step, Descent)
        certain = certain and step.definite


def _lenient(step: Step, is_last: bool) -> Stage:
    """The stage of a step whose values need not fit it: those that do not, match nothing."""
    match step:
        case Names((name,)):
            return _member(name)
        case Names(names):
            return _object(names) if is_last else _members(names)
        case Index(index):
            return _items((index,))
        case Indexes(indexes):
            return _items(indexes)
        case Slice(start, stop):
            return _slice(start, stop)
        case Wildcard():
            return _children
        case Filter(test):
            return _filter(compile_test(test, compile_select))
        case Call():
            return _call(step)
        case Descent():
            return _containers


def _strict(step: Step, way: tuple[Step, ...], is_last: bool, definite: bool) -> Stage:
    """The stage of a step behind a definite way: its one value must fit."""
    lenient = _lenient(step, is_last)
    if definite and isinstance(step, Names):
        whole = (*way, step)
        if step.definite:
            return lambda values, run: [walk((step,), value, (step,)) for value in values]

        def members(values: list[JSON], run: Run) -> list[JSON]:
            if values[0].__class__ is not dict:
                raise PathMiss(f"Missing property in path {spelled(whole[:-1])}")
            return lenient(values, run)

        return members
    if isinstance(step, (Index, Indexes, Slice)):
        fragment = spelled((step,))[1:]

        def items(values: list[JSON], run: Run) -> list[JSON]:
            require_array(values[0], fragment, way)
            return lenient(values, run)

        return items
    if isinstance(step, Filter):

        def filtered(values: list[JSON], run: Run) -> list[JSON]:
            if not isinstance(values[0], (dict, list)):
                raise PathMiss("Filter: [?] can not be applied to primitives", "unfit")
            return lenient(values, run)

        return filtered
    return lenient


def _scanned(step: Step, is_last: bool) -> Stage:
    """The stage of the step behind ``..``; it sees every object and array below."""
    match step:
        case Names(names) if len(names) > 1 and is_last:
            return _complete_object(names)
        case Filter(test):
            return _scanned_filter(compile_test(test, compile_select))
        case Call():
            return lambda values, run: []
        case _:
            return _lenient(step, is_last)


def _containers(values: list[JSON], run: Run) -> list[JSON]:
    found: list[JSON] = []
    for start in values:
        before = len(found)
        stack = [start]
        visited = 0
        while stack:
            value = stack.pop()
            visited += 1
            if value.__class__ is dict:
                found.append(value)
                stack.extend(reversed(value.values()))
            elif value.__class__ is list:
                found.append(value)
                stack.extend(reversed(value))
        run.spend(visited + len(found) - before)
    return found


def _children(values: list[JSON], run: Run) -> list[JSON]:
    found: list[JSON] = []
    for value in values:
        if value.__class__ is list:
            found += value
        elif value.__class__ is dict:
            found += value.values()
    run.spend(len(values) + len(found))
    return found


def _member(name: str) -> Stage:
    def member(values: list[JSON], run: Run) -> list[JSON]:
        return [value[name] for value in values if value.__class__ is dict and name in value]

    return member


def _members(names: Sequence[str]) -> Stage:
    def members(values: list[JSON], run: Run) -> list[JSON]:
        run.spend(len(values) * len(names))
        return [value[name] for value in values if value.__class__ is dict for name in names if name in value]

    return members


def _object(names: Sequence[str]) -> Stage:
    def objects(values: list[JSON], run: Run) -> list[JSON]:
        run.spend(len(values) * len(names))
        return [
            {name: value[name] for name in names if name in value}
            for value in values
            if value.__class__ is dict
        ]

    return objects


def _complete_object(names: Sequence[str]) -> Stage:
    pick, wanted = _object(names), frozenset(names)

    def objects(values: list[JSON], run: Run) -> list[JSON]:
        return pick([value for value in values if value.__class__ is dict and wanted <= value.keys()], run)

    return objects


def _items(indexes: Sequence[int]) -> Stage:
    def items(values: list[JSON], run: Run) -> list[JSON]:
        run.spend(len(values) * len(indexes))
        return [
            value[index]
            for value in values
            if value.__class__ is list
            for index in indexes
            if -len(value) <= index < len(value)
        ]

    return items


def _slice(start: int | None, stop: int | None) -> Stage:
    def items(values: list[JSON], run: Run) -> list[JSON]:
        found: list[JSON] = []
        for value in values:
            if value.__class__ is list:
                found += _sliced(value, start, stop)
        run.spend(len(values) + len(found))
        return found

    return items


def _sliced(array: list[JSON], start: int | None, stop: int | None) -> list[JSON]:
    """Python's slices but for one case: with both ends given, indexes run from start to stop as they are.

    So ``[1:-1]`` is empty, and ``[-1:1]`` is the last item, then the first.
    """
    if start is None or stop is None:
        return array[start:stop]
    length = len(array)
    return [array[index] for index in range(max(start, -length), min(stop, length))]


def _filter(test: Callable[[JSON, Run], bool]) -> Stage:
    def filtered(values: list[JSON], run: Run) -> list[JSON]:
        found: list[JSON] = []
        for value in values:
            if value.__class__ is list:
                run.spend(len(value))
                found += [item for item in value if test(item, run)]
            elif value.__class__ is dict and test(value, run):
                found.append(value)
        run.spend(len(values))
        return found

    return filtered


def _scanned_filter(test: Callable[[JSON, Run], bool]) -> Stage:
    # Behind '..' an array must pass the test itself before its items are asked.
    filtered = _filter(test)

    def found(values: list[JSON], run: Run) -> list[JSON]:
        run.spend(len(values))
        return filtered([v for v in values if v.__class__ is dict or test(v, run)], run)

    return found


def _call(step: Call) -> Stage:
    call = compile_call(step, compile_select)
    return lambda values, run: [call(value, run) for value in values]
