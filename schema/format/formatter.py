"""Formatting one text: read, laid out again, and read once more before anyone gets it."""

from __future__ import annotations

import json

from detent.core.errors import DetentError

from .. import json_reader, yaml_reader
from ..document import Document, Format, read_document
from ..frontdoor import DEFINITION_LIMITS, DocumentError, Findings
from .json_layout import JsonLayout
from .order import Places
from .yaml_layout import YamlLayout
from .yaml_tree import build


class FormatError(DetentError):
    """A text that cannot be laid out without changing what it says; it stays as it is."""

    code = "FORMAT"


def format_text(text: str | bytes, *, source: str | None = None, format: Format | None = None) -> str:
    """The definition in the one layout: the same values, anchors, comments and spelling of every scalar.

    Fields of states and their parts stand in one order; states and data stay in that of their author. Line
    ends are those of the first line. Formatting twice changes nothing more.

    Raises DocumentError for what cannot be read, FormatError if the layout would not read as the text does.
    """
    document = read_document(text, source=source, format=format)
    characters = document.text
    laid_out = _as_json(document) if _is_json(document) else _as_yaml(document)
    try:
        same = _same(read_document(laid_out, source=source, format=format), document)
    except DocumentError:
        same = False
    if not same:
        raise FormatError(
            f"{source or 'the text'} holds something that no layout keeps as it is; nothing was done"
        )
    first_line = characters.partition("\n")[0]
    return laid_out.replace("\n", "\r\n") if first_line.endswith("\r") else laid_out


def _is_json(document: Document) -> bool:
    """Whether it is JSON, whatever its file is called."""
    if document.format == "json" or document.text.lstrip()[:1] not in ("{", "["):
        return document.format == "json"
    try:
        read_document(document.text, format="json")
    except DocumentError:
        return False
    return True


def _as_json(document: Document) -> str:
    text = document.text
    root = json_reader.read_nodes(text, Findings(text, None), limits=DEFINITION_LIMITS, holes=True)
    return JsonLayout(text, Places(document)).write(root)


def _as_yaml(document: Document) -> str:
    text = document.text
    tree = build(text, yaml_reader.events(text, Findings(text, None)))
    return YamlLayout(text, Places(document)).write(tree)


def _same(one: Document, other: Document) -> bool:
    """Whether two documents say the same: the values, their types, and what is a hole of which kind."""
    return _said(one) == _said(other)


def _said(document: Document) -> tuple[str, list[tuple[str, str, str]]]:
    holes = sorted((str(hole.pointer), hole.name, hole.kind.value) for hole in document.placeholders)
    return json.dumps(document.value, sort_keys=True), holes
