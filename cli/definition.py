"""From a file to a definition that can run: read, filled in, sound, and every task handled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from detent.runtime.names import NAME_MAX, NOT_IN_NAMES, is_name

from .exits import InvalidDefinition, Refusal

if TYPE_CHECKING:
    from detent.core.values import JSON
    from detent.runtime.handlers.registry import Registry
    from detent.runtime.mocks import MockFile
    from detent.schema.diagnostics import Diagnostic, Pointer
    from detent.schema.document import Document

#: Codes of diagnostics about a file that could not be opened.
_UNREADABLE = frozenset({"not-found", "not-a-file", "unreadable"})
#: Stems that say nothing: the folder is the name.
_NAMELESS = frozenset({"workflow", "definition", "statemachine", "state-machine", "state_machine"})


def runnable(file: str, variables: Mapping[str, str]) -> Document:
    """The definition that an argument names, sound and without holes. Raises InvalidDefinition with all findings."""
    from detent.schema.validate import validate

    from .sources import the_definition

    document = the_definition(file, variables)
    findings = validate(document)
    if any(finding.severity == "error" for finding in findings):
        raise InvalidDefinition(f"{file} is not a valid definition", findings, [document])
    holes = list(_holes(document))
    if holes:
        raise InvalidDefinition(f"{file} has placeholders that are not filled in", holes, [document])
    return document


def is_unreadable(findings: Iterable[Diagnostic]) -> bool:
    """Whether a file could not be opened: a matter of the command line, not of what stands in the file."""
    return any(finding.code in _UNREADABLE for finding in findings)


def refuse_unhandled(document: Document, registry: Registry, mocked: frozenset[str] = frozenset()) -> None:
    """Find tasks that nobody can do before anything starts. Raises InvalidDefinition naming each.

    States in ``mocked`` need nobody.
    """
    from detent.schema.diagnostics import Diagnostic, Severity

    findings = [
        Diagnostic(
            "unhandled-resource",
            Severity.ERROR,
            f"nobody handles the Resource {resource!r} of the state {state!r}: {why}",
            pointer,
            document.position(pointer),
            document.source,
            hint or None,
        )
        for pointer, state, resource, reason in unhandled(document.value, registry)
        for why, _, hint in [reason.partition("; " if "; " in reason else ": ")]
    ]
    if findings:
        raise InvalidDefinition("nothing was started: some tasks have no handler", findings, [document])


def mocked_states(
    mocks: MockFile | None, machine: str, test_case: str | None, *, asked_for: bool = False
) -> frozenset[str]:
    """The states whose work is mocked in a test case. Raises MockError for one that does not exist.

    ``asked_for`` says that mocks were, so that a case is missing where none is named.
    """
    from detent.mocking import MockError

    if test_case is None:
        if mocks is not None and asked_for:
            cases = ", ".join(mocks.config().machines.get(machine, {})) or f"none for the machine {machine!r}"
            raise MockError(f"name the case to run with --test-case; {mocks.path} has: {cases}")
        return frozenset()
    if mocks is None:
        raise MockError(
            f"the test case {test_case!r} needs its mock configuration: name the file with --mock"
        )
    return frozenset(mocks.config().case(machine, test_case))


def unhandled(definition: JSON, registry: Registry) -> Iterator[tuple[Pointer, str, str, str]]:
    """The tasks that nobody can do: the place of the Resource, the state, the resource, and why."""
    for pointer, name, fields in _tasks(definition, ()):
        known = fields.get("Parameters", fields.get("Arguments"))
        reason = registry.refusal(fields["Resource"], known)
        if reason is not None:
            yield (*pointer, "Resource"), name, fields["Resource"], reason


def waits_outside(definition: JSON, mocked: frozenset[str], execution: str) -> Iterator[str]:
    """What the tasks of an execution will wait for that no handler gives, nor a mock, in words."""
    from detent.core.resources import is_activity, signal_name

    for _, state, fields in _tasks(definition, ()):
        resource = fields["Resource"]
        if is_activity(resource) and state not in mocked:
            yield f"the state {state!r} waits for a worker of the activity {resource.rpartition(':')[2]!r}"
        elif resource.endswith(".waitForTaskToken") and state not in mocked:
            yield f"the state {state!r} waits for an answer by task token"
        elif (name := signal_name(resource)) and state not in mocked:
            yield f"the state {state!r} waits for `detent signal {execution} {name} --value JSON`"


def _tasks(scope: Mapping[str, JSON], place: Pointer) -> Iterator[tuple[Pointer, str, Mapping[str, JSON]]]:
    for name, fields in scope["States"].items():
        pointer = (*place, "States", name)
        if fields["Type"] == "Task":
            yield pointer, name, fields
        for index, branch in enumerate(fields.get("Branches", ())):
            yield from _tasks(branch, (*pointer, "Branches", index))
        for key in ("ItemProcessor", "Iterator"):
            if key in fields:
                yield from _tasks(fields[key], (*pointer, key))


def _holes(document: Document) -> Iterator[Diagnostic]:
    from detent.schema.diagnostics import Diagnostic, Severity
    from detent.schema.document import HoleKind

    for hole in document.placeholders:
        if hole.kind is HoleKind.FOREIGN:
            message, hint = f"{hole.name} is a function of another tool", "write the value itself"
        else:
            message, hint = f"${{{hole.name}}} is not filled in", f"--var {hole.name}=VALUE"
        yield Diagnostic(
            "unfilled-placeholder",
            Severity.ERROR,
            message,
            hole.pointer,
            hole.position,
            document.source,
            hint,
        )


def machine_name(file: str) -> str:
    """What a machine from a file is called: the file's stem, or its folder where the stem says nothing.

    A machine of a template has the name that the template gives it.
    """
    from .sources import split

    file, name = split(file)
    if name is not None:
        return NOT_IN_NAMES.sub("-", name).strip("-")[:NAME_MAX] or "machine"
    path = Path(file).absolute()
    stem = path.name.partition(".")[0]
    if stem.lower() in _NAMELESS and path.parent.name:
        stem = path.parent.name
    return NOT_IN_NAMES.sub("-", stem).strip("-")[:NAME_MAX] or "machine"


def checked_name(name: str) -> str:
    """A name for an execution as the service allows it. Raises Refusal."""
    if not is_name(name):
        raise Refusal(
            f"{name!r} cannot be the name of an execution",
            f'use 1 to {NAME_MAX} characters, no blanks, and none of < > {{ }} [ ] ? * " # % \\ ^ | ~ ` $ & , ; : /',
        )
    return name
