"""What is said of the thing under the cursor."""

from __future__ import annotations

import pytest

from detent.query.jsonata.builtin import BUILT_IN
from detent.query.jsonata.functions import FUNCTIONS
from detent.schema.editor.jsonata_words import JSONATA_FUNCTIONS
from detent.schema.editor.words import INTRINSICS
from detent.schema.inference.functions import SIGNATURES

from .marked import ORDER, hovered, marked


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("MaxAtt", "How many retries; 0 means none."),
        ("MaxAtt", "Left out: `3`."),
        ("    Comm", "For the reader"),
        ("NumericGr", "greater than the operand"),
        ("Start", "The name of a state in the same scope."),
        ("    Ty", "Task, Pass, Choice"),
    ],
)
def test_a_field(before: str, said: str) -> None:
    assert said in (hovered(marked(ORDER, before)) or "")


@pytest.mark.parametrize("before", ["\n  Large", "    Next: Lar"])
def test_a_state_where_it_is_declared_and_where_it_is_named(before: str) -> None:
    said = hovered(marked(ORDER, before)) or ""
    assert "**Large?** (Choice)" in said
    assert "{check: {total: number, lines: [{article: string}]}, ...}" in said
    assert "$rate: number" in said


def test_the_comment_of_a_state() -> None:
    assert "Looks at the order." in (hovered(marked(ORDER, "StartAt: Ch")) or "")


def test_a_state_that_nothing_leads_to() -> None:
    text = "StartAt: A\nStates:\n  A: {Type: Succeed}\n  |B: {Type: Succeed}\n"
    assert "Nothing leads here." in (hovered(text) or "")


def test_a_function() -> None:
    said = hovered(marked(ORDER, "States.For")) or ""
    assert "States.Format(template, value, ...) -> string" in said


def test_a_path_up_to_the_step_under_the_cursor() -> None:
    assert hovered(marked(ORDER, "amount.$: $.check.to")) == "```text\n$.check.total: number\n```"
    assert "$.check: {total: number" in (hovered(marked(ORDER, "amount.$: $.che")) or "")


def test_a_path_in_jsonata() -> None:
    text = """\
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: {total: 1}, Next: B}
  B: {Type: Pass, Output: "{% $states.input.tot|al + 1 %}", End: true}
"""
    assert hovered(text) == "```text\n$states.input.total: number\n```"


@pytest.mark.parametrize("text", ["|", "a: |b", "StartAt: [|", "States:\n  A|: 3\n", "x |y z"])
def test_nothing_of_what_is_unknown(text: str) -> None:
    assert hovered(text) is None


def test_a_function_of_jsonata() -> None:
    state = "{Type: Pass, Output: '{% $part|ition([1], 2) %}', End: true}"
    text = f"QueryLanguage: JSONata\nStartAt: A\nStates:\n  A: {state}\n"
    assert "$partition(array, size) -> array" in (hovered(text) or "")


def test_every_function_of_jsonata_that_can_be_called_is_told() -> None:
    known = {name.removeprefix("$") for name in JSONATA_FUNCTIONS}
    assert known == (BUILT_IN | FUNCTIONS.keys()) - {"clone", "eval"}


def test_every_intrinsic_function_is_told() -> None:
    assert INTRINSICS.keys() == SIGNATURES.keys()
