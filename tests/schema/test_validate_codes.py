"""Every code is documented, and every documented code has a specification."""

from __future__ import annotations

from detent.schema.validate import CODES

from . import (
    test_validate_errors,
    test_validate_expressions,
    test_validate_fields,
    test_validate_graph,
    test_validate_jsonata,
    test_validate_language,
    test_validate_resources,
    test_validate_shape,
)

SPECIFICATIONS = [
    test_validate_errors,
    test_validate_expressions,
    test_validate_fields,
    test_validate_graph,
    test_validate_jsonata,
    test_validate_language,
    test_validate_resources,
    test_validate_shape,
]


def test_every_code_has_a_specification_and_every_specified_code_is_documented() -> None:
    assert {case.code for module in SPECIFICATIONS for case in module.CASES} == set(CODES)


def test_every_explanation_is_a_sentence() -> None:
    assert [code for code, text in CODES.items() if not (text[0].isupper() and text.endswith("."))] == []


def test_what_is_said_inside_a_state_names_the_state() -> None:
    for module in SPECIFICATIONS:
        for case in module.CASES:
            if case.pointer.startswith("/States/"):
                name = case.pointer.split("/")[2]
                assert f"'{name[:77]}" in case.message or "ItemProcessor" in case.pointer, case.message
