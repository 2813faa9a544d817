"""An editor that has the schema underlines nothing in what people published and we accept."""

from __future__ import annotations

import contextlib

from jsonschema import Draft202012Validator

from detent.schema.document import DocumentError
from detent.schema.editor.fields import bundle
from detent.schema.validate import validate

from .data import published, stated


def test_it_underlines_nothing_that_we_accept() -> None:
    editor = Draft202012Validator(bundle())
    accepted = {}
    for definition in (*published(), *stated()):
        with contextlib.suppress(DocumentError):
            document = definition.read()
            refused = any(finding.severity == "error" for finding in validate(document))
            if not refused and not document.placeholders:  # a hole in place of a number is beyond an editor
                accepted[definition.id] = [error.message for error in editor.iter_errors(document.value)]
    assert len(accepted) > 500
    assert {id_: messages for id_, messages in accepted.items() if messages} == {}
