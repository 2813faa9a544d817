"""What a Choice learns: the payload as it must be once a rule was, or was not, true (language, section 2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detent.core.values import JSON
from detent.query.choice import OPERATORS
from detent.query.jsonpath import Path

from ..document import is_unknown
from ..outline import Part
from .notes import Test
from .reading import Presence, absent, present, read, refined
from .shapes import BOOLEAN, NOTHING, NULL, NUMBER, STRING, Kind, Shape, join, only
from .stage import Stage, parsed_path

#: And, Or and Not inside each other, as far as they are followed.
_DEPTH_MAX = 50

#: The kinds a family of operators can be true of.
_FAMILIES: Mapping[str, frozenset[Kind]] = {
    "String": STRING.kinds,
    "StringMatches": STRING.kinds,
    "Numeric": NUMBER.kinds,
    "Boolean": BOOLEAN.kinds,
    "Timestamp": STRING.kinds,
    "IsNull": NULL.kinds,
    "IsNumeric": NUMBER.kinds,
    "IsString": STRING.kinds,
    "IsBoolean": BOOLEAN.kinds,
    "IsTimestamp": STRING.kinds,
}

#: Type tests whose answer says everything about the kind.
_EXACT = frozenset({"IsNull", "IsNumeric", "IsString", "IsBoolean"})


@dataclass(frozen=True, slots=True)
class Ways:
    """The document if a rule is true, and if it is not; of no kind where that cannot be."""

    yes: Shape
    no: Shape


def judge(stage: Stage, parts: Mapping[int, Part], rule: Mapping[str, JSON], depth: int = 0) -> Ways:
    """Evaluate a rule over shapes. ``stage.document`` is the document it looks at; ``parts`` are the rules of
    the Choice by the identity of their value."""
    document = stage.document
    part = parts.get(id(rule))
    if part is None or depth > _DEPTH_MAX:
        return Ways(document, document)
    if "Not" in rule:
        inner = rule["Not"]
        if not isinstance(inner, dict):
            return Ways(document, document)
        ways = judge(stage, parts, inner, depth + 1)
        return Ways(ways.no, ways.yes)
    for name in ("And", "Or"):
        rules = rule.get(name)
        if isinstance(rules, list):
            return _combined(stage, parts, rules, name == "Or", depth)
    operator = next((field for field in rule if field in OPERATORS), None)
    if operator is None:
        return Ways(document, document)
    return _test(stage, part, operator)


def _combined(stage: Stage, parts: Mapping[int, Part], rules: list[JSON], decisive: bool, depth: int) -> Ways:
    """And, Or: each test sees what the ones before it have left; the first that decides ends it."""
    document = stage.document
    decided: Shape | None = None
    for rule in rules:
        if not isinstance(rule, dict) or not stage.document.kinds:
            continue
        ways = judge(stage, parts, rule, depth + 1)
        here, goes_on = (ways.yes, ways.no) if decisive else (ways.no, ways.yes)
        decided = here if decided is None else join(decided, here)
        stage.document = goes_on
    left, stage.document = stage.document, document
    decided = document if decided is None else decided
    return Ways(decided, left) if decisive else Ways(left, decided)


def _test(stage: Stage, part: Part, operator: str) -> Ways:
    """One data test: notes what it reads, and what the answer says about the value."""
    document = stage.document
    family, _, operand_kind = OPERATORS[operator]
    tested = family == "IsPresent"
    text, operand = part.value.get("Variable"), part.value.get(operator)
    path = parsed_path(text)
    other = parsed_path(operand) if operand_kind == "path" else None
    if path is None:
        return Ways(document, document)
    reading = stage.follow(part, part.at("Variable"), str(text), path, tested=tested)
    if other is not None:
        found = stage.follow(part, part.at(operator), str(operand), other)
        _note(stage, part, operator, found.shape, family)
    if not tested:
        _note(stage, part, operator, reading.shape, family)
    if path.root != "$" or not path.definite or is_unknown(operand):
        return Ways(document, document)
    if tested:
        # A way that cannot be taken carries nothing.
        there = NOTHING if reading.presence is Presence.NEVER else present(document, path.steps)
        gone = NOTHING if reading.presence is Presence.ALWAYS else absent(document, path.steps)
        return Ways(there, gone) if operand is True else Ways(gone, there)
    return _of_kind(document, path, family, operand)


def _of_kind(document: Shape, path: Path, family: str, operand: JSON) -> Ways:
    """Whatever the answer, the value is there: a path that names nothing fails the state."""
    wanted = _FAMILIES[family]
    there = present(document, path.steps)
    if read(path, there).presence is Presence.NEVER:
        return Ways(there, there)
    fits = refined(there, path.steps, lambda before: only(before, wanted))
    if family not in _EXACT or not isinstance(operand, bool):
        negated = family == "IsTimestamp" and operand is False
        return Ways(there, fits) if negated else Ways(fits, there)
    rest = refined(there, path.steps, lambda before: only(before, before.kinds - wanted))
    return Ways(fits, rest) if operand else Ways(rest, fits)


def _note(stage: Stage, part: Part, operator: str, shape: Shape, family: str) -> None:
    if not family.startswith("Is"):
        stage.notes.tests.append(Test(stage.state, part, operator, shape, _FAMILIES[family]))
