"""Limits hold: an endless loop ends, what is too large is refused or fails (P16)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .judge import findings
from .world import say, world

LOOP: Any = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.end", "IsPresent": True, "Next": "C"}],
            "Default": "A",
        },
        "C": {"Type": "Succeed"},
    },
}
PASS: Any = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
#: Doubles a text until it does not fit any more.
GROW: Any = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Parameters": {"t.$": "States.Format('{}{}', $.t, $.t)"}, "Next": "B"},
        "B": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.end", "IsPresent": True, "Next": "C"}],
            "Default": "A",
        },
        "C": {"Type": "Succeed"},
    },
}
ROLE = "arn:aws:iam::123456789012:role/any"


def test_what_has_no_end_and_what_is_too_large_ends_by_the_limits_of_the_service(tmp_path: Path) -> None:
    with world(tmp_path) as under:
        under.start()

        def machine(name: str, definition: Any) -> str:
            told = under.sfn("CreateStateMachine", name=name, definition=json.dumps(definition), roleArn=ROLE)
            assert told.status == 200, told
            arn: str = told.json["stateMachineArn"]
            return arn

        def ended(arn: str, input: str = "{}") -> dict[str, Any]:
            told = under.sfn("StartExecution", stateMachineArn=arn, input=input)
            assert told.status == 200, told
            id = told.json["executionArn"]
            found = under.ask("GET", f"/v1/executions/{id}?wait=60s").json
            while found["status"] == "RUNNING":
                found = under.ask("GET", f"/v1/executions/{id}?wait=60s").json
            return dict(found)

        loop = ended(machine("loop", LOOP))
        events = under.history(loop["id"])
        assert loop["status"] == "FAILED"
        assert len(events) == 25_000
        assert findings(events) == []
        assert events[-1]["type"] == "ExecutionFailed"

        grown = ended(machine("grow", GROW), '{"t": "0123456789abcdef"}')
        assert (grown["status"], grown["error"]) == ("FAILED", "States.DataLimitExceeded")

        arn = machine("pass", PASS)
        largest = json.dumps("x" * (262_144 - 2))
        assert ended(arn, largest)["status"] == "SUCCEEDED"
        told = under.sfn("StartExecution", stateMachineArn=arn, input=json.dumps("x" * (262_144 - 1)))
        assert told.status == 400, told
        for name, fits in (
            ("n" * 80, True),
            ("n" * 81, False),
            ("a b", False),
            ("a\u0000b", False),
            ("", False),
        ):
            told = under.sfn("StartExecution", stateMachineArn=arn, name=name)
            assert (told.status == 200) is fits, (name, told)
        say(f"P16: an endless loop FAILED at event {len(events)}: {loop['error']}")
