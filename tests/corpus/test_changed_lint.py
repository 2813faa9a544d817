"""Whatever is changed in a definition, the rules end with findings and never with an exception."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from detent.schema.document import Document, DocumentError, read_document
from detent.schema.lint.check import Judgement, lint, mended
from detent.schema.lint.settings import ALL, Settings

from .mutation import changed
from .test_changed_definitions import PUBLISHED, RICH

EVERYTHING = Settings(select=(ALL,), target="aws")


def document_of(definition: Any) -> Document | None:
    try:
        return read_document(json.dumps(definition), source="changed.json")
    except (DocumentError, ValueError):
        return None


@settings(max_examples=100, deadline=None)
@given(definition=changed(st.just(RICH)), express=st.booleans())
def test_a_changed_definition_never_raises(definition: Any, express: bool) -> None:
    document = document_of(definition)
    if document is not None:
        found = lint(document, settings=EVERYTHING, machine_type="EXPRESS" if express else "STANDARD")
        assert all(finding.message for finding in found)


@settings(max_examples=100, deadline=None)
@given(definition=changed(PUBLISHED))
def test_a_changed_published_definition_never_raises(definition: Any) -> None:
    document = document_of(definition)
    if document is not None:
        assert lint(document, settings=EVERYTHING) == lint(document, settings=EVERYTHING)


def judge(text: str) -> Judgement:
    try:
        return Judgement(lint(read_document(text, source="changed.json"), settings=EVERYTHING))
    except DocumentError as error:
        return Judgement(error.diagnostics, readable=False)


@settings(max_examples=30, deadline=None)
@given(definition=changed(PUBLISHED))
def test_fixes_leave_a_text_that_can_be_read(definition: Any) -> None:
    document = document_of(definition)
    if document is not None:
        text, _ = mended(document.text, judge, unsafe=True)
        read_document(text, source="changed.json")
