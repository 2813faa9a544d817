"""Single faults in sound definitions are refused, sound changes are not; figures as in docs/validation.md."""

from __future__ import annotations

import copy
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from detent.schema.diagnostics import Severity
from detent.schema.document import DocumentError
from detent.schema.validate import validate_value

from .data import published
from .faults import Change, Definition, faults, sound_changes

DOCUMENT = Path(__file__).parents[2] / "docs" / "validation.md"
#: Of each kind of fault so many are put into a definition, chosen by the seed.
OF_A_KIND = 2
SEED = 20261121


def refused(definition: Definition) -> bool:
    return any(finding.severity is Severity.ERROR for finding in validate_value(definition))


def sound() -> Iterator[tuple[str, Definition]]:
    for each in published():
        try:
            definition: Definition = each.read().value
        except DocumentError:
            continue
        if not refused(definition):
            yield each.id, definition


def chosen(made: Iterator[tuple[str, Change]], rng: random.Random) -> Iterator[tuple[str, Change]]:
    by_kind = defaultdict(list)
    for what, change in made:
        by_kind[what].append(change)
    for what, changes in by_kind.items():
        for change in rng.sample(changes, min(OF_A_KIND, len(changes))):
            yield what, change


def changed(definition: Definition, change: Change) -> Definition:
    copied = copy.deepcopy(definition)
    change(copied)
    return copied


def test_single_faults_are_refused_as_often_as_the_document_says() -> None:
    rng = random.Random(SEED)
    made: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    for _, definition in sound():
        for what, change in chosen(faults(definition, rng), rng):
            made[what] += 1
            caught[what] += refused(changed(definition, change))
    rows = re.findall(
        r"^\| (an? [^|]+|States[^|]+) \| ([\d,]+) \| ([\d,]+) \|$", DOCUMENT.read_text(), re.MULTILINE
    )
    said = {what: (number(found), number(of)) for what, found, of in rows}
    assert said == {what: (caught[what], made[what]) for what in made}
    assert caught.total() >= 0.95 * made.total()


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_sound_changes_are_not_refused() -> None:
    rng = random.Random(SEED)
    wrong = [
        (id, what)
        for id, definition in sound()
        for what, change in chosen(sound_changes(definition), rng)
        if refused(changed(definition, change))
    ]
    assert wrong == []
