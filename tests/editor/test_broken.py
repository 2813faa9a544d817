"""A text that is being typed: whatever stands there, every question has an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml

from detent.schema.editor.actions import actions
from detent.schema.editor.completion import complete
from detent.schema.editor.hover import hover
from detent.schema.editor.names import references, symbols
from detent.schema.editor.source import findings, is_ours, mended_source, read_source, source_at

from .marked import ORDER

IN_JSON = json.dumps(yaml.safe_load(ORDER), indent=1)


def spoiled(text: str) -> Iterator[tuple[str, int]]:
    """The text cut off, with a piece missing, with a mark too many."""
    for at in range(0, len(text), 23):
        yield text[:at], at
        yield text[:at] + text[at + 5 :], at
        yield text[:at] + "\"{[:'|#-!&*"[at % 11] + text[at:], at


@pytest.mark.parametrize("text", [ORDER, IN_JSON], ids=["yaml", "json"])
def test_every_question_has_an_answer(text: str) -> None:
    for broken, offset in spoiled(text):
        complete(broken, offset)
        source = mended_source(broken)
        hover(source, offset)
        references(source, offset)
        symbols(source)
        list(actions(broken, findings(broken), is_yaml=True))


@pytest.mark.parametrize(
    "text", ["", "\x00", "\ud800", "[" * 5000, "a: " * 500, "&a *a", "?", "\ufeff{", "- " * 300]
)
def test_hostile_texts_have_answers_too(text: str) -> None:
    is_ours(text, None)
    complete(text, len(text))
    findings(text)
    hover(read_source(text), len(text) // 2)


def test_a_broken_line_hides_nothing_but_itself() -> None:
    broken = ORDER.replace("    End: true", "    Timeo\n    End: true")
    (machine,) = source_at(broken, broken.index("Timeo") + 5).machines
    assert list(machine.outline.scopes[0].states) == ["Check", "Large?", "Hold", "Charge", "Refuse"]


def test_a_second_broken_line_is_left_out_as_well() -> None:
    broken = ORDER.replace("    End: true", "    Timeo\n    End: true").replace("Seconds: 5", "Seconds: [")
    (machine,) = source_at(broken, broken.index("Timeo") + 5).machines
    assert "Charge" in machine.outline.scopes[0].states


@pytest.mark.parametrize(
    ("text", "name", "ours"),
    [
        ("", "order.asl.yaml", True),
        ("StartAt: A\n", "order.yaml", True),
        ('{\n  "States": {}}', "x.json", True),
        ("name: build\non: push\n", "ci.yaml", False),
        ('{"name": "x"}', "package.json", False),
    ],
)
def test_other_files_are_left_alone(text: str, name: str, ours: bool) -> None:
    assert is_ours(text, name) is ours


def test_what_can_be_read_has_names_and_an_outline() -> None:
    broken = ORDER.replace("    End: true", "    Timeo\n    End: true")
    source = mended_source(broken)
    assert [each.name for each in symbols(source)] == ["Check", "Large?", "Hold", "Charge", "Refuse"]
    said = hover(source, broken.index("Default: Charge") + 10)
    assert said is not None
    assert "**Charge** (Task)" in said.text
