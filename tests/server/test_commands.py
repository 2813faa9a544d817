"""The commands about executions with ``--server``: the same answers as with ``--store``."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from detent.cli.app import app

from .api import FAIL, HOLD, PASS, Api
from .conftest import PROGRAM, Running, StartServer
from .test_client import ASK

Detent = Callable[..., Result]


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "served.db")


@pytest.fixture
def running(start_server: StartServer, store: str) -> Running:
    server = start_server(store=store)
    api = Api(server.url)
    for name, definition in {"pass": PASS, "hold": HOLD, "fail": FAIL, "ask": ASK}.items():
        api.machine(name, definition)
    return server


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Detent:
    """Runs a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DETENT_")]:
        monkeypatch.delenv(name)

    def invoke(*arguments: str, env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), env=env)

    return invoke


@pytest.fixture
def detent(local: Detent, running: Running) -> Detent:
    """Runs a command about what the server runs."""
    return lambda *arguments: local(*arguments, "--server", running.url)


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_what_is_started_is_told_or_waited_for(detent: Detent) -> None:
    assert (
        detent("start", "hold", "--name", "h", "--input", '{"seconds": 3600}').stdout == "hold:h is started\n"
    )
    assert told(detent("start", "pass", "--input", '{"n": 1}', "--wait")) == {"n": 1}
    failed = detent("start", "fail", "--name", "f", "--wait")
    assert (failed.exit_code, failed.stdout) == (3, "")
    assert failed.stderr == "detent: f FAILED: Broken: as it should be\n"
    ended = told(detent("start", "pass", "--wait", "--output", "json"))
    assert (ended["status"], ended["output"]) == ("SUCCEEDED", {})
    assert told(detent("start", "pass", "--name", "p", "--output", "json"))["name"] == "p"


def test_the_list_is_that_of_the_store(detent: Detent, local: Detent, store: str) -> None:
    for name in ("a", "b", "c"):
        detent("start", "pass", "--name", name, "--wait")
    detent("start", "fail", "--name", "d", "--wait")
    there = told(detent("executions", "--output", "json"))
    here = told(local("executions", "--output", "json", "--store", store))
    for row in there["executions"] + here["executions"]:
        del row["at_work"]  # the engine may not have let go of what has ended
    assert there == here
    assert [one["name"] for one in there["executions"]] == ["d", "c", "b", "a"]
    assert detent("executions").stdout == local("executions", "--store", store).stdout
    page = told(detent("executions", "--machine", "pass", "--limit", "2", "--output", "json"))
    rest = detent(
        "executions", "--machine", "pass", "--after", page["after"], "--query", "$.executions[*].name"
    )
    assert rest.stdout == '"a"\n'
    assert told(detent("executions", "--until", "1h", "--output", "json"))["executions"] == []


def test_an_execution_is_shown_as_the_store_shows_it(detent: Detent, local: Detent, store: str) -> None:
    detent("start", "pass", "--name", "p", "--wait")
    for command in (
        ("show", "p"),
        ("show", "pass:p", "--output", "json"),
        ("history", "p"),
        ("history", "p", "--output", "json"),
        ("history", "p", "--internal"),
        ("tail", "p"),
        ("tail", "p", "--output", "json"),
    ):
        there = detent(*command)
        assert (there.exit_code, there.stdout) == (0, local(*command, "--store", store).stdout), command
        assert len(there.stdout) > 20


def test_an_execution_is_signalled_paused_resumed_stopped_and_redriven(detent: Detent) -> None:
    detent("start", "ask", "--name", "a")
    assert detent("pause", "a").stdout == "ask:a is paused\n"
    assert "PAUSED" in detent("executions").stdout
    assert detent("resume", "a").stdout == "ask:a goes on\n"
    stopped = told(detent("stop", "a", "--error", "Enough", "--output", "json"))
    assert (stopped["status"], stopped["stopped"]) == ("ABORTED", True)
    assert detent("stop", "a").stdout == "ask:a had ended already: ABORTED\n"
    assert detent("redrive", "a").stdout == "ask:a is redriven\n"
    assert told(detent("pause", "a", "--output", "json"))["paused"] is True
    assert detent("resume", "a", "--value", "1").stdout == "ask:a goes on\n"
    detent("start", "ask", "--name", "b")
    assert detent("signal", "b", "answer", "--value", "2").stdout == "the signal answer is stored\n"
    last = json.loads(detent("tail", "b", "--output", "json").stdout.splitlines()[-1])
    assert last["executionSucceededEventDetails"]["output"] == "2"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "nobody"), "there is no execution 'nobody' on this server"),
        (("stop", "ask:nobody"), "ask:nobody"),
        (("start", "nobody"), "it has pass, hold, fail, ask"),
        (("resume",), "a server goes on by itself"),
        (("resume", "pass:p"), "has ended"),
        (("signal", "pass:p", "answer"), "has ended"),
        (("redrive", "pass:p"), "redriv"),
        (("executions", "--after", "x"), "this is no cursor"),
        (("executions", "--store", "a.db"), "--server and --store are two places"),
    ],
)
def test_wrong_usage(detent: Detent, arguments: tuple[str, ...], said: str) -> None:
    detent("start", "pass", "--name", "p", "--wait")
    result = detent(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_the_environment_names_a_server_and_what_is_typed_comes_first(
    local: Detent, running: Running, store: str
) -> None:
    there = {"DETENT_SERVER": running.url}
    assert local("start", "pass", "--name", "p", "--wait", env=there).exit_code == 0
    assert "p" in local("executions", env=there).stdout
    assert "p" in local("executions", "--store", store, env={"DETENT_SERVER": "http://127.0.0.1:1"}).stdout
    assert "p" in local("executions", "--server", running.url, env={"DETENT_STORE": "nowhere.db"}).stdout
    both = local("executions", env=there | {"DETENT_STORE": store})
    assert "--server and --store are two places" in both.stderr


@pytest.mark.parametrize("place", ["--server", "--store"])
def test_the_starts_and_ends_of_all_are_followed(
    detent: Detent, running: Running, store: str, place: str
) -> None:
    detent("start", "pass", "--name", "before", "--wait")
    detent("start", "ask", "--name", "a")
    where = {"--server": running.url, "--store": store}[place]
    with subprocess.Popen(
        [PROGRAM, "tail", place, where, "--output", "json"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        try:
            lines = map(json.loads, process.stdout)
            first = next(lines)
            assert (first["execution"].rpartition(":")[2], first["status"]) == ("a", "RUNNING")
            detent("signal", "a", "answer")
            later = next(lines)
            assert (later["execution"], later["status"]) == (first["execution"], "SUCCEEDED")
            detent("start", "fail", "--name", "f", "--wait")
            assert [line["status"] for line in (next(lines),)] == ["FAILED"]
        finally:
            process.kill()


def test_a_key_comes_from_the_environment(local: Detent, running: Running, store: str) -> None:
    key = local("keys", "create", "me", "--store", store).stdout.strip()
    with_key = {"DETENT_SERVER": running.url, "DETENT_API_KEY": key}
    result = local("start", "pass", "--wait", env=with_key)
    assert (result.exit_code, result.stdout) == (0, "{}\n")
