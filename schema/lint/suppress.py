"""Findings that an author has silenced in the definition itself.

``# detent: ignore[code, code]`` at the end of a line silences findings on that line, on a line of its own
those of the next; ``# detent: ignore-file[code]`` those of the whole file. JSON has no comments: there, and
in YAML too, a Comment field that says ``detent: ignore[code]`` silences what is found in its object. Without
codes everything is silenced. What silences nothing is a finding itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ..diagnostics import Diagnostic, Edit, Fix, Pointer, Position, Severity
from ..document import Document
from ..findings import closest, show

UNUSED = "unused-suppression"
SUMMARY = "A comment silences a finding that is not there."

_MARK = r"detent:[ \t]*ignore(?P<file>-file)?(?:\[(?P<codes>[^\]\n]{0,500})\])?"
_COMMENT = re.compile(r"(?:(?<=\s)|^)#[ \t]*" + _MARK)
_FIELD = re.compile(_MARK)
#: A line as an editor counts them, with its end.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(slots=True)
class Suppression:
    """One comment. ``codes`` is empty for all; ``line`` is the line it is for, ``within`` the object, neither for
    the whole file. ``span`` is the comment in the text, where it can be cut out."""

    codes: tuple[str, ...]
    position: Position | None
    line: int | None = None
    within: Pointer | None = None
    span: tuple[int, int] | None = None
    used: set[str] = field(default_factory=set)

    def covers(self, found: Diagnostic) -> bool:
        if self.codes and found.code not in self.codes:
            return False
        if self.line is not None:
            return found.position is not None and found.position.line == self.line
        return self.within is None or found.pointer[: len(self.within)] == self.within


def suppressions(document: Document) -> list[Suppression]:
    """Every suppression of a definition."""
    if "detent:" not in document.text:
        return []
    found = list(_in_fields(document))
    if document.format == "yaml" and document.text.lstrip()[:1] not in ("{", "["):
        found += _in_comments(document.text)
    return found


def _in_comments(text: str) -> Iterator[Suppression]:
    offset = 0
    lines = _LINE.findall(text)
    for index, line in enumerate(lines):
        match = _COMMENT.search(line)
        if match is not None:
            before = line[: match.start()].rstrip()
            target = index if before else _next_line(lines, index)
            start, end = (len(before), match.end()) if before else (0, len(line))
            yield Suppression(
                _codes(match),
                Position(index + 1, match.start() + 1),
                line=None if match["file"] else target + 1,
                span=(offset + start, offset + end),
            )
        offset += len(line)


def _next_line(lines: list[str], index: int) -> int:
    """The next line that is neither blank nor a comment."""
    following = index + 1
    while following < len(lines) and lines[following].strip()[:1] in ("", "#"):
        following += 1
    return following


def _in_fields(document: Document) -> Iterator[Suppression]:
    waiting: list[tuple[Pointer, object]] = [((), document.value)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(((*pointer, index), item) for index, item in enumerate(value))
        elif isinstance(value, dict):
            waiting.extend(((*pointer, name), item) for name, item in value.items())
            comment = value.get("Comment")
            match = _FIELD.search(comment) if isinstance(comment, str) else None
            if match is not None:
                place = document.position((*pointer, "Comment"))
                yield Suppression(_codes(match), place, within=() if match["file"] else pointer)


def _codes(match: re.Match[str]) -> tuple[str, ...]:
    return tuple(code for code in re.split(r"[\s,]+", match["codes"] or "") if code)


def unsuppressed(found: Iterable[Diagnostic], suppressed: list[Suppression]) -> list[Diagnostic]:
    """The findings that nobody has silenced; notes in each suppression what it was good for."""
    left = []
    for diagnostic in found:
        covering = [one for one in suppressed if one.covers(diagnostic)]
        for one in covering:
            one.used.add(diagnostic.code)
        if not covering:
            left.append(diagnostic)
    return left


def unused(
    suppressed: list[Suppression],
    source: str | None,
    known: Iterable[str],
    looked_for: Callable[[str], bool],
) -> Iterator[Diagnostic]:
    """A finding for every code, and every suppression without codes, that silenced nothing.

    ``known`` are the codes there are; what was not ``looked_for`` may be there all the same.
    """
    codes = set(known)
    for one in suppressed:
        useless = [
            code for code in one.codes if code not in one.used and (code not in codes or looked_for(code))
        ]
        if not useless and (one.codes or one.used):
            continue
        fix = None
        if one.span is not None and len(useless) == len(one.codes):
            fix = Fix("remove the comment", (Edit(*one.span, ""),))
        for code in useless or [""]:
            message = (
                f"No finding {show(code)} is there to be silenced" if code else "There is nothing to silence"
            )
            hint = "remove the comment"
            if code and code not in codes:
                similar = closest(code, codes)
                message = f"There is no code {show(code)}"
                hint = f"did you mean '{similar}'?" if similar else "`detent explain` lists all codes"
            yield Diagnostic(
                UNUSED, Severity.WARNING, message, one.within or (), one.position, source, hint, fix=fix
            )
