"""Fields that are a single value of one kind: a number of seconds, an instant, a list of items, a condition.

Each function makes a closure of a field that may be an expression, and says in the service's words what
is wrong with what it evaluates to (language, sections 2 and 8).
"""

from __future__ import annotations

from collections.abc import Mapping

from ...core.errors import QUERY_EVALUATION_ERROR, StateFailure
from ...core.limits import SECONDS_MAX
from ...core.values import JSON, encode
from ..bindings import Bindings, Evaluate
from ..path_fields import Until, milliseconds, not_too_late, wait_seconds, wait_timestamp
from ..timestamps import parse_timestamp
from .expression import Stage, compile_expression, inside, is_expression
from .template import compile_template


def compile_typed(value: JSON, expected: str, *, field: str, stage: Stage) -> Evaluate:
    """A field that is a literal, or an expression whose value must be of the type ``expected``."""
    if not is_expression(value):
        return compile_template(value, place=field, stage=stage)
    return compile_expression(inside(value)[0], place=field, stage=stage, expected=expected)


def compile_integer(
    value: JSON, *, field: str, stage: Stage, least: int, most: int = SECONDS_MAX
) -> Evaluate:
    """A whole number between ``least`` and ``most``."""
    read = compile_typed(value, "number", field=field, stage=stage)

    def integer(document: JSON, bindings: Bindings) -> JSON:
        number = read(document, bindings)
        if number != int(number) or not least <= number <= most:
            raise _refused(field, f"The {field} field must be an integer from {least} to {most}", number)
        return int(number)

    return integer


def compile_until(fields: Mapping[str, JSON], stage: Stage) -> Until:
    """Seconds or Timestamp of a Wait state."""
    if "Seconds" in fields:
        return _until_seconds(fields["Seconds"], stage)
    return _until_timestamp(fields["Timestamp"], stage)


def _until_seconds(value: JSON, stage: Stage) -> Until:
    if not is_expression(value):
        return wait_seconds(int(value))
    read = compile_integer(value, field="Seconds", stage=stage, least=0)
    return lambda document, bindings, now: (now + read(document, bindings) * 1000, False)


def _until_timestamp(value: JSON, stage: Stage) -> Until:
    if not is_expression(value):
        return wait_timestamp(value)
    read = compile_typed(value, "string", field="Timestamp", stage=stage)

    def until(document: JSON, bindings: Bindings, now: int) -> tuple[int, bool]:
        text = read(document, bindings)
        instant = parse_timestamp(text)
        if instant is None:
            raise StateFailure(
                QUERY_EVALUATION_ERROR,
                "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format "
                f"string: {text}",
                location="Timestamp",
            )
        return not_too_late(milliseconds(instant), now), True

    return until


def compile_items(fields: Mapping[str, JSON], stage: Stage) -> Evaluate:
    """Items of a Map; without it the state's input, which must be a list then."""
    if "Items" in fields:
        return compile_typed(fields["Items"], "array", field="Items", stage=stage)
    return _input_items


def compile_collection(fields: Mapping[str, JSON], stage: Stage) -> Evaluate:
    """Items of a distributed Map: a list or an object; without it the state's input."""
    read: Evaluate = _raw_input
    if "Items" in fields:
        read = compile_template(fields["Items"], place="Items", stage=stage)

    def collection(document: JSON, bindings: Bindings) -> JSON:
        value = read(document, bindings)
        if not isinstance(value, list | dict):
            raise StateFailure(
                QUERY_EVALUATION_ERROR,
                f"Map state input must be an array but was: {encode(value).decode()}",
            )
        return value

    return collection


def _raw_input(document: JSON, bindings: Bindings) -> JSON:
    return bindings.input


def compile_percentage(value: JSON, *, stage: Stage) -> Evaluate:
    """ToleratedFailurePercentage: a number from 0 to 100."""
    field = "ToleratedFailurePercentage"
    read = compile_typed(value, "number", field=field, stage=stage)

    def percentage(document: JSON, bindings: Bindings) -> JSON:
        number = read(document, bindings)
        if not 0 <= number <= 100:
            raise _refused(field, f"The {field} field must be a number from 0 to 100", number)
        return float(number)

    return percentage


def _input_items(document: JSON, bindings: Bindings) -> JSON:
    if not isinstance(bindings.input, list):
        raise StateFailure(
            QUERY_EVALUATION_ERROR,
            f"Map state input must be an array but was: {encode(bindings.input).decode()}",
        )
    return bindings.input


def _refused(field: str, rule: str, value: JSON) -> StateFailure:
    return StateFailure(QUERY_EVALUATION_ERROR, f"{rule} but was: {encode(value).decode()}", location=field)
