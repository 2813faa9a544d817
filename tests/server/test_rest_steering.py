"""Executions steered over REST: named signals, pauses, resumptions with a value."""

from __future__ import annotations

import pytest

from .api import HOLD, PASS, Api
from .conftest import Running

ASK = {
    "StartAt": "Ask",
    "States": {"Ask": {"Type": "Task", "Resource": "signal:answer", "TimeoutSeconds": 3600, "End": True}},
}


@pytest.fixture
def api(server: Running) -> Api:
    found = Api(server.url)
    found.machine("ask", ASK)
    found.machine("hold", HOLD)
    found.machine("pass", PASS)
    return found


def ended(api: Api, name: str) -> tuple[str, object]:
    told = api("GET", f"/v1/executions/{name}", wait="60s")
    return told["status"], told["output"]


def test_a_signal_answers_the_state_that_waits_for_it(api: Api) -> None:
    api.start("ask", name="one")
    told = api("POST", "/v1/executions/ask:one/signal", {"name": "answer", "value": {"yes": True}})
    assert told.status == 202
    assert ended(api, "ask:one") == ("SUCCEEDED", {"yes": True})


def test_a_name_that_no_state_waits_for_is_refused_with_the_right_one(api: Api) -> None:
    api.start("ask", name="two")
    told = api("POST", "/v1/executions/ask:two/signal", {"name": "anwser"})
    assert (told.status, told["type"]) == (400, "urn:detent:problem:unknown-signal")
    assert "did you mean 'answer'?" in told["detail"]


def test_a_paused_execution_keeps_what_comes_and_goes_on_when_it_is_resumed(api: Api) -> None:
    api.start("hold", {"seconds": 5}, name="three")
    assert api("POST", "/v1/executions/hold:three/pause").status == 202
    told = api("GET", "/v1/executions/hold:three", wait="6s")
    assert (told["status"], told["paused"]) == ("RUNNING", True)
    assert api("POST", "/v1/executions/hold:three/resume").status == 202
    assert ended(api, "hold:three") == ("SUCCEEDED", {"seconds": 5})


def test_a_value_stands_in_for_what_is_waited_for(api: Api) -> None:
    api.start("ask", name="four")
    api("POST", "/v1/executions/ask:four/pause")
    while not api("GET", "/v1/executions/ask:four", wait="50ms")["paused"]:
        pass
    assert api("POST", "/v1/executions/ask:four/resume", {"value": None, "state": "Ask"}).status == 202
    assert ended(api, "ask:four") == ("SUCCEEDED", None)


def test_what_has_ended_is_not_steered(api: Api) -> None:
    api("POST", "/v1/executions", {"machine": "pass", "name": "five"}, wait="60s")
    for what, body in (("pause", None), ("resume", {}), ("signal", {"name": "answer"})):
        told = api("POST", f"/v1/executions/pass:five/{what}", body)
        assert (told.status, told["type"]) == (409, "urn:detent:problem:not-running")
