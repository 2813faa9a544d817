"""The state that is tried: found in its definition, judged, and compiled.

What stands around it does not run. A Parallel or Map is tried without what is inside it, whose work is mocked: it
becomes a task with the same flow, the same retriers and catchers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detent.schema.outline import outline
from detent.schema.service import (
    ServiceDiagnostic,
    invalid_message,
    service_diagnostics,
    value_diagnostics,
)

from ..compile import compile_definition
from ..compile.errors import CompileError
from ..core.machine import State
from ..core.values import JSON, decode
from .refusal import Refused, invalid

#: What a state is called that comes without a machine.
STATE_NAME = "StateName"

_EMPTY_BODY: Mapping[str, JSON] = {"StartAt": "Item", "States": {"Item": {"Type": "Succeed"}}}
#: What belongs to the run of a Map's children, of which a trial has none.
_OF_THE_RUN = frozenset(
    {
        "Iterator",
        "ItemReader",
        "ItemBatcher",
        "ResultWriter",
        "Label",
        "ToleratedFailureCount",
        "ToleratedFailureCountPath",
        "ToleratedFailurePercentage",
        "ToleratedFailurePercentagePath",
    }
)


@dataclass(frozen=True, slots=True)
class Subject:
    """``fields`` is the state as it is written, ``state`` as it is run, ``language`` the one it speaks."""

    name: str
    fields: Mapping[str, JSON]
    language: str
    state: State


def find_subject(text: str, state_name: str | None) -> Subject:
    """The state that a definition's text holds, or the one of that name in a machine. Raises Refused."""
    found = service_diagnostics(text) if state_name is not None else _of_state(text)
    message = invalid_message(found)
    definition = decode(text.encode("utf-8", "surrogatepass")) if message is None or _is_object(text) else {}
    if state_name is None:
        name, fields, language = STATE_NAME, definition, definition.get("QueryLanguage", "JSONPath")
    else:
        states = {state.name: state for state in outline(definition).states}
        if state_name not in states:
            raise invalid("State not found in definition")
        name, fields = state_name, states[state_name].value
        language = fields.get("QueryLanguage", definition.get("QueryLanguage", "JSONPath"))
    if message is not None:
        raise Refused("InvalidDefinition", message)
    return Subject(name, fields, language, _compiled(name, fields, language))


def _is_object(text: str) -> bool:
    try:
        return isinstance(decode(text.encode("utf-8", "surrogatepass")), dict)
    except ValueError:
        return False


def _of_state(text: str) -> list[ServiceDiagnostic]:
    """What is wrong with a state that comes by itself; where it leads to is not its fault."""
    if not _is_object(text):
        return service_diagnostics(text)
    state = decode(text.encode("utf-8", "surrogatepass"))
    if state.get("Next") == STATE_NAME:
        # Where it ends is not its fault either.
        state = {**{key: value for key, value in state.items() if key != "Next"}, "End": True}
    return value_diagnostics(_machine_of(STATE_NAME, state, state.get("QueryLanguage", "JSONPath")))


def _machine_of(name: str, fields: Mapping[str, JSON], language: str) -> JSON:
    """A machine of this state and of empty ones where it leads to."""
    ends = {target: {"Type": "Succeed"} for target in _targets(fields) if target != name}
    return {"StartAt": name, "QueryLanguage": language, "States": {name: fields, **ends}}


def _targets(fields: Mapping[str, JSON]) -> list[str]:
    leading = [fields, *_objects(fields.get("Choices")), *_objects(fields.get("Catch"))]
    named = [part.get(key) for part in leading for key in ("Next", "Default")]
    return [name for name in named if isinstance(name, str)]


def _objects(value: JSON) -> list[Mapping[str, JSON]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _compiled(name: str, fields: Mapping[str, JSON], language: str) -> State:
    reduced = dict(fields)
    if fields["Type"] == "Map":
        reduced = {key: value for key, value in fields.items() if key not in _OF_THE_RUN}
        reduced["ItemProcessor"] = _EMPTY_BODY
    elif fields["Type"] == "Parallel":
        reduced["Branches"] = [_EMPTY_BODY]
    try:
        machine = compile_definition(_machine_of(name, reduced, language))
    except CompileError as error:
        raise Refused("InvalidDefinition", f"Invalid State Machine Definition: '{error}'") from error
    return machine.root.states[name]
