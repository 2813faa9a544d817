"""Where each tool keeps its state machines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Literal

from detent.core.values import JSON

from ..diagnostics import Diagnostic, Pointer, Severity
from ..document import Document, DocumentError
from ..frontdoor import Lines
from ..nodes import Node
from ..placeholders import is_foreign
from .embedded import read_embedded
from .functions import pieces, resolved, text_of
from .machine import Machine
from .recognize import Tool

_TYPES = ("AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine")
_SERVERLESS_FILE = re.compile(r"\$\{file\(([^(){}:]+)\)\}")
_ASSET = re.compile(r"[0-9a-f]{64}\.(?:json|ya?ml)")


def machines_in(tool: Tool, template: Document) -> list[Machine]:
    """The state machines of a template, in its order."""
    return list(_FINDERS[tool](template))


def _cloudformation(template: Document) -> Iterator[Machine]:
    for name, resource in _members(template.root.child("Resources")):
        if _text(resource.child("Type")) in _TYPES:
            properties = resource.child("Properties") or Node.object(resource.start)
            yield _Reading(template, name, ("Resources", name, "Properties"), properties).machine()


def _serverless(template: Document) -> Iterator[Machine]:
    steps = template.root.child("stepFunctions")
    machines = None if steps is None else steps.child("stateMachines")
    for name, machine in _members(machines):
        pointer = ("stepFunctions", "stateMachines", name)
        definition = machine.child("definition")
        file = _SERVERLESS_FILE.fullmatch(_text(definition))
        type_ = _type(machine.child("type"))
        if file is not None:
            yield Machine(name, file=file[1].strip(), machine_type=type_)
        elif definition is None or not definition.is_object:
            finding = _unread(template, (*pointer, "definition"), "the definition is known to the tool alone")
            yield Machine(name, machine_type=type_, findings=(finding,))
        else:
            yield Machine(name, _part(template, definition), machine_type=type_)


def _terraform(template: Document) -> Iterator[Machine]:
    values = template.root.child("planned_values") or template.root.child("values")
    waiting = [None if values is None else values.child("root_module")]
    while waiting:
        module = waiting.pop()
        if module is None:
            continue
        for resource in _items(module.child("resources")):
            if _text(resource.child("type")) == "aws_sfn_state_machine":
                yield _of_terraform(template, resource)
        waiting.extend(reversed(list(_items(module.child("child_modules")))))


def _of_terraform(template: Document, resource: Node) -> Machine:
    name = _text(resource.child("address")) or _text(resource.child("name")) or "state_machine"
    values = resource.child("values") or resource
    type_ = _type(values.child("type"))
    definition = values.child("definition")
    if definition is None or not isinstance(definition.value, str):
        position = Lines(template.text).position(resource.start)
        finding = Diagnostic(
            "unread-definition",
            Severity.WARNING,
            f"the definition of {name} is not known before it is applied",
            position=position,
            source=template.source,
        )
        return Machine(name, machine_type=type_, findings=(finding,))
    return _embedded(template, name, definition, type_)


def _embedded(
    template: Document,
    name: str,
    node: Node,
    type_: Literal["STANDARD", "EXPRESS"],
    substitutions: Mapping[str, str] | None = None,
) -> Machine:
    try:
        document = read_embedded(pieces(node) or [], template)
    except DocumentError as error:
        return Machine(name, machine_type=type_, findings=tuple(error.diagnostics))
    return Machine(name, document, machine_type=type_, substitutions=substitutions)


class _Reading:
    """One resource of CloudFormation or SAM."""

    def __init__(self, template: Document, name: str, pointer: Pointer, properties: Node) -> None:
        self.template = template
        self.name = name
        self.pointer = pointer
        self.properties = properties
        self.machine_type = _type(properties.child("Type") or properties.child("StateMachineType"))
        self.substitutions = self._substitutions()

    def machine(self) -> Machine:
        child = self.properties.child
        if (inline := child("Definition")) is not None:
            return self._inline(inline)
        if (text := child("DefinitionString")) is not None:
            return self._text(text)
        if (uri := child("DefinitionUri")) is not None:
            return self._uri(uri, "DefinitionUri")
        if (location := child("DefinitionS3Location")) is not None:
            return self._uri(location, "DefinitionS3Location")
        return self._without(self.pointer, f"{self.name} has no definition", Severity.ERROR)

    def _inline(self, node: Node) -> Machine:
        included = node.child("Fn::Transform")
        if included is not None:
            parameters = included.child("Parameters")
            location = None if parameters is None else parameters.child("Location")
            return self._uri(location or included, "Definition")
        if not node.is_object or is_foreign(node.value):
            return self._text(node)
        return self._found(document=_part(self.template, node))

    def _text(self, node: Node) -> Machine:
        as_json = node.child("Fn::ToJsonString")
        if as_json is not None:
            return self._found(document=_part(self.template, as_json))
        if pieces(node) is None:
            return self._without(self.pointer, f"the definition of {self.name} is known to the tool alone")
        return _embedded(self.template, self.name, node, self.machine_type, self.substitutions)

    def _uri(self, node: Node, field: str) -> Machine:
        """A path; what lies in S3 is not here, but CDK keeps what it will put there beside the template."""
        path = text_of(node)
        key = _text(node.child("Key"))
        if path is None and _ASSET.fullmatch(key):
            return self._found(file=f"asset.{key}")
        if path is None or path.startswith(("s3:", "https:")) or "${" in path:
            return self._without(
                (*self.pointer, field), f"the definition of {self.name} is not in a file here"
            )
        return self._found(file=path)

    def _found(self, document: Document | None = None, file: str | None = None) -> Machine:
        return Machine(self.name, document, file, self.machine_type, self.substitutions)

    def _without(self, pointer: Pointer, message: str, severity: Severity = Severity.WARNING) -> Machine:
        finding = _unread(self.template, pointer, message, severity)
        return Machine(self.name, machine_type=self.machine_type, findings=(finding,))

    def _substitutions(self) -> Mapping[str, str] | None:
        node = self.properties.child("DefinitionSubstitutions")
        if node is None:
            return None
        found: dict[str, str] = {}
        for name, value in _members(node):
            text = text_of(value)
            if text is None and not isinstance(value.value, (dict, list)):
                text = json.dumps(value.value)
            found[name] = f"${{{name}}}" if text is None else text
        return found


def _unread(
    template: Document, pointer: Pointer, message: str, severity: Severity = Severity.WARNING
) -> Diagnostic:
    code = "unread-definition" if severity is Severity.WARNING else "missing-definition"
    return Diagnostic(code, severity, message, pointer, template.position(pointer, key=True), template.source)


def _part(template: Document, node: Node) -> Document:
    """A part of the template as a document of its own, its places those in the template."""
    return Document(resolved(node), text=template.text, source=template.source, format=template.format)


def _type(node: Node | None) -> Literal["STANDARD", "EXPRESS"]:
    return "EXPRESS" if _text(node).upper() == "EXPRESS" else "STANDARD"


def _text(node: Node | None) -> str:
    value: JSON = None if node is None else node.value
    return value if isinstance(value, str) else ""


def _members(node: Node | None) -> Iterator[tuple[str, Node]]:
    """Name and value of each member of an object that is an object or list itself, or a text."""
    if node is not None and node.is_object:
        yield from ((str(name), child) for name, child in node)


def _items(node: Node | None) -> Iterator[Node]:
    if node is not None and isinstance(node.value, list):
        yield from (child for _, child in node)


_FINDERS = {Tool.CLOUDFORMATION: _cloudformation, Tool.SERVERLESS: _serverless, Tool.TERRAFORM: _terraform}
