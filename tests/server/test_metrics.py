"""``/metrics``: what Prometheus reads."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from .api import FAIL, HOLD, PASS, Api
from .conftest import Running, StartServer


def measured(api: Api) -> dict[tuple[str, str], float]:
    """The values by name and machine; the machine is empty where there is none."""
    told = api("GET", "/metrics")
    assert told.status == 200
    assert told.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, sample.labels.get("state_machine", "")): sample.value
        for family in text_string_to_metric_families(told.body.decode())
        for sample in family.samples
        if "le" not in sample.labels
    }


def test_executions_are_counted_by_machine_and_end(server: Running) -> None:
    api = Api(server.url)
    api.machine("pass", PASS)
    api.machine("fail", FAIL)
    api.machine("hold", HOLD)
    for machine in ("pass", "pass", "fail"):
        api("POST", "/v1/executions", {"machine": machine}, wait="60s")
    held = api.start("hold", {"seconds": 3600})["id"]
    api("POST", f"/v1/executions/{held}/stop")
    values = measured(api)
    assert values["detent_executions_started_total", "pass"] == 2
    assert values["detent_executions_succeeded_total", "pass"] == 2
    assert values["detent_execution_time_seconds_count", "pass"] == 2
    assert values["detent_state_transitions_total", "pass"] == 2
    assert values["detent_executions_failed_total", "fail"] == 1
    assert values["detent_executions_aborted_total", "hold"] == 1
    assert ("detent_executions_failed_total", "pass") not in values


def test_time_outs_and_tasks_are_counted(start_server: StartServer) -> None:
    api = Api(start_server({"work": lambda input: input}).url)
    work = {"Type": "Task", "Resource": "task:work", "Next": "Hold"}
    hold = {"Type": "Wait", "Seconds": 3600, "End": True}
    api.machine("late", {"StartAt": "Work", "TimeoutSeconds": 1, "States": {"Work": work, "Hold": hold}})
    assert api("POST", "/v1/executions", {"machine": "late"}, wait="60s")["status"] == "TIMED_OUT"
    values = measured(api)
    assert values["detent_executions_timed_out_total", "late"] == 1
    assert values["detent_tasks_scheduled_total", "late"] == 1
    assert values["detent_tasks_succeeded_total", "late"] == 1


def test_commits_timers_and_the_store_are_measured(start_server: StartServer, tmp_path: Path) -> None:
    api = Api(start_server(store=str(tmp_path / "detent.db")).url)
    api.machine("hold", HOLD)
    api("POST", "/v1/executions", {"machine": "hold", "input": {"seconds": 1}}, wait="60s")
    api.start("hold", {"seconds": 3600})
    values = measured(api)
    assert values["detent_commit_seconds_count", ""] >= 2
    assert values["detent_commit_batch_size_sum", ""] >= 2
    assert values["detent_timer_lag_seconds_count", ""] == 1
    assert values["detent_store_bytes", ""] > 0
    assert values["detent_store_up", ""] == 1
    assert {name for name, _ in values} >= {
        "detent_queue_depth",
        "detent_executions_live",
        "detent_tasks_running",
        "detent_wanted_executions",
    }
