"""What operators look at over REST."""

from __future__ import annotations

from pathlib import Path

import pytest

from .api import FAIL, HOLD, PASS, Api
from .conftest import Running, StartServer


@pytest.fixture
def api(server: Running) -> Api:
    found = Api(server.url)
    found.machine("pass", PASS)
    found.machine("hold", HOLD)
    found.machine("fail", FAIL)
    return found


def test_the_dashboard_counts_by_status(start_server: StartServer, tmp_path: Path) -> None:
    api = Api(start_server(store=str(tmp_path / "detent.db")).url)
    api.machine("pass", PASS)
    api.machine("hold", HOLD)
    for _ in range(2):
        api("POST", "/v1/executions", {"machine": "pass"}, wait="60s")
    api.start("hold", {"seconds": 3600})
    told = api("GET", "/v1/admin/dashboard")
    assert told["executions"] == {"SUCCEEDED": 2, "RUNNING": 1}
    assert told["storeBytes"] > 0


def test_incidents_say_why_and_at_which_step(api: Api) -> None:
    nested = {
        "StartAt": "All",
        "States": {"All": {"Type": "Parallel", "Branches": [FAIL], "End": True}},
    }
    api.machine("nested", nested)
    first = api("POST", "/v1/executions", {"machine": "fail"}, wait="60s")["id"]
    second = api("POST", "/v1/executions", {"machine": "nested"}, wait="60s")["id"]
    api("POST", "/v1/executions", {"machine": "pass"}, wait="60s")
    page = api("GET", "/v1/admin/incidents", limit=1)
    rest = api("GET", "/v1/admin/incidents", cursor=page["next"])
    [later], [earlier] = page["failed"], rest["failed"]
    assert (later["execution"], later["step"], later["error"]) == (second, "F", "Broken")
    assert (earlier["execution"], earlier["step"]) == (first, "F")
    assert (earlier["error"], earlier["cause"], earlier["machine"]) == ("Broken", "as it should be", "fail")
    assert rest["next"] is None
    assert (rest["stuck"], rest["unhandled"]) == ([], [])


def test_what_is_stuck_is_an_incident_with_its_reason_and_step(api: Api) -> None:
    id = api.start("hold", {"seconds": 3600})["id"]
    api("POST", f"/v1/executions/{id}/pause")
    while not api("GET", f"/v1/executions/{id}")["paused"]:
        pass
    [stuck] = api("GET", "/v1/admin/incidents")["stuck"]
    assert (stuck["execution"], stuck["machine"], stuck["reason"], stuck["step"]) == (
        id,
        "hold",
        "paused",
        "Hold",
    )
    assert "until it is resumed" in stuck["detail"]
    assert stuck["startedAt"] <= stuck["since"]


def test_a_server_is_a_worker_with_a_lease(server: Running, api: Api) -> None:
    api("POST", "/v1/executions", {"machine": "pass"}, wait="60s")
    owners = [worker["owner"] for worker in api("GET", "/v1/admin/workers")["workers"]]
    assert owners == [server.server.service.engine.owner]


def test_the_queue_is_measured(api: Api) -> None:
    api.start("hold", {"seconds": 3600})
    told = api("GET", "/v1/admin/queue")
    assert (told.status, told["ready"], told["tasks"], told["waiting"]) == (200, 0, 0, [])
