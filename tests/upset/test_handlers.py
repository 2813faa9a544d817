"""Whatever a handler does, it is that task's failure, or the message says how to go on; nothing that ran is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import WORK, Program, the_error

#: What the handler does, and the error of the task.
FAILURES = [
    ("raise", "ValueError", "no way"),
    ("raise what has no words", "Mute", "(Mute has no readable message)"),
    ("set", "Task.InvalidResult", "returned a value of type set at $."),
    ("nan", "Task.InvalidResult", "returned nan, which is no JSON number"),
    ("itself", "Task.InvalidResult", "nested deeper than 200 levels (does it contain itself?)"),
    ("too much", "States.DataLimitExceeded", "exceeding the maximum number of bytes"),
    ("recurse", "RecursionError", "maximum recursion depth exceeded"),
    ("no memory", "MemoryError", ""),
    ("interrupt", "KeyboardInterrupt", ""),
    ("sys.exit", "SystemExit", "7"),
]


def run(what: str) -> tuple[str, ...]:
    return (
        "run",
        "work.yaml",
        "--handlers",
        "handlers.py",
        "--name",
        "one",
        "--input",
        json.dumps({"do": what}),
    )


@pytest.mark.parametrize(("what", "error", "cause"), FAILURES, ids=[what for what, _, _ in FAILURES])
def test_failures_of_a_handler(command: Program, what: str, error: str, cause: str) -> None:
    result = command(*run(what), "--output", "json")
    outcome = json.loads(result.stdout)
    assert outcome["status"] == "FAILED"
    assert outcome["error"] == error
    assert cause in (outcome["cause"] or "")
    assert len(outcome["cause"] or "") < 400
    assert result.returncode == 3
    assert command("verify", "one").returncode == 0


def test_a_handler_that_takes_too_long_is_not_waited_for(command: Program, folder: Path) -> None:
    (folder / "work.yaml").write_text(WORK.replace("End: true", "TimeoutSeconds: 1, End: true"))
    result = command(*run("hang"), "--output", "json")
    outcome = json.loads(result.stdout)
    assert (outcome["status"], outcome["error"], result.returncode) == ("FAILED", "States.Timeout", 3)
    assert command("verify", "one").returncode == 0


def test_what_handlers_print_never_mixes_with_the_output(program: Program) -> None:
    result = program(*run("print"))
    assert result.stdout == '"done"\n'
    for printed in ("to stdout", "raw bytes", "from a program"):
        assert printed in result.stderr


def test_a_child_that_a_handler_forks_goes_on_with_nothing(program: Program) -> None:
    result = program(*run("fork"))
    assert result.stdout == '"parent"\n'
    assert result.returncode == 0
    assert program("verify", "one").returncode == 0


def test_a_handler_that_ends_the_process_says_so_and_can_be_resumed(program: Program) -> None:
    result = program(*run("os._exit"))
    assert the_error(result).endswith("handlers.py ended the process with os._exit(0)")
    assert "hint: to resume: detent resume one --handlers handlers.py" in result.stderr
    assert result.returncode == 130
    assert "one   work     INTERRUPTED" in program("executions").stdout
    assert program("verify", "one").returncode == 0
    assert program("stop", "one").returncode == 0
