"""Single faults put into sound definitions: each makes of one a definition that the service refuses."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Definition = dict[str, Any]
#: One way to do the fault: changes the copy it is given.
Change = Callable[[Definition], None]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Spot:
    """A state, a retrier, a rule ... in a definition, and what it is."""

    kind: str
    path: Path
    value: dict[str, Any]
    language: str


def at(definition: Any, path: Path) -> Any:
    for step in path:
        definition = definition[step]
    return definition


def spots(definition: Definition) -> Iterator[Spot]:
    """Every object of a definition that has fields of the language."""
    yield from _scope(definition, (), definition.get("QueryLanguage", "JSONPath"), "machine")


def _scope(scope: Definition, path: Path, language: str, kind: str) -> Iterator[Spot]:
    yield Spot(kind, path, scope, language)
    for name, state in scope.get("States", {}).items():
        own = state.get("QueryLanguage", language)
        place = (*path, "States", name)
        yield Spot(state.get("Type", "?"), place, state, own)
        for field, part in (("Retry", "retrier"), ("Catch", "catcher"), ("Choices", "rule")):
            for index, value in enumerate(state.get(field, ())):
                yield from _part(value, (*place, field, index), own, part)
        for index, branch in enumerate(state.get("Branches", ())):
            yield from _scope(branch, (*place, "Branches", index), language, "branch")
        for field in ("ItemProcessor", "Iterator"):
            if field in state:
                yield from _scope(state[field], (*place, field), language, "processor")


def _part(value: dict[str, Any], path: Path, language: str, kind: str) -> Iterator[Spot]:
    yield Spot(kind, path, value, language)
    for field in ("And", "Or"):
        for index, inner in enumerate(value.get(field, ())):
            yield from _part(inner, (*path, field, index), language, "test")
    if isinstance(value.get("Not"), dict):
        yield from _part(value["Not"], (*path, "Not"), language, "test")


STATES = ("Task", "Pass", "Wait", "Choice", "Parallel", "Map", "Succeed", "Fail")
REQUIRED = {
    "machine": ("StartAt", "States"),
    "branch": ("StartAt", "States"),
    "processor": ("StartAt", "States"),
    "retrier": ("ErrorEquals",),
    "catcher": ("ErrorEquals", "Next"),
    "rule": ("Next", "Variable", "Condition"),
    "test": ("Variable",),
    "Task": ("Type", "Resource"),
    "Choice": ("Type", "Choices"),
    "Parallel": ("Type", "Branches"),
    "Map": ("Type", "ItemProcessor", "Iterator"),
    "Wait": ("Type", "Seconds", "SecondsPath", "Timestamp", "TimestampPath"),
    "Pass": ("Type",),
    "Succeed": ("Type",),
    "Fail": ("Type",),
}
FOREIGN = {
    "Task": {"Choices": [], "Branches": [], "Seconds": 1, "Default": "x"},
    "Pass": {"Resource": "arn:aws:states:::lambda:invoke", "Retry": [], "Catch": [], "TimeoutSeconds": 3},
    "Wait": {"Result": 1, "Resource": "arn:aws:states:::lambda:invoke", "Retry": []},
    "Choice": {"Next": "x", "End": True, "Retry": [], "Result": 1},
    "Parallel": {"Iterator": {}, "Resource": "arn:aws:states:::lambda:invoke", "Cause": "x"},
    "Map": {"Branches": [], "Choices": [], "Error": "x"},
    "Succeed": {"Next": "x", "End": True, "Result": 1},
    "Fail": {"Next": "x", "End": True, "Catch": [], "Retry": []},
    "retrier": {"Next": "x", "ResultPath": "$"},
    "catcher": {"MaxAttempts": 2, "IntervalSeconds": 1},
}
NUMBERS: dict[str, tuple[Any, ...]] = {
    "TimeoutSeconds": (0, -1, 1.5, "60", 100_000_000, None),
    "HeartbeatSeconds": (0, -1, 1.5, "60"),
    "Seconds": (-1, 1.5, "soon", 100_000_000),
    "IntervalSeconds": (0, -1, 1.5, "2", 100_000_000),
    "MaxAttempts": (-1, 1.5, "3", 100_000_000),
    "BackoffRate": (0.5, 0, "2", -1),
    "MaxDelaySeconds": (0, -1, "1", 31_622_401),
    "MaxConcurrency": (-1, 1.5, "5"),
    "ToleratedFailurePercentage": (-1, 101, "5"),
    "ToleratedFailureCount": (-1, 1.5, "5"),
}
KINDS: dict[str, tuple[Any, ...]] = {
    "StartAt": (1, None, [], {}),
    "States": ([], "x", None, {}),
    "Next": (1, None, []),
    "End": (False, "true", 1),
    "Type": (1, None, "task", "Function"),
    "Comment": (1, {}),
    "Resource": (1, None, [], ""),
    "Choices": ({}, [], "x"),
    "Branches": ({}, [], "x"),
    "ErrorEquals": ("States.ALL", [], [1], None),
    "Retry": ({}, "x"),
    "Catch": ({}, "x"),
    "Default": (1, None),
    "Credentials": ("x", []),
    "JitterStrategy": ("LITTLE", 1),
    "QueryLanguage": ("JSONpath", 1, "XPath"),
    "Version": (1,),
}
PATHS = ("InputPath", "OutputPath", "ResultPath", "ItemsPath", "SecondsPath", "TimestampPath", "Variable")


def _put(path: Path, key: str | int, value: Any) -> Change:
    def change(definition: Definition) -> None:
        at(definition, path)[key] = copy.deepcopy(value)

    return change


def _drop(path: Path, key: str) -> Change:
    def change(definition: Definition) -> None:
        del at(definition, path)[key]

    return change


def _rename(path: Path, key: str, new: str) -> Change:
    def change(definition: Definition) -> None:
        owner = at(definition, path)
        items = [(new if name == key else name, value) for name, value in owner.items()]
        owner.clear()
        owner.update(items)

    return change


def _all(*changes: Change) -> Change:
    def change(definition: Definition) -> None:
        for each in changes:
            each(definition)

    return change


def faults(definition: Definition, rng: random.Random) -> Iterator[tuple[str, Change]]:
    """Every fault that can be put into a definition, with the kind of fault it is."""
    found = list(spots(definition))
    for spot in found:
        yield from _fields(spot, rng)
        yield from _values(spot)
        yield from _expressions(spot)
        if spot.kind in STATES:
            yield from _transitions(spot, found)
    for spot in found:
        if spot.kind in ("machine", "branch", "processor"):
            yield from _names(spot)


def _fields(spot: Spot, rng: random.Random) -> Iterator[tuple[str, Change]]:
    for field in REQUIRED.get(spot.kind, ()):
        if field in spot.value:
            yield "a required field is missing", _drop(spot.path, field)
    for field in spot.value:
        if re.fullmatch(r"[A-Z][A-Za-z]+", field):
            spot_of = rng.randrange(1, len(field))
            yield "a field is misspelled", _rename(spot.path, field, field[:spot_of] + field[spot_of + 1 :])
            yield "a field is in the wrong case", _rename(spot.path, field, field[0].lower() + field[1:])
    for field, value in FOREIGN.get(spot.kind, {}).items():
        if field not in spot.value:
            yield "a field that belongs elsewhere", _put(spot.path, field, value)


def _values(spot: Spot) -> Iterator[tuple[str, Change]]:
    for field, value in spot.value.items():
        if not (isinstance(value, str) and "${" in value):
            for wrong in NUMBERS.get(field, ()):
                yield "a number out of its range or kind", _put(spot.path, field, wrong)
        for wrong in KINDS.get(field, ()):
            yield "a value of the wrong kind", _put(spot.path, field, wrong)
    if spot.kind == "Task" and isinstance(spot.value.get("TimeoutSeconds"), int):
        yield (
            "a heartbeat that is no shorter than the timeout",
            _put(spot.path, "HeartbeatSeconds", spot.value["TimeoutSeconds"]),
        )
    if spot.kind == "Wait":
        extra = {"Seconds": 5, "Timestamp": "2030-01-01T00:00:00Z"}
        for field, value in extra.items():
            if field not in spot.value:
                yield "a Wait for two things", _put(spot.path, field, value)
        if isinstance(spot.value.get("Timestamp"), str) and "{" not in spot.value["Timestamp"]:
            for wrong in ("tomorrow", "2030-13-01T00:00:00Z", "2030-01-01", "2030-01-01T00:00:00"):
                yield "a timestamp that is none", _put(spot.path, "Timestamp", wrong)
    if spot.kind in ("retrier", "catcher"):
        path, index = spot.path[:-1], spot.path[-1]
        yield "States.ALL beside other errors", _put(spot.path, "ErrorEquals", ["States.ALL", "Mine"])

        def before(definition: Definition) -> None:
            at(definition, path).insert(index, {**copy.deepcopy(spot.value), "ErrorEquals": ["States.ALL"]})

        yield "States.ALL before the last", before
    if spot.kind == "Task" and isinstance(spot.value.get("Resource"), str):
        for wrong in (
            "arn:aws:states:::lambda:invoke.sync",
            "arn:aws:states:::lambda:call",
            "arn:aws:states:::lamda:invoke",
        ):
            yield "a resource that does not exist", _put(spot.path, "Resource", wrong)


def _transitions(spot: Spot, found: list[Spot]) -> Iterator[tuple[str, Change]]:
    value = spot.value
    for field in ("Next", "Default"):
        if field in value:
            yield "a transition to nowhere", _put(spot.path, field, f"{value[field]}X")
            for other in found:
                if other.kind in STATES and other.path[:-1] != spot.path[:-1]:
                    yield "a transition into another scope", _put(spot.path, field, other.path[-1])
                    break
    if "Next" in value and spot.kind not in ("Choice", "Succeed", "Fail"):
        yield "a state without a way on", _drop(spot.path, "Next")
        yield "a state that ends and goes on", _put(spot.path, "End", True)
    if value.get("End") is True:
        yield "a state without a way on", _drop(spot.path, "End")
        yield "a state that ends and goes on", _put(spot.path, "Next", spot.path[-1])
        yield "a state without a way on", _put(spot.path, "End", False)


def _names(spot: Spot) -> Iterator[tuple[str, Change]]:
    scope = spot.value
    if not isinstance(scope.get("StartAt"), str) or not scope.get("States"):
        return
    yield "a start that does not exist", _put(spot.path, "StartAt", scope["StartAt"] + "X")
    yield (
        "a state that nothing leads to",
        _put((*spot.path, "States"), "Nobody goes here", {"Type": "Succeed"}),
    )
    first = scope["StartAt"]
    yield (
        "a name that is too long",
        _all(_rename((*spot.path, "States"), first, "n" * 81), _put(spot.path, "StartAt", "n" * 81)),
    )


PATH_FAULTS = ("{}[", "{}..", "{}[?(", "{}.", "{}['a]", "{} {}")


def _expressions(spot: Spot) -> Iterator[tuple[str, Change]]:
    if spot.language == "JSONata":
        yield from _jsonata(spot)
        if spot.kind in ("Task", "Pass", "Map", "Parallel"):
            yield "a field of the other query language", _put(spot.path, "ResultPath", "$.x")
            yield "a field of the other query language", _put(spot.path, "InputPath", "$.x")
        return
    if spot.kind in ("Task", "Pass", "Map", "Parallel", "Wait", "Succeed"):
        yield "a field of the other query language", _put(spot.path, "Output", "{% $states.input %}")
    if spot.kind in ("Task", "Parallel"):
        yield "a field of the other query language", _put(spot.path, "Arguments", {"a": 1})
    for field in PATHS:
        text = spot.value.get(field)
        if isinstance(text, str) and text.startswith("$") and "{" not in text:
            for wrong in PATH_FAULTS:
                yield "a path that is none", _put(spot.path, field, wrong.replace("{}", text))
            yield "a path without its dollar", _put(spot.path, field, text.lstrip("$.") or "x")
    if spot.kind in ("Task", "Pass", "Map", "Parallel"):
        for wrong in ("$.a.*", "$..a", "$.a[0:2]", "$.a[?(@.b)]", "$$.a", "a"):
            yield "a ResultPath that names no single place", _put(spot.path, "ResultPath", wrong)
    for field in ("Parameters", "ResultSelector", "ItemSelector"):
        if isinstance(spot.value.get(field), dict):
            yield from _template((*spot.path, field), spot.value[field])
    yield from _tests(spot)


def _template(path: Path, value: Any) -> Iterator[tuple[str, Change]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _template((*path, index), item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if not key.endswith(".$"):
            yield from _template((*path, key), item)
            continue
        if not isinstance(item, str) or "${" in item:
            continue
        yield "a dynamic field that is no path", _put(path, key, "plain text")
        yield "a dynamic field that is no text", _put(path, key, 5)
        if item.startswith("States."):
            name = item[: item.index("(")]
            yield (
                "an intrinsic function that does not exist",
                _put(path, key, item.replace(name, name + "s", 1)),
            )
            yield "an intrinsic function that is not closed", _put(path, key, item[: item.rindex(")")])
        else:
            for wrong in PATH_FAULTS:
                yield "a path that is none", _put(path, key, wrong.replace("{}", item))


def _tests(spot: Spot) -> Iterator[tuple[str, Change]]:
    if spot.kind not in ("rule", "test") or "Variable" not in spot.value:
        return
    operators = [
        name for name in spot.value if name not in ("Variable", "Next", "Comment", "Assign", "Output")
    ]
    for name in operators:
        yield "a comparison that does not exist", _rename(spot.path, name, name + "To")
        yield "a rule without a comparison", _drop(spot.path, name)
        other = "IsNull" if name != "IsNull" else "IsString"
        yield "a rule with two comparisons", _put(spot.path, other, True)
        if name.endswith("Path"):
            yield "a path that is none", _put(spot.path, name, "plain")
        elif name.startswith("Numeric"):
            yield "a comparison with the wrong kind of value", _put(spot.path, name, "5")
        elif name.startswith("String"):
            yield "a comparison with the wrong kind of value", _put(spot.path, name, 5)
        elif name.startswith(("Boolean", "Is")):
            yield "a comparison with the wrong kind of value", _put(spot.path, name, "true")
        elif name.startswith("Timestamp"):
            yield "a comparison with the wrong kind of value", _put(spot.path, name, "noon")


def _jsonata(spot: Spot) -> Iterator[tuple[str, Change]]:
    for field in ("Output", "Arguments", "Assign", "Items", "Condition", "ItemSelector", "Seconds"):
        if field in spot.value:
            yield from _jsonata_texts(spot.path, field, spot.value[field])
    if "Condition" in spot.value:
        yield "a condition that is no expression", _put(spot.path, "Condition", "$states.input.a")


def _jsonata_texts(path: Path, key: str | int, value: Any) -> Iterator[tuple[str, Change]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _jsonata_texts((*path, key), name, item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _jsonata_texts((*path, key), index, item)
    elif isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        inner = value[2:-2].strip()
        for wrong in (
            f"({inner}",
            f"{inner} +",
            f"{inner})",
            f"{inner} ]",
            f"'{inner}" if "'" not in inner else f"[{inner}",
        ):
            yield "a JSONata expression that is none", _put(path, key, f"{{% {wrong} %}}")
        yield "a JSONata expression that is not closed", _put(path, key, f"{{% {inner}")
        yield "a name with nothing to be looked up in", _put(path, key, "{% payload.order %}")
        yield "a field of $states that does not exist", _put(path, key, "{% $states.inputs.order %}")


# What may be changed without making a definition any worse


def sound_changes(definition: Definition) -> Iterator[tuple[str, Change]]:
    """Changes after which a sound definition is as sound as before."""
    for spot in spots(definition):
        if spot.kind in ("machine", "branch", "processor") and spot.value.get("States"):
            yield "states in another order", _reverse((*spot.path, "States"))
            yield "a state renamed wherever it is named", _rename_state(spot)
        if spot.kind in STATES:
            yield "fields in another order", _reverse(spot.path)
            yield "another comment", _put(spot.path, "Comment", "as before: $.x, {% $y %} and States.Format(")
        if spot.kind == "Task":
            if not {"TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"} & {
                *spot.value
            }:
                yield "a timeout more", _put(spot.path, "TimeoutSeconds", 60)
            if "Retry" not in spot.value:
                retrier = {"ErrorEquals": ["States.Timeout"], "MaxAttempts": 0, "BackoffRate": 1}
                yield "a retrier more", _put(spot.path, "Retry", [retrier])
        if spot.kind == "retrier" and "JitterStrategy" not in spot.value:
            yield "jitter more", _put(spot.path, "JitterStrategy", "FULL")


def _reverse(path: Path) -> Change:
    def change(definition: Definition) -> None:
        owner = at(definition, path)
        items = [*reversed(owner.items())]
        owner.clear()
        owner.update(items)

    return change


def _rename_state(spot: Spot) -> Change:
    old = next(iter(spot.value["States"]))
    new = f"{old[:60]} as it is called now"

    def change(definition: Definition) -> None:
        scope = at(definition, spot.path)
        _rename((*spot.path, "States"), old, new)(definition)
        owners = [scope, *scope["States"].values()]
        for state in scope["States"].values():
            owners += [*state.get("Choices", ()), *state.get("Catch", ())]
        for owner in owners:
            for field in ("StartAt", "Next", "Default"):
                if owner.get(field) == old:
                    owner[field] = new

    return change
