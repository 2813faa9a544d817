"""Rules held against definitions that people published: no data-flow alarm that is false, and no crash.

What the rules about data flow say about a definition that is held to be sound was read by hand. What stood the
test is listed here: these definitions fail, or may fail, as the rules say.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from detent.schema.diagnostics import Severity
from detent.schema.document import Document, DocumentError
from detent.schema.lint.check import lint
from detent.schema.lint.rules import FAMILIES, RULES
from detent.schema.lint.settings import ALL, Settings

from .data import Published, published

DOCUMENT = Path(__file__).parents[2] / "docs" / "lint.md"

DATA_FLOW = {rule.code for rule in FAMILIES["Data flow"] if rule.severity is not Severity.INFO}
#: Rules about tests of a Choice that follow from the inferred data as well.
FROM_DATA = DATA_FLOW | {"never-true", "covered-rule", "contradictory-rule"}

#: Published, held to be sound by every tool we know, and wrong: the codes found, with what goes wrong.
WRONG = {
    "5c2d899c": (
        {"missing-path": 6},
        "three calls of lambda:invoke without ResultPath, and the states behind them read the input; "
        "the item of a Map is read with one dollar sign",
    ),
    "62bd7a2e": (
        {"maybe-missing-path": 1},
        "one way to the last state comes from sns:publish, whose answer has taken the place of the event",
    ),
    "ce3d2ba7": (
        {"discarded-path": 2, "missing-path": 2},
        "dynamodb:getItem has no Output, so the function behind it is called without its name, its id and its input",
    ),
    "d435608c": (
        {"discarded-path": 2},
        "the message about a failure names a file of the input, which the answer of a function has replaced",
    ),
    "b7721796": (
        {"maybe-missing-path": 1},
        "a state reads the error of a catcher, and a Choice leads there without an error, too",
    ),
}


def read(definition: Published) -> Document | None:
    try:
        return definition.read()
    except DocumentError:
        return None


@pytest.mark.parametrize("definition", published(), ids=str)
def test_what_data_flow_says_was_read_by_hand(definition: Published) -> None:
    document = read(definition)
    found = lint(document) if document is not None else []
    counts = Counter(finding.code for finding in found if finding.code in FROM_DATA)
    assert counts == WRONG.get(definition.id, ({}, ""))[0], "\n".join(map(str, found))


def test_every_rule_can_look_at_every_definition() -> None:
    everything = Settings(select=(ALL,))
    for definition in published():
        document = read(definition)
        if document is not None:
            for target in ("aws", "detent"):
                lint(document, settings=Settings(select=(ALL,), target=target))  # type: ignore[arg-type]
            lint(document, settings=everything, machine_type="EXPRESS")


def test_a_rule_that_is_on_concerns_few_of_what_people_published() -> None:
    """An author who wrote what most people write hears nothing: what would be said to many is off."""
    documents = [document for definition in published() if (document := read(definition)) is not None]
    concerned = Counter(
        code
        for document in documents
        for code in {finding.code for finding in lint(document)}
        if code in RULES
    )
    assert {code: count for code, count in concerned.items() if count > len(documents) / 6} == {}


def test_the_figures_in_the_documents_are_these() -> None:
    """docs/lint.md says how much each rule has to say about what people published."""
    everything = Settings(select=(ALL,))
    findings: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for definition in published():
        document = read(definition)
        codes = [each.code for each in lint(document, settings=everything)] if document is not None else []
        findings.update(code for code in codes if code in RULES)
        files.update({code for code in codes if code in RULES})
    said = re.findall(r"^\| `([a-z-]+)` \| (\d+) \| (\d+) \|", DOCUMENT.read_text(), re.MULTILINE)
    assert {code: (int(found), int(in_files)) for code, found, in_files in said} == {
        code: (findings[code], files[code]) for code in RULES if findings[code]
    }
