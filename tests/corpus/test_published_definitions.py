"""Definitions that people published: none that is sound is refused, and the defective ones are."""

from __future__ import annotations

import pytest

from detent.schema.diagnostics import Severity
from detent.schema.document import DocumentError, Placeholder
from detent.schema.validate import validate

from .data import Published, published

#: Read by eye and truly defective, each with the code that says so.
DEFECTIVE = {
    "bfaf0ffb": ("a trailing comma", "json-syntax"),
    "d9a2df3e": ("a trailing comma", "json-syntax"),
    "fb5b623b": ("a trailing comma", "json-syntax"),
    "661bedd4": ("a choice rule without a test", "missing-field"),
    "643c8424": ("Arguments on a Map", "unknown-field"),
    "390eb838": ("States.Default does not exist", "bad-intrinsic"),
    "20e3d976": ("a Resource that says what to insert", "bad-resource"),
    "5cd525e4": ("a Resource that says what to insert", "bad-resource"),
}

SOUND = [definition for definition in published() if definition.id not in DEFECTIVE]


@pytest.mark.parametrize("definition", SOUND, ids=str)
def test_a_sound_definition_is_accepted_as_written(definition: Published) -> None:
    assert refusals(definition, filled_in=False) == []


@pytest.mark.parametrize("definition", SOUND, ids=str)
def test_a_sound_definition_is_accepted_when_its_holes_are_filled_in(definition: Published) -> None:
    assert refusals(definition, filled_in=True) == []


@pytest.mark.parametrize("definition", [d for d in published() if d.id in DEFECTIVE], ids=str)
def test_a_defective_definition_is_refused_for_its_defect(definition: Published) -> None:
    _, code = DEFECTIVE[definition.id]
    try:
        found = validate(definition.read())
    except DocumentError as error:
        found = list(error.diagnostics)
    assert code in {finding.code for finding in found if finding.severity is Severity.ERROR}


def refusals(definition: Published, *, filled_in: bool) -> list[str]:
    document = definition.read()
    if filled_in:
        document = document.substitute({hole.name: plausible(hole) for hole in document.placeholders})
    return [str(finding) for finding in validate(document) if finding.severity is Severity.ERROR]


def plausible(hole: Placeholder) -> str:
    """What an author would put there: a number, the ARN of a function, else a word."""
    field = next((str(step) for step in reversed(hole.pointer) if isinstance(step, str)), "")
    if any(word in field for word in ("Seconds", "Max", "Tolerated", "Numeric")):
        return "5"
    if field == "Resource" and hole.name.lower().endswith(
        ("arn", "function", "lambda", "action", "activity")
    ):
        return "arn:aws:lambda:us-east-1:123456789012:function:work"
    return f"word-{hole.name}"
