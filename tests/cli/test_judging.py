"""``verify`` and ``replay``: what was recorded is sound, and what another definition would do with it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from .conftest import ENDS, GREET, Detent

GREETING = ("run", "greet.yaml", "--handlers", "handlers.py")


@pytest.fixture
def ran(detent: Detent) -> Detent:
    detent(*GREETING, "--name", "ada", "--input", '{"name": "Ada"}')
    detent(*GREETING, "--name", "shy", "--input", '{"name": "shy"}')
    detent("run", "ends.yaml", "--name", "refused", "--input", '{"end": "FAILED"}')
    return detent


def test_all_logs_are_sound_and_decided_alike(ran: Detent) -> None:
    verified = ran("verify", "--all")
    assert verified.exit_code == 0
    assert verified.stdout.splitlines() == [
        "ends:refused: 5 events, sound",
        "greet:shy: 9 events, sound",
        "greet:ada: 7 events, sound",
        "3 executions, all sound",
    ]
    replayed = ran("replay", "--all")
    assert replayed.exit_code == 0
    assert replayed.stdout.splitlines()[0] == "ends:refused: 5 events, decided alike"
    assert replayed.stdout.splitlines()[-1] == "3 executions, no difference"


def test_the_same_definition_makes_no_difference(ran: Detent) -> None:
    result = ran("replay", "ada", "shy", "--definition", "greet.yaml")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "2 executions, no difference")


def test_a_new_definition_tells_which_executions_would_take_another_path(ran: Detent, folder: Path) -> None:
    (folder / "new.yaml").write_text(GREET.replace("[Shy]", "[Timid]"))
    result = ran("replay", "--machine", "greet", "--definition", "new.yaml")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "greet:shy: would take another path, from event 6 on",
        "  at        Greet, new.yaml:3:3",
        '  recorded  StateExited  frame=0  next=Wave  output={"Error": "Shy", "Cause": "would rather not"}',
        "  now       ExecutionEnded  status=FAILED  error=Shy  cause=would rather not  at="
        + result.stdout.splitlines()[3].rpartition("at=")[2],
        "greet:ada: 7 events, decided alike with this definition",
        "2 executions, 1 would take another path",
    ]


def test_the_state_that_was_changed_is_named(ran: Detent, folder: Path) -> None:
    (folder / "new.yaml").write_text(ENDS.replace("not today", "not tomorrow"))
    result = ran("replay", "refused", "--definition", "new.yaml", "--output", "json")
    assert result.exit_code == 1
    (said,) = json.loads(result.stdout)["executions"]
    assert (said["same"], said["definition"]) == (False, "another")
    difference = said["difference"]
    assert (difference["state"], difference["place"]) == ("Refuse", "new.yaml:10:3")
    assert (difference["recorded"]["cause"], difference["decided"]["cause"]) == ("not today", "not tomorrow")


def test_a_state_that_is_gone_is_named(ran: Detent, folder: Path) -> None:
    (folder / "new.yaml").write_text("StartAt: Hello\nStates:\n  Hello: {Type: Pass, End: true}\n")
    result = ran("replay", "ada", "--definition", "new.yaml")
    assert result.exit_code == 1
    assert "recorded  StateEntered  state=Greet  kind=Task" in result.stdout
    assert "now       StateEntered  state=Hello  kind=Pass" in result.stdout


@pytest.mark.parametrize("command", ["verify", "replay"])
@pytest.mark.parametrize("arguments", [(), ("ada", "--all"), ("--machine", "greet", "--all")])
def test_which_executions_must_be_said_once(ran: Detent, command: str, arguments: tuple[str, ...]) -> None:
    result = ran(command, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "say which executions" in result.stderr


def test_an_invalid_definition_decides_nothing(ran: Detent, folder: Path) -> None:
    (folder / "bad.yaml").write_text("StartAt: B\nStates:\n  A: {Type: Pass, End: true}\n")
    result = ran("replay", "ada", "--definition", "bad.yaml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "bad.yaml:1:10: error missing-target" in result.stderr


def test_a_damaged_log_is_found_among_sound_ones(ran: Detent, folder: Path) -> None:
    with closing(sqlite3.connect(folder / ".detent" / "detent.db")) as file:
        file.execute("UPDATE segment SET control = ? WHERE after = 0 AND execution = 2", (b"[1, 2",))
        file.commit()
    result = ran("verify", "--all")
    assert result.exit_code == 1
    assert "greet:shy: 9 events, 1 breach" in result.stdout
    assert "the log is damaged in the segment after event 0" in result.stdout
    assert result.stdout.splitlines()[-1] == "3 executions, 1 not sound"
    for command in ("show", "history", "replay"):
        refused = ran(command, "shy")
        assert (refused.exit_code, refused.stdout) == (74, "")
        assert len(refused.stderr.splitlines()) == 1
