"""What an editor offers to do about findings: the fixes of rules, the word that was meant, silence on a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..diagnostics import Diagnostic, Edit
from ..frontdoor import Lines
from .names import Span

_MEANT = re.compile(r"did you mean '([^']+)'\?")
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
            yield Action(finding.fix.title, finding.fix.edits, finding, finding.fix.safe)
        yield from _meant(text, lines, finding)
        if is_yaml and finding.position is not None and (edit := _silence(text, lines, finding)) is not None:
            yield Action(f"Ignore {finding.code} on this line", (edit,), finding)


def _meant(text: str, lines: Lines, finding: Diagnostic) -> Iterator[Action]:
    meant = _MEANT.search(finding.hint or "")
    span = span_of(text, lines, finding)
    written = text[span.start : span.end]
    # A finding about a part of an expression stands at the whole of it.
    if meant is None or not written or "$" in written or "%" in written:
        return
    quote = written[:1] if written[:1] in ("'", '"') else ""
    word = json.dumps(meant[1], ensure_ascii=False) if quote == '"' else f"{quote}{meant[1]}{quote}"
    if finding.fix is None or finding.fix.edits[0].text != word:
        yield Action(f"Write {meant[1]}", (Edit(span.start, span.end, word),), finding, True)


def _silence(text: str, lines: Lines, finding: Diagnostic) -> Edit | None:
    assert finding.position is not None, "asked only for findings with a place"
    line = _LINE.match(text, min(lines.offset(finding.position), len(text)))
    assert line is not None, "matches the empty text"
    if "#" in line.group() or line.group().rstrip().endswith(("|", ">", "|-", ">-")):
        return None
    return Edit(line.end(), line.end(), f"  # detent: ignore[{finding.code}]")
