"""Whether a mocked result is one that the state's work could have had (api, section 14)."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.machine import Map, Parallel, Task
from ..core.values import JSON, decode
from .refusal import Refused, invalid
from .request import Mock
from .shapes import Shape, answer_of
from .subject import Subject

_KINDS = {"string": "a string", "number": "a number", "boolean": "a boolean", "list": "an array"}


def check_mock(subject: Subject, mock: Mock) -> None:
    """Refuse a result that has not the shape of what the state gets. Raises Refused."""
    if mock.result is None:
        return
    result = decode(mock.result.encode("utf-8", "surrogatepass"))
    state = subject.state
    if isinstance(state, Map):
        if "ResultWriter" in subject.fields:
            _require(isinstance(result, dict), "Mocked result must be a JSON object.")
        else:
            _require(isinstance(result, list), "Mocked result must be an array.")
    elif isinstance(state, Parallel):
        _require(isinstance(result, list), "Mocked result must be an array.")
        _require(
            len(result) == len(subject.fields["Branches"]),
            "Mocked result must contain the same number of items as number of Parallel branches.",
        )
    elif isinstance(state, Task) and mock.mode != "NONE":
        shape = answer_of(state.resource)
        if shape is not None:
            _check(shape, "", result, strict=mock.mode == "STRICT")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise invalid(message)


def _check(shape: Shape, field: str, value: JSON, *, strict: bool) -> None:
    """Hold a value against a shape; ``field`` is the member it stands in."""
    if shape.kind == "any" or value is None:
        return
    if shape.kind == "structure":
        _check_structure(shape, field, value, strict=strict)
    elif shape.kind == "map":
        if not isinstance(value, dict):
            raise _wrong(field, "must be an object")
        for inner in value.values():
            _check(shape.element(), field, inner, strict=strict)
    elif shape.kind == "list":
        if not isinstance(value, list):
            raise _wrong(field, "must be an array")
        for inner in value:
            _check(shape.element(), field, inner, strict=strict)
    else:
        _check_scalar(shape, field, value)


def _check_structure(shape: Shape, field: str, value: JSON, *, strict: bool) -> None:
    if not isinstance(value, Mapping):
        if not field:
            raise invalid("Mocked result must be a JSON object.")
        raise _wrong(field, "must be an object")
    if strict:
        for name in shape.required:
            if name not in value:
                raise invalid(f"Mock result schema validation error: Required field '{name}' is missing")
    for name, inner in value.items():
        member = shape.member(name)
        if member is not None:
            _check(member, name, inner, strict=strict)


def _check_scalar(shape: Shape, field: str, value: JSON) -> None:
    fits = {
        "string": isinstance(value, str),
        "number": isinstance(value, (int, float)) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
    }
    if not fits[shape.kind]:
        raise _wrong(field, f"must be {_KINDS[shape.kind]}")
    if shape.enum and value not in shape.enum:
        raise _wrong(field, "is not an expected value")
    if shape.kind == "string":
        if shape.least is not None and len(value) < shape.least:
            raise _wrong(field, "is smaller than the minimum length")
        if shape.most is not None and len(value) > shape.most:
            raise _wrong(field, "exceeds the maximum length")
    elif shape.kind == "number":
        if shape.least is not None and value < shape.least:
            raise _wrong(field, "is less than the minimum value")
        if shape.most is not None and value > shape.most:
            raise _wrong(field, "exceeds the maximum value")


def _wrong(field: str, problem: str) -> Refused:
    return invalid(f"Mock result schema validation error: Field '{field}' {problem}")
