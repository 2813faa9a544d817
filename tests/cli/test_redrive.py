"""``redrive``: an execution goes on where it failed, here or in the process that runs the store."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import PROGRAM, Detent, Program
from .playing import Play

DOOR = """\
StartAt: Look
States:
  Look: {Type: Task, Resource: task:count, ResultPath: null, Next: Knock}
  Knock: {Type: Task, Resource: task:knock, End: true}
"""

KNOCK = """\
from pathlib import Path

import detent


@detent.task("count")
def count(document):
    with Path("calls.txt").open("a") as file:
        file.write("count\\n")


@detent.task("knock")
def knock(document):
    if not Path("open").exists():
        raise detent.TaskError("NobodyHome")
    return "come in"
"""

RUN = ("run", "door.yaml", "--handlers", "knock.py", "--name", "one")
AGAIN = ("redrive", "one", "--handlers", "knock.py")


@pytest.fixture
def failed(folder: Path, program: Program) -> Path:
    """An execution that has failed; the door opens where the file is touched that this answers."""
    (folder / "door.yaml").write_text(DOOR)
    (folder / "knock.py").write_text(KNOCK)
    assert program(*RUN).returncode == 3
    return folder / "open"


def test_it_goes_on_with_the_state_that_failed(failed: Path, program: Program, folder: Path) -> None:
    assert program(*AGAIN).returncode == 3
    failed.touch()
    done = program(*AGAIN, "--log")
    assert (done.returncode, done.stdout) == (0, '"come in"\n')
    assert "redriven: goes on where it ended" in done.stderr
    assert (folder / "calls.txt").read_text() == "count\n"


def test_what_cannot_be_redriven_says_why(failed: Path, program: Program) -> None:
    failed.touch()
    program(*AGAIN)
    refused = program(*AGAIN)
    assert refused.returncode == 2
    assert "Execution is SUCCEEDED and cannot be redriven" in refused.stderr
    assert program("redrive", "two").returncode == 2
    assert "no store at" in program("redrive", "one", "--store", "elsewhere.db").stderr


def test_a_task_that_nobody_handles_leaves_it_as_it_is(failed: Path, program: Program) -> None:
    refused = program("redrive", "one")
    assert refused.returncode == 2
    assert "nobody handles 'task:knock'" in refused.stderr
    assert json.loads(program("show", "one", "--output", "json").stdout)["redrives"] == 0


def test_what_was_redriven_is_shown_and_checked(failed: Path, program: Program, folder: Path) -> None:
    failed.touch()
    program(*AGAIN)
    shown = program("show", "one").stdout
    assert "redriven    once, last " in shown
    assert shown.count("attempt 2") == 1
    told = json.loads(program("show", "one", "--output", "json").stdout)
    assert (told["status"], told["redrives"]) == ("SUCCEEDED", 1)
    assert told["redriven"] is not None
    lines = program("history", "one").stdout.splitlines()
    assert next(line for line in lines if "ExecutionRedriven" in line).split()[-1] == "1"
    assert "events, sound" in program("verify", "one").stdout
    assert "decided alike" in program("replay", "one").stdout
    program("export", "one", "-o", "one.json")
    assert program("import", "one.json", "--store", "other.db").returncode == 0
    assert "ExecutionRedriven" in program("history", "one", "--store", "other.db").stdout


@pytest.fixture
def busy(failed: Path) -> Iterator[None]:
    """Another process that runs executions of the same store."""
    hold = ("run", "wait.yaml", "--handlers", "handlers.py", "--log", "--input", '{"seconds": 3600}')
    process = subprocess.Popen([PROGRAM, *hold], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert any("waits" in line for line in process.stderr)
    yield
    process.kill()
    process.communicate()


def test_where_another_process_runs_the_store_that_one_is_asked(
    failed: Path, busy: None, program: Program
) -> None:
    asked = program(*AGAIN)
    assert (asked.returncode, asked.stderr) == (2, "")
    assert (
        asked.stdout == "door:one will be redriven by a process that serves the store: the wish is stored\n"
    )
    told = program(*AGAIN, "--output", "json")
    assert json.loads(told.stdout)["redriven"] is False


# Rows


def test_the_rows_of_a_map_go_on(detent: Detent) -> None:
    work = {"Type": "Task", "Resource": "task:w", "End": True}
    body = {"StartAt": "Work", "States": {"Work": work}}
    play = Play({"Each": {"Type": "Map", "ItemProcessor": body, "End": True}}, list(range(20)))
    play.answer("Work", 0, index=0)
    play.fail("Work", "Boom", index=1)
    fan = play.progress.root.row.fan
    assert fan is not None
    assert (fan.done, fan.failed, fan.aborted, fan.running) == (1, 1, 18, 0)
    play.redrive()
    assert play.said[-20] == "redriven: goes on where it ended"
    assert (fan.done, fan.failed, fan.aborted, fan.running) == (1, 0, 0, 19)
    for index in range(1, 20):
        play.answer("Work", index, index=index)
    assert (fan.done, fan.running) == (20, 0)
    assert play.progress.status == "SUCCEEDED"
