"""State machines over REST: created, changed, published, deployed, tried and drawn."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .api import FAIL, HOLD, PASS, Api
from .conftest import Running, StartServer


@pytest.fixture
def api(server: Running) -> Api:
    return Api(server.url)


def test_a_machine_is_created_and_found(api: Api) -> None:
    told = api.machine("order", PASS)
    assert told.headers["location"] == "/v1/machines/order"
    found = api("GET", "/v1/machines/order")
    assert (found["arn"], found["definition"]) == (
        "arn:aws:states:us-east-1:123456789012:stateMachine:order",
        PASS,
    )
    assert found.headers["etag"] == told.headers["etag"]
    assert api("GET", f"/v1/machines/{found['arn']}")["name"] == "order"


def test_a_definition_may_be_a_text_in_yaml(api: Api) -> None:
    text = "StartAt: A\nStates:\n  A: {Type: Pass, End: true}\n"
    assert api.machine("yaml", text)["definition"] == PASS


def test_an_unsound_definition_is_refused_with_all_that_was_found(api: Api) -> None:
    wrong = {"StartAt": "B", "States": {"A": {"Type": "Pass", "Next": "C"}}}
    told = api("POST", "/v1/machines", {"name": "wrong", "definition": wrong})
    assert (told.status, told["type"]) == (400, "urn:detent:problem:invalid-definition")
    places = {(each["code"], each["pointer"]) for each in told["diagnostics"]}
    assert {("missing-target", "/StartAt"), ("missing-target", "/States/A/Next")} <= places
    text = json.dumps(wrong, indent=1)
    told = api("POST", "/v1/machines", {"name": "wrong", "definition": text})
    assert {each["line"] for each in told["diagnostics"]} >= {2, 6}
    assert api("POST", "/v1/machines", {"name": "wrong", "definition": "{"}).status == 400
    assert api("GET", "/v1/machines/wrong").status == 404


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "OutputPath": "${Path}", "End": True},
        {
            "Type": "Task",
            "Resource": "task:x",
            "End": True,
            "Retry": [{"ErrorEquals": ["E"], "BackoffRate": 10**400}],
        },
    ],
)
def test_what_cannot_be_compiled_is_refused(api: Api, state: Any) -> None:
    body = {"name": "m", "definition": {"StartAt": "A", "States": {"A": state}}}
    told = api("POST", "/v1/machines", body)
    assert (told.status, told["type"]) == (400, "urn:detent:problem:compile")


def test_the_same_machine_again_changes_nothing_and_another_one_is_a_conflict(api: Api) -> None:
    api.machine("order", PASS)
    again = api("POST", "/v1/machines", {"name": "order", "definition": PASS})
    assert again.status == 200
    told = api("POST", "/v1/machines", {"name": "order", "definition": FAIL})
    assert (told.status, told["type"]) == (409, "urn:detent:problem:machine-exists")


def test_a_definition_is_replaced_if_it_is_the_one_that_was_seen(api: Api) -> None:
    etag = api.machine("order", PASS).headers["etag"]
    told = api("PUT", "/v1/machines/order", {"definition": FAIL}, {"If-Match": etag})
    assert told.status == 200
    assert told.headers["etag"] != etag
    stale = api("PUT", "/v1/machines/order", {"definition": PASS}, {"If-Match": etag})
    assert (stale.status, stale["type"]) == (412, "urn:detent:problem:definition-changed")
    assert api("GET", "/v1/machines/order")["definition"] == FAIL


def test_versions_are_published_and_deployed_by_shares(api: Api) -> None:
    api.machine("order", PASS)
    first = api("POST", "/v1/machines/order/versions", {"description": "the first"})
    assert (first.status, first["version"], first["description"]) == (201, 1, "the first")
    assert api("POST", "/v1/machines/order/deploy", {"version": 1})["versions"] == {"1": 100}
    api("PUT", "/v1/machines/order", {"definition": FAIL})
    assert api("POST", "/v1/machines/order/versions")["version"] == 2
    assert api("POST", "/v1/machines/order/deploy", {"version": 2, "percent": 10})["versions"] == {
        "2": 10,
        "1": 90,
    }
    assert api("POST", "/v1/machines/order/deploy", {"version": 2})["versions"] == {"2": 100}
    listed = api("GET", "/v1/machines/order/versions")["versions"]
    assert [(one["version"], one["aliases"]) for one in listed] == [(2, ["live"]), (1, [])]
    for members, status in (({"version": 1}, "SUCCEEDED"), ({"alias": "live"}, "FAILED")):
        told = api("POST", "/v1/executions", {"machine": "order", **members}, wait="30s")
        assert told["status"] == status
    assert api("POST", "/v1/machines/order/deploy", {"version": 9}).status == 404
    assert api("DELETE", "/v1/machines/order/versions/2").status == 409
    assert api("DELETE", "/v1/machines/order/versions/1").status == 204


def test_a_deprecated_version_starts_nothing_any_more(api: Api) -> None:
    api.machine("order", HOLD)
    api("POST", "/v1/machines/order/versions")
    running = api("POST", "/v1/executions", {"machine": "order", "version": 1, "input": {"seconds": 3600}})
    told = api("POST", "/v1/machines/order/versions/1/deprecate")
    assert (told.status, told["version"]) == (200, 1)
    [listed] = api("GET", "/v1/machines/order/versions")["versions"]
    assert listed["deprecatedAt"] == told["deprecatedAt"] is not None
    deploy = api("POST", "/v1/machines/order/deploy", {"version": 1})
    start = api("POST", "/v1/executions", {"machine": "order", "version": 1})
    assert [(one.status, one["type"]) for one in (deploy, start)] == [
        (409, "urn:detent:problem:version-deprecated")
    ] * 2
    assert api("GET", f"/v1/executions/{running['id']}")["status"] == "RUNNING"

    again = api("POST", "/v1/machines/order/versions/1/deprecate", {"deprecated": False})
    assert again["deprecatedAt"] is None
    assert api("POST", "/v1/machines/order/deploy", {"version": 1}).status == 200
    used = api("POST", "/v1/machines/order/versions/1/deprecate")
    assert (used.status, used["type"]) == (409, "urn:detent:problem:version-in-use")
    assert api("POST", "/v1/machines/order/versions/9/deprecate").status == 404


def test_a_machine_is_cloned(api: Api) -> None:
    api.machine("order", PASS)
    told = api("POST", "/v1/machines/order/clone", {"name": "copy"})
    assert (told.status, told["definition"]) == (201, PASS)
    names = [one["name"] for one in api("GET", "/v1/machines")["machines"]]
    assert names == ["order", "copy"]
    page = api("GET", "/v1/machines", limit=1)
    assert [one["name"] for one in api("GET", "/v1/machines", cursor=page["next"])["machines"]] == ["copy"]


def test_a_machine_is_deleted_with_its_executions(api: Api) -> None:
    api.machine("order", PASS)
    id = api("POST", "/v1/executions", {"machine": "order"}, wait="30s")["id"]
    assert api("DELETE", "/v1/machines/order").status == 202
    assert api("GET", "/v1/machines/order").status == 404
    assert api("GET", f"/v1/executions/{id}").status == 404


def test_a_task_that_is_tried_without_a_mock_is_done_by_its_handler(start_server: StartServer) -> None:
    api = Api(start_server({"work": lambda n: n + 1}).url)
    api.machine(
        "order", {"StartAt": "W", "States": {"W": {"Type": "Task", "Resource": "task:work", "End": True}}}
    )
    told = api("POST", "/v1/machines/order/test", {"input": 1})
    assert (told.status, told["status"], told["output"]) == (200, "SUCCEEDED", 2)


def test_a_state_is_tried_with_a_mock(api: Api) -> None:
    work = {
        "Type": "Task",
        "Resource": "task:work",
        "ResultPath": "$.done",
        "Catch": [{"ErrorEquals": ["Oh"], "Next": "Sorry"}],
        "End": True,
    }
    api.machine("order", {"StartAt": "Work", "States": {"Work": work, "Sorry": {"Type": "Succeed"}}})
    told = api("POST", "/v1/machines/order/test", {"input": {"n": 1}, "mock": {"result": 2}})
    assert (told.status, told["status"], told["output"]) == (200, "SUCCEEDED", {"n": 1, "done": 2})
    caught = api(
        "POST", "/v1/machines/order/test", {"state": "Work", "mock": {"error": "Oh", "cause": "dear"}}
    )
    assert (caught["status"], caught["error"], caught["nextState"]) == ("CAUGHT_ERROR", "Oh", "Sorry")
    assert api("POST", "/v1/machines/order/test", {"state": "Nowhere"}).status == 400
    assert api("POST", "/v1/machines/order/test", {"mock": {"answer": 1}}).status == 400


@pytest.mark.parametrize(
    ("format", "media", "begins"),
    [
        ("svg", "image/svg+xml", b"<svg "),
        ("mermaid", "text/vnd.mermaid", b""),
        ("dot", "text/vnd.graphviz", b"digraph"),
    ],
)
def test_a_machine_is_drawn(api: Api, format: str, media: str, begins: bytes) -> None:
    api.machine("order", PASS)
    told = api("GET", "/v1/machines/order/graph", format=format)
    assert (told.status, told.headers["content-type"].partition(";")[0]) == (200, media)
    assert told.body.startswith(begins)
    assert told.body


def test_a_definition_is_judged_without_being_kept(api: Api) -> None:
    assert api("POST", "/v1/machines/validate", {"definition": PASS})["valid"] is True
    told = api("POST", "/v1/machines/validate", {"definition": {}})
    assert told["valid"] is False
    assert told["findings"]


def test_where_nothing_is_or_a_body_is_no_json_the_answer_says_how_to_go_on(api: Api) -> None:
    nothing = api("GET", "/v1/machine")
    assert (nothing.status, nothing["detail"]) == (
        404,
        "there is nothing at /v1/machine; /docs shows what there is",
    )
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused = api("POST", "/v1/machines", {"name": "x"}, form)
    assert refused.status == 415
    assert "curl does with --json" in refused["detail"]
