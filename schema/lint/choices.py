"""Choice states: values no rule is for, rules that can never be chosen, choices that choose nothing."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from detent.core.values import JSON
from detent.query.choice import OPERATORS, compile_wildcards

from ..diagnostics import Severity
from ..document import is_unknown
from ..findings import sentence, show
from ..inference.shapes import Kind
from ..outline import JSONPATH, Part, State
from .rule import Found, Subject, rule

#: And, Or and Not inside each other, as far as rules are compared.
_DEPTH_MAX = 20
#: Rules of one Choice, or of one And or Or, that are compared with each other.
_COMPARED_MAX = 40

#: What belongs to a rule and is no part of its test.
_BESIDE = frozenset({"Next", "Comment", "Assign", "Output"})

_KINDS = {
    Kind.NULL: "null",
    Kind.BOOLEAN: "a boolean",
    Kind.NUMBER: "a number",
    Kind.STRING: "a text",
    Kind.OBJECT: "an object",
    Kind.ARRAY: "a list",
}


@rule(
    "choice-without-default",
    Severity.WARNING,
    "A Choice without Default fails with States.NoChoiceMatched for values that no rule is for.",
)
def choice_without_default(subject: Subject) -> Iterator[Found]:
    for state in subject.states("Choice"):
        if "Default" not in state.value and not _covers_everything(state):
            yield Found(
                state.pointer,
                f"{sentence(state.label)} has no Default, and its rules do not cover every value",
                "add Default; a Fail state with an error of its own says what went wrong",
                on_key=True,
            )


@rule(
    "covered-rule",
    Severity.WARNING,
    "A choice rule is never chosen, because an earlier one is true before it.",
)
def covered_rule(subject: Subject) -> Iterator[Found]:
    for state in subject.states("Choice"):
        earlier: list[Part] = []
        for part in islice(state.parts("rule"), _COMPARED_MAX):
            first = next((one for one in earlier if _implies(part.value, one.value)), None)
            if first is not None:
                yield Found(
                    part.pointer,
                    f"{sentence(part.label)} is never chosen: whenever it is true, an earlier rule is",
                    "move it up, or make the earlier rule narrower",
                    related=((first.pointer, "this rule is chosen before it"),),
                )
            earlier.append(part)


@rule(
    "never-true",
    Severity.WARNING,
    "A choice rule compares a value of a type that its operator is never true of.",
)
def never_true(subject: Subject) -> Iterator[Found]:
    for test in subject.inference.notes.tests:
        if test.shape.kinds and not test.shape.may_be(test.wanted):
            is_a = " or ".join(_KINDS[kind] for kind in Kind if kind in test.shape.kinds)
            yield Found(
                test.part.at(test.operator),
                f"{test.operator} in {test.part.label} is never true: the value is {is_a} here",
                "use the operator for its type, or convert the value before",
                on_key=True,
            )


@rule(
    "contradictory-rule",
    Severity.WARNING,
    "A choice rule wants a value to equal two different things at once.",
)
def contradictory_rule(subject: Subject) -> Iterator[Found]:
    for state in subject.states("Choice"):
        for part in state.parts("rule", "nestedRule"):
            rules = part.value.get("And")
            wanted: dict[tuple[str, str], JSON] = {}
            for inner in rules if isinstance(rules, list) else ():
                if not isinstance(inner, dict) or not isinstance(inner.get("Variable"), str):
                    continue
                for name in ("StringEquals", "NumericEquals", "BooleanEquals", "IsPresent", "IsNull"):
                    value = inner.get(name)
                    if value is None or is_unknown(value) or isinstance(value, (dict, list)):
                        continue
                    if wanted.setdefault((inner["Variable"], name), value) != value:
                        yield Found(
                            part.at("And"),
                            f"And in {part.label} is never true: {name} wants {inner['Variable'][:80]} to be two "
                            "different values",
                            "use Or, or remove one of the tests",
                            on_key=True,
                        )


@rule("useless-choice", Severity.INFO, "All ways out of a Choice lead to the same state.")
def useless_choice(subject: Subject) -> Iterator[Found]:
    for state in subject.states("Choice"):
        ways = [part.value.get("Next") for part in state.parts("rule")] + [state.value.get("Default")]
        one = ways[0]
        assigns = any({"Assign", "Output"} & part.value.keys() for part in state.parts("rule"))
        if isinstance(one, str) and not is_unknown(one) and not assigns and all(way == one for way in ways):
            yield Found(
                state.pointer,
                f"{sentence(state.label)} leads to {show(one)} whatever it finds",
                "remove the Choice, or correct one of its transitions",
                on_key=True,
            )


# Whether rules cover every value


def _covers_everything(state: State) -> bool:
    """Whether some pair of rules, or a rule alone, is true of everything; placeholders might be."""
    if state.language != JSONPATH:
        return any(_is_always(part.value) for part in state.parts("rule")) or _conditions_cover(state)
    rules = [_test(part.value) for part in state.parts("rule")]
    if any(_has_holes(part.value) for part in state.parts("rule")):
        return True
    alternatives = [inner for one in rules for inner in _alternatives(one)][:_COMPARED_MAX]
    return any(
        _complementary(one, other) for index, one in enumerate(alternatives) for other in alternatives[index:]
    ) or _three_cover(alternatives)


def _is_always(rule: Mapping[str, JSON]) -> bool:
    condition = rule.get("Condition")
    return condition is True or (isinstance(condition, str) and condition.strip("{%} ") == "true")


def _conditions_cover(state: State) -> bool:
    """Whether one condition is the negation of another, as far as their texts show; a placeholder might be."""
    texts = [str(part.value.get("Condition")).strip("{%} ") for part in state.parts("rule")]
    if any(is_unknown(text) for text in texts):
        return True
    plain = {text.replace(" ", "") for text in texts}
    return any(f"$not({text})" in plain for text in plain)


def _has_holes(rule: Mapping[str, JSON]) -> bool:
    return any(is_unknown(value) or is_unknown(name) for name, value in rule.items())


def _test(rule: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """The rule without what stands beside its test."""
    return {name: value for name, value in rule.items() if name not in _BESIDE}


def _alternatives(rule: Mapping[str, JSON]) -> list[Mapping[str, JSON]]:
    rules = rule.get("Or")
    if isinstance(rules, list):
        return [_test(inner) for inner in rules if isinstance(inner, dict)]
    return [rule]


def _complementary(one: Mapping[str, JSON], other: Mapping[str, JSON]) -> bool:
    """Whether one of the two is always true, given that the value has the type they ask for."""
    for left, right in ((one, other), (other, one)):
        negated = left.get("Not")
        if isinstance(negated, dict) and _test(negated) == right:
            return True
    if one.get("Variable") != other.get("Variable"):
        return False
    for name, value in one.items():
        if isinstance(value, bool) and name in other and other[name] is (not value):
            return True
        opposite = _OPPOSITES.get(name)
        if opposite is not None and opposite in other and other[opposite] == value:
            return True
    return False


_OPPOSITES = {
    f"{family}{one}{suffix}": f"{family}{other}{suffix}"
    for family in ("Numeric", "String", "Timestamp")
    for suffix in ("", "Path")
    for one, other in (
        ("LessThan", "GreaterThanEquals"),
        ("GreaterThanEquals", "LessThan"),
        ("GreaterThan", "LessThanEquals"),
        ("LessThanEquals", "GreaterThan"),
    )
}


def _three_cover(rules: list[Mapping[str, JSON]]) -> bool:
    """Less, equal and greater than the same thing."""
    for family in ("Numeric", "String", "Timestamp"):
        for suffix in ("", "Path"):
            found: list[set[tuple[str, str]]] = []
            for relation in ("LessThan", "Equals", "GreaterThan"):
                name = f"{family}{relation}{suffix}"
                found.append({(str(one.get("Variable")), str(one[name])) for one in rules if name in one})
            if found[0] & found[1] & found[2]:
                return True
    return False


# Whether one rule is true whenever another is


def _implies(rule: Mapping[str, JSON], other: Mapping[str, JSON], depth: int = 0) -> bool:
    """Whether ``other`` is true whenever ``rule`` is; False where that is not certain."""
    if "Variable" in rule and "Variable" in other and rule["Variable"] != other["Variable"]:
        return False
    if depth > _DEPTH_MAX or _has_holes(rule) or _has_holes(other):
        return False
    if _test(rule) == _test(other):
        return bool(_test(rule))
    for name, every in (("Or", all), ("And", any)):
        inner = rule.get(name)
        if isinstance(inner, list):
            return 0 < len(inner) <= _COMPARED_MAX and every(
                isinstance(one, dict) and _implies(one, other, depth + 1) for one in inner
            )
    for name, every in (("Or", any), ("And", all)):
        inner = other.get(name)
        if isinstance(inner, list):
            return 0 < len(inner) <= _COMPARED_MAX and every(
                isinstance(one, dict) and _implies(rule, one, depth + 1) for one in inner
            )
    return _test_implies(rule, other)


def _test_implies(rule: Mapping[str, JSON], other: Mapping[str, JSON]) -> bool:
    """The same for two data tests of one variable."""
    if "Variable" not in rule or rule.get("Variable") != other.get("Variable"):
        return False
    name = next((field for field in rule if field in OPERATORS), None)
    wider = next((field for field in other if field in OPERATORS), None)
    if name is None or wider is None:
        return False
    if wider == "IsPresent" and other[wider] is True:
        return name != "IsPresent" or rule[name] is True
    if name == "StringEquals" and wider == "StringMatches":
        return isinstance(other[wider], str) and compile_wildcards(other[wider])(rule[name])
    family, relation, kind = OPERATORS[name]
    other_family, other_relation, other_kind = OPERATORS[wider]
    if family != other_family or kind not in ("number", "string") or other_kind != kind or not relation:
        return False
    return _narrower(relation, rule[name], other_relation, other[wider])


_COMPARE: Mapping[str, Callable[[JSON, JSON], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}


def _narrower(relation: str, operand: JSON, wider: str, bound: JSON) -> bool:
    """Whether every value in one relation to ``operand`` is in the wider relation to ``bound``."""
    try:
        if relation == "Equals":
            return _COMPARE[wider](operand, bound)
        if relation.removesuffix("Equals") != wider.removesuffix("Equals") or wider == "Equals":
            return False
        below = relation.startswith("Less")
        if operand == bound:
            return wider.endswith("Equals") or not relation.endswith("Equals")
        return bool(operand < bound) if below else bool(operand > bound)
    except TypeError:
        return False
