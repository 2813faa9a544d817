"""A definition held against the validator and the rules: all findings at once, what is silenced left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from detent.core.values import JSON

from ..codes import CODES
from ..diagnostics import Diagnostic, Pointer, Position, Severity, in_reading_order
from ..document import Document
from ..findings import Findings
from ..outline import outline
from ..validate import MachineType, validate
from .fixes import applied, fix_of
from .rule import Subject
from .rules import RULES
from .settings import DEFAULT, Settings
from .suppress import UNUSED, suppressions, unsuppressed, unused

#: How often a text is looked at again after fixes.
_ROUNDS = 5


def lint(
    document: Document, *, settings: Settings = DEFAULT, machine_type: MachineType = "STANDARD"
) -> list[Diagnostic]:
    """All findings about a definition, the validator's included, in reading order."""
    silencing = suppressions(document)
    found = [*validate(document, machine_type=machine_type), *_by_rules(document, settings, machine_type)]
    wanted = (_weighed(each, settings) for each in found if settings.wants(each.code))
    left = unsuppressed(wanted, silencing)
    if settings.wants(UNUSED):
        known = (*CODES, *RULES, UNUSED)
        left += unused(silencing, document.source, known, lambda code: _looked_for(code, settings))
    return in_reading_order(left)


def silenced(
    document: Document, found: Iterable[Diagnostic], settings: Settings = DEFAULT
) -> list[Diagnostic]:
    """The findings of the validator alone, without those that are ignored or silenced in the definition."""
    wanted = (_weighed(each, settings) for each in found if settings.wants(each.code))
    return unsuppressed(wanted, suppressions(document))


def _weighed(found: Diagnostic, settings: Settings) -> Diagnostic:
    severity = settings.severity.get(found.code, found.severity)
    return found if severity is found.severity else replace(found, severity=severity)


def _looked_for(code: str, settings: Settings) -> bool:
    return settings.looks_at(code) if code in RULES else settings.wants(code)


def _by_rules(document: Document, settings: Settings, machine_type: MachineType) -> Iterator[Diagnostic]:
    value: JSON = document.value
    if not isinstance(value, dict):
        return
    subject = Subject(
        outline(value),
        value,
        target=settings.target,
        express=machine_type == "EXPRESS",
        payload=settings.payload,
        results=settings.results,
    )

    def position(pointer: Pointer, on_key: bool) -> Position | None:
        return document.position(pointer, key=on_key)

    findings = Findings()
    for rule in RULES.values():
        if not settings.looks_at(rule.code):
            continue
        for found in rule.check(subject):
            fix = fix_of(document, found.remedy) if found.remedy is not None else None
            findings.add(
                rule.severity,
                rule.code,
                found.pointer,
                found.message,
                hint=found.hint,
                on_key=found.on_key,
                related=found.related,
                fix=fix,
            )
    yield from findings.diagnostics(position, document.source)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What there is to say about a text, and whether it could be read at all."""

    findings: Sequence[Diagnostic]
    readable: bool = True

    @property
    def weight(self) -> tuple[bool, int, int]:
        """The lighter the better."""
        errors = sum(each.severity is Severity.ERROR for each in self.findings)
        return not self.readable, errors, len(self.findings)


def mended(text: str, judge: Callable[[str], Judgement], *, unsafe: bool = False) -> tuple[str, int]:
    """The text with what can be mended mended, and how many findings that were.

    Fixes that may change what a definition does are applied only if ``unsafe``. A round of fixes after which the
    text is no better than before, or cannot be read, is taken back.
    """
    count = 0
    found = judge(text)
    for _ in range(_ROUNDS):
        fixes = [each.fix for each in found.findings if each.fix is not None and (each.fix.safe or unsafe)]
        following = applied(text, fixes)
        if following == text:
            break
        again = judge(following)
        if again.weight >= found.weight or not again.readable:
            break
        count += max(len(found.findings) - len(again.findings), 1)
        text, found = following, again
    return text, count
