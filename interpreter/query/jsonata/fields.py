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
from ..path_fields import (
    Until,
    milliseconds,
    not_too_late,
    role_named,
    wait_seconds,
    wait_timestamp,
)
from ..timestamps import parse_timestamp
from .expression import Stage, compile_expression, inside, is_expression, unexpected
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
    if "Items" not in fields:
        return _input_collection
    items = fields["Items"]
    read = compile_template(items, place="Items", stage=stage)
    if not is_expression(items):
        return read

    def collection(document: JSON, bindings: Bindings) -> JSON:
        value = read(document, bindings)
        if not isinstance(value, list | dict):
            raise unexpected(inside(items)[0], "Items", "array", value)
        return value

    return collection


def compile_credentials(value: JSON, stage: Stage) -> Evaluate:
    """Credentials: an object whose RoleArn is a text."""
    place = "Credentials"
    if is_expression(value):
        whole = compile_typed(value, "object", field=place, stage=stage)
        return role_named(whole, lambda role: _refused(place, "The field 'RoleArn' must be a string", role))
    parts = {
        name: compile_typed(part, "string", field=f"{place}/{name}", stage=stage)
        for name, part in value.items()
    }
    return lambda document, bindings: {name: part(document, bindings) for name, part in parts.items()}


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
        raise _no_items(bindings.input)
    return bindings.input


def _input_collection(document: JSON, bindings: Bindings) -> JSON:
    if not isinstance(bindings.input, list | dict):
        raise _no_items(bindings.input)
    return bindings.input


def _no_items(value: JSON) -> StateFailure:
    return StateFailure(
        QUERY_EVALUATION_ERROR, f"Map state input must be an array but was: {encode(value).decode()}"
    )


def _refused(field: str, rule: str, value: JSON) -> StateFailure:
    return StateFailure(QUERY_EVALUATION_ERROR, f"{rule} but was: {encode(value).decode()}", location=field)
