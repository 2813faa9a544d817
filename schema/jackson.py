"""What the service says of a text that is no JSON: the words of its parser, and where it stopped.

The service reads JSON with Jackson, and its answers quote it (api, sections 4 and 9).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_EXPECTED = "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
#: What Jackson takes for one word: up to the first character that no Java identifier has.
_WORD = re.compile(r"[^\W\d][\w$]*")
_QUOTED_MAX = 500


@dataclass(frozen=True, slots=True)
class Complaint:
    """``message`` is the parser's sentence, ``line`` and ``column`` where it stood when it gave up."""

    message: str
    line: int
    column: int
    text: str

    @property
    def source(self) -> str:
        """The place in the parser's spelling, with the text that was read."""
        return f'[Source: (String)"{_shortened(self.text)}"; line: {self.line}, column: {self.column}]'

    def __str__(self) -> str:
        return f"{self.message}\n at {self.source}"


def complaint(text: str) -> Complaint | None:
    """What the service's parser says of a text; None if the text is JSON."""
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        message, end = _message(text, error)
        return Complaint(message, *_line_and_column(text, end), text)
    except (ValueError, RecursionError) as error:
        return Complaint(str(error), 1, 1, text)
    return None


def _refuse_constant(name: str) -> None:
    raise ValueError(
        f"Non-standard token '{name}': enable JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS to allow"
    )


def _message(text: str, error: json.JSONDecodeError) -> tuple[str, int]:
    """The sentence, and the offset at which the parser stood."""
    start = error.pos
    if start >= len(text.rstrip()):
        return "Unexpected end-of-input", len(text)
    if error.msg.startswith("Unterminated string"):
        return "Unexpected end-of-input: was expecting closing quote for a string value", len(text)
    found = f"Unexpected character ('{text[start]}' (code {ord(text[start])})): was expecting"
    if error.msg.startswith("Expecting property name"):
        return f"{found} double-quote to start field name", start + 1
    if error.msg.startswith("Expecting ',' delimiter"):
        return f"{found} comma to separate {_container(text[:start])} entries", start + 1
    if error.msg.startswith("Expecting ':' delimiter"):
        return f"{found} a colon to separate field name and value", start + 1
    word = _WORD.match(text, start)
    if word is not None:
        return f"Unrecognized token '{word[0]}': {_EXPECTED}", word.end()
    return (
        f"Unexpected character ('{text[start]}' (code {ord(text[start])})): expected a valid value",
        start + 1,
    )


def _container(before: str) -> str:
    """Whether the innermost bracket that is open at the end is an object's or an array's."""
    depth = 0
    for character in reversed(re.sub(r'"(?:[^"\\]|\\.)*"', "", before)):
        if character in "]}":
            depth += 1
        elif character in "[{":
            if depth == 0:
                return "Object" if character == "{" else "Array"
            depth -= 1
    return "Object"


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    line_start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - line_start + 1


def _shortened(text: str) -> str:
    if len(text) <= _QUOTED_MAX:
        return text
    return f'{text[:_QUOTED_MAX]}"[truncated {len(text) - _QUOTED_MAX} chars]'
