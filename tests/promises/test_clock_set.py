"""The wall clock is set by an hour while timers run: what is counted in seconds takes as long as it was meant to (P7).

An absolute instant follows the clock on the wall.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from .judge import findings
from .world import PATIENCE, World, say, world

HOUR = 3600
SECONDS = 4
WAIT: Any = {
    "StartAt": "W",
    "States": {"W": {"Type": "Wait", "Seconds": SECONDS, "Next": "Done"}, "Done": {"Type": "Succeed"}},
}
RETRY: Any = {
    "StartAt": "R",
    "States": {
        "R": {
            "Type": "Task",
            "Resource": "task:once",
            "Retry": [{"ErrorEquals": ["NotYet"], "IntervalSeconds": SECONDS, "MaxAttempts": 1}],
            "End": True,
        }
    },
}
LIMIT: Any = {
    "StartAt": "L",
    "TimeoutSeconds": SECONDS,
    "States": {"L": {"Type": "Wait", "Seconds": 100 * HOUR, "End": True}},
}
UNTIL: Any = {"StartAt": "U", "States": {"U": {"Type": "Wait", "TimestampPath": "$.at", "End": True}}}
MACHINES = {"wait": WAIT, "retry": RETRY, "limit": LIMIT}
ENDS = {"wait": "SUCCEEDED", "retry": "SUCCEEDED", "limit": "TIMED_OUT"}


@pytest.fixture
def ahead(tmp_path: Path) -> Path:
    """How many seconds the wall clock of the server shows too much."""
    file = tmp_path / "ahead"
    file.write_text("0")
    return file


def with_clock(under: World, ahead: Path) -> None:
    under.environment["PYTHONPATH"] = str(Path(__file__).with_name("clock"))
    under.environment["WALL_CLOCK_AHEAD"] = str(ahead)
    under.start()


def turn(ahead: Path, seconds: int) -> None:
    """Set the clock; nobody sees half of the number."""
    new = ahead.with_name("new")
    new.write_text(str(seconds))
    new.replace(ahead)


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_seconds_do_not_care_about_the_wall_clock(tmp_path: Path, ahead: Path, step: int) -> None:
    with world(tmp_path) as under:
        with_clock(under, ahead)
        begun = {}
        for name, definition in MACHINES.items():
            under.machine(name, definition)
        for name in MACHINES:
            begun[name] = time.monotonic()
            assert under.begin(name, name)
        turn(ahead, step)
        took: dict[str, float] = {}
        while len(took) < len(MACHINES):
            assert time.monotonic() - min(begun.values()) < PATIENCE, f"only {took} have ended"
            for name, one in under.executions().items():
                if one["status"] != "RUNNING":
                    took.setdefault(name, time.monotonic() - begun[name])
        assert {name: one["status"] for name, one in under.executions().items()} == ENDS
        for name, one in under.executions().items():
            assert took[name] >= SECONDS, f"{name} was early"
            assert findings(under.history(one["id"])) == []
        off = {name: round(seconds - SECONDS, 2) for name, seconds in took.items()}
        say(f"P7: the clock set by {step:+} s, {SECONDS} s took so much longer: {off}")


def test_an_instant_follows_the_wall_clock(tmp_path: Path, ahead: Path) -> None:
    with world(tmp_path) as under:
        with_clock(under, ahead)
        under.machine("until", UNTIL)
        half = datetime.fromtimestamp(time.time() + HOUR / 2, UTC).isoformat()
        assert under.begin("until", "until", {"at": half})
        assert under.executions()["until"]["status"] == "RUNNING"
        turn(ahead, HOUR)
        assert under.until_ended()["until"]["status"] == "SUCCEEDED"
