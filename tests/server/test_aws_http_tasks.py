"""HTTP tasks over the AWS protocol: run, tried with everything that was sent and answered, and mocked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from .conftest import Running, StartServer
from .test_aws_executions import ROLE, create, ended

SECRET = "Bearer s3cr3t-t0k3n"
CONNECTION = "arn:aws:events:us-east-1:123456789012:connection/billing/0a1b"


class _Answer(BaseHTTPRequestHandler):
    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = json.dumps({"path": self.path, "got": body.decode()}).encode()
        self.send_response(404 if self.path.startswith("/nothing") else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = _answer  # noqa: N815  # as http.server calls them

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def api() -> Iterator[str]:
    """The URL of an HTTP API."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def asking(url: str, **members: Any) -> dict[str, Any]:
    """A state that asks an HTTP API."""
    parameters = {"ApiEndpoint": url, "Method": "GET", **members}
    return {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Parameters": parameters, "End": True}


def machine(state: dict[str, Any]) -> str:
    return json.dumps({"StartAt": "Ask", "States": {"Ask": state}})


def test_an_execution_asks_and_shows_no_secret(
    server: Running, boto: Callable[..., Any], api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = {"origin": api, "headers": {"Authorization": SECRET}, "query": {"key": "hidden-key"}}
    monkeypatch.setenv("DETENT_CONNECTION_BILLING", json.dumps(described))
    sfn = boto(server)
    state = asking(f"{api}/orders", Authentication={"ConnectionArn": CONNECTION})
    execution = sfn.start_execution(stateMachineArn=create(sfn, definition=machine(state)))["executionArn"]
    found = json.loads(ended(sfn, execution)["output"])
    assert found["ResponseBody"] == {"path": "/orders?key=hidden-key", "got": ""}
    events = sfn.get_execution_history(executionArn=execution)["events"]
    scheduled = events[2]["taskScheduledEventDetails"]
    assert (scheduled["resourceType"], scheduled["resource"]) == ("http", "invoke")
    assert json.loads(scheduled["parameters"]) == state["Parameters"]
    assert "s3cr3t" not in json.dumps(events, default=str)


def test_a_status_is_caught_by_its_name(server: Running, boto: Callable[..., Any], api: str) -> None:
    sfn = boto(server)
    state = asking(f"{api}/nothing")
    state["Catch"] = [{"ErrorEquals": ["States.Http.StatusCode.404"], "Next": "Mend"}]
    states = {"Ask": state, "Mend": {"Type": "Pass", "End": True}}
    arn = create(sfn, definition=json.dumps({"StartAt": "Ask", "States": states}))
    described = ended(sfn, sfn.start_execution(stateMachineArn=arn)["executionArn"])
    output = json.loads(described["output"])
    assert output["Error"] == "States.Http.StatusCode.404"
    assert json.loads(output["Cause"]) == {"path": "/nothing", "got": ""}


def test_parameters_that_do_not_do_schedule_nothing(server: Running, boto: Callable[..., Any]) -> None:
    sfn = boto(server)
    state = asking("https://api.example.com", Headers={"Host": "elsewhere"})
    execution = sfn.start_execution(stateMachineArn=create(sfn, definition=machine(state)))["executionArn"]
    described = ended(sfn, execution)
    assert described["error"] == "States.Runtime"
    assert described["cause"].endswith("[The header 'Host' is not allowed in the field 'Headers']")
    events = sfn.get_execution_history(executionArn=execution)["events"]
    assert [event["type"] for event in events] == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]


@pytest.mark.parametrize("reveal", [False, True])
def test_a_trial_shows_what_was_sent_and_answered(
    server: Running, boto: Callable[..., Any], api: str, monkeypatch: pytest.MonkeyPatch, reveal: bool
) -> None:
    described = {
        "origin": api,
        "headers": {"Authorization": SECRET},
        "query": {"key": "hidden-key"},
        "body": {"password": "hidden-word"},
    }
    monkeypatch.setenv("DETENT_CONNECTION_BILLING", json.dumps(described))
    state = asking(
        f"{api}/orders",
        Method="POST",
        RequestBody={"id": 7},
        Headers={"X-One": "1"},
        Authentication={"ConnectionArn": CONNECTION},
    )
    tried = boto(server).test_state(
        definition=json.dumps(state), roleArn=ROLE, inspectionLevel="TRACE", revealSecrets=reveal
    )
    assert tried["status"] == "SUCCEEDED"
    shown = tried["inspectionData"]
    request, response = shown["request"], shown["response"]
    assert (request["protocol"], request["method"]) == ("http", "POST")
    assert "X-One: 1" in request["headers"]
    assert "User-Agent: Amazon|StepFunctions|HttpInvoke|us-east-1" in request["headers"]
    assert ("Authorization: Bearer" in request["headers"]) == reveal
    assert request["url"] == f"{api}/orders" + ("?key=hidden-key" if reveal else "")
    assert json.loads(request["body"]) == {"id": 7} | ({"password": "hidden-word"} if reveal else {})
    assert (response["protocol"], response["statusCode"], response["statusMessage"]) == ("http", "200", "OK")
    assert "content-type: application/json" in response["headers"]
    assert json.loads(response["body"])["path"] == "/orders?key=hidden-key"
    assert json.loads(shown["result"]) == json.loads(tried["output"])


def test_a_trial_that_fails_shows_the_answer_too(server: Running, boto: Callable[..., Any], api: str) -> None:
    state = json.dumps(asking(f"{api}/nothing"))
    tried = boto(server).test_state(definition=state, roleArn=ROLE, inspectionLevel="TRACE")
    assert (tried["status"], tried["error"]) == ("FAILED", "States.Http.StatusCode.404")
    assert tried["inspectionData"]["response"]["statusCode"] == "404"


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_only_a_trace_shows_requests(server: Running, boto: Callable[..., Any], api: str, level: str) -> None:
    state = json.dumps(asking(f"{api}/orders"))
    tried = boto(server).test_state(definition=state, roleArn=ROLE, inspectionLevel=level)
    assert "request" not in tried.get("inspectionData", {})


def test_a_trial_with_a_mock_asks_nobody(server: Running, boto: Callable[..., Any]) -> None:
    answer = {"StatusCode": 200, "StatusText": "OK", "Headers": {}, "ResponseBody": {"id": 7}}
    tried = boto(server).test_state(
        definition=json.dumps(asking("https://api.example.com")),
        mock={"result": json.dumps(answer)},
        inspectionLevel="TRACE",
    )
    assert json.loads(tried["output"]) == answer


def test_a_mocked_execution_asks_nobody(
    start_server: StartServer, boto: Callable[..., Any], tmp_path: Any
) -> None:
    answer = {"StatusCode": 200, "ResponseBody": "mocked"}
    mocks = {
        "StateMachines": {"shop": {"TestCases": {"fine": {"Ask": "answered"}}}},
        "MockedResponses": {
            "answered": {
                "0": {"Throw": {"Error": "States.Http.StatusCode.503", "Cause": "busy"}},
                "1": {"Return": answer},
            }
        },
    }
    path = tmp_path / "mocks.json"
    path.write_text(json.dumps(mocks))
    sfn = boto(start_server(mock=path))
    state = asking("https://api.example.com")
    state["Retry"] = [{"ErrorEquals": ["States.Http.StatusCode.503"], "IntervalSeconds": 1}]
    arn = create(sfn, name="shop", definition=machine(state))
    execution = sfn.start_execution(stateMachineArn=f"{arn}#fine")["executionArn"]
    assert json.loads(ended(sfn, execution)["output"]) == answer
