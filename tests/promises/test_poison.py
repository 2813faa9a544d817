"""A task that kills its process is not run for ever, and its neighbours do not pay for it (P11)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .judge import findings
from .world import say, world

NEIGHBOURS = 30
POISON: Any = {"StartAt": "P", "States": {"P": {"Type": "Task", "Resource": "task:poison", "End": True}}}
WORK: Any = {
    "StartAt": "Pause",
    "States": {
        "Pause": {"Type": "Wait", "Seconds": 1, "Next": "A"},
        "A": {"Type": "Task", "Resource": "task:note", "Next": "B"},
        "B": {"Type": "Task", "Resource": "task:note", "End": True},
    },
}


def test_a_task_that_kills_the_server_is_quarantined_and_its_neighbours_succeed(tmp_path: Path) -> None:
    with world(tmp_path) as under:
        under.start()
        under.machine("work", WORK)
        under.machine("poison", POISON)
        for number in range(NEIGHBOURS):
            assert under.begin("work", f"n{number}")
        under.supervised = True
        under.begin("poison", "poison")
        ended = under.until_ended()
        poison = ended.pop("poison")
        assert poison["status"] == "FAILED"
        assert "Quarantined" in under.insist("GET", f"/v1/executions/{poison['id']}").json["cause"]
        assert {one["status"] for one in ended.values()} == {"SUCCEEDED"}
        assert len(ended) == NEIGHBOURS
        for one in (poison, *ended.values()):
            assert findings(under.history(one["id"])) == []
        runs = sum(effect.execution == "poison" for effect in under.effects())
        assert 1 <= runs <= 10
        assert {effect.execution for effect in under.effects()} == {"poison", *ended}
        say(f"P11: {runs} runs of the poison, then FAILED; {NEIGHBOURS} neighbours SUCCEEDED")
