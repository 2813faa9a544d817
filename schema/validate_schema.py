"""The first pass: each part of a definition against its JSON Schema, errors said as sentences about states.

The files beside this module are one valid schema that an editor can use. Here they are cut at the
borders between parts: a state is held against the schema of its own type only, a retrier against the
retrier's, and the graph pass says what it says better (``transition``, ``language``). So an error
always speaks of one part, and a deep definition needs no deep recursion.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from detent.core.values import JSON

from .diagnostics import Pointer
from .document import is_unknown
from .findings import Findings, did_you_mean, sentence, show
from .outline import STATE_TYPES, Outline, Part

ENTRY = "asl.schema.json"

#: Where the schema of each kind of part stands.
_PARTS = {
    "machine": f"{ENTRY}#",
    "branch": f"{ENTRY}#/$defs/branch",
    "itemProcessor": f"{ENTRY}#/$defs/itemProcessor",
    "state": f"{ENTRY}#/$defs/state",
    "rule": "states/choice.schema.json#/$defs/rule",
    "nestedRule": "states/choice.schema.json#/$defs/nestedRule",
    "itemReader": "states/map.schema.json#/$defs/itemReader",
    "itemBatcher": "states/map.schema.json#/$defs/itemBatcher",
    "resultWriter": "states/map.schema.json#/$defs/resultWriter",
    "retrier": "states/common.schema.json#/$defs/retrier",
    "catcher": "states/common.schema.json#/$defs/catcher",
    **{type_: f"states/{type_.lower()}.schema.json#" for type_ in STATE_TYPES},
}

#: Said by the graph pass.
_SAID_ELSEWHERE = {f"states/common.schema.json#/$defs/{name}" for name in ("transition", "language")}


def check_schema(outline: Outline, findings: Findings) -> None:
    """Everything that the schema of a part says about it."""
    for part in outline.parts():
        if part.kind in _PARTS:
            validator = _validator(part.kind)
            if not _conforms(validator, part.value, validator.schema):
                _explain(part, validator.iter_errors(part.value), findings)


def _explain(part: Part, errors: Iterable[ValidationError], findings: Findings) -> None:
    for error in errors:
        if not is_unknown(error.instance):
            _SENTENCES.get(str(error.validator), _wrong_value)(part, error, findings)


@cache
def known_fields(kind: str) -> tuple[str, ...]:
    """The fields that the schema of a kind of part names."""
    return tuple(_resolve(_PARTS[kind])[1]["properties"])


# Loading: once, when first needed, each kind of part flattened so that no reference is followed per value.


@cache
def schemas() -> Mapping[str, Any]:
    """Every schema file by its path from the entry file's folder."""
    home = files(__package__)
    found = {ENTRY: home / ENTRY} | {f"states/{file.name}": file for file in (home / "states").iterdir()}
    return {
        path: json.loads(file.read_text("utf-8")) for path, file in found.items() if path.endswith(".json")
    }


@cache
def _validator(kind: str) -> Draft202012Validator:
    file, schema = _resolve(_PARTS[kind])
    checker: Draft202012Validator = _Checker(_flatten(file, schema))
    return checker


def _resolve(reference: str) -> tuple[str, Any]:
    """The file that a reference leads to, and what stands there."""
    file, _, pointer = reference.partition("#")
    schema = schemas()[file]
    for step in pointer.split("/")[1:]:
        schema = schema[step]
    return file, schema


def _flatten(file: str, schema: Any) -> Any:
    """The schema with references replaced by what they mean; of other parts only that they are objects."""
    if isinstance(schema, list):
        return [_flatten(file, element) for element in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" not in schema:
        return {key: _flatten(file, value) for key, value in schema.items() if key not in _NOTES}
    target, _, pointer = schema["$ref"].partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(file), target)) if target else file
    reference = f"{path}#{pointer}"
    if reference in _SAID_ELSEWHERE:
        return {}
    if reference in _PARTS.values():
        return {"type": "object"}
    return _flatten(*_resolve(reference))


#: What tells a reader something and a validator nothing.
_NOTES = {"description", "title", "default", "deprecated", "$schema", "$defs", "if", "then"}


def _properties(
    validator: Draft202012Validator, properties: Mapping[str, Any], instance: JSON, schema: Any
) -> Iterator[ValidationError]:
    """The keyword, going over the few fields that are there and not over all that may be."""
    if isinstance(instance, dict):
        for name, value in instance.items():
            subschema = properties.get(name)
            if subschema and not _conforms(validator, value, subschema):
                yield from validator.descend(value, subschema, path=name, schema_path=name)


def _items(
    validator: Draft202012Validator, items: Mapping[str, Any], instance: JSON, schema: Any
) -> Iterator[ValidationError]:
    if isinstance(instance, list):
        for index, value in enumerate(instance):
            if not _conforms(validator, value, items):
                yield from validator.descend(value, items, path=index)


def _all_of(
    validator: Draft202012Validator, all_of: list[Any], instance: JSON, schema: Any
) -> Iterator[ValidationError]:
    for index, subschema in enumerate(all_of):
        if not _conforms(validator, instance, subschema):
            yield from validator.descend(instance, subschema, schema_path=index)


def _not(
    validator: Draft202012Validator, forbidden: Mapping[str, Any], instance: JSON, schema: Any
) -> Iterator[ValidationError]:
    if _conforms(validator, instance, forbidden):
        yield ValidationError("matches what it must not")


def _conforms(validator: Draft202012Validator, value: JSON, schema: Mapping[str, Any]) -> bool:
    """Whether a value fits, without the cost of preparing to say where it does not (most values do)."""
    for keyword, setting in schema.items():
        for _ in _KEYWORDS[keyword](validator, setting, value, schema) or ():
            return False
    return True


def _guarded(keyword: str) -> Callable[..., Iterator[ValidationError]]:
    """The library's keyword, for values that it cannot write into its message (too deep, too long)."""
    check = Draft202012Validator.VALIDATORS[keyword]

    def guarded(
        validator: Draft202012Validator, setting: Any, instance: JSON, schema: Any
    ) -> Iterator[ValidationError]:
        try:
            yield from check(validator, setting, instance, schema) or ()
        except (RecursionError, ValueError):
            yield ValidationError("does not fit")

    return guarded


_Checker = extend(
    Draft202012Validator,
    {
        "allOf": _all_of,
        "items": _items,
        "not": _not,
        "properties": _properties,
        **{
            keyword: _guarded(keyword) for keyword in ("anyOf", "enum", "maximum", "minimum", "oneOf", "type")
        },
    },
)
_KEYWORDS = _Checker.VALIDATORS


# Sentences


def _missing(part: Part, error: ValidationError, findings: Findings) -> None:
    label, pointer = _place(part, error)
    for name in error.validator_value:
        if name not in error.instance:
            findings.error("missing-field", pointer, f"{sentence(label)} has no {name}", on_key=True)


def _unknown(part: Part, error: ValidationError, findings: Findings) -> None:
    label, pointer = _place(part, error)
    known = error.schema["properties"]
    for name in error.instance:
        if name in known or is_unknown(name):
            continue
        message, hint = _explain_unknown(part, name, label, known)
        findings.error("unknown-field", (*pointer, name), message, hint=hint, on_key=True)


def _explain_unknown(part: Part, name: str, label: str, known: Mapping[str, Any]) -> tuple[str, str | None]:
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
    return f"Unknown field '{name}' in {label}", did_you_mean(name, known)


def _conflict(part: Part, error: ValidationError, findings: Findings) -> None:
    """``not: {required: [a, b]}``."""
    label, pointer = _place(part, error)
    names = error.validator_value["required"]
    _say_conflict(label, pointer, names, findings)


def _one_of(part: Part, error: ValidationError, findings: Findings) -> None:
    """``oneOf`` and ``anyOf`` over required fields."""
    label, pointer = _place(part, error)
    names = [choice["required"][0] for choice in error.validator_value]
    present = [name for name in names if name in error.instance]
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


def _empty(part: Part, error: ValidationError, findings: Findings) -> None:
    label, pointer = _place(part, error, inside=True)
    findings.error("empty-value", pointer, f"'{pointer[-1]}' must not be empty, in {label}")


def _wrong_value(part: Part, error: ValidationError, findings: Findings) -> None:
    label, pointer = _place(part, error, inside=True)
    options = error.schema.get("enum", ())
    hint = did_you_mean(error.instance, options) if isinstance(error.instance, str) else None
    if not pointer:
        findings.error(
            "not-a-machine", pointer, f"A definition must be an object, not {show(error.instance)}"
        )
        return
    name = f"'{pointer[-1]}'" if isinstance(pointer[-1], str) else f"'{pointer[-2]}[{pointer[-1]}]'"
    message = f"{name} must be {describe(error.schema)}, not {show(error.instance)}, in {label}"
    findings.error("wrong-value", pointer, message, hint=hint)


_SENTENCES: Mapping[str, Callable[[Part, ValidationError, Findings], None]] = {
    "required": _missing,
    "additionalProperties": _unknown,
    "not": _conflict,
    "oneOf": _one_of,
    "anyOf": _one_of,
    "minItems": _empty,
    "minProperties": _empty,
}


def _place(part: Part, error: ValidationError, *, inside: bool = False) -> tuple[str, Pointer]:
    """How to speak of the object an error is about (or the value is ``inside``), and the error's pointer."""
    steps = list(error.path)
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
