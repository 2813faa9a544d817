"""Paths to functions: the one place where a path becomes an ``Evaluate``.

Fields word a miss differently, so a compiled path is given *what to do on a miss*: a function that raises
the failure in the field's words, or answers the value that stands in. The four wordings of the language
are here too. Evaluating is pure and bounded; nothing is parsed at run time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NoReturn, TypeAlias

from ...core.errors import RUNTIME, StateFailure
from ...core.values import JSON, encode
from ..bindings import Bindings, Evaluate
from .parser import parse_path
from .run import PathMiss
from .selection import HurriedSelection, Selection
from .stages import compile_select
from .syntax import Call, Path
from .walk import MISSES, keys_of, lane, walk

#: What to do when a path names nothing: raise, or answer the value that stands in.
#: Arguments: the path, the document that ``$`` means, the miss.
OnMissing: TypeAlias = Callable[[Path, JSON, PathMiss], JSON]

#: Which engine evaluates paths that are more than references.
Engine: TypeAlias = Literal["detent", "jsonpath-ng"]


def compile_path(path: Path | str, *, on_missing: OnMissing, engine: Engine = "detent") -> Evaluate:
    """Compile a path. Raises :class:`~detent.query.cursor.PathSyntaxError` if a text cannot be parsed.

    A definite path answers the value itself (not a copy), any other a list. Evaluating calls
    ``on_missing`` when the path names nothing, and raises nothing but what that raises.
    """
    if isinstance(path, str):
        path = parse_path(path)
    if path.is_reference:
        return _compile_reference(path, on_missing)
    if engine == "jsonpath-ng":
        from .foreign import compile_foreign

        select = compile_foreign(path)
    else:
        select = compile_select(path)
    root = _compile_root(path)
    selection = Selection(path, select)

    def evaluate(document: JSON, bindings: Bindings) -> JSON:
        try:
            value = root(document, bindings)
        except PathMiss as miss:
            return on_missing(path, document, miss)
        selected = (
            selection.of(value)
            if bindings.evaluator is None or engine != "detent"
            else bindings.evaluator(HurriedSelection(selection, value))
        )
        return (
            selected.value if selected.miss is None else on_missing(path, document, PathMiss(*selected.miss))
        )

    return evaluate


def _compile_reference(path: Path, on_missing: OnMissing) -> Evaluate:
    if path.root != "$":
        return _compile_reference_elsewhere(path, on_missing)
    keys = keys_of(path.steps)

    def missing(document: JSON) -> JSON:
        return on_missing(path, document, _explain(path, document))

    if any(isinstance(key, int) for key in keys) or len(keys) > 3:
        return _through_lane(lane(path.steps), missing)
    # The lanes below are written out: they are most of all evaluations, and a call costs as much as a step.
    if not keys:
        return lambda document, bindings: document
    first = keys[0]
    if len(keys) == 1:

        def member(document: JSON, bindings: Bindings) -> JSON:
            try:
                return document[first]
            except MISSES:
                return missing(document)

        return member
    second = keys[1]
    if len(keys) == 2:

        def member_of_member(document: JSON, bindings: Bindings) -> JSON:
            try:
                return document[first][second]
            except MISSES:
                return missing(document)

        return member_of_member
    third = keys[2]

    def third_member(document: JSON, bindings: Bindings) -> JSON:
        try:
            return document[first][second][third]
        except MISSES:
            return missing(document)

    return third_member


def _through_lane(steps: Callable[[JSON], JSON], missing: Callable[[JSON], JSON]) -> Evaluate:
    def evaluate(document: JSON, bindings: Bindings) -> JSON:
        try:
            return steps(document)
        except MISSES:
            return missing(document)

    return evaluate


def _compile_reference_elsewhere(path: Path, on_missing: OnMissing) -> Evaluate:
    """A reference path into the context object or a workflow variable."""
    root, steps, name = _compile_root(path), lane(path.steps), path.root

    def missing(document: JSON, bindings: Bindings) -> JSON:
        try:
            miss = _explain(path, root(document, bindings))
        except PathMiss as unassigned:
            miss = unassigned
        return on_missing(path, document, miss)

    def in_context(document: JSON, bindings: Bindings) -> JSON:
        try:
            return steps(bindings.context)
        except MISSES:
            return missing(document, bindings)

    def in_variable(document: JSON, bindings: Bindings) -> JSON:
        try:
            return steps(bindings.variables[name])
        except MISSES:
            return missing(document, bindings)

    return in_context if name == "$$" else in_variable


def _compile_root(path: Path) -> Evaluate:
    if path.root == "$":
        return lambda document, bindings: document
    if path.root == "$$":
        return lambda document, bindings: bindings.context
    name = path.root

    def variable(document: JSON, bindings: Bindings) -> JSON:
        try:
            return bindings.variables[name]
        except KeyError:
            raise PathMiss(f"The variable '{name}' is not assigned") from None

    return variable


def _explain(path: Path, value: JSON) -> PathMiss:
    """Why the fast lane failed."""
    try:
        walk(path.steps, value)
    except PathMiss as miss:
        return miss
    raise AssertionError(f"the fast lane and the walk disagree about {path.text}")


def invalid_path(path: Path, document: JSON, miss: PathMiss) -> NoReturn:
    """The miss of InputPath, OutputPath, TimeoutSecondsPath (language, section 8)."""
    raise StateFailure(RUNTIME, f"Invalid path '{path.text}' : {miss.detail}")


def invalid_condition(path: Path, document: JSON, miss: PathMiss) -> NoReturn:
    """The miss of a Choice rule's Variable or its ``...Path`` operand."""
    raise StateFailure(
        RUNTIME, f"Invalid path '{path.text}': The choice state's condition path references an invalid value."
    )


def not_in_input(field: str) -> OnMissing:
    """The miss of ErrorPath, CausePath and other single fields, named as ``field``."""

    def missing(path: Path, document: JSON, miss: PathMiss) -> NoReturn:
        raise StateFailure(
            RUNTIME,
            f"The JSONPath '{path.text}' specified for the field '{field}' "
            f"could not be found in the input '{compact(document)}'",
        )

    return missing


def not_in_template(key: str) -> OnMissing:
    """The miss of a template's ``key.$``; an index past the end of a plain reference answers null."""
    missing = not_in_input(key)

    def missing_or_null(path: Path, document: JSON, miss: PathMiss) -> JSON:
        if miss.kind == "past_end" and path.is_reference:
            return None
        return missing(path, document, miss)

    return missing_or_null


def compact(document: JSON) -> str:
    """A value as messages show it: compact JSON text."""
    try:
        return encode(document).decode()
    except ValueError:
        return "(nested too deeply to be shown)"


def variables_in_path(path: Path) -> set[str]:
    """The names of the workflow variables a path reads; in filters there are none."""
    names = {path.variable} if path.variable is not None else set()
    for step in path.steps:
        if isinstance(step, Call):
            for argument in step.arguments:
                if isinstance(argument, Path):
                    names |= variables_in_path(argument)
    return names
