"""The first pass: each part of a definition against its JSON Schema, errors said as sentences about states.

One function for each keyword that the schema files use in a way of their own; everything else is a wrong
value, described by what the schema allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .diagnostics import Pointer
from .document import is_unknown
from .findings import Findings, sentence, show
from .outline import STATE_TYPES, Outline, Part
from .schema_files import PARTS, Violation, known_fields, violations


def check_schema(outline: Outline, findings: Findings) -> None:
    """Everything that the schema of a part says about it."""
    for part in outline.parts():
        if part.kind not in PARTS:
            continue
        for found in violations(part.kind, part.value):
            if not is_unknown(found.value):
                _SENTENCES.get(found.keyword, _wrong_value)(part, found, findings)


def _missing(part: Part, found: Violation, findings: Findings) -> None:
    label, pointer = _place(part, found)
    for name in found.setting:
        if name not in found.value:
            findings.error("missing-field", pointer, f"{sentence(label)} has no {name}", on_key=True)


def _unknown(part: Part, found: Violation, findings: Findings) -> None:
    label, pointer = _place(part, found)
    known = found.schema["properties"]
    for name in found.value:
        if name in known or is_unknown(name):
            continue
        message, hint = _explain_unknown(part, name, label)
        meant = findings.similar(name, known) if hint is None else None
        findings.error("unknown-field", (*pointer, name), message, hint=hint, meant=meant, on_key=True)


def _explain_unknown(part: Part, name: str, label: str) -> tuple[str, str | None]:
    if part.kind == "nestedRule" and name in known_fields("rule"):
        return (
            f"'{name}' in {label} belongs to the outermost rule",
            f"move '{name}' up to the rule in Choices",
        )
    owners = [type_ for type_ in STATE_TYPES if name in known_fields(type_)]
    if part.kind in STATE_TYPES and owners:
        return (
            f"A {part.kind} state has no field '{name}' ({label})",
            f"'{name}' is for {_either(owners, 'and')}",
        )
    return f"Unknown field {show(name)} in {label}", None


def _conflict(part: Part, found: Violation, findings: Findings) -> None:
    """``not: {required: [a, b]}``."""
    label, pointer = _place(part, found)
    names = found.setting["required"]
    _say_conflict(label, pointer, names, findings)


def _one_of(part: Part, found: Violation, findings: Findings) -> None:
    """``oneOf`` and ``anyOf`` over required fields."""
    label, pointer = _place(part, found)
    names = [choice["required"][0] for choice in found.setting]
    present = [name for name in names if name in found.value]
    if present:
        _say_conflict(label, pointer, present, findings)
    else:
        message = f"{sentence(label)} needs {_either(names, 'or')}"
        findings.error("missing-field", pointer, message, on_key=True)


def _say_conflict(label: str, pointer: Pointer, names: list[str], findings: Findings) -> None:
    message = f"{sentence(label)} has {_either([repr(name) for name in names], 'and')}"
    findings.error(
        "conflicting-fields", (*pointer, names[-1]), message, hint="keep only one of them", on_key=True
    )


def _empty(part: Part, found: Violation, findings: Findings) -> None:
    label, pointer = _place(part, found, inside=True)
    findings.error("empty-value", pointer, f"'{pointer[-1]}' must not be empty, in {label}")


def _wrong_value(part: Part, found: Violation, findings: Findings) -> None:
    label, pointer = _place(part, found, inside=True)
    options = found.schema.get("enum", ())
    meant = findings.similar(found.value, options) if isinstance(found.value, str) else None
    if not pointer:
        findings.error("not-a-machine", pointer, f"A definition must be an object, not {show(found.value)}")
        return
    name = show(pointer[-1]) if isinstance(pointer[-1], str) else f"'{pointer[-2]}[{pointer[-1]}]'"
    message = f"{name} must be {describe(found.schema)}, not {show(found.value)}, in {label}"
    findings.error("wrong-value", pointer, message, meant=meant)


_SENTENCES: Mapping[str, Callable[[Part, Violation, Findings], None]] = {
    "required": _missing,
    "additionalProperties": _unknown,
    "not": _conflict,
    "oneOf": _one_of,
    "anyOf": _one_of,
    "minItems": _empty,
    "minProperties": _empty,
}


def _place(part: Part, found: Violation, *, inside: bool = False) -> tuple[str, Pointer]:
    """How to speak of the object a violation is about (or the value is ``inside``), and its pointer."""
    steps = found.steps
    owner = steps[:-1] if inside else steps
    if inside and steps and isinstance(steps[-1], int):
        owner = owner[:-1]
    prefix = ".".join(str(step) for step in owner)
    return (f"{prefix} of {part.label}" if prefix else part.label), part.at(*steps)


def describe(schema: Mapping[str, Any]) -> str:
    """What values a flat schema takes, in words: "a whole number of at least 0"."""
    if "const" in schema:
        return show(schema["const"])
    if "enum" in schema:
        return _either([show(value) for value in schema["enum"]], "or")
    types = schema.get("type", "object")
    words = [_describe_type(type_, schema) for type_ in ([types] if isinstance(types, str) else types)]
    return _either(words, "or")


def _describe_type(type_: str, schema: Mapping[str, Any]) -> str:
    if type_ in ("integer", "number"):
        word = "a whole number" if type_ == "integer" else "a number"
        low, high = schema.get("minimum"), schema.get("maximum")
        if low is not None:
            word += f" of at least {low}" if high is None else f" from {low} to {high}"
        return word
    if type_ == "string":
        if "pattern" in schema:
            return "a JSONata expression between '{%' and '%}'"
        return f"a text of at most {schema['maxLength']} characters" if "maxLength" in schema else "a text"
    return {"object": "an object", "array": "a list", "boolean": "true or false", "null": "null"}[type_]


def _either(words: list[str], conjunction: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
