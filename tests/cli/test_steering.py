"""``signal``, ``pause`` and ``resume``: while another process runs the execution, and while none does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import PROGRAM, Detent, Program

Start = Callable[..., "subprocess.Popen[str]"]

ASK = """\
StartAt: Ask
States:
  Ask: {Type: Task, Resource: "signal:decision", ResultPath: $.decision, Next: Thank}
  Thank: {Type: Task, Resource: "signal:thanks", ResultPath: $.thanks, End: true}
"""
BOTH = """\
StartAt: Both
States:
  Both:
    Type: Parallel
    Branches:
      - {StartAt: One, States: {One: {Type: Task, Resource: "signal:one", End: true}}}
      - {StartAt: Two, States: {Two: {Type: Task, Resource: "signal:two", End: true}}}
    End: true
"""


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Runs the installed program until its execution waits for a signal; what still runs is killed in the end."""
    (folder / "ask.yaml").write_text(ASK)
    (folder / "both.yaml").write_text(BOTH)
    running = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [PROGRAM, *arguments, "--log"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stderr is not None
        for line in process.stderr:
            if "waits for the signal" in line:
                return process
        raise AssertionError("it does not wait")

    yield begin
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def interrupt(start: Start) -> Callable[[str, str], None]:
    """Leaves an execution of a definition behind whose process was killed."""

    def interrupted(file: str, name: str) -> None:
        process = start("run", file, "--name", name)
        process.kill()
        process.communicate()

    return interrupted


def shown(detent: Detent, name: str) -> Any:
    return json.loads(detent("show", name, "--output", "json").stdout)


# Another process is at work


def test_what_another_process_runs_is_answered_paused_and_resumed(start: Start, program: Program) -> None:
    process = start("run", "ask.yaml", "--name", "asked")
    said = program("signal", "asked", "thanks", "--value", '"early"')
    assert said.stdout == "the signal thanks is kept until a state waits for it\n"
    assert program("pause", "asked").stdout.startswith("ask:asked is paused; ")
    assert program("signal", "asked", "decision", "--value", '{"ok": true}').returncode == 0
    assert "PAUSED" in program("executions").stdout
    going = program("resume", "asked")
    assert (going.returncode, going.stdout) == (0, "ask:asked goes on, in the process that runs it\n")
    out, _ = process.communicate()
    assert json.loads(out) == {"decision": {"ok": True}, "thanks": "early"}


def test_which_are_running_and_which_are_interrupted_is_told(
    start: Start, interrupt: Callable[[str, str], None], program: Program
) -> None:
    interrupt("ask.yaml", "left")
    assert "INTERRUPTED" in program("executions").stdout
    assert "no process works on it; detent resume left" in program("show", "left").stdout
    start("run", "ask.yaml", "--name", "at-work")
    rows = json.loads(program("executions", "--output", "json").stdout)["executions"]
    assert {row["name"]: row["at_work"] for row in rows} == {"left": False, "at-work": True}
    assert "RUNNING" in program("show", "at-work").stdout
    taken = program("resume", "left")
    assert taken.returncode == 74
    assert "runs the executions of" in taken.stderr
    assert "`signal`, `pause` and `stop` work beside it" in taken.stderr


# Nobody is at work


def test_a_signal_to_an_interrupted_execution_is_waiting_there_when_it_is_resumed(
    interrupt: Callable[[str, str], None], detent: Detent
) -> None:
    interrupt("ask.yaml", "left")
    assert "has arrived" in detent("signal", "left", "decision", "--value", "1").stdout
    assert [wait["state"] for wait in shown(detent, "left")["waits"]] == ["Thank"]
    sent = ("signal", "left", "thanks", "--value", "2", "--key", "once", "--output", "json")
    answer = json.loads(detent(*sent).stdout)
    assert (answer["status"], answer["arrived"], answer["kept"]) == ("SUCCEEDED", True, False)
    assert json.loads(detent(*sent).stdout) == answer
    assert detent("signal", "left", "thanks", "--value", "2").exit_code == 2


def test_a_key_counts_once(interrupt: Callable[[str, str], None], detent: Detent) -> None:
    interrupt("ask.yaml", "left")
    for value in ("1", "2"):
        assert detent("signal", "left", "thanks", "--value", value, "--key", "k").exit_code == 0
    assert shown(detent, "left")["signals"] == [{"name": "thanks", "value": 1}]


def test_a_paused_execution_is_resumed_by_name_only_and_with_a_value(
    interrupt: Callable[[str, str], None], detent: Detent
) -> None:
    interrupt("ask.yaml", "left")
    assert detent("pause", "left").exit_code == 0
    left = detent("resume")
    assert (left.exit_code, "left is paused: `detent resume left`" in left.stderr) == (0, True)
    assert detent("signal", "left", "thanks").exit_code == 0
    going = detent("resume", "left", "--value", '{"by hand": 1}')
    assert (going.exit_code, json.loads(going.stdout)) == (0, {"decision": {"by hand": 1}, "thanks": None})
    assert "its result was given by whoever resumed it" in detent("show", "left").stdout
    for judge in ("verify", "replay"):
        assert detent(judge, "left").exit_code == 0


def test_a_value_is_for_one_state(interrupt: Callable[[str, str], None], detent: Detent) -> None:
    interrupt("both.yaml", "left")
    detent("pause", "left")
    unclear = detent("resume", "left", "--value", "1")
    assert (unclear.exit_code, "2 states of the execution left wait" in unclear.stderr) == (2, True)
    nobody = detent("resume", "left", "--value", "1", "--state", "Three")
    assert (nobody.exit_code, "the state 'Three'" in nobody.stderr) == (2, True)
    detent("signal", "left", "one", "--value", "1")
    going = detent("resume", "left", "--value", "2", "--state", "Two")
    assert json.loads(going.stdout) == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("signal", "left", "decisoin"), "did you mean 'decision'?"),
        (("signal", "left", "decision", "--value", "yes"), "the value is not JSON"),
        (("signal", "left", "decision", "--value", "@nothing.json"), "the value file nothing.json"),
        (("signal", "nobody", "decision"), "there is no execution 'nobody'"),
        (("pause", "nobody"), "there is no execution 'nobody'"),
        (("resume", "left", "--value", "1"), "the execution left is not paused"),
        (("resume", "--value", "1"), "--value is for one execution"),
        (("resume", "left", "--state", "Ask"), "--state says which state a value is for"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    interrupt: Callable[[str, str], None], detent: Detent, arguments: tuple[str, ...], sentence: str
) -> None:
    interrupt("ask.yaml", "left")
    result = detent(*arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert [wait["state"] for wait in shown(detent, "left")["waits"]] == ["Ask"]


def test_a_value_that_is_too_large_is_refused(
    interrupt: Callable[[str, str], None], detent: Detent, folder: Path
) -> None:
    interrupt("ask.yaml", "left")
    (folder / "large.json").write_text(json.dumps("x" * 1_100_000))
    result = detent("signal", "left", "decision", "--value", "@large.json")
    assert (result.exit_code, "1,100,002 bytes" in result.stderr) == (2, True)


def test_what_has_ended_is_steered_no_longer(detent: Detent) -> None:
    detent("run", "greet.yaml", "--handlers", "handlers.py", "--name", "over")
    for command in (("signal", "over", "x"), ("pause", "over")):
        result = detent(*command)
        assert (result.exit_code, "the execution over has ended" in result.stderr) == (2, True)
