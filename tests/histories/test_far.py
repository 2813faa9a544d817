"""Waits into the far future: how far the service goes, and recordings that were read before such a wait was over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from .performing import EXACT, LATER, WRONG, judged

STARTED = {"inputDetails": {"truncated": False}, "roleArn": "role"}


def waiting(days: int, expected: dict[str, Any]) -> dict[str, Any]:
    """A recording of a Wait for an instant that many days ahead."""
    then = datetime.fromtimestamp(LATER / 1000, UTC) + timedelta(days=days)
    return {
        "id": "far",
        "definition": {
            "StartAt": "W",
            "States": {"W": {"Type": "Wait", "TimestampPath": "$.at", "End": True}},
        },
        "input": {"at": f"{then:%Y-%m-%dT%H:%M:%SZ}"},
        "state_machine_name": "m",
        "role_arn": "role",
        "type": "STANDARD",
        "api": "StartExecution",
        "recorded": "01-11-2025, 00:00:00",
        "expected": expected,
    }


def on_the_way(days: int, name: str) -> dict[str, Any]:
    """What was read of one while it waited."""
    recording = waiting(days, {})
    entered = {"name": name, "input": recording["input"], "inputDetails": {"truncated": False}}
    history = [
        {
            "id": 1,
            "previousEventId": 0,
            "type": "ExecutionStarted",
            "executionStartedEventDetails": {"input": recording["input"], **STARTED},
        },
        {"id": 2, "previousEventId": 0, "type": "WaitStateEntered", "stateEnteredEventDetails": entered},
    ]
    return waiting(days, {"partial": True, "history": history})


def test_the_service_waits_for_sixty_eight_years_and_not_longer() -> None:
    where = "An error occurred while executing the state 'W' (entered at the event id #2)."
    cause = f"{where} Wait state delay is too long."
    failed = {"status": "FAILED", "error": "States.Runtime", "cause": cause}
    assert judged(waiting(24_856, failed)).kind == EXACT
    assert judged(on_the_way(24_855, "W")).kind == EXACT


def test_what_was_read_on_the_way_is_held_against_the_beginning() -> None:
    assert judged(on_the_way(24_855, "Other")).kind == WRONG
