"""Comments that silence findings, and what is said about those that silence nothing."""

from __future__ import annotations

import json

import pytest

from detent.schema.document import Document, read_document
from detent.schema.lint.check import Judgement, lint, mended
from detent.schema.lint.settings import Settings

LINES = ["StartAt: A", "States:", "  A:", "    Type: Fail"]
CODE = "fail-without-error"


def at(line: int, comment: str) -> Document:
    """The definition, with a comment at the end of a line; line 0 is one before all others."""
    lines = (
        [comment, *LINES]
        if line == 0
        else [f"{x} {comment}" if n == line else x for n, x in enumerate(LINES, 1)]
    )
    return read_document("\n".join(lines) + "\n", source="a.yaml")


def codes(document: Document) -> list[str]:
    return [finding.code for finding in lint(document)]


def test_without_a_comment_there_is_a_finding() -> None:
    assert codes(at(1, "")) == [CODE]


@pytest.mark.parametrize(
    ("line", "comment"),
    [
        (3, f"# detent: ignore[{CODE}]"),
        (3, f"# detent: ignore[{CODE}]  because it is a test"),
        (3, "# detent: ignore"),
        (0, f"# detent: ignore-file[{CODE}]"),
        (4, f"# detent: ignore-file[{CODE}]"),
    ],
)
def test_a_comment_silences(line: int, comment: str) -> None:
    assert codes(at(line, comment)) == []


def test_a_comment_on_a_line_of_its_own_is_about_the_next() -> None:
    text = "\n".join([*LINES[:2], f"  # detent: ignore[{CODE}]", "", *LINES[2:]])
    assert codes(read_document(text, source="a.yaml")) == []


@pytest.mark.parametrize("pointer", [(), ("States", "A")])
def test_in_json_a_comment_field_silences_its_object(pointer: tuple[str, ...]) -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Fail"}}}
    owner: dict[str, object] = definition
    for step in pointer:
        owner = owner[step]  # type: ignore[assignment]
    owner["Comment"] = f"It may fail. detent: ignore[{CODE}]"
    assert codes(read_document(json.dumps(definition), source="a.json")) == []


@pytest.mark.parametrize(
    ("line", "comment", "message"),
    [
        (4, f"# detent: ignore[{CODE}]", f"No finding '{CODE}' is there to be silenced"),
        (3, f"# detent: ignore[{CODE}, secret]", "No finding 'secret' is there to be silenced"),
        (3, f"# detent: ignore[{CODE}, secrit]", "There is no code 'secrit'"),
        (1, "# detent: ignore", "There is nothing to silence"),
    ],
)
def test_what_silences_nothing_is_a_finding(line: int, comment: str, message: str) -> None:
    found = [each for each in lint(at(line, comment)) if each.code == "unused-suppression"]
    assert [(each.message, each.position.line if each.position else 0) for each in found] == [(message, line)]


def test_a_rule_that_was_not_looked_at_may_be_silenced_for_another_day() -> None:
    document = at(3, f"# detent: ignore[{CODE}, task-without-timeout]")
    assert codes(document) == []
    assert [each.code for each in lint(document, settings=Settings(select=("secret",)))] == []


def judge(text: str) -> Judgement:
    return Judgement(lint(read_document(text, source="a.yaml")))


def test_a_useless_comment_is_taken_out() -> None:
    text, count = mended(at(4, "# detent: ignore[secret]").text, judge)
    assert (text, count) == ("\n".join(LINES) + "\n", 1)
    text, count = mended(at(0, "# detent: ignore-file[secret]").text, judge)
    assert (text, count) == ("\n".join(LINES) + "\n", 1)
