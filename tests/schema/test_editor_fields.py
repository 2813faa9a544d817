"""The one schema that editors take, and what is known of every field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from detent.schema.editor.fields import bundle, default, description, fields, required, values
from detent.schema.schema_files import PARTS


def test_the_bundle_is_a_schema_of_2020_12() -> None:
    assert bundle()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(bundle())


def test_every_reference_leads_to_a_place_inside_the_bundle() -> None:
    whole = bundle()
    references = [value for key, value in members(whole) if key == "$ref"]
    assert len(references) > 100
    for reference in references:
        assert reference.startswith("#/")
        place: Any = whole
        for step in reference.split("/")[1:]:
            place = place[step]


def test_the_bundle_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(bundle())) == bundle()


@pytest.mark.parametrize("kind", sorted(PARTS.keys() - {"state"}))
def test_every_field_is_described_by_a_sentence(kind: str) -> None:
    assert fields(kind)
    for field in fields(kind):
        text = description(kind, field)
        assert text, field
        assert text.endswith((".", "`.")), field
        assert len(text) < 120, field


def test_a_field_of_a_field_has_a_description_too() -> None:
    assert description("itemReader", "ReaderConfig.InputType") == "The format of the data."
    assert description("itemProcessor", "ProcessorConfig.Mode") is not None
    assert description("itemReader", "ReaderConfig.Nothing") is None


def test_an_unknown_field_means_nothing() -> None:
    assert description("Task", "Resouce") is None
    assert values("Task", "Resouce") == ()


def test_values_are_known_where_they_can_be_listed() -> None:
    assert values("Task", "QueryLanguage") == ("JSONPath", "JSONata")
    assert values("retrier", "JitterStrategy") == ("FULL", "NONE")
    assert values("Pass", "End") == (True, False)
    assert values("Task", "Resource") == ()


def test_defaults_are_known() -> None:
    assert default("retrier", "MaxAttempts") == 3
    assert default("Task", "Resource") is None


def test_what_a_part_must_have_is_known() -> None:
    assert required("catcher") == ("ErrorEquals", "Next")
    assert required("machine") == ("StartAt", "States")


def members(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [*value.items(), *(pair for inner in value.values() for pair in members(inner))]
    return [pair for inner in value for pair in members(inner)] if isinstance(value, list) else []
