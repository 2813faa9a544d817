"""Findings about a definition in the service's words: its codes, its sentences, its spelling of places.

Owns what ValidateStateMachineDefinition answers, and the message of InvalidDefinition (api, section 9). Where no
recording shows the service's sentence, ours stands in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from detent.core.values import JSON, decode
from detent.query.jsonata import expression_problems, inside, is_expression

from .diagnostics import Diagnostic, Pointer, Severity
from .jackson import complaint
from .validate import MachineType, validate_value

SCHEMA_FAILED = "SCHEMA_VALIDATION_FAILED"
NOT_JSON = "INVALID_JSON_DESCRIPTION"
#: An expression that cannot be parsed, and one that refers to what the service does not look up.
INVALID_JSONATA = "INVALID_JSONATA_EXPRESSION"
UNSUPPORTED_JSONATA = "UNSUPPORTED_JSONATA_EXPRESSION"
NOT_AN_OBJECT = "Definition must be a valid JSON object"

#: Diagnostics that one answer holds by default, and at most.
DIAGNOSTICS_MAX = 100

#: Fields without which an object is none of its kind, in the order in which the service names them.
_REQUIRED_OF_SCOPES = ("States", "StartAt")
_SCOPES = ("ItemProcessor", "Iterator")
_REQUIRED_OF_STATES: Mapping[str, tuple[str, ...]] = {
    "Task": ("Resource",),
    "Choice": ("Choices",),
    "Parallel": ("Branches",),
    "Map": ("ItemProcessor",),
}
#: Fields with a path that need not be a reference path.
_ANY_PATHS = ("InputPath", "OutputPath", "ErrorPath", "CausePath")
_TYPES = "Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map"


@dataclass(frozen=True, slots=True)
class ServiceDiagnostic:
    """One finding as the service words it; ``location`` is None where it names none."""

    severity: str
    code: str
    message: str
    location: str | None

    def as_json(self) -> dict[str, JSON]:
        """As it stands in an answer."""
        found = {"severity": self.severity, "code": self.code, "message": self.message}
        return found if self.location is None else {**found, "location": self.location}

    def __str__(self) -> str:
        place = "" if self.location is None else f" at {self.location}"
        return f"{self.code}: {self.message}{place}"


def validate_definition(request: Mapping[str, JSON]) -> dict[str, JSON]:
    """The answer to ValidateStateMachineDefinition; its arguments have been checked by whoever received them."""
    found = service_diagnostics(request["definition"], request.get("type", "STANDARD"))
    if request.get("severity", "ERROR") == "ERROR":
        found = [one for one in found if one.severity == "ERROR"]
    most = request.get("maxResults") or DIAGNOSTICS_MAX
    return {
        "result": "FAIL" if any(one.severity == "ERROR" for one in found) else "OK",
        "diagnostics": [one.as_json() for one in found[:most]],
        "truncated": len(found) > most,
    }


def invalid_definition(text: str, machine_type: MachineType = "STANDARD") -> str | None:
    """The message of InvalidDefinition for a definition's text; None if the service would take it."""
    return invalid_message(service_diagnostics(text, machine_type))


def invalid_message(found: Iterable[ServiceDiagnostic]) -> str | None:
    """The message of InvalidDefinition about findings; None if there is no error among them."""
    errors = ", ".join(str(one) for one in found if one.severity == "ERROR")
    return f"Invalid State Machine Definition: '{errors}'" if errors else None


def service_diagnostics(text: str, machine_type: MachineType = "STANDARD") -> list[ServiceDiagnostic]:
    """Everything found about a definition's text."""
    if not text.strip():
        return [ServiceDiagnostic("ERROR", SCHEMA_FAILED, NOT_AN_OBJECT, None)]
    wrong = complaint(text)
    if wrong is not None:
        return [ServiceDiagnostic("ERROR", NOT_JSON, str(wrong), wrong.source)]
    value = decode(text.encode("utf-8", "surrogatepass"))
    if not isinstance(value, dict):
        return [ServiceDiagnostic("ERROR", SCHEMA_FAILED, NOT_AN_OBJECT, None)]
    return value_diagnostics(value, machine_type)


def value_diagnostics(value: JSON, machine_type: MachineType = "STANDARD") -> list[ServiceDiagnostic]:
    """Everything found about a definition that is an object."""
    found = validate_value(value, machine_type=machine_type)
    told: list[ServiceDiagnostic] = []
    for (pointer, missing), group in groupby(found, lambda one: (one.pointer, one.code == "missing-field")):
        together = list(group)
        names = _missing(_at(value, pointer), pointer) if missing else ()
        if names:
            told.append(
                ServiceDiagnostic(
                    "ERROR",
                    SCHEMA_FAILED,
                    f"These fields are required: [{', '.join(names)}]",
                    _location(pointer),
                )
            )
            continue
        told += [
            _told(one, value)
            for one in together
            if one.severity != Severity.INFO and not _follows(one, value)
        ]
    return told


def _follows(found: Diagnostic, value: JSON) -> bool:
    """Whether a finding follows from another: without States nothing can be where StartAt leads."""
    scope = _at(value, found.pointer[:-1])
    return (
        found.code == "missing-target"
        and isinstance(scope, dict)
        and "StartAt" in scope
        and "States" not in scope
    )


def _missing(part: JSON, pointer: Pointer) -> tuple[str, ...]:
    """The required fields that an object has not; empty where they do not follow from its place and its type."""
    if not isinstance(part, dict):
        return ()
    kind = part.get("Type")
    required: tuple[str, ...] = ()
    if not pointer or pointer[-1] in _SCOPES or pointer[-2:-1] == ("Branches",):
        required = _REQUIRED_OF_SCOPES
    elif isinstance(kind, str):
        required = _REQUIRED_OF_STATES.get(kind, ())
    return tuple(name for name in required if name not in part)


#: What is an error to us, and was seen to be taken by the service.
_TAKEN = frozenset({"outer-variable"})


def _told(found: Diagnostic, value: JSON) -> ServiceDiagnostic:
    is_taken = found.severity == Severity.WARNING or found.code in _TAKEN
    severity = "WARNING" if is_taken else "ERROR"
    word = _WORDS.get(found.code)
    said = None if word is None else word(found, value)
    if said is None:
        return ServiceDiagnostic(severity, SCHEMA_FAILED, found.message, _location(found.pointer))
    code, message, pointer = said
    return ServiceDiagnostic(severity, code, message, _location(pointer))


#: Code, message and place of a finding; None if the service's words for it are not known.
_Said = tuple[str, str, Pointer] | None


def _empty(found: Diagnostic, value: JSON) -> _Said:
    return SCHEMA_FAILED, "Value cannot be empty", found.pointer


def _bad_timestamp(found: Diagnostic, value: JSON) -> _Said:
    return SCHEMA_FAILED, "String does not match RFC3339 timestamp", found.pointer


def _wrong_value(found: Diagnostic, value: JSON) -> _Said:
    if found.pointer[-1:] == ("Type",) and isinstance(_at(value, found.pointer), str):
        return SCHEMA_FAILED, f"The field 'Type' should have one of these values: [{_TYPES}]", found.pointer
    return None


def _downgrade(found: Diagnostic, value: JSON) -> _Said:
    message = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
    return SCHEMA_FAILED, message, found.pointer[:-1]


def _bad_expression(found: Diagnostic, value: JSON) -> _Said:
    field = found.pointer[-1]
    message = f"The value for the field '{field}' must be a valid JSONPath or a valid intrinsic function call"
    return SCHEMA_FAILED, message, found.pointer[:-1]


def _bad_intrinsic(found: Diagnostic, value: JSON) -> _Said:
    return _bad_expression(found, value) if _in_template(found) else None


def _in_template(found: Diagnostic) -> bool:
    return str(found.pointer[-1]).endswith(".$")


def _bad_path(found: Diagnostic, value: JSON) -> _Said:
    if _in_template(found):
        return _bad_expression(found, value)
    text = _at(value, found.pointer)
    if found.pointer[-1] in _ANY_PATHS or not isinstance(text, str) or text.startswith("$"):
        return None
    message = "Value is not a Reference Path: Reference path didn't start with '$'"
    return SCHEMA_FAILED, message, found.pointer


def _bad_jsonata(found: Diagnostic, value: JSON) -> _Said:
    text = _at(value, found.pointer)
    if not is_expression(text):
        return None
    for problem in expression_problems(inside(text)[0], frozenset()):
        if problem.message.rstrip(".") in found.message:
            code = INVALID_JSONATA if problem.is_syntax else UNSUPPORTED_JSONATA
            return code, problem.message, found.pointer
    return None


def _missing_field(found: Diagnostic, value: JSON) -> _Said:
    if found.pointer[-1:] == ("Credentials",):
        return SCHEMA_FAILED, "The field 'RoleArn' is required but was missing", found.pointer
    return None


def _not_in_express(found: Diagnostic, value: JSON) -> _Said:
    resource = _at(value, found.pointer)
    if not isinstance(resource, str):
        return None
    prefix = "Express state machine does not support"
    if ":activity:" in resource:
        return SCHEMA_FAILED, f"{prefix} Activity ARN", found.pointer
    if resource.endswith(".waitForTaskToken"):
        # The service writes this blank.
        return SCHEMA_FAILED, f"{prefix} '.waitForTaskToken' service integration ", found.pointer
    return SCHEMA_FAILED, f"{prefix} '.sync' service integration", found.pointer


def _bad_resource(found: Diagnostic, value: JSON) -> _Said:
    message = (
        f"The resource provided {_at(value, found.pointer)} is not recognized. The value is not a valid resource "
        "ARN, or the resource is not available in this region."
    )
    return SCHEMA_FAILED, message, found.pointer


def _unknown_field(found: Diagnostic, value: JSON) -> _Said:
    return SCHEMA_FAILED, "Field is not supported", found.pointer


def _missing_target(found: Diagnostic, value: JSON) -> _Said:
    message = f"Missing '{found.pointer[-1]}' target: {_at(value, found.pointer)}"
    return "MISSING_TRANSITION_TARGET", message, found.pointer


def _duplicate_name(found: Diagnostic, value: JSON) -> _Said:
    return "DUPLICATE_STATE_NAME", f"Duplicate State name: {found.pointer[-1]}", found.pointer


_WORDS: Mapping[str, Callable[[Diagnostic, JSON], _Said]] = {
    "empty-value": _empty,
    "bad-timestamp": _bad_timestamp,
    "wrong-value": _wrong_value,
    "language-downgrade": _downgrade,
    "bad-expression": _bad_expression,
    "bad-intrinsic": _bad_intrinsic,
    "bad-path": _bad_path,
    "bad-jsonata": _bad_jsonata,
    "missing-field": _missing_field,
    "not-in-express": _not_in_express,
    "bad-resource": _bad_resource,
    "unknown-field": _unknown_field,
    "missing-target": _missing_target,
    "target-out-of-scope": _missing_target,
    "duplicate-name": _duplicate_name,
}


def _at(value: JSON, pointer: Pointer) -> JSON:
    """What stands at a place; None if nothing does."""
    for step in pointer:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _location(pointer: Pointer) -> str:
    """A place as the service spells it: indexes in brackets."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f"/{step}" for step in pointer)
    return steps or "/"
