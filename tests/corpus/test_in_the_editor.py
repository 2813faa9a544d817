"""The language server over published definitions: names are offered where they stood, and renamed everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator

from detent.schema.document import Document, DocumentError, read_document
from detent.schema.editor.completion import complete
from detent.schema.editor.names import RenameError, references, rename
from detent.schema.editor.source import Written, read_source
from detent.schema.lint.fixes import written_text
from detent.schema.validate import validate
from detent.schema.validate_graph import targets

from .data import published

#: Targets that are tried in each definition.
TRIED = 3


def documents() -> Iterator[tuple[str, Document]]:
    for definition in published():
        try:
            yield definition.id, definition.read()
        except DocumentError:
            continue


def places(document: Document) -> list[tuple[str, int, int]]:
    """Names of states that are used in a definition: the name, and where it stands."""
    found = []
    for state in Written(document).outline.states:
        for name, pointer, _ in targets(state):
            written = written_text(document, pointer)
            if written is not None and name in state.scope.states:
                quotes = written.text[:1] in ("'", '"')
                found.append((str(name), written.start + quotes, written.end - quotes))
    return found[:TRIED]


def test_a_name_that_is_taken_out_is_offered_again() -> None:
    tried, missed = 0, []
    for id_, document in documents():
        for name, start, end in places(document):
            text = document.text[:start] + document.text[end:]
            offered = {each.label for each in complete(text, start, name=document.source)}
            tried += 1
            if name not in offered:
                missed.append((id_, name))
    assert tried > 500
    assert missed == []


def test_a_renamed_state_is_renamed_everywhere() -> None:
    tried = 0
    for id_, document in documents():
        source = read_source(document.text, name=document.source)
        for _, start, _ in places(document)[:1]:
            if not source.machines:
                continue
            try:
                edits = rename(source, start, "Quite another: name")
            except RenameError as error:
                raise AssertionError(f"{id_}: {error}") from error
            text = document.text
            for edit in reversed(edits):
                text = text[: edit.start] + edit.text + text[edit.end :]
            after = read_document(text, source=document.source, format=document.format)
            assert sorted(each.code for each in validate(after)) == sorted(
                each.code for each in validate(document)
            ), id_
            assert len(edits) == len(references(source, start))
            assert json.dumps(after.value).count("Quite another: name") == len(edits)
            tried += 1
    assert tried > 200
