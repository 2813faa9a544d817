"""Where states are declared and used, and what they are called afterwards."""

from __future__ import annotations

import json

import pytest

from detent.schema.diagnostics import Edit
from detent.schema.editor.names import RenameError, definition, references, rename, symbols
from detent.schema.editor.source import read_source

from .marked import ORDER, cut, marked


def renamed(text: str, name: str) -> str:
    plain, offset = cut(text)
    return edited(plain, rename(read_source(plain), offset, name))


def edited(text: str, edits: list[Edit]) -> str:
    for edit in reversed(edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def lines_of(text: str) -> list[int]:
    plain, offset = cut(text)
    return [plain.count("\n", 0, span.start) + 1 for span in references(read_source(plain), offset)]


def test_a_name_leads_to_its_declaration() -> None:
    plain, offset = cut(marked(ORDER, "Default: Cha"))
    span = definition(read_source(plain), offset)
    assert span is not None
    assert plain[span.start : span.end] == "Charge"
    assert plain[: span.start].endswith("\n  ")


def test_all_places_that_name_a_state() -> None:
    assert lines_of(marked(ORDER, "Default: Cha")) == [16, 17, 18]
    assert lines_of(marked(ORDER, "\n  Char")) == [16, 17, 18]


def test_a_rename_reaches_every_place_and_nothing_else() -> None:
    after = renamed(marked(ORDER, "\n  Char"), "Take the money")
    assert after == ORDER.replace("Default: Charge", "Default: Take the money").replace(
        "Next: Charge", "Next: Take the money"
    ).replace("  Charge:", "  Take the money:")


def test_a_rename_quotes_what_needs_quotes() -> None:
    after = renamed(marked(ORDER, "StartAt: Che"), "Check: first")
    assert 'StartAt: "Check: first"' in after
    assert '  "Check: first":\n' in after


def test_a_rename_keeps_the_quotes_of_json() -> None:
    text = '{"StartAt": "A|", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}}'
    after = json.loads(renamed(text, 'the "first"'))
    assert after["StartAt"] == 'the "first"'
    assert list(after["States"]) == ['the "first"', "B"]


def test_a_rename_stays_in_its_scope() -> None:
    text = """\
StartAt: P
States:
  P:
    Type: Parallel
    Branches:
      - StartAt: A|
        States:
          A: {Type: Succeed}
    Next: B
  B: {Type: Succeed}
"""
    assert renamed(text, "X").count("X") == 2


@pytest.mark.parametrize("name", ["", "Hold", "x" * 81])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(RenameError):
        renamed(marked(ORDER, "StartAt: Che"), name)


def test_only_states_have_other_names() -> None:
    with pytest.raises(RenameError):
        renamed(marked(ORDER, "    Comm"), "x")


def test_the_outline_has_inner_states_inside() -> None:
    text = """\
StartAt: Each
States:
  Each:
    Type: Map
    ItemProcessor:
      StartAt: One
      States:
        One: {Type: Succeed}
    End: true
  Last: {Type: Succeed}
"""
    found = symbols(read_source(text))
    assert [(each.name, each.detail) for each in found] == [("Each", "Map"), ("Last", "Succeed")]
    (inner,) = found[0].inside
    assert inner.name == "One"
    assert (
        found[0].span.start <= inner.span.start <= inner.span.end <= found[0].span.end < found[1].span.start
    )
