"""Comparing what we answer with what was recorded: masks, histories, values whose texts were parsed."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime
from typing import Any

from detent.core.execution import Execution

#: Since then a distributed Map's state is left from where its Map Run started, not from where that succeeded.
EXITS_FROM_RUN_SINCE = datetime(2024, 11, 13, tzinfo=UTC)
#: Events that recordings lack where branches ran side by side.
_LEFT_OUT = ("ParallelStateSucceeded", "ParallelStateFailed")

#: A place, what was recorded there, and what is ours.
Difference = tuple[str, Any, Any]


def logged(event: dict[str, Any], execution: Execution) -> dict[str, Any]:
    """An event as it stands in the log group of an Express machine."""
    details: Any = next((part for key, part in event.items() if key.endswith("EventDetails")), {})
    return {
        "id": str(event["id"]),
        "type": event["type"],
        "details": plain(details),
        "previous_event_id": str(event["previousEventId"]),
        "event_timestamp": str(execution.now),
        "execution_arn": execution.id,
        "redrive_count": str(execution.redrive_count),
    }


def difference(recording: dict[str, Any], events: list[dict[str, Any]]) -> Difference | None:
    """The first place where a history is not the recorded one: path, recorded, ours."""
    want = _as_since_changed(recording)
    got = [plain(event) for event in events]
    if recording["expected"].get("unordered"):
        # Where branches ran side by side these events were left out of the recording.
        got = [event for event in got if event["type"] not in _LEFT_OUT]
    masks = masks_of(recording)
    place = 0
    while place < len(want):
        if want[place].get("id") != 0:
            have = got[place] if place < len(got) else "<absent>"
            if found := first_difference(want[place], have, masks, f"events[{place}]"):
                return found
            place += 1
            continue
        end = next((i for i in range(place, len(want)) if want[i].get("id") != 0), len(want))
        if found := _unordered_difference(want[place:end], got[place:end], masks):
            return found
        place = end
    return None if len(got) <= len(want) else (f"events[{len(want)}]", "<absent>", got[len(want)])


def _as_since_changed(recording: dict[str, Any]) -> list[Any]:
    """The recorded history, but for what the service has changed since."""
    history: list[Any] = recording["expected"]["history"]
    recorded = datetime.strptime(recording["recorded"], "%d-%m-%Y, %H:%M:%S").replace(tzinfo=UTC)
    if recorded >= EXITS_FROM_RUN_SINCE:
        return history
    runs = {event["id"]: event["previousEventId"] for event in history if event["type"] == "MapRunSucceeded"}
    return [
        {**event, "previousEventId": runs.get(event["previousEventId"], event["previousEventId"])}
        if event["type"] == "MapStateExited"
        else event
        for event in history
    ]


def _unordered_difference(want: list[Any], got: list[Any], masks: Masks) -> Difference | None:
    """Events of branches that ran side by side were recorded as a set, without ids."""
    pool = [_without_ids(event) for event in got]
    for event in want:
        for candidate in pool:
            trial = copy.deepcopy(masks)
            if first_difference(_without_ids(event), candidate, trial) is None:
                masks.bound = trial.bound
                pool.remove(candidate)
                break
        else:
            return ("side by side", event, "<absent>")
    return None


def _without_ids(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in ("id", "previousEventId")}


def plain(value: Any) -> Any:
    """Texts that are JSON objects parsed, one level: how the recordings hold them."""
    if isinstance(value, dict):
        return {
            key: _parsed_text(part) if isinstance(part, str) else plain(part) for key, part in value.items()
        }
    return [plain(part) for part in value] if isinstance(value, list) else value


def _parsed_text(text: str) -> Any:
    if text.startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            pass
    return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


class Masks:
    """Placeholders of a recording, and what the numbered ones have stood for so far."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = sorted(tokens, key=len, reverse=True)
        self.bound: dict[str, Any] = {}
        self._split = re.compile("(" + "|".join(map(re.escape, self.tokens)) + ")") if tokens else None

    def match(self, expected: str, actual: Any) -> bool:
        # A value that was masked twice is masked.
        expected = re.sub(r"<(<[^<>]+>):\d+>", r"\1", expected)
        if expected == actual:
            return True
        if self._split is None or not self._split.search(expected):
            return False
        if expected in self.tokens:
            return self._bind(expected, actual)
        if not isinstance(actual, str):
            return False
        parts = self._split.split(expected)
        pattern = "".join("(.*?)" if part in self.tokens else re.escape(part) for part in parts)
        found = re.fullmatch(pattern, actual, re.DOTALL)
        order = [part for part in parts if part in self.tokens]
        return bool(found) and all(map(self._bind, order, found.groups()))  # type: ignore[union-attr]

    def holds_values(self, text: str) -> bool:
        """Whether a text is an array with masks: it was written anew, and is compared by what it holds."""
        return text.startswith("[") and bool(self._split and self._split.search(text)) and _json(text) != text

    def _bind(self, token: str, actual: Any) -> bool:
        if not re.fullmatch(r".*:\d+>", token):
            return True
        return bool(self.bound.setdefault(token, actual) == actual)


#: Parts of names that were masked, and have lost the brackets that say so.
_BARE = re.compile(r"\b[A-Za-z]+Part[0-9]+_[0-9]+idx\b")


def masks_of(recording: dict[str, Any]) -> Masks:
    """The placeholders of a recording."""
    bare = set(_BARE.findall(json.dumps(recording["expected"])))
    return Masks([*recording.get("placeholders", {}), *bare])


def first_difference(expected: Any, actual: Any, masks: Masks, path: str = "$") -> Difference | None:
    """None if ``actual`` satisfies ``expected``; the order of an object's keys does not matter."""
    if isinstance(actual, str) and isinstance(expected, (list, int, float)):
        # A few recordings hold texts that are not objects parsed, too.
        actual = _json(actual)
    if isinstance(expected, str) and isinstance(actual, str) and masks.holds_values(expected):
        return first_difference(_json(expected), _json(actual), masks, path)
    if isinstance(expected, dict) and isinstance(actual, dict):
        keys = [*expected, *(key for key in actual if key not in expected)]
        for key in sorted(keys, key=lambda key: key != "type"):
            if key not in expected or key not in actual:
                return (f"{path}.{key}", expected.get(key, "<absent>"), actual.get(key, "<absent>"))
            if found := first_difference(expected[key], actual[key], masks, f"{path}.{key}"):
                return found
        return None
    if isinstance(expected, list) and isinstance(actual, list):
        for index, (a, b) in enumerate(zip(expected, actual, strict=False)):
            if found := first_difference(a, b, masks, f"{path}[{index}]"):
                return found
        return None if len(expected) == len(actual) else (path, expected, actual)
    if isinstance(expected, str):
        return None if masks.match(expected, actual) else (path, expected, actual)
    if isinstance(expected, bool) or isinstance(actual, bool):
        return None if expected is actual else (path, expected, actual)
    return None if expected == actual else (path, expected, actual)
