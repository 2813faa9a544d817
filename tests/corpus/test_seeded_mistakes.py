"""Single mistakes about data, put into what people published: how many the rules notice.

Each mistake breaks a definition, but not every one can be noticed: a variable may have been assigned before as
well, and what a function answers is known to nobody. The figures stand in docs/lint.md.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detent.schema.diagnostics import Severity
from detent.schema.document import DocumentError
from detent.schema.inference.infer import Inference, infer
from detent.schema.inference.reading import Presence
from detent.schema.lint.rule import Subject
from detent.schema.lint.rules import FAMILIES
from detent.schema.outline import Outline, outline

from .data import published

DOCUMENT = Path(__file__).parents[2] / "docs" / "lint.md"
RULES = [rule for rule in FAMILIES["Data flow"] if rule.severity is not Severity.INFO]

Mistake = tuple[str, tuple[str | int, ...], str | None]


def mistakes(parts: Outline, inference: Inference) -> Iterator[Mistake]:
    """What is broken, at which place, and what stands there then; None for nothing."""
    for read in inference.notes.variables:
        if not read.tested:
            wrong = re.sub(rf"\${read.name}\b", f"${read.name}Q", read.text, count=1)
            yield "a variable is misspelled where it is read", read.pointer, wrong
    needed = {read.name for read in inference.notes.variables if not read.tested}
    for state in parts.states:
        for name in state.value.get("Assign", ()):
            if name.removesuffix(".$") in needed:
                place = state.at("Assign", name)
                yield "an assignment of a variable that is read is removed", place, None
    for note in inference.notes.reads:
        known = note.reading.presence is Presence.ALWAYS and not note.tested and note.path.is_reference
        names = getattr(note.path.steps[-1], "names", ()) if known and note.path.steps else ()
        if names and note.state.language == "JSONPath" and note.text.count(names[0]) == 1:
            wrong = note.text.replace(names[0], f"{names[0]}Q")
            yield "a name is misspelled in a path that is known to exist", note.pointer, wrong


def found_in(definition: dict[str, Any]) -> Counter[str]:
    subject = Subject(outline(definition), definition)
    return Counter(rule.code for rule in RULES for _ in rule.check(subject))


def changed(definition: dict[str, Any], place: tuple[str | int, ...], value: str | None) -> dict[str, Any]:
    broken = copy.deepcopy(definition)
    owner: Any = broken
    for step in place[:-1]:
        owner = owner[step]
    if value is None:
        del owner[place[-1]]
    else:
        owner[place[-1]] = value
    return broken


def test_the_figures_in_the_documents_are_these() -> None:
    noticed: Counter[str] = Counter()
    made: Counter[str] = Counter()
    for each in published():
        try:
            definition: Any = each.read().value
        except DocumentError:
            continue
        parts = outline(definition)
        sound = found_in(definition)
        for what, place, value in mistakes(parts, infer(parts)):
            made[what] += 1
            noticed[what] += bool(found_in(changed(definition, place, value)) - sound)
    said = re.findall(r"^\| ([a-z ]+) \| (\d+) \| (\d+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert {what: (int(found), int(of)) for what, found, of in said} == {
        what: (noticed[what], made[what]) for what in made
    }
