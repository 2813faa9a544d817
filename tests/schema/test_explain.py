"""Every code has its page, in one place: the command, the document and SARIF all take it from there."""

from __future__ import annotations

import re
from pathlib import Path

from detent.schema.codes import BEFORE_A_RUN, CODES, DOCUMENTS, TEMPLATES, WARNINGS
from detent.schema.explain import explanations, page, pages
from detent.schema.lint.rules import RULES
from detent.schema.lint.suppress import UNUSED

SCHEMA = Path(__file__).parents[2] / "schema"


def test_every_code_has_a_page_and_every_page_its_code() -> None:
    assert set(explanations()) == {*DOCUMENTS, *CODES, *TEMPLATES, *BEFORE_A_RUN, *RULES, UNUSED}
    assert pages().keys() == explanations().keys()


def test_no_code_means_two_things() -> None:
    assert len(explanations()) == sum(map(len, (DOCUMENTS, CODES, TEMPLATES, BEFORE_A_RUN, RULES, [UNUSED])))


def test_every_code_a_reader_of_text_uses_is_explained() -> None:
    """The codes are written where they are found, as the first argument of what notes a finding."""
    readers = ("document.py", "frontdoor.py", "json_reader.py", "yaml_reader.py")
    noted = re.compile(r'(?:add|stop|refuse)\(\s*"([a-z-]+)"|if within else "([a-z-]+)"')
    used = {
        code
        for name in readers
        for match in noted.finditer((SCHEMA / name).read_text())
        for code in match.groups()
        if code
    }
    assert used == set(DOCUMENTS)


def test_warnings_are_codes() -> None:
    assert {*CODES, *TEMPLATES} >= WARNINGS


def test_a_page_says_more_than_the_sentence() -> None:
    assert [code for code, known in explanations().items() if len(known.text) < 30] == []
    assert [code for code, known in explanations().items() if known.text == known.summary] == []


def test_the_document_is_made_of_the_pages() -> None:
    document = (SCHEMA.parent / "docs" / "findings.md").read_text("utf-8")
    assert document == page(), "run tools/findings.py"
