"""How keys and values are written in a text, and how to write others in their place."""

from __future__ import annotations

import json
import re

from detent.core.values import JSON

from .diagnostics import Edit, Pointer
from .document import Document

_AFTER_KEY = re.compile(r"[ \t]*:")


def written_key(document: Document, pointer: Pointer) -> Edit | None:
    """The key of a member as it is written: its place, and its text."""
    name = str(pointer[-1])
    start = document.offset(pointer, key=True)
    for written in _spellings(name):
        end = start + len(written)
        if document.text.startswith(written, start) and _AFTER_KEY.match(document.text, end):
            return Edit(start, end, written)
    return None


def written_text(document: Document, pointer: Pointer) -> Edit | None:
    """A text, as it is written in one piece: its place, and its text."""
    value = value_at(document, pointer)
    if not isinstance(value, str):
        return None
    start = document.offset(pointer)
    for written in _spellings(value):
        end = start + len(written)
        if document.text.startswith(written, start) and document.text[end : end + 1] in (
            "",
            "\n",
            "\r",
            ",",
            " ",
            "}",
        ):
            return Edit(start, end, written)
    return None


def _spellings(text: str) -> tuple[str, ...]:
    return json.dumps(text), json.dumps(text, ensure_ascii=False), f"'{text}'", text


def like(written: str, text: str) -> str:
    """A text in the quotes of another."""
    quote = written[:1]
    if quote == '"':
        return json.dumps(text, ensure_ascii=False)
    return f"'{text}'" if quote == "'" else text


def reworded(written: Edit | None, text: str) -> Edit | None:
    """Another text in the place, and the quotes, of one that is written."""
    return None if written is None else Edit(written.start, written.end, like(written.text, text))


def value_at(document: Document, pointer: Pointer) -> JSON:
    """What stands at a place."""
    value: JSON = document.value
    for part in pointer:
        value = value[part]
    return value
