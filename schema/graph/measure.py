"""How wide a text is, near enough for boxes, and where it may be cut into lines.

The fonts of the reader are not known. The widths are those of common sans-serif fonts, rounded up.
"""

from __future__ import annotations

from functools import lru_cache
from unicodedata import combining, east_asian_width

_NARROW = frozenset("iljtfrI.,:;'|!()[]{}`/\\ ")
_WIDE = frozenset("mwMW@%—…")


@lru_cache(maxsize=10_000)
def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Pixels that a text takes at a font size."""
    units = sum(map(_units, text))
    return units * size * (1.1 if bold else 1.0)


def _units(character: str) -> float:
    if character in _NARROW:
        return 0.37
    if character in _WIDE:
        return 0.98
    if combining(character):
        return 0.0
    if east_asian_width(character) in "WF":
        return 1.05
    return 0.72 if character.isupper() else 0.61


def wrapped(text: str, size: float, width: float, lines: int, *, bold: bool = False) -> list[str]:
    """The text in at most so many lines; what is longer ends with an ellipsis. Blanks at line ends are gone."""
    text = "".join(character if character.isprintable() else " " for character in text).strip() or " "
    found: list[str] = []
    rest = text
    while rest and len(found) < lines:
        end = _fitting(rest, size, width, bold)
        if end < len(rest):
            end = _break(rest, end)
        found.append(rest[:end].strip())
        rest = rest[end:].strip()
    if rest:
        last = found[-1]
        while last and width_of(last + "…", size, bold=bold) > width:
            last = last[:-1]
        found[-1] = last.rstrip() + "…"
    return found


def _fitting(text: str, size: float, width: float, bold: bool) -> int:
    """How many characters fit on a line, at least one."""
    taken = 0.0
    for number, character in enumerate(text):
        taken += width_of(character, size, bold=bold)
        if taken > width:
            return max(1, number)
    return len(text)


def _break(text: str, end: int) -> int:
    """The best place to break at or before ``end``: at a blank, behind a sign, or where a word of a name begins."""
    for place in range(end, end // 3, -1):
        if text[place - 1] == " " or text[place] == " ":
            return place
    for place in range(end, end // 2, -1):
        if text[place - 1] in "-_./:" or (text[place].isupper() and text[place - 1].islower()):
            return place
    return end
