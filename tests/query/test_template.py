"""Payload templates: what is evaluated, what is literal, what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from detent.core.errors import StateFailure
from detent.query.template import TemplateError, compile_template, variables_in

from .evaluating import bindings

ORDER = {"id": "o-1", "items": [{"sku": "a"}, {"sku": "b"}]}


def build(template: Any, document: Any = ORDER, **bound: Any) -> Any:
    return compile_template(template, field="Parameters")(document, bindings(document, **bound))


def test_keys_with_the_suffix_are_evaluated_and_the_order_of_keys_is_kept() -> None:
    template = {
        "z": 1,
        "order.$": "$.id",
        "a": {"skus.$": "$.items[*].sku", "n": [{"x.$": "$$.State.Name"}, 2]},
    }
    built = build(template, context={"State": {"Name": "Pack"}})
    assert built == {"z": 1, "order": "o-1", "a": {"skus": ["a", "b"], "n": [{"x": "Pack"}, 2]}}
    assert list(built) == ["z", "order", "a"]


def test_everything_else_is_literal() -> None:
    template = {"a": "$.id", "b": "$$", "c": "{% $x %}", "d": "States.UUID()", "e": ["$.id"], "f": 0.0}
    assert build(template) is template


@pytest.mark.parametrize("template", [None, 1, "x", [], {}, [1, {"a": 2}]])
def test_a_template_need_not_be_an_object(template: Any) -> None:
    assert build(template) is template


def test_an_array_is_a_template_too() -> None:
    assert build([{"id.$": "$.id"}, "$.id"]) == [{"id": "o-1"}, "$.id"]


def test_literal_parts_are_shared_and_never_changed() -> None:
    template = {"big": {"list": [1, 2, 3]}, "id.$": "$.id"}
    first, second = build(template), build(template, {"id": 2})
    assert first["big"] is template["big"]
    assert (first["id"], second["id"]) == ("o-1", 2)
    assert template == {"big": {"list": [1, 2, 3]}, "id.$": "$.id"}


def test_intrinsics_and_variables() -> None:
    built = build({"text.$": "States.Format('{}-{}', $.id, $n)", "n.$": "$n"}, variables={"n": 7})
    assert built == {"text": "o-1-7", "n": 7}


def test_a_miss_names_the_key() -> None:
    with pytest.raises(StateFailure) as caught:
        build({"deep": {"value.$": "$.nope"}}, {"a": [1, None]})
    assert caught.value.cause == (
        "The JSONPath '$.nope' specified for the field 'value.$' could not be found in the input '{\"a\":[1,null]}'"
    )


def test_an_index_past_the_end_is_null_but_not_as_an_argument() -> None:
    assert build({"v.$": "$.items[5]"}) == {"v": None}
    with pytest.raises(StateFailure):
        build({"v.$": "States.Array($.items[5])"})


@pytest.mark.parametrize(
    "template", [{"a.$": "id"}, {"a.$": 1}, {"a": 1, "a.$": "$"}, {"a": {"b.$": "States.X()"}}]
)
def test_what_cannot_be_compiled_names_field_and_place(template: Any) -> None:
    with pytest.raises(TemplateError, match=r"^Parameters/a"):
        build(template)


def test_nesting_is_limited() -> None:
    template: Any = {"x.$": "$"}
    for _ in range(5_000):
        template = {"a": template}
    with pytest.raises(TemplateError):
        build(template)
    assert variables_in(template) == set()


def test_variables_of_a_template() -> None:
    template = {"a.$": "$x.y", "b": [{"c.$": "States.Array($z, $.q)"}], "d": "$no", "e.$": "$.[bad"}
    assert variables_in(template) == {"x", "z"}


def test_a_value_that_names_the_document_many_times_is_bounded_before_it_is_written() -> None:
    places = {f"p{number}.$": "$.text" for number in range(64)}
    fits = build(places, {"text": "x" * 65_000})
    assert sum(map(len, fits.values())) == 64 * 65_000
    with pytest.raises(StateFailure, match="'Parameters' has more than 4,194,304 characters") as failure:
        build(places, {"text": "x" * 66_000})
    assert failure.value.error == "States.DataLimitExceeded"
