"""``detent serve`` from outside: what it says, what it publishes, how it ends."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from pathlib import Path

from .api import Api
from .conftest import Program, Running, Serve

PASS = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})

HANGS = """\
import threading

import detent


@detent.task("hang")
def hang(document):
    print("at work", flush=True)
    threading.Event().wait()
"""


def test_it_says_what_it_serves_and_what_sdks_need(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "greet.json").write_text(PASS)
    (tmp_path / "input.json").write_text("{}")
    program = serve(str(tmp_path), "--store", "memory:")
    said = "".join(program.said)
    assert f"serving greet from {tmp_path / 'greet.json'}" in said
    assert "input.json" not in said
    assert f"AWS_ENDPOINT_URL_SFN={program.url}\n" in said
    assert "AWS_DISABLE_HOST_PREFIX_INJECTION=true\n" in said


def test_it_ends_in_order_when_it_is_told_to(serve: Serve) -> None:
    program = serve("--store", "memory:")
    assert program.end() == 0
    assert "ending" in "".join(program.said)


def test_told_a_second_time_it_ends_at_once_and_nothing_is_lost(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "handlers.py").write_text(HANGS)
    task = {"Type": "Task", "Resource": "task:hang", "End": True}
    (tmp_path / "hang.json").write_text(json.dumps({"StartAt": "T", "States": {"T": task}}))
    arguments = ("hang.json", "--handlers", "handlers.py", "--store", "hang.db")
    program = serve(*arguments)
    Api(program.url)("POST", "/v1/executions", {"machine": "hang", "name": "one"})
    read_until(program, "at work")
    program.process.send_signal(signal.SIGINT)
    read_until(program, "ending")
    assert program.end(signal.SIGINT) == 130
    assert "ending at once" in "".join(program.said)
    again = serve(*arguments)
    read_until(again, "at work")
    again.process.kill()


def read_until(program: Program, text: str) -> None:
    if text in "".join(program.said):
        return
    for line in program.process.stdout or ():
        program.said.append(line)
        if text in line:
            return
    raise AssertionError(f"{text!r} was not said: {program.said}")


def test_what_is_nowhere_is_a_problem(server: Running) -> None:
    status, kind, body = get(f"{server.url}/nowhere")
    assert (status, kind) == (404, "application/problem+json")
    assert body["title"] == "Not Found"


def get(url: str) -> tuple[int, str, dict[str, object]]:
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return response.status, response.headers.get_content_type(), json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get_content_type(), json.load(error)


def test_it_logs_requests_and_executions_with_their_facts(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "greet.json").write_text(PASS)
    program = serve(str(tmp_path / "greet.json"), "--store", "memory:", "--log", "json")
    api = Api(program.url)
    sent = {"machine": "greet", "input": {"secret": 7}}
    id = api("POST", "/v1/executions", sent, {"X-Request-Id": "mine-1"}, wait="60s")["id"]
    program.end()
    lines = [json.loads(line) for line in program.said if line.startswith("{")]
    assert [(each["message"], each.get("state")) for each in lines if each.get("execution") == id] == [
        ("execution started", None),
        ("execution entered", "A"),
        ("execution succeeded", None),
    ]
    assert {each["machine"] for each in lines if "execution" in each} == {"greet"}
    [request] = [each for each in lines if each.get("request") == "mine-1"]
    assert (request["method"], request["path"], request["status"]) == ("POST", "/v1/executions", 200)
    assert "secret" not in "".join(program.said)


def test_it_logs_as_text(serve: Serve) -> None:
    program = serve("--store", "memory:", "--log", "text")
    Api(program.url)("GET", "/v1/machines")
    program.end()
    assert 'method="GET" path="/v1/machines" status=200' in "".join(program.said)
