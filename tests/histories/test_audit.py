"""Verify and replay: sound logs have no findings, damaged or diverging ones are found at their place."""

from __future__ import annotations

from typing import Any

import pytest
from core.building import machine, wait

from detent.audit import replay, verify
from detent.compile import compile_definition
from detent.core.codec import Step
from detent.core.events import ExecutionEnded, StateEntered, TimerFired
from detent.core.rows import replaced

from .lists import LISTED, name
from .performing import performed
from .test_recordings import ALL

DEFINITION: dict[str, Any] = {
    "StartAt": "Pause",
    "States": {
        "Pause": {"Type": "Wait", "Seconds": 5, "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {"StartAt": "Item", "States": {"Item": {"Type": "Pass", "End": True}}},
            "End": True,
        },
    },
}


def log(definition: dict[str, Any] = DEFINITION) -> list[Step]:
    recording = {
        "definition": definition,
        "input": {"items": [1, 2]},
        "state_machine_name": "m",
        "role_arn": "role",
        "type": "STANDARD",
        "api": "StartExecution",
        "expected": {},
    }
    return performed(recording)[0].steps


def changed(steps: list[Step], kind: type, **fields: Any) -> list[Step]:
    """The log with the first event of a kind changed."""
    done = False
    out = []
    for step in steps:
        events = []
        for event in step.events:
            if isinstance(event, kind) and not done:
                event, done = replaced(event, **fields), True
            events.append(event)
        out.append(replaced(step, events=events))
    return out


@pytest.mark.parametrize("recording", [pytest.param(r, id=r["id"]) for r in ALL if name(r) not in LISTED])
def test_every_log_verifies_and_replays(recording: dict[str, Any]) -> None:
    performance, _ = performed(recording)
    assert verify(performance.steps) == []
    assert replay(performance.machine, performance.steps) is None


def laws(steps: list[Step]) -> list[tuple[str, int]]:
    return [(breach.law, breach.event) for breach in verify(steps)]


def test_an_empty_log_has_no_start() -> None:
    assert laws([]) == [("a log begins with a start", 0)]


def test_a_log_cut_short_is_stuck_only_if_nothing_is_pending() -> None:
    steps = log()
    assert laws(steps[:1]) == []
    cut = replaced(steps[1], events=steps[1].events[:-1])
    assert laws([steps[0], cut]) == [("a running execution waits for something", 0)]


def test_what_follows_the_end_is_found() -> None:
    steps = log()
    assert ("nothing but a redrive follows the end", 19) in laws(
        [*steps, replaced(steps[-1], events=[steps[-1].events[-1]])]
    )


def test_a_gap_in_the_shown_history_is_found() -> None:
    assert laws(changed(log(), ExecutionEnded, shown=99)) == [("the shown history has no gaps", 18)]


def test_time_that_goes_back_is_found() -> None:
    assert ("time never goes back", 2) in laws(changed(log(), StateEntered, at=1))


def test_an_answer_to_nothing_is_found() -> None:
    assert ("an answer belongs to something pending", 4) in laws(changed(log(), TimerFired, pending=77))


def test_a_timer_that_fired_early_is_found() -> None:
    steps = log()
    early = [steps[0], replaced(steps[1], now=steps[0].now + 4_999), *steps[2:]]
    assert ("a timer is never early", 4) in laws(early)


def test_a_changed_state_is_named_by_replay() -> None:
    definition = {**DEFINITION, "States": {**DEFINITION["States"]}}
    definition["States"]["Pause"] = {"Type": "Wait", "Seconds": 6, "Next": "Each"}
    found = replay(compile_definition(definition), log())
    assert found is not None
    assert (found.event, found.scope, found.state) == (3, "", "Pause")


def test_a_missing_state_is_named_by_replay() -> None:
    found = replay(machine(wait("Pause", 5, "Gone")), log())
    assert found is not None
    assert found.problem == "the definition has no 'Gone'"
