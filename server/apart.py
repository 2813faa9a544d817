"""What is done with definitions from outside in a helper process if they are large: JSON texts in, JSON texts out.

Judging and drawing take longer than their size tells, so that no bound on that would keep others from waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from detent.compile import digest_of
from detent.core.values import JSON, decode, encode
from detent.schema.diagnostics import Diagnostic, Severity
from detent.schema.document import DocumentError, read_document
from detent.schema.graph import Chart, chart
from detent.schema.graph.dot import to_dot
from detent.schema.graph.mermaid import to_mermaid
from detent.schema.graph.svg import to_svg
from detent.schema.service import invalid_definition, validate_definition
from detent.schema.validate import validate, validate_value


def warm_up() -> None:
    """Load what judging takes, so that the first definition keeps nobody waiting."""
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% 1 %}", "End": True}
    judge(encode({"given": {"StartAt": "A", "States": {"A": state}}, "type": "STANDARD"}))


def judge(request: bytes) -> bytes:
    """Judge ``given``, an object or a text of JSON or YAML, as a machine of a ``type``.

    Answers what was found, and the text and the digest of a definition that can be run.
    """
    asked = decode(request)
    given, type = asked["given"], asked["type"]
    if isinstance(given, str):
        try:
            document = read_document(given)
        except DocumentError as error:
            return encode({"findings": [described(each) for each in error.diagnostics]})
        findings, value = validate(document, machine_type=type), document.value
        text = given if given.lstrip().startswith("{") else None
    else:
        findings, value, text = validate_value(given, machine_type=type), given, None
    told: dict[str, JSON] = {"findings": [described(each) for each in findings]}
    if not any(each.severity is Severity.ERROR for each in findings):
        told |= {"text": encode(value).decode() if text is None else text, "digest": digest_of(value)}
    return encode(told)


def admit(request: bytes) -> bytes:
    """Judge the text of a ``definition`` as the service does: its digest, or the message of InvalidDefinition."""
    asked = decode(request)
    definition = asked["definition"]
    message = invalid_definition(definition, asked["type"])
    if message is not None:
        return encode({"message": message})
    return encode({"digest": digest_of(decode(definition.encode("utf-8", "surrogatepass")))})


def diagnose(request: bytes) -> bytes:
    """The answer to ValidateStateMachineDefinition."""
    return encode(validate_definition(decode(request)))


def draw(request: bytes) -> bytes:
    """The picture of a ``definition`` called ``name`` in a ``format``, as a text."""
    asked = decode(request)
    drawing = chart(decode(asked["definition"].encode("utf-8", "surrogatepass")))
    return encode(_PICTURES[asked["format"]](drawing, asked["name"]))


_PICTURES: Mapping[str, Callable[[Chart, str], str]] = {
    "svg": to_svg,
    "mermaid": lambda drawing, name: to_mermaid(drawing),
    "dot": lambda drawing, name: to_dot(drawing),
}


def described(finding: Diagnostic) -> dict[str, JSON]:
    """A finding as clients get it."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "pointer": finding.json_pointer,
        "line": None if finding.position is None else finding.position.line,
        "column": None if finding.position is None else finding.position.column,
        "hint": finding.hint,
    }
