"""Executions over REST: started, found, looked at, steered."""

from __future__ import annotations

from typing import Any

import pytest

from .api import FAIL, HOLD, PASS, Api
from .conftest import Running, StartServer

WORK = {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": "task:work", "End": True}}}


@pytest.fixture
def api(server: Running) -> Api:
    found = Api(server.url)
    found.machine("pass", PASS)
    found.machine("hold", HOLD)
    found.machine("fail", FAIL)
    return found


def test_a_start_is_accepted_and_says_where_the_execution_is_found(api: Api) -> None:
    told = api.start("hold", {"seconds": 3600}, name="one")
    assert told.status == 202
    assert told["id"] == "arn:aws:states:us-east-1:123456789012:execution:hold:one"
    assert (told["status"], told["profile"], told["input"]) == ("RUNNING", "detent", {"seconds": 3600})
    found = api("GET", told.headers["location"])
    assert (found.status, found["id"], found["states"]) == (200, told["id"], ["Hold"])
    assert api("GET", "/v1/executions/hold:one")["id"] == told["id"]


def test_who_waits_gets_the_end(api: Api) -> None:
    told = api("POST", "/v1/executions", {"machine": "pass", "input": {"n": 1}}, wait="30s")
    assert (told.status, told["status"], told["output"]) == (200, "SUCCEEDED", {"n": 1})
    failed = api("POST", "/v1/executions", {"machine": "fail"}, wait="30s")
    assert (failed["status"], failed["error"], failed["cause"]) == ("FAILED", "Broken", "as it should be")


def test_who_waits_in_vain_gets_how_it_stands(api: Api) -> None:
    told = api("POST", "/v1/executions", {"machine": "hold", "input": {"seconds": 3600}}, wait="10ms")
    assert (told.status, told["status"]) == (202, "RUNNING")
    again = api("GET", f"/v1/executions/{told['id']}", wait="10ms")
    assert (again.status, again["status"]) == (200, "RUNNING")


def test_an_input_beyond_the_limit_is_refused(api: Api) -> None:
    told = api.start("pass", "x" * 1_100_000)
    assert (told.status, told["type"]) == (413, "urn:detent:problem:input-too-large")


@pytest.mark.parametrize("part", [[], {}])
def test_a_body_of_too_many_parts_is_refused(api: Api, part: Any) -> None:
    told = api.start("pass", [part] * 260_000)
    assert (told.status, told["type"]) == (400, "urn:detent:problem:malformed-json")


def test_a_value_is_as_wide_as_it_likes_and_not_as_deep(api: Api) -> None:
    deep: Any = []
    for _ in range(150):
        deep = [deep, {}]
    wide = [[number, {"a": None}] for number in range(500)]
    for value in (deep, wide):
        told = api("POST", "/v1/executions", {"machine": "pass", "input": value}, wait="30s")
        assert told["output"] == value
    for _ in range(60):
        deep = {"a": deep}
    assert api.start("pass", deep).status == 400


def test_the_same_name_again_is_a_conflict(api: Api) -> None:
    assert api.start("pass", name="once").status == 202
    told = api.start("pass", name="once")
    assert (told.status, told["type"]) == (409, "urn:detent:problem:execution-exists")


def test_the_same_key_starts_one_execution(api: Api) -> None:
    body = {"machine": "pass", "input": {"order": 7}}
    first, second = (api("POST", "/v1/executions", body, {"Idempotency-Key": "order-7"}) for _ in range(2))
    assert (first.status, second.status) == (202, 202)
    assert first["id"] == second["id"]
    other = api("POST", "/v1/executions", body | {"input": 8}, {"Idempotency-Key": "order-7"})
    assert (other.status, other["type"]) == (422, "urn:detent:problem:idempotency-key-reused")
    assert len(api("GET", "/v1/executions", machine="pass")["executions"]) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"machine": "nobody"}, 404),
        ({"machine": "pass", "version": 3}, 404),
        ({"machine": "pass", "alias": "live"}, 404),
        ({"machine": "a b"}, 404),
        ({"machine": "pass", "version": 1, "alias": "live"}, 400),
        ({"machine": "pass", "name": "a b"}, 400),
        ({"machine": "pass", "inputs": {}}, 400),
        ({"machine": 7}, 400),
        ({"machine": "\ud800"}, 400),
        ({"machine": "pass", "version": "\ud800"}, 400),
        ({}, 400),
        ([], 400),
    ],
)
def test_what_cannot_be_started_is_refused(api: Api, body: Any, status: int) -> None:
    told = api("POST", "/v1/executions", body)
    assert (told.status, told.headers["content-type"]) == (status, "application/problem+json")


def test_executions_are_found_in_pages_the_newest_first(api: Api) -> None:
    for number in range(5):
        api.start("pass", name=f"n{number}")
    names, cursor = [], {}
    while cursor is not None:
        page = api("GET", "/v1/executions", limit=2, **cursor)
        names += [one["name"] for one in page["executions"]]
        cursor = {"cursor": page["next"]} if page["next"] else None
    assert names == ["n4", "n3", "n2", "n1", "n0"]


def test_executions_are_found_by_what_is_known_of_them(api: Api) -> None:
    held = api.start("hold", {"seconds": 3600})
    failed = api("POST", "/v1/executions", {"machine": "fail"}, wait="30s")

    def found(**query: Any) -> list[str]:
        return [one["id"] for one in api("GET", "/v1/executions", **query)["executions"]]

    assert found(status="RUNNING") == [held["id"]]
    assert found(machine="fail") == [failed["id"]]
    assert found(name=held["name"]) == [held["id"]]
    assert found(startedBefore=held["startedAt"]) == []
    assert found(startedAfter=held["startedAt"], status="FAILED") == [failed["id"]]
    assert api("GET", "/v1/executions", startedAfter="yesterday").status == 400
    assert api("GET", "/v1/executions", cursor="forged").status == 400
    assert api("GET", "/v1/executions", colour="red").status == 400


def test_the_history_is_that_of_the_service_in_pages(api: Api) -> None:
    id = api("POST", "/v1/executions", {"machine": "pass"}, wait="30s")["id"]
    first = api("GET", f"/v1/executions/{id}/history", limit=3)
    rest = api("GET", f"/v1/executions/{id}/history", cursor=first["next"])
    types = [event["type"] for event in first["events"] + rest["events"]]
    assert types == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    assert rest["next"] is None
    reverse = api("GET", f"/v1/executions/{id}/history", reverse="true", limit=2)
    assert [event["id"] for event in reverse["events"]] == [4, 3]


def test_the_timeline_has_a_span_for_every_visit(start_server: StartServer) -> None:
    failures = iter([True, False])

    def work(input: Any) -> Any:
        if next(failures):
            raise ValueError("not yet")
        return input

    api = Api(start_server({"work": work}).url)
    task = WORK["States"]["Work"] | {"Retry": [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 1}]}  # type: ignore[index]
    each = {"StartAt": "Work", "States": {"Work": task}}
    api.machine(
        "each", {"StartAt": "All", "States": {"All": {"Type": "Map", "ItemProcessor": each, "End": True}}}
    )
    id = api("POST", "/v1/executions", {"machine": "each", "input": [1]}, wait="60s")["id"]
    all_, item = api("GET", f"/v1/executions/{id}/timeline")["spans"]
    assert (all_["state"], all_["depth"], item["state"], item["depth"]) == ("All", 0, "Work", 1)
    assert [(attempt["status"], attempt["error"]) for attempt in item["attempts"]] == [
        ("failed", "ValueError"),
        ("succeeded", None),
    ]
    assert item["attempts"][0]["retryAt"] <= item["attempts"][1]["from"] <= item["to"]


def test_a_running_execution_is_stopped(api: Api) -> None:
    id = api.start("hold", {"seconds": 3600})["id"]
    told = api("POST", f"/v1/executions/{id}/stop", {"error": "Enough", "cause": "too long"})
    assert (told.status, told["status"], told["error"], told["cause"]) == (
        200,
        "ABORTED",
        "Enough",
        "too long",
    )
    again = api("POST", f"/v1/executions/{id}/stop")
    assert (again.status, again["status"]) == (200, "ABORTED")


def test_a_failed_execution_is_redriven(start_server: StartServer) -> None:
    failures = iter([True, False])

    def work(input: Any) -> str:
        if next(failures):
            raise ValueError("not yet")
        return "done"

    api = Api(start_server({"work": work}).url)
    api.machine("work", WORK)
    id = api("POST", "/v1/executions", {"machine": "work"}, wait="60s")["id"]
    keyed = {"Idempotency-Key": "again"}
    first, second = (api("POST", f"/v1/executions/{id}/redrive", headers=keyed) for _ in range(2))
    assert (first.status, first["redrivenAt"]) == (200, second["redrivenAt"])
    assert api("GET", f"/v1/executions/{id}", wait="60s")["output"] == "done"
    refused = api("POST", f"/v1/executions/{id}/redrive")
    assert (refused.status, refused["type"]) == (409, "urn:detent:problem:not-redrivable")


def test_an_execution_that_has_ended_is_forgotten(api: Api) -> None:
    held = api.start("hold", {"seconds": 3600})["id"]
    assert api("DELETE", f"/v1/executions/{held}")["type"] == "urn:detent:problem:still-running"
    api("POST", f"/v1/executions/{held}/stop")
    assert api("DELETE", f"/v1/executions/{held}").status == 204
    assert api("GET", f"/v1/executions/{held}").status == 404


@pytest.mark.parametrize(
    "id", ["hold", "hold:", ":", "..%2F..%2Fetc%2Fpasswd", "%00", "arn:nothing", "hold:%F0%9F"]
)
def test_an_id_that_is_none_is_not_found(api: Api, id: str) -> None:
    for method, path in (("GET", ""), ("GET", "/history"), ("POST", "/stop"), ("DELETE", "")):
        assert api(method, f"/v1/executions/{id}{path}").status == 404


def test_a_task_is_answered_by_its_token(api: Api) -> None:
    api("POST", "/v1/activities", {"name": "approve"})
    arn = "arn:aws:states:us-east-1:123456789012:activity:approve"
    ask = {"Type": "Task", "Resource": arn, "End": True, "HeartbeatSeconds": 3600}
    api.machine("ask", {"StartAt": "Ask", "States": {"Ask": ask}})
    id = api.start("ask", {"for": "a friend"})["id"]
    task = api("POST", "/v1/activities/approve/poll", {"worker": "me"})
    assert (task.status, task["input"]) == (200, {"for": "a friend"})
    assert api("POST", "/v1/tasks/heartbeat", {"token": task["token"]}).status == 204
    assert api("POST", "/v1/tasks/succeed", {"token": task["token"], "output": {"yes": 1}}).status == 204
    assert api("GET", f"/v1/executions/{id}", wait="60s")["output"] == {"yes": 1}
    late = api("POST", "/v1/tasks/fail", {"token": task["token"], "error": "TooLate"})
    assert (late.status, late["type"]) == (409, "urn:detent:problem:task-closed")
    assert api("POST", "/v1/tasks/fail", {"token": "made up"}).status == 404


def test_a_worker_that_waits_in_vain_gets_nothing(api: Api) -> None:
    api("POST", "/v1/activities", {"name": "quiet"})
    told = api("POST", "/v1/activities/quiet/poll", {"wait": "10ms"})
    assert (told.status, told.body) == (204, b"")
    assert [one["name"] for one in api("GET", "/v1/activities")["activities"]] == ["quiet"]
    assert api("DELETE", "/v1/activities/quiet").status == 204
    assert api("POST", "/v1/activities/quiet/poll").status == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"name": "order 7"}, "name: a name is without blanks and without <"),
        ({"name": ""}, "name: it is empty"),
        ({"name": "x" * 81}, "name: it has more than 80 characters"),
        ({"machine": None}, "machine: "),
        ({"nome": "x"}, "unknown field `nome`; there are machine, input, name, version, alias"),
        ({"version": 0}, "version: it is less than 1"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_words(api: Api, body: Any, words: str) -> None:
    refused = api("POST", "/v1/executions", {"machine": "pass", **body})
    assert (refused.status, refused["type"]) == (400, "urn:detent:problem:invalid-body")
    assert words in refused["detail"]
    assert "regex" not in refused["detail"]


def test_a_time_is_asked_for_in_words(api: Api) -> None:
    refused = api("POST", "/v1/executions", {"machine": "pass"}, wait="5 years")
    assert (
        refused["detail"] == "wait: a time is a whole number with its unit, which is ms, s or m (write 30s)"
    )
