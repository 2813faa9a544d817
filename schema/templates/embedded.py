"""Definitions that stand in a template as one text: read, with every place told as one of the template.

The text may be spelled in any way that JSON and YAML know, and may be put together from pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..diagnostics import Diagnostic
from ..document import Document, DocumentError, read_document
from ..frontdoor import Lines
from ..nodes import Node
from .functions import Piece

#: A backslash at the end of a line: the line goes on below.
_JOINED_LINES = ("\\\n", "\\\r")
_ESCAPES = {"x": 4, "u": 6, "U": 10}


def read_embedded(pieces: Sequence[Piece], template: Document) -> Document:
    """The definition that a text of the template holds, in JSON. Raises DocumentError, its places in the template."""
    text = "".join(piece.text for piece in pieces)
    offsets = [offset for piece in pieces for offset in _offsets(piece, template.text)]
    start = pieces[0].node.start if pieces else 0
    offsets.append(offsets[-1] if offsets else start)
    try:
        inner = read_document(text, source=template.source, format="json")
    except DocumentError as error:
        lines, outer = Lines(text), Lines(template.text)
        found = [_moved(diagnostic, offsets, lines, outer, start) for diagnostic in error.diagnostics]
        raise DocumentError(found, template.text) from None
    # A byte order mark is no part of what was read.
    skipped = len(text) - len(inner.text)
    root = _placed(inner.root, offsets[skipped:])
    return Document(root, text=template.text, source=template.source, format=template.format)


def _moved(
    diagnostic: Diagnostic, offsets: Sequence[int], inner: Lines, outer: Lines, start: int
) -> Diagnostic:
    if diagnostic.position is None:
        return replace(diagnostic, position=outer.position(start), fix=None)
    offset = min(inner.offset(diagnostic.position), len(offsets) - 1)
    # A fix counts characters of the text inside.
    return replace(diagnostic, position=outer.position(offsets[offset]), fix=None)


def _placed(node: Node, offsets: Sequence[int]) -> Node:
    """The node with every place looked up."""
    moved = Node(node.value, offsets[node.start], plain=node.plain)
    if node.children is not None:
        moved.children = {part: _placed(child, offsets) for part, child in node}
    if node.keys is not None:
        moved.keys = {key: offsets[start] for key, start in node.keys.items()}
    return moved


def _offsets(piece: Piece, source: str) -> list[int]:
    """Where each character of a piece stands in the template; blanks stand where they may.

    The text and its spelling are read side by side. Outside of escapes they differ in nothing but blanks.
    """
    at = _content_start(source, piece.node.start)
    if not piece.literal:
        return [piece.node.start] * len(piece.text)
    quote = source[at - 1 : at]
    offsets: list[int] = []
    end = len(source)
    for character in piece.text:
        escaped = quote == '"' and source[at : at + 1] == "\\"
        if not escaped and character.isspace():
            offsets.append(min(at, end))
            at += source[at : at + 1].isspace()
            continue
        while at < end and (
            source[at].isspace()
            or (quote == '"' and source[at] == "\\" and source[at + 1 : at + 2] in "\r\n")
        ):
            at += 1
        offsets.append(min(at, end))
        at += _spelled(source, at, quote, character)
    return offsets


def _spelled(source: str, at: int, quote: str, character: str) -> int:
    """How many characters of the source spell one character."""
    if quote == '"' and source[at : at + 1] == "\\":
        length = _ESCAPES.get(source[at + 1 : at + 2], 2)
        # JSON spells what is beyond the first plane as a pair.
        return 2 * length if length == 6 and ord(character) > 0xFFFF else length
    return 2 if quote == "'" and source[at : at + 2] == "''" else 1


def _content_start(source: str, start: int) -> int:
    """Where the content of a scalar begins: behind anchors and tags, a quote, or the line of ``|`` and ``>``."""
    while source[start : start + 1] in ("!", "&"):
        while start < len(source) and not source[start].isspace():
            start += 1
        while start < len(source) and source[start].isspace():
            start += 1
    if source[start : start + 1] in ("|", ">"):
        return max(source.find("\n", start) + 1, start)
    return start + 1 if source[start : start + 1] in ('"', "'") else start
