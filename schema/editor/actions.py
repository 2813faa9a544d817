"""What an editor offers to do about findings: the fixes, silence on a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..diagnostics import Diagnostic, Edit, Severity
from ..frontdoor import Lines
from .names import Span

_TOKEN = re.compile(r""""(?:[^"\\\r\n]|\\.)*"?|'(?:[^'\r\n]|'')*'?|[^\s,:\]}]+""")
_LINE = re.compile(r"[^\r\n]*")


@dataclass(frozen=True, slots=True)
class Action:
    """Edits of the text that mend, or silence, a finding. ``preferred``: it mends, and changes nothing else."""

    title: str
    edits: tuple[Edit, ...]
    finding: Diagnostic
    preferred: bool = False


def span_of(text: str, lines: Lines, found: Diagnostic) -> Span:
    """The word that a finding is about; the first character of the text if it is about no place."""
    if found.position is None:
        return Span(0, 0)
    start = min(lines.offset(found.position), len(text))
    token = _TOKEN.match(text, start)
    return Span(start, token.end() if token else min(start + 1, len(text)))


def actions(text: str, found: Iterable[Diagnostic], *, is_yaml: bool) -> Iterator[Action]:
    """What can be done about findings, the best first for each."""
    lines = Lines(text)
    for finding in found:
        if finding.fix is not None:
            # What is refused does nothing yet that a fix could change.
            mends = finding.fix.safe or finding.severity is Severity.ERROR
            yield Action(finding.fix.title, finding.fix.edits, finding, mends)
        if is_yaml and finding.position is not None and (edit := _silence(text, lines, finding)) is not None:
            yield Action(f"Ignore {finding.code} on this line", (edit,), finding)


def _silence(text: str, lines: Lines, finding: Diagnostic) -> Edit | None:
    assert finding.position is not None, "asked only for findings with a place"
    line = _LINE.match(text, min(lines.offset(finding.position), len(text)))
    assert line is not None, "matches the empty text"
    if "#" in line.group() or line.group().rstrip().endswith(("|", ">", "|-", ">-")):
        return None
    return Edit(line.end(), line.end(), f"  # detent: ignore[{finding.code}]")
