"""``stop`` and ``delete``, and looking on, while another process runs the execution and while none does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import PROGRAM, Detent, Program

Start = Callable[..., "subprocess.Popen[str]"]

HOLD = ("run", "wait.yaml", "--handlers", "handlers.py", "--log", "--input", '{"seconds": 3600}')


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Runs the installed program until its execution waits; what still runs is killed in the end."""
    running = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [PROGRAM, *arguments], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stderr is not None
        for line in process.stderr:
            if "waits 3600" in line or "waits 1 h" in line:
                return process
        raise AssertionError("it does not wait")

    yield begin
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def interrupted(start: Start) -> str:
    """An execution whose process was killed while it waited."""
    process = start(*HOLD, "--name", "held")
    process.kill()
    process.communicate()
    return "held"


def status(detent: Detent, name: str) -> str:
    return str(json.loads(detent("show", name, "--query", "$.status").stdout))


# Another process is at work


def test_what_another_process_runs_is_shown_and_stopped(start: Start, program: Program) -> None:
    process = start(*HOLD, "--name", "held")
    shown = program("show", "held")
    assert shown.returncode == 0
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert lines[0].startswith("wait held RUNNING")
    assert lines[lines.index("waits for") + 1].startswith("Hold until ")
    listed = program("executions", "--status", "running", "--query", "$.executions[*].name")
    assert listed.stdout == '"held"\n'

    stopped = program("stop", "held", "--error", "Enough", "--cause", "no more")
    assert (stopped.returncode, stopped.stdout) == (0, "wait:held is stopped\n")
    _, said = process.communicate()
    assert process.returncode == 5
    assert "held ABORTED: Enough: no more" in said


def test_what_another_process_runs_is_left_or_stopped_before_it_is_deleted(
    start: Start, program: Program
) -> None:
    process = start(*HOLD, "--name", "held")
    refused = program("delete", "held")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "the execution held has not ended" in refused.stderr
    assert "--force" in refused.stderr
    assert process.poll() is None

    deleted = program("delete", "held", "--force")
    assert (deleted.returncode, deleted.stdout) == (0, "wait:held is deleted\n")
    process.communicate()
    assert process.returncode == 5
    assert program("show", "held").returncode == 2


# None is


def test_what_was_interrupted_is_stopped_here_and_now(interrupted: str, detent: Detent, folder: Path) -> None:
    assert status(detent, interrupted) == "RUNNING"
    calls = (folder / "calls.txt").read_text()
    result = detent("stop", interrupted, "--output", "json")
    said = json.loads(result.stdout)
    assert (said["status"], said["stopped"], result.exit_code) == ("ABORTED", True, 0)
    assert detent("show", interrupted, "--query", "$.states[*].status").stdout == '"succeeded"\n"aborted"\n'
    assert detent("verify", interrupted).exit_code == 0
    assert detent("replay", interrupted).exit_code == 0
    assert (folder / "calls.txt").read_text() == calls


def test_what_has_ended_stays_as_it_is(detent: Detent) -> None:
    detent("run", "ends.yaml", "--name", "fine", "--input", '{"end": ""}')
    result = detent("stop", "fine")
    assert (result.exit_code, result.stdout) == (0, "ends:fine had ended already: SUCCEEDED\n")
    assert status(detent, "fine") == "SUCCEEDED"


def test_several_are_deleted_or_none(detent: Detent) -> None:
    for name in ("one", "two", "three"):
        detent("run", "ends.yaml", "--name", name, "--input", '{"end": ""}')
    assert detent("delete", "one", "gone").exit_code == 2
    assert status(detent, "one") == "SUCCEEDED"
    result = detent("delete", "one", "two", "--output", "json")
    assert result.exit_code == 0
    assert [id.rpartition(":")[2] for id in json.loads(result.stdout)["deleted"]] == ["one", "two"]
    assert detent("executions", "--query", "$.executions[*].name").stdout == '"three"\n'


def test_one_that_runs_does_not_keep_the_others(interrupted: str, detent: Detent) -> None:
    detent("run", "ends.yaml", "--name", "fine", "--input", '{"end": ""}')
    result = detent("delete", interrupted, "fine", "--output", "json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["left"] == [interrupted]
    assert status(detent, interrupted) == "RUNNING"
    assert detent("show", "fine").exit_code == 2
