"""A definition in the other notation: the same values in the same order.

Numbers stay what they are (``1.0`` does not become ``1``, an integer has any size), and text that would look
like something else without quotes gets them, for readers of YAML 1.1 too. Comments, anchors and the spelling of
numbers have no place in both notations and are not carried over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from detent.core.values import JSON

from .. import yaml_reader
from ..diagnostics import Pointer
from ..document import Document, Format, HoleKind, is_hole, read_document
from ..frontdoor import DocumentError, Findings
from ..scalars import NotFiniteError, NumberRangeError, plain_scalar
from .formatter import FormatError
from .yaml_tree import Collection, Scalar, build

#: Text that may stand without quotes, as far as signs go.
_PLAIN = re.compile(r"[A-Za-z0-9_$/.(][^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]*")
_NOT_PLAIN = re.compile(r": |:$| #|^\.\.\.|[ \t]$")
#: A list in brackets is at most so long, and nothing in it has a sign of its own there.
BRACKETS_MAX = 60
_NOT_IN_BRACKETS = re.compile(r"^['\"]|[\[\]{},?:]")
#: What readers of YAML 1.1 take for something else: words, dates, numbers in other notations.
_OLD = re.compile(
    r"(?i)(?:y|n|yes|no|on|off|true|false|null|~|=|<<)|[-+.\d][-+_.:\dTtZz eExXoObBa-fA-F]*|\d{4}-\d\d?-\d\d?.*"
)
_NOT_LITERAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_TO_ESCAPE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def convert(document: Document, to: Format) -> str:
    """The text of the document in a notation. Raises FormatError for what that notation cannot hold."""
    text = to_json(document) if to == "json" else to_yaml(document)
    try:
        again = read_document(text, format=to)
    except DocumentError as error:
        raise FormatError(f"{to.upper()} cannot hold this document: {error.diagnostics[0].message}") from None
    if json.dumps(again.value) != json.dumps(document.value):
        raise FormatError(f"{to.upper()} cannot hold this document as it is")
    return text


def to_json(document: Document) -> str:
    """JSON, indented by two. A placeholder is a text in it, so that the result is JSON before it is filled in."""
    return json.dumps(document.value, indent=2, ensure_ascii=False) + "\n"


def to_yaml(document: Document) -> str:
    """YAML in lines, indented by two."""
    bare = {hole.pointer for hole in document.placeholders if hole.kind is HoleKind.BARE}
    return "\n".join(_lines(document.value, (), bare)) + "\n"


def comments(document: Document) -> int:
    """How many comments a YAML document has; JSON has none."""
    if document.format == "json" or "#" not in document.text:
        return 0
    tree = build(document.text, yaml_reader.events(document.text, Findings(document.text, None)))
    count = sum(line.lstrip().startswith("#") for line in (*tree.header, *tree.footer))
    waiting: list[Scalar | Collection | None] = [tree.root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Collection):
            count += sum(map(bool, one.below))
            count += sum(bool(entry.beside) + sum(map(bool, entry.above)) for entry in one.entries)
            waiting.extend(entry.value for entry in one.entries)
    return count


def _lines(value: JSON, pointer: Pointer, bare: set[Pointer]) -> Iterator[str]:
    """The lines of a value, the first of them without indentation."""
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from _joined(_text(key) + ":", member, (*pointer, key), bare)
    elif isinstance(value, list) and value:
        if line := _on_one_line(value, pointer, bare):
            yield line
            return
        for index, item in enumerate(value):
            yield from _joined("-", item, (*pointer, index), bare)
    elif isinstance(value, str) and pointer:
        yield from _text_lines(value, plain=pointer in bare)
    elif isinstance(value, str):
        # A text in lines is indented below something, and nothing stands above this one.
        yield value if pointer in bare else _text(value)
    else:
        yield _scalar(value)


def _joined(head: str, value: JSON, pointer: Pointer, bare: set[Pointer]) -> Iterator[str]:
    """A key or a dash with its value behind it, or below."""
    first, *rest = _lines(value, pointer, bare)
    in_lines = isinstance(value, (dict, list)) and value and first[:1] != "["
    if in_lines and head != "-":
        yield head
        rest.insert(0, first)
    else:
        yield f"{head} {first}"
    for line in rest:
        yield "  " + line if line else ""


def _on_one_line(items: list[JSON], pointer: Pointer, bare: set[Pointer]) -> str | None:
    """A short list of words and numbers in brackets; None for any other."""
    written = []
    for index, item in enumerate(items):
        if isinstance(item, (dict, list)):
            return None
        first, *rest = _lines(item, (*pointer, index), bare)
        if rest or _NOT_IN_BRACKETS.search(first):
            return None
        written.append(first)
    line = f"[{', '.join(written)}]"
    return line if len(line) <= BRACKETS_MAX else None


def _text_lines(text: str, *, plain: bool) -> list[str]:
    if plain:
        return [text]
    body = text.removesuffix("\n")
    lines = body.split("\n")
    fitting = "\n" in text and lines[0][:1] not in ("", " ", "\t") and lines[-1].strip()
    if not fitting or _NOT_LITERAL.search(text):
        return [_text(text)]
    return ["|" if text.endswith("\n") else "|-", *lines]


def _text(text: str) -> str:
    """A text on one line, with quotes if it needs them."""
    if _PLAIN.fullmatch(text) and not _NOT_PLAIN.search(text) and _is_text(text) and not is_hole(text):
        return text
    if (
        ('"' in text or "\\" in text)
        and not _NOT_LITERAL.search(text)
        and "\n" not in text
        and "\t" not in text
    ):
        return "'" + text.replace("'", "''") + "'"
    quoted = json.dumps(text, ensure_ascii=False)
    return _TO_ESCAPE.sub(lambda found: f"\\u{ord(found.group()):04x}", quoted)


def _is_text(text: str) -> bool:
    """Whether every reader takes the text for a text when it has no quotes."""
    try:
        return plain_scalar(text) == text and not _OLD.fullmatch(text)
    except (NumberRangeError, NotFiniteError):
        return False


def _scalar(value: JSON) -> str:
    written = json.dumps(value)
    # A reader of YAML 1.1 knows an exponent only behind a point.
    return re.sub(r"^(-?\d+)e", r"\1.0e", written)
