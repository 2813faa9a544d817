"""Rules, errors, retriers and resources in few words, for labels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from detent.core.values import JSON

#: Comparisons by what follows the type in their names; the longest first.
_SIGNS = {
    "LessThanEquals": "≤",
    "GreaterThanEquals": "≥",
    "LessThan": "<",
    "GreaterThan": ">",
    "Equals": "=",
    "Matches": "matches",
}
_TYPES = ("String", "Numeric", "Timestamp", "Boolean")
_TESTS = {
    "IsPresent": ("is present", "is absent"),
    "IsNull": ("is null", "is not null"),
    "IsString": ("is text", "is not text"),
    "IsNumeric": ("is a number", "is no number"),
    "IsBoolean": ("is true or false", "is neither true nor false"),
    "IsTimestamp": ("is a time", "is no time"),
}
#: Deeper rules are not spelled out.
DEPTH_MAX = 4
SERVICE = "arn:aws:states:::"


def rule_in_words(rule: JSON, depth: int = 0) -> str:
    """What a choice rule asks, such as ``$.count > 3 and not ($.name is present)``."""
    if not isinstance(rule, dict) or depth > DEPTH_MAX:
        return "…"
    if "Condition" in rule:
        return _expression(rule["Condition"])
    for name, word in (("And", " and "), ("Or", " or ")):
        if isinstance(parts := rule.get(name), list):
            return word.join(_enclosed(part, name, depth) for part in parts)
    if "Not" in rule:
        return f"not ({rule_in_words(rule['Not'], depth + 1)})"
    return next(_tests(rule), "…")


def _enclosed(part: JSON, around: str, depth: int) -> str:
    text = rule_in_words(part, depth + 1)
    mixed = isinstance(part, dict) and any(name in part for name in ("And", "Or") if name != around)
    return f"({text})" if mixed else text


def _tests(rule: Mapping[str, JSON]) -> Iterator[str]:
    variable = str(rule.get("Variable", "?"))
    for name, operand in rule.items():
        if name in _TESTS:
            yield f"{variable} {_TESTS[name][operand is False]}"
            continue
        kind = next((kind for kind in _TYPES if name.startswith(kind)), None)
        if kind is None:
            continue
        rest = name.removeprefix(kind)
        other = rest.removesuffix("Path")
        if other in _SIGNS:
            yield f"{variable} {_SIGNS[other]} {operand if rest != other else _operand(operand)}"


def _operand(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False)


def _expression(value: JSON) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else json.dumps(value)
    if text.startswith("{%") and text.endswith("%}"):
        return text[2:-2].strip()
    return text


def errors_in_words(handler: JSON) -> str:
    """The errors that a retrier or catcher takes; ``any error`` for all of them."""
    names = handler.get("ErrorEquals") if isinstance(handler, dict) else None
    if not isinstance(names, list):
        return "?"
    return ", ".join("any error" if name == "States.ALL" else str(name) for name in names)


def retries_in_words(retriers: JSON) -> str | None:
    """How often a state is tried again, at most: ``↻ 3``; None if never."""
    if not isinstance(retriers, list):
        return None
    attempts = [one.get("MaxAttempts", 3) for one in retriers if isinstance(one, dict)]
    most = [number for number in attempts if isinstance(number, int) and number > 0]
    if not most:
        return "↻" if any(not isinstance(number, int) for number in attempts) else None
    return f"↻ {max(most)}" if max(most) < 1000 else "↻ ∞"


def resource_in_words(state: Mapping[str, JSON]) -> str:
    """What does the work, or how long it takes: the part of it that differs from state to state."""
    resource = state.get("Resource")
    if isinstance(resource, str):
        if resource.startswith(SERVICE):
            return resource.removeprefix(SERVICE)
        if resource.startswith("arn:"):
            return ":".join(resource.split(":")[5:]) or resource
        return resource
    for name in ("Seconds", "SecondsPath", "Timestamp", "TimestampPath"):
        if name in state:
            text = _expression(state[name])
            return f"until {text}" if name.startswith("Timestamp") else f"{text} s"
    error = state.get("Error") if state.get("Type") == "Fail" else None
    return _expression(error) if error is not None else ""
