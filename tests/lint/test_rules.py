"""Every rule has an example that it finds and one that it does not.

``rules/CODE/bad.yaml`` marks each line that the rule finds with ``# here``; ``good.yaml`` is the same, mended.
A comment at the top says what the definition is meant for.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from detent.schema.diagnostics import Diagnostic, Severity
from detent.schema.document import read_file
from detent.schema.lint.check import lint
from detent.schema.lint.rules import FAMILIES, RULES
from detent.schema.lint.settings import Settings

FOLDER = Path(__file__).parent / "rules"
HERE = re.compile(r"# here$", re.MULTILINE)


def found_in(path: Path, code: str) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """What the rule finds in a file, and the errors of the validator."""
    text = path.read_text()
    target = re.match(r"# target: (aws|detent)", text)
    found = lint(
        read_file(path),
        settings=Settings(select=(code,), target=target[1] if target else None),  # type: ignore[arg-type]
        machine_type="EXPRESS" if text.startswith("# type: EXPRESS") else "STANDARD",
    )
    mine = [finding for finding in found if finding.code == code]
    return mine, [finding for finding in found if finding not in mine]


@pytest.mark.parametrize("code", RULES)
def test_it_finds_what_is_bad_where_it_is(code: str) -> None:
    path = FOLDER / code / "bad.yaml"
    mine, others = found_in(path, code)
    lines = [number for number, line in enumerate(path.read_text().splitlines(), 1) if HERE.search(line)]
    assert [finding.position.line for finding in mine if finding.position] == lines
    assert {finding.severity for finding in mine} == {RULES[code].severity}
    assert [str(finding) for finding in others if finding.severity is Severity.ERROR] == []


@pytest.mark.parametrize("code", RULES)
def test_it_is_silent_about_what_is_good(code: str) -> None:
    mine, others = found_in(FOLDER / code / "good.yaml", code)
    assert [str(finding) for finding in mine] == []
    assert [str(finding) for finding in others if finding.severity is Severity.ERROR] == []


def test_every_rule_has_its_examples_and_every_example_its_rule() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(RULES)


def test_no_rule_stands_in_two_families() -> None:
    assert sum(map(len, FAMILIES.values())) == len(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_every_rule_says_in_a_sentence_what_it_finds(rule: object) -> None:
    summary = rule.summary  # type: ignore[attr-defined]
    assert summary[0].isupper()
    assert summary.endswith(".")
