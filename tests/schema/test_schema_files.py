"""The JSON Schema files: valid themselves, usable by an editor as one schema, and in step with the validator."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from detent.schema.editor.fields import bundle
from detent.schema.outline import STATE_TYPES
from detent.schema.schema_files import known_fields, schemas

from .cases import PASS_END, TASK, choice, errors, machine, one, task


@pytest.fixture(scope="module")
def editor() -> Draft202012Validator:
    """The one schema that editors take."""
    return Draft202012Validator(bundle())


@pytest.mark.parametrize("name", sorted(schemas()))
def test_a_file_is_a_schema_of_2020_12(name: str) -> None:
    file = schemas()[name]
    assert file["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(file)


def test_there_is_one_file_for_each_type_of_state() -> None:
    assert {f"states/{type_.lower()}.schema.json" for type_ in STATE_TYPES} < set(schemas())


SOUND = [
    machine(S={**TASK, "Retry": [{"ErrorEquals": ["States.ALL"]}], "End": True}),
    choice({"And": [{"Variable": "$.a", "IsNull": True}]}),
    one(Type="Parallel", Branches=[machine(A=PASS_END)]),
    one(Type="Map", ItemProcessor=machine(A=PASS_END), MaxConcurrency=3),
    one(Type="Wait", Seconds=3),
    one(Type="Success"),
    {"QueryLanguage": "JSONata", **one(Type="Pass", Output="{% $x %}")},
    {"$schema": "asl.schema.json", **one(Type="Pass")},
]

UNSOUND = [
    task(Resouce="task:x"),
    one(Type="Parallel", Branches=[machine(A={**PASS_END, "Seconds": 1})]),
    one(Type="Wait", Seconds=3, Timestamp="2030-01-01T00:00:00Z"),
    one(Type="Wait"),
    one(Type="Loop"),
    machine(S={"Type": "Pass", "Next": "S", "End": True}),
    choice({"And": [{"Variable": "$.a", "IsNull": "yes"}]}),
]


@pytest.mark.parametrize("definition", SOUND)
def test_an_editor_accepts_what_is_sound(editor: Draft202012Validator, definition: Any) -> None:
    assert [error.message for error in editor.iter_errors(definition)] == []
    assert errors(definition) == []


@pytest.mark.parametrize("definition", UNSOUND)
def test_an_editor_underlines_what_is_not(editor: Draft202012Validator, definition: Any) -> None:
    assert not editor.is_valid(definition)
    assert errors(definition) != []


def test_every_field_is_described_by_the_schema_of_its_state() -> None:
    assert "Resource" in known_fields("Task")
    assert "StringMatches" in known_fields("rule")
