"""A definition held against the validator and the rules: all findings at once, what is silenced left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from detent.core.values import JSON

from ..codes import CODES
from ..diagnostics import Diagnostic, Fix, Pointer, Position, Severity, in_reading_order
from ..document import Document, DocumentError, read_document
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


def fixed(
    document: Document,
    *,
    settings: Settings = DEFAULT,
    machine_type: MachineType = "STANDARD",
    unsafe: bool = False,
) -> tuple[str, int]:
    """The text with what can be mended mended, and how many findings that were.

    Fixes that may change what the definition does are applied only if ``unsafe``. A round of fixes after which
    the text could not be read, or had more errors than before, is taken back.
    """
    mended = 0
    for _ in range(_ROUNDS):
        found = lint(document, settings=settings, machine_type=machine_type)
        fixes = [each.fix for each in found if each.fix is not None and (each.fix.safe or unsafe)]
        following = _after(document, fixes) if fixes else None
        if following is None or following.text == document.text:
            break
        again = lint(following, settings=settings, machine_type=machine_type)
        if _errors(again) > _errors(found) or len(again) >= len(found):
            break
        mended += len(found) - len(again)
        document = following
    return document.text, mended


def _after(document: Document, fixes: list[Fix]) -> Document | None:
    try:
        return read_document(applied(document.text, fixes), source=document.source, format=document.format)
    except DocumentError:
        return None


def _errors(found: list[Diagnostic]) -> int:
    return sum(each.severity is Severity.ERROR for each in found)
