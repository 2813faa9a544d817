"""The request of a trial: its members read from their texts, and what the service refuses about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from detent.schema.jackson import complaint

from ..core.values import JSON, decode
from .refusal import Refused, invalid

LEVELS = ("INFO", "DEBUG", "TRACE")
FIELD_VALIDATION_MODES = ("STRICT", "PRESENT", "NONE")

#: What a context object that is given may hold, and of what kind each member is.
_CONTEXT: Mapping[str, Mapping[str, type]] = {
    "Execution": {
        "Id": str,
        "Input": object,
        "Name": str,
        "RoleArn": str,
        "StartTime": str,
        "RedriveCount": int,
        "RedriveTime": str,
    },
    "State": {"EnteredTime": str, "Name": str, "RetryCount": int},
    "StateMachine": {"Id": str, "Name": str},
    "Task": {"Token": str},
}
_KINDS = {str: "a string", int: "a number"}


@dataclass(frozen=True, slots=True)
class Mock:
    """What stands in for the state's work: a result, as its text, or an error."""

    result: str | None
    error: Mapping[str, JSON] | None
    mode: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose members are well-formed. ``context`` is None where the default is wanted.

    Which inner state caused an error (errorCausedByState) changes nothing in the answer, and is not kept.
    """

    definition: str
    state_name: str | None
    role: str | None
    input: JSON
    input_text: str
    level: str
    reveals: bool
    variables: Mapping[str, JSON]
    context: Mapping[str, JSON] | None
    mock: Mock | None
    retries: int
    failures: int | None
    reader_items: JSON

    @classmethod
    def read(cls, members: Mapping[str, Any]) -> Request:
        """Read the members of a request, as the protocol names and types them. Raises Refused."""
        configuration = members.get("stateConfiguration") or {}
        mock = _mock(members.get("mock"))
        if mock is not None and members.get("revealSecrets"):
            raise invalid("TestState does not support RevealSecrets when a mock is specified.")
        failures = configuration.get("mapIterationFailureCount")
        if failures is not None and mock is None:
            raise invalid("TestState does not support MapIterationFailureCount when a mock is not specified.")
        state_name = members.get("stateName")
        if state_name is not None:
            _length("stateName", state_name, 1, 80)
        input_text = members.get("input", "{}")
        return cls(
            definition=members["definition"],
            state_name=state_name,
            role=members.get("roleArn"),
            input=_input(input_text),
            input_text=input_text,
            level=_one_of("inspectionLevel", members.get("inspectionLevel", "INFO"), LEVELS),
            reveals=bool(members.get("revealSecrets")),
            variables=_object("variables", members.get("variables")) or {},
            context=_object("context", members.get("context")),
            mock=mock,
            retries=configuration.get("retrierRetryCount") or 0,
            failures=failures,
            reader_items=_reader_items(configuration.get("mapItemReaderData")),
        )


def _mock(given: Mapping[str, Any] | None) -> Mock | None:
    if given is None:
        return None
    result, error = given.get("result"), given.get("errorOutput")
    if (result is None) == (error is None):
        raise invalid("A test mock should have only one of the following fields: [result, errorOutput].")
    mode = _one_of(
        "mock.fieldValidationMode", given.get("fieldValidationMode", "STRICT"), FIELD_VALIDATION_MODES
    )
    if result is not None and complaint(result) is not None:
        raise invalid("Mocked result must be valid JSON")
    return Mock(result, error, mode)


def _input(text: str) -> JSON:
    if not text:
        raise Refused(
            "InvalidExecutionInput", "Invalid State Machine Execution Input: 'Invalid execution input.'"
        )
    wrong = complaint(text)
    if wrong is not None:
        raise Refused("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{wrong}'")
    return decode(text.encode("utf-8", "surrogatepass"))


def _object(member: str, text: str | None) -> Mapping[str, JSON] | None:
    if text is None:
        return None
    value = None if complaint(text) is not None else decode(text.encode("utf-8", "surrogatepass"))
    if not isinstance(value, dict):
        raise invalid(f"{member} must be a valid JSON object")
    return value


def _reader_items(text: str | None) -> JSON:
    if text is None:
        return None
    if complaint(text) is not None:
        raise invalid("mapItemReaderData must be valid JSON")
    return decode(text.encode("utf-8", "surrogatepass"))


def _one_of(member: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise _constraint(member, value, f"Member must satisfy enum value set: [{', '.join(known)}]")
    return value


def _length(member: str, value: str, least: int, most: int) -> None:
    if len(value) < least:
        raise _constraint(member, value, f"Member must have length greater than or equal to {least}")
    if len(value) > most:
        raise _constraint(member, value, f"Member must have length less than or equal to {most}")


def _constraint(member: str, value: str, rule: str) -> Refused:
    return invalid(
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
    )


def check_context(context: Mapping[str, JSON], *, may_have_task: bool) -> None:
    """Refuse a context object that the service does not have. Raises Refused."""
    for name, part in context.items():
        if name == "Map":
            raise _bad_context("'Map' field is not supported when mocking a Context object")
        members = _CONTEXT.get(name)
        if members is None:
            raise _bad_context(f"Field '{name}' is not allowed")
        if name == "Task" and not may_have_task:
            raise _bad_context(
                "Context object contains 'Task' when state is not a Task state with a '.sync' or "
                "'.waitForTaskToken' service integration pattern"
            )
        if not isinstance(part, Mapping):
            raise _bad_context(f"{name} must be an object")
        for field, value in part.items():
            _check_member(name, field, value, members)


def _check_member(name: str, field: str, value: JSON, members: Mapping[str, type]) -> None:
    if field not in members:
        raise _bad_context(f"Field '{field}' is not allowed")
    kind = members[field]
    wrong = not isinstance(value, kind) or (kind is int and isinstance(value, bool))
    if wrong:
        raise _bad_context(f"{name}.{field} must be {_KINDS[kind]}")


def _bad_context(message: str) -> Refused:
    return invalid(f"Invalid Context object provided: {message}")
