"""What every code means: the sentence that stands with the code, and the page that says why and what to do.

The pages are Markdown files beside this module, one section a code. ``detent explain`` prints them,
``docs/findings.md`` is made of them, SARIF carries them: the text is in one place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from .codes import BEFORE_A_RUN, DOCUMENTS, FAMILIES, TEMPLATES, WARNINGS
from .diagnostics import Severity
from .lint.rules import FAMILIES as RULE_FAMILIES
from .lint.suppress import SUMMARY, UNUSED

#: The files of pages.
PAGES = ("documents", "validate", "lint")

_SECTION = re.compile(r"^## (?P<code>[a-z-]+)\n+(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code. ``command`` is ``validate``, ``lint`` or ``run``; ``severity`` is the usual one; ``on``: whether it is
    looked for unless somebody asks otherwise; ``text`` is Markdown."""

    code: str
    command: str
    family: str
    severity: Severity
    summary: str
    text: str
    on: bool = True


@cache
def explanations() -> Mapping[str, Explanation]:
    """Every code there is, in the order of the documents."""
    return {explanation.code: explanation for explanation in _all(pages())}


@cache
def pages() -> Mapping[str, str]:
    """The text of every page."""
    folder = files(__package__).joinpath("pages")
    texts = (folder.joinpath(f"{name}.md").read_text("utf-8") for name in PAGES)
    return {found["code"]: found["text"].strip() for text in texts for found in _SECTION.finditer(text)}


def _all(texts: Mapping[str, str]) -> Iterator[Explanation]:
    for family, codes in {"Reading": DOCUMENTS, **FAMILIES, "Templates": TEMPLATES}.items():
        for code, summary in codes.items():
            severity = Severity.WARNING if code in WARNINGS else Severity.ERROR
            yield Explanation(code, "validate", family, severity, summary, texts.get(code, ""))
    for code, summary in BEFORE_A_RUN.items():
        yield Explanation(code, "run", "Before a run", Severity.ERROR, summary, texts.get(code, ""))
    for family, rules in RULE_FAMILIES.items():
        for rule in rules:
            text = texts.get(rule.code, "")
            yield Explanation(rule.code, "lint", family, rule.severity, rule.summary, text, rule.on)
    yield Explanation(UNUSED, "lint", "Silencing", Severity.WARNING, SUMMARY, texts.get(UNUSED, ""))


def rendered(explanation: Explanation) -> str:
    """One code for a reader in a terminal."""
    usual = "" if explanation.on else ", off unless it is selected"
    where = f"{explanation.severity} of detent {explanation.command}{usual}; {explanation.family.lower()}"
    return f"{explanation.code}: {explanation.summary}\n({where})\n\n{explanation.text}".rstrip()


def page() -> str:
    """All codes as one document: the text of ``docs/findings.md``."""
    parts = [_PREFACE.strip()]
    family = None
    for known in explanations().values():
        if (known.command, known.family) != family:
            family = (known.command, known.family)
            parts.append(f"## {known.family}")
            parts.append(_table(family))
        parts.append(f"### {known.code}\n\n{known.text}")
    return "\n\n".join(parts) + "\n"


def _table(family: tuple[str, str]) -> str:
    mine = [known for known in explanations().values() if (known.command, known.family) == family]
    rows = [f"| `{known.code}` | {_usual(known)} | {known.summary} |" for known in mine]
    return "\n".join(["| code | is | meaning |", "|---|---|---|", *rows])


def _usual(known: Explanation) -> str:
    return str(known.severity) if known.on else f"{known.severity}, off"


_PREFACE = """
# Findings of `detent validate` and `detent lint`

Each finding has one of these codes; they do not change from release to release. `detent explain CODE` prints what
stands here. A finding is an *error* where the definition is refused, or fails whenever it gets there; a *warning*
where it hardly means what it says; an *info* where it is worth knowing. Rules that are *off* are looked at when they
are selected. Errors of detent itself have codes of their own: see [errors.md](errors.md).

`validate` finds what a definition may not be, `lint` also what is allowed and still wrong. How to choose rules, to
silence findings and to have the input described stands in [lint.md](lint.md).

A value that still waits for a substitution (`${Name}`) could be anything and is no finding.

The page is made by `tools/findings.py` of the texts that are shipped.
"""
