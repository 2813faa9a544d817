"""Choice rules of JSONPath states (language, section 2.3): a rule to a function that says yes or no.

Everything about a rule is decided when it is compiled: the family of its operator, the operand's value,
the pattern. A value of the wrong type never matches and never fails; a path that names nothing fails the
state, except under IsPresent.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from ..core.errors import DetentError
from ..core.values import JSON
from .bindings import Bindings, Evaluate
from .javaish import code_units
from .jsonpath import Engine, Path, PathMiss, compile_path, invalid_condition, parse_path
from .timestamps import parse_timestamp

Rule: TypeAlias = Mapping[str, JSON]
Test: TypeAlias = Callable[[JSON, Bindings], bool]

#: And, Or and Not inside each other.
MAX_RULE_DEPTH = 100


class ChoiceRuleError(DetentError):
    """A Choice rule that is none: no operator or two, an operand of the wrong type."""

    code = "CHOICE_RULE"


class Operator(NamedTuple):
    """An operator of the language. ``operand`` is what stands at its right."""

    family: str  # String, Numeric, Boolean, Timestamp, StringMatches, or a type test such as IsNull
    relation: str  # Equals, LessThan, ...; empty for StringMatches and type tests
    operand: str  # string, number, boolean, timestamp or path


def _operators() -> Iterator[tuple[str, Operator]]:
    ordered = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")
    families = {
        "String": ("string", ordered),
        "Numeric": ("number", ordered),
        "Boolean": ("boolean", ordered[:1]),
        "Timestamp": ("timestamp", ordered),
    }
    for family, (operand, relations) in families.items():
        for relation in relations:
            yield family + relation, Operator(family, relation, operand)
            yield f"{family}{relation}Path", Operator(family, relation, "path")
    yield "StringMatches", Operator("StringMatches", "", "string")
    for kind in ("Null", "Present", "Numeric", "String", "Boolean", "Timestamp"):
        yield f"Is{kind}", Operator(f"Is{kind}", "", "boolean")


#: The 39 operators of a data test.
OPERATORS: dict[str, Operator] = dict(_operators())


def compile_rule(rule: Rule, *, engine: Engine = "detent") -> Test:
    """Compile a rule, nested ones included; fields such as Next and Assign are not looked at.

    Raises :class:`ChoiceRuleError` and :class:`~detent.query.cursor.PathSyntaxError`; the function raises
    :class:`~detent.core.errors.StateFailure` for a path that names nothing.
    """
    return _compile(rule, engine, 0)


def _compile(rule: Rule, engine: Engine, depth: int) -> Test:
    if not isinstance(rule, Mapping):
        raise ChoiceRuleError("a Choice rule is an object")
    if depth > MAX_RULE_DEPTH:
        raise ChoiceRuleError(f"Choice rules may nest {MAX_RULE_DEPTH} deep")
    tests = [field for field in rule if field in OPERATORS or field in ("And", "Or", "Not")]
    if len(tests) != 1:
        found = "none" if not tests else " and ".join(sorted(tests))
        raise ChoiceRuleError(f"a Choice rule has exactly one operator, this one has {found}")
    name = tests[0]
    if name == "Not":
        negated = _compile(rule["Not"], engine, depth + 1)
        return lambda document, bindings: not negated(document, bindings)
    if name in ("And", "Or"):
        if not isinstance(rule[name], (list, tuple)) or not rule[name]:
            raise ChoiceRuleError(f"{name} is a list of at least one rule")
        return _combined(name, tuple(_compile(each, engine, depth + 1) for each in rule[name]))
    if not isinstance(rule.get("Variable"), str):
        raise ChoiceRuleError(f"{name} needs a Variable")
    return _data_test(rule["Variable"], OPERATORS[name], rule[name], engine)


def _combined(name: str, tests: tuple[Test, ...]) -> Test:
    """And, Or: they stop at the first test that decides, so that IsPresent can guard what follows."""
    decisive = name == "Or"

    def combined(document: JSON, bindings: Bindings) -> bool:
        for test in tests:
            if test(document, bindings) is decisive:
                return decisive
        return not decisive

    return combined


def _data_test(variable: str, op: Operator, operand: JSON, engine: Engine) -> Test:
    if op.family == "IsPresent":
        return _presence(variable, _typed(op, operand), engine)
    read = compile_path(variable, on_missing=invalid_condition, engine=engine)
    if op.family in _TYPE_TESTS:
        is_of_type, wanted = _TYPE_TESTS[op.family], _typed(op, operand)
        return lambda document, bindings: is_of_type(read(document, bindings)) is wanted
    if op.family == "StringMatches":
        matches = compile_wildcards(_typed(op, operand))
        return lambda document, bindings: matches(read(document, bindings))
    if op.operand == "path":
        if not isinstance(operand, str):
            raise ChoiceRuleError("the operand of a ...Path operator is a path")
        other = compile_path(operand, on_missing=invalid_condition, engine=engine)
        return _comparison_of_paths(op, read, other)
    return _comparison(op, read, _typed(op, operand))


def _typed(op: Operator, operand: JSON) -> JSON:
    """The operand, if it is of the operator's type."""
    admitted = {"boolean": _boolean, "number": _number, "string": _string, "timestamp": _instant}[op.operand]
    if admitted(operand) is None:
        raise ChoiceRuleError(f"{op.family}{op.relation} needs a {op.operand}")
    return operand


def _presence(variable: str, wanted: bool, engine: Engine) -> Test:
    path = parse_path(variable)
    read = compile_path(path, on_missing=_absent, engine=engine)
    if path.definite:
        return lambda document, bindings: (read(document, bindings) is not _ABSENT) is wanted
    return lambda document, bindings: (read(document, bindings) not in (_ABSENT, [])) is wanted


_ABSENT = object()


def _absent(path: Path, document: JSON, miss: PathMiss) -> JSON:
    return _ABSENT


def _comparison(op: Operator, read: Evaluate, operand: JSON) -> Test:
    admit, compare = _ADMITTED[op.family], _COMPARISONS[op.family][op.relation]
    expected = admit(operand)

    def test(document: JSON, bindings: Bindings) -> bool:
        value = admit(read(document, bindings))
        return value is not None and compare(value, expected)

    return test


def _comparison_of_paths(op: Operator, read: Evaluate, other: Evaluate) -> Test:
    admit, compare = _ADMITTED[op.family], _COMPARISONS[op.family][op.relation]

    def test(document: JSON, bindings: Bindings) -> bool:
        value, expected = admit(read(document, bindings)), admit(other(document, bindings))
        return value is not None and expected is not None and compare(value, expected)

    return test


# What a family admits: the value to compare, or None for a value of another type.


def _string(value: JSON) -> JSON:
    return value if value.__class__ is str else None


def _number(value: JSON) -> JSON:
    return value if value.__class__ is int or value.__class__ is float else None


def _boolean(value: JSON) -> JSON:
    return value if value.__class__ is bool else None


def _instant(value: JSON) -> JSON:
    return parse_timestamp(value) if value.__class__ is str else None


_ADMITTED: dict[str, Callable[[JSON], JSON]] = {
    "String": _string,
    "Numeric": _number,
    "Boolean": _boolean,
    "Timestamp": _instant,
}
_TYPE_TESTS: dict[str, Callable[[JSON], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: value.__class__ is str,
    "IsNumeric": lambda value: _number(value) is not None,
    "IsBoolean": lambda value: value.__class__ is bool,
    "IsTimestamp": lambda value: _instant(value) is not None,
}

# How two admitted values compare.


def _by_code_unit(compare: Callable[[JSON, JSON], bool]) -> Callable[[JSON, JSON], bool]:
    def compare_texts(left: str, right: str) -> bool:
        if left.isascii() and right.isascii():
            return compare(left, right)
        return compare(code_units(left), code_units(right))

    return compare_texts


def _as_doubles(compare: Callable[[JSON, JSON], bool]) -> Callable[[JSON, JSON], bool]:
    """Two integers compare exactly; an integer beside a float compares as a float."""

    def compare_numbers(left: float, right: float) -> bool:
        if left.__class__ is right.__class__:
            return compare(left, right)
        return compare(_double(left), _double(right))

    return compare_numbers


def _double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


_PLAIN: dict[str, Callable[[JSON, JSON], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
_COMPARISONS: dict[str, dict[str, Callable[[JSON, JSON], bool]]] = {
    "String": {name: _by_code_unit(compare) for name, compare in _PLAIN.items()},
    "Numeric": {name: _as_doubles(compare) for name, compare in _PLAIN.items()},
    "Boolean": _PLAIN,
    "Timestamp": _PLAIN,
}


def compile_wildcards(pattern: str) -> Callable[[JSON], bool]:
    r"""The test of StringMatches: ``*`` is any run of characters, ``\*`` a star, ``\\`` a backslash."""
    first, *rest = _literal_parts(pattern)
    if not rest:
        return lambda value: bool(value.__class__ is str and value == first)
    *middle, last = rest
    shortest = len(first) + len(last)

    def matches(value: JSON) -> bool:
        if value.__class__ is not str or len(value) < shortest:
            return False
        if not value.startswith(first) or not value.endswith(last):
            return False
        position, end = len(first), len(value) - len(last)
        for part in middle:
            found = value.find(part, position, end)
            if found < 0:
                return False
            position = found + len(part)
        return True

    return matches


def _literal_parts(pattern: str) -> list[str]:
    """The texts between the wildcards."""
    parts = [""]
    escaped = False
    for character in pattern:
        if escaped:
            parts[-1] += character if character in "*\\" else "\\" + character
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "*":
            parts.append("")
        else:
            parts[-1] += character
    if escaped:
        parts[-1] += "\\"
    return parts
