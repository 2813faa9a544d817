"""Intrinsic functions of JSONPath states (language, section 10): compiling and evaluating the calls.

What each function does stands in :mod:`~detent.query.functions`; here calls become closures and failures get
the service's words. Every failure is States.Runtime and names the outermost call as it was written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..core.errors import RUNTIME, StateFailure
from ..core.evaluation import Evaluator
from ..core.values import JSON
from .applications import LONG, HurriedApplication
from .bindings import Bindings, Evaluate
from .functions import IMPLEMENTATIONS, Fault, format_parts, format_values
from .intrinsic_syntax import (
    FUNCTIONS,
    Argument,
    Call,
    Constant,
    Intrinsic,
    IntrinsicSyntaxError,
    Text,
    is_intrinsic,
    parse_intrinsic,
    variables_in_intrinsic,
)
from .jsonpath import Engine, OnMissing, Path, PathMiss, compact, compile_path

__all__ = [
    "FUNCTIONS",
    "Intrinsic",
    "IntrinsicSyntaxError",
    "arity_problems",
    "compile_intrinsic",
    "is_intrinsic",
    "parse_intrinsic",
    "variables_in_intrinsic",
]

#: Evaluates one argument or call; raises Fault, which carries the text behind the opening sentence.
Part: TypeAlias = Callable[[JSON, Bindings], JSON]


def compile_intrinsic(expression: Intrinsic | str, *, engine: Engine = "detent") -> Evaluate:
    """Compile a call. Raises :class:`IntrinsicSyntaxError` if a text cannot be parsed.

    Evaluating raises :class:`~detent.core.errors.StateFailure` (States.Runtime), also for a wrong number of
    arguments, as the service does.
    """
    intrinsic = parse_intrinsic(expression) if isinstance(expression, str) else expression
    text = intrinsic.text.strip()
    call = _compile_call(intrinsic.call, _missing_argument(text), engine)

    def evaluate(document: JSON, bindings: Bindings) -> JSON:
        try:
            return call(document, bindings)
        except Fault as fault:
            detail = str(fault)
        except (RecursionError, ValueError):  # a value nested too deeply to be written or hashed
            detail = f"Invalid arguments in {intrinsic.call.function}"
        raise StateFailure(
            RUNTIME, f"There was an error while evaluating the intrinsic function: {text}. {detail}"
        )

    return evaluate


def arity_problems(intrinsic: Intrinsic) -> list[tuple[str, int]]:
    """Calls with a wrong number of arguments: (message, column) each. They fail whenever they run."""
    problems = []
    for call in intrinsic.calls():
        least, most = FUNCTIONS[call.function]
        given = len(call.arguments)
        if given < least or (most is not None and given > most):
            takes = (
                str(least) if least == most else f"{least} or more" if most is None else f"{least} to {most}"
            )
            noun = "argument" if takes == "1" else "arguments"
            problems.append((f"{call.function} takes {takes} {noun}, not {given}", call.column))
    return problems


def _missing_argument(text: str) -> OnMissing:
    def missing(path: Path, document: JSON, miss: PathMiss) -> JSON:
        shown = path.text[1:] if path.root == "$$" else path.text  # the service drops one '$'
        raise StateFailure(
            RUNTIME,
            f"The function '{text}' had the following error: The JsonPath argument for the field '{shown}' "
            f"could not be found in the input '{compact(document)}'",
        )

    return missing


def _compile_call(call: Call, on_missing: OnMissing, engine: Engine) -> Part:
    least, most = FUNCTIONS[call.function]
    arguments = call.arguments
    parts = tuple(_compile_argument(argument, on_missing, engine) for argument in arguments)
    if len(parts) < least or (most is not None and len(parts) > most):
        return _always_failing(parts, call.function)
    if call.function == "States.Format" and isinstance(arguments[0], Text):
        return _compile_format(arguments[0].source, parts[1:])
    function = IMPLEMENTATIONS[call.function]
    if call.function in LONG:
        return _compile_long(call.function, parts)
    return lambda document, bindings: function([part(document, bindings) for part in parts], bindings)


def _compile_long(name: str, parts: tuple[Part, ...]) -> Part:
    """A call that takes longer the more its arguments are."""
    function = IMPLEMENTATIONS[name]

    def call(document: JSON, bindings: Bindings) -> JSON:
        arguments = [part(document, bindings) for part in parts]
        if bindings.evaluator is None:
            return function(arguments, bindings)
        return _apply(bindings.evaluator, name, arguments)

    return call


def _apply(evaluator: Evaluator, name: str, arguments: list[JSON]) -> JSON:
    """What comes out of a call where others may be waiting. Raises Fault."""
    applied = evaluator(HurriedApplication(name, arguments))
    if applied.fault is not None:
        raise Fault(applied.fault)
    return applied.value


def _compile_argument(argument: Argument, on_missing: OnMissing, engine: Engine) -> Part:
    if isinstance(argument, Call):
        return _compile_call(argument, on_missing, engine)
    if isinstance(argument, (Constant, Text)):
        constant = argument.value
        return lambda document, bindings: constant
    return compile_path(argument, on_missing=on_missing, engine=engine)


def _always_failing(parts: tuple[Part, ...], function: str) -> Part:
    def fail(document: JSON, bindings: Bindings) -> JSON:
        for part in parts:  # an argument that is missing is the failure to report
            part(document, bindings)
        raise Fault.invalid(function)

    return fail


def _compile_format(template: str, parts: tuple[Part, ...]) -> Part:
    """Format with a literal template, which is taken apart once."""
    try:
        texts = format_parts(template)
    except Fault as fault:
        problem = str(fault)

        def fail(document: JSON, bindings: Bindings) -> JSON:
            for part in parts:
                part(document, bindings)
            raise Fault(problem)

        return fail

    def format(document: JSON, bindings: Bindings) -> JSON:
        values = [part(document, bindings) for part in parts]
        if bindings.evaluator is not None and any(isinstance(value, (list, dict)) for value in values):
            return _apply(bindings.evaluator, "States.Format", [template, *values])
        return format_values(texts, values)

    return format
