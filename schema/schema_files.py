"""The JSON Schema files, and values held against the schema of one part.

The files beside this module are one valid schema that an editor can use. Here they are cut at the borders
between parts: a state is held against the schema of its own type only, a retrier against the retrier's.
So an error always belongs to one part, and a deep definition needs no deep recursion. The files are read
once, when first needed, and flattened, so that no reference is followed for each value.

What an error means to an author is not said here; see :mod:`~detent.schema.validate_schema`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urljoin

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from detent.core.values import JSON

from .outline import STATE_TYPES

ENTRY = "asl.schema.json"

#: Where the schema of each kind of part stands.
PARTS = {
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

#: For editors only: the passes over graph and languages say these better.
_FOR_EDITORS = {f"states/common.schema.json#/$defs/{name}" for name in ("transition", "language")}

#: What tells a reader something and a validator nothing, or what is cut off.
_LEFT_OUT = {"$defs", "$schema", "default", "deprecated", "description", "if", "then", "title"}


@dataclass(frozen=True, slots=True)
class Violation:
    """A value that breaks one keyword of its schema. ``steps`` lead to it from the part."""

    keyword: str
    setting: Any
    value: JSON
    schema: Mapping[str, Any]
    steps: tuple[str | int, ...]


def violations(kind: str, value: Mapping[str, JSON]) -> list[Violation]:
    """What the schema of a kind of part has against a value, inner parts left out."""
    checker = _checker(kind)
    if _conforms(checker, value, _flat(kind)):
        return []
    return [
        Violation(
            str(error.validator), error.validator_value, error.instance, error.schema, tuple(error.path)
        )
        for error in checker.iter_errors(value)
    ]


@cache
def known_fields(kind: str) -> tuple[str, ...]:
    """The fields that the schema of a kind of part names."""
    return tuple(_flat(kind)["properties"])


@cache
def schemas() -> Mapping[str, Any]:
    """Every schema file by its path from the entry file's folder."""
    home = files(__package__)
    found = {ENTRY: home / ENTRY} | {f"states/{file.name}": file for file in (home / "states").iterdir()}
    return {
        path: json.loads(file.read_text("utf-8")) for path, file in found.items() if path.endswith(".json")
    }


@cache
def _checker(kind: str) -> Draft202012Validator:
    return _Checker(_flat(kind))


@cache
def _flat(kind: str) -> Mapping[str, Any]:
    flat: Mapping[str, Any] = _flatten(*resolved(kind))
    return flat


def resolved(reference: str) -> tuple[str, Any]:
    """The file that a reference, or the name of a kind of part, leads to, and what stands there."""
    file, _, pointer = PARTS.get(reference, reference).partition("#")
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
    if "$ref" in schema:
        reference = urljoin(file, schema["$ref"])
        if reference in _FOR_EDITORS:
            return {}
        if reference in PARTS.values():
            return {"type": "object"}
        return _flatten(*resolved(reference))
    flat = {key: _flatten(file, value) for key, value in schema.items() if key not in _LEFT_OUT}
    if "properties" in schema:
        flat["properties"] = {name: _flatten(file, value) for name, value in schema["properties"].items()}
    return flat


# Keywords. jsonschema prepares at each value to say where it is; here only a value that does not fit pays for that.


def _conforms(checker: Draft202012Validator, value: JSON, schema: Mapping[str, Any]) -> bool:
    for keyword, setting in schema.items():
        for _ in _KEYWORDS[keyword](checker, setting, value, schema) or ():
            return False
    return True


def _properties(
    checker: Draft202012Validator, properties: Mapping[str, Any], value: JSON, schema: Any
) -> Iterator[ValidationError]:
    """Goes over the few fields that are there and not over all that may be."""
    if isinstance(value, dict):
        for name, field in value.items():
            subschema = properties.get(name)
            if subschema and not _conforms(checker, field, subschema):
                yield from checker.descend(field, subschema, path=name)


def _items(
    checker: Draft202012Validator, items: Mapping[str, Any], value: JSON, schema: Any
) -> Iterator[ValidationError]:
    if isinstance(value, list):
        for index, element in enumerate(value):
            if not _conforms(checker, element, items):
                yield from checker.descend(element, items, path=index)


def _all_of(
    checker: Draft202012Validator, all_of: list[Any], value: JSON, schema: Any
) -> Iterator[ValidationError]:
    for subschema in all_of:
        if not _conforms(checker, value, subschema):
            yield from checker.descend(value, subschema)


def _not(
    checker: Draft202012Validator, forbidden: Mapping[str, Any], value: JSON, schema: Any
) -> Iterator[ValidationError]:
    if _conforms(checker, value, forbidden):
        yield ValidationError("matches what it must not")


def _guarded(keyword: str) -> Callable[..., Iterator[ValidationError]]:
    """The library's keyword, for values that it cannot write into its message (too deep, too long)."""
    check = Draft202012Validator.VALIDATORS[keyword]

    def guarded(
        checker: Draft202012Validator, setting: Any, value: JSON, schema: Any
    ) -> Iterator[ValidationError]:
        try:
            yield from check(checker, setting, value, schema) or ()
        except (RecursionError, ValueError):
            yield ValidationError("does not fit")

    return guarded


_extend: Callable[..., type[Draft202012Validator]] = extend  # the library leaves it untyped
_Checker = _extend(
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
_KEYWORDS: Mapping[str, Callable[..., Iterator[ValidationError] | None]] = _Checker.VALIDATORS
