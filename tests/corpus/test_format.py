"""Formatting and converting what people published changes no value, and a second time nothing at all."""

from __future__ import annotations

import json

import pytest

from detent.schema.document import Document, DocumentError, read_document
from detent.schema.format import format_text
from detent.schema.format.convert import convert

from .data import Published, Stated, published, stated


def readable() -> list[tuple[Published | Stated, Document]]:
    found: list[tuple[Published | Stated, Document]] = []
    for one in (*published(), *stated()):
        try:
            found.append((one, one.read()))
        except DocumentError:
            continue
    return found


@pytest.mark.parametrize("part", range(8))
def test_formatting_changes_no_value(part: int) -> None:
    for one, document in readable()[part::8]:
        formatted = format_text(one.text, format=document.format)
        again = read_document(formatted, format=document.format)
        assert json.dumps(again.value, sort_keys=True) == json.dumps(document.value, sort_keys=True), str(one)
        assert format_text(formatted, format=document.format) == formatted, str(one)


@pytest.mark.parametrize("part", range(8))
def test_converting_changes_no_value(part: int) -> None:
    for one, document in readable()[part::8]:
        as_yaml = read_document(convert(document, "yaml"), format="yaml")
        assert json.dumps(as_yaml.value) == json.dumps(document.value), str(one)
        assert json.dumps(json.loads(convert(as_yaml, "json"))) == json.dumps(document.value), str(one)
