"""From a change to a definition to edits of its text: comments, order and layout stay as they are.

A change is described by places; the text around the place decides how it is written. Where the text is not
written in a way that is understood, there is no fix: a finding without one is better than a broken file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from ..diagnostics import Edit, Fix, Pointer
from ..document import Document
from ..written import like, reworded, value_at, written_key, written_text
from .rule import Insert, Remedy, Remove, Rename

_FOLLOWING = re.compile(r"\s*,\s*")
_PRECEDING = re.compile(r",\s*\Z")
_PLAIN = re.compile(r"[A-Za-z$][\w$.]*\Z")


def fix_of(document: Document, remedy: Remedy) -> Fix | None:
    """The remedy as edits, or None where the text does not allow it."""
    change = remedy.change
    if isinstance(change, Rename):
        edit = _rename(document, change)
    elif isinstance(change, Insert):
        edit = _insert(document, change)
    else:
        edit = _remove(document, change)
    return None if edit is None else Fix(remedy.title, (edit,), remedy.safe)


def applied(text: str, fixes: Iterable[Fix]) -> str:
    """The text after the fixes; of two that overlap the later one waits for another round."""
    edits: list[Edit] = []
    for fix in fixes:
        if all(_apart(edit, other) for edit in fix.edits for other in edits):
            edits.extend(fix.edits)
    for edit in sorted(set(edits), key=lambda each: each.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _apart(edit: Edit, other: Edit) -> bool:
    return edit == other or edit.end < other.start or other.end < edit.start


def _rename(document: Document, change: Rename) -> Edit | None:
    return reworded(written_key(document, change.pointer), change.key)


def _insert(document: Document, change: Insert) -> Edit | None:
    before = written_key(document, (*change.pointer, change.before))
    if before is None:
        return None
    text, start = document.text, before.start
    line = text[:start].rpartition("\n")[2]
    is_first = not line.strip()
    end = "\r\n" if "\r\n" in text else "\n"
    if _is_flow(document, change.pointer):
        separator = f",{end}{line}" if is_first else ", "
    else:
        separator = end + " " * len(line)
    value = json.dumps(change.value)
    if before.text[:1] != '"' and isinstance(change.value, str) and _PLAIN.match(change.value):
        value = change.value
    return Edit(start, start, f"{like(before.text, change.key)}: {value}{separator}")


def _remove(document: Document, change: Remove) -> Edit | None:
    """Take out a member whose value is written as one word."""
    key = written_key(document, change.pointer)
    owner = change.pointer[:-1]
    value = written_text(document, change.pointer)
    if key is None or value is None or len(value_at(document, owner)) < 2:
        return None
    text = document.text
    if _is_flow(document, owner):
        following = _FOLLOWING.match(text, value.end)
        if following is not None:
            return Edit(key.start, following.end(), "")
        preceding = _PRECEDING.search(text[: key.start])
        return None if preceding is None else Edit(preceding.start(), value.end, "")
    start = text.rfind("\n", 0, key.start) + 1
    end = text.find("\n", value.end)
    end = len(text) if end < 0 else end + 1
    if text[start : key.start].strip() or text[value.end : end].strip():
        return None  # something else stands on the line
    return Edit(start, end, "")


def _is_flow(document: Document, pointer: Pointer) -> bool:
    """Whether an object is written between braces."""
    start = document.offset(pointer)
    return document.text[start : start + 1] == "{"
