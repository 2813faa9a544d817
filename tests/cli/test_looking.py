"""``executions``, ``show`` and ``history``: what a person and a program see of what ran."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .conftest import Detent

RUN = ("run", "greet.yaml", "--handlers", "handlers.py")


@pytest.fixture
def ran(detent: Detent) -> Detent:
    """Three executions: one succeeded, one caught, one failed."""
    detent(*RUN, "--name", "ada", "--input", '{"name": "Ada"}')
    detent(*RUN, "--name", "shy", "--input", '{"name": "shy"}')
    detent("run", "ends.yaml", "--name", "refused", "--input", '{"end": "FAILED"}')
    return detent


def names(detent: Detent, *arguments: str) -> list[str]:
    result = detent("executions", "--output", "json", *arguments)
    assert result.exit_code == 0, result.stderr
    return [one["name"] for one in json.loads(result.stdout)["executions"]]


# executions


def test_the_newest_comes_first(ran: Detent) -> None:
    lines = ran("executions").stdout.splitlines()
    assert lines[0].split() == ["NAME", "MACHINE", "STATUS", "STARTED", "TOOK"]
    assert [line.split()[:3] for line in lines[1:]] == [
        ["refused", "ends", "FAILED"],
        ["shy", "greet", "SUCCEEDED"],
        ["ada", "greet", "SUCCEEDED"],
    ]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (("--status", "failed"), ["refused"]),
        (("--status", "RUNNING"), []),
        (("--machine", "greet"), ["shy", "ada"]),
        (("--machine", "arn:aws:states:us-east-1:123456789012:stateMachine:ends"), ["refused"]),
        (("--name", "ada"), ["ada"]),
        (("--since", "1h"), ["refused", "shy", "ada"]),
        (("--since", "2 d ago", "--status", "FAILED"), ["refused"]),
        (("--until", "1h"), []),
        (("--since", "2001-01-01", "--until", "2001-01-01T12:00:00+02:00"), []),
    ],
)
def test_filters(ran: Detent, filters: tuple[str, ...], found: list[str]) -> None:
    assert names(ran, *filters) == found


def test_pages_follow_each_other(ran: Detent) -> None:
    first = ran("executions", "--limit", "2")
    assert [line.split()[0] for line in first.stdout.splitlines()[1:]] == ["refused", "shy"]
    cursor = first.stderr.split()[-1]
    assert names(ran, "--limit", "2", "--after", cursor) == ["ada"]
    page = json.loads(ran("executions", "--limit", "2", "--output", "json").stdout)
    assert page["after"] == cursor
    assert json.loads(ran("executions", "--output", "json").stdout)["after"] is None


def test_a_query_is_asked_of_the_json_output(ran: Detent) -> None:
    result = ran("executions", "--query", '$.executions[?(@.status=="SUCCEEDED")].name')
    assert result.stdout == '"shy"\n"ada"\n'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "yesterday"), "'yesterday' is no time"),
        (("--query", "$.["), "detent: error: "),
        (("--after", "x"), "'x' is no cursor"),
        (("--limit", "0"), "0 is not in the range"),
        (("--status", "happy"), "'happy' is not one of"),
        (("--store", "nowhere.db"), "there is no store at nowhere.db"),
        (("--store", "memory:"), "there is no store at memory:"),
    ],
)
def test_wrong_usage_of_executions(ran: Detent, folder: Path, arguments: tuple[str, ...], said: str) -> None:
    result = ran("executions", *arguments)
    assert (result.stdout, "Traceback" in result.stderr) == ("", False)
    assert result.exit_code in (2, 74)
    assert said in result.stderr
    assert not (folder / "nowhere.db").exists()


def test_no_executions_are_no_error(ran: Detent) -> None:
    result = ran("executions", "--name", "nobody")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "detent: no executions\n")


# show


def test_the_states_are_shown_with_their_values(ran: Detent) -> None:
    shown = ran("show", "shy").stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines[0].startswith("greet shy SUCCEEDED")
    states = lines[lines.index("states") + 1 :]
    without_times = [line.partition(" +")[0] for line in states]
    assert without_times == [
        "↷ Greet task:greet",
        "→ Wave, for Shy: would rather not",
        'in {"name": "shy"}',
        'out {"Error": "Shy", "Cause": "would rather not"}',
        "✓ Wave Pass",
        'out "o/"',
    ]
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_a_failure_is_shown_at_its_place(ran: Detent) -> None:
    assert "in Refuse at /States/Refuse" in ran("show", "refused").stdout
    placed = ran("show", "refused", "--definition", "ends.yaml")
    assert "in Refuse at ends.yaml:10:3" in placed.stdout
    assert placed.stderr == ""
    other = ran("show", "refused", "--definition", "greet.yaml")
    assert (
        other.exit_code,
        "greet.yaml is not the definition that ends:refused ran with" in other.stderr,
    ) == (
        0,
        True,
    )


def test_show_as_json_holds_everything(ran: Detent) -> None:
    shown = json.loads(ran("show", "shy", "--output", "json").stdout)
    assert shown["status"] == "SUCCEEDED"
    assert (shown["input"], shown["output"], shown["waits"]) == ({"name": "shy"}, "o/", [])
    greet, wave = shown["states"]
    assert (greet["status"], greet["error"], greet["next"]) == ("caught", "Shy", "Wave")
    assert greet["place"] == "/States/Greet"
    assert greet["attempts"][0]["arguments"] == {"name": "shy"}
    assert (wave["type"], wave["input"]["Error"], wave["output"]) == ("Pass", "Shy", "o/")
    assert ran("show", "shy", "--query", "$.states[*].state").stdout == '"Greet"\n"Wave"\n'


def test_full_cuts_nothing(detent: Detent) -> None:
    long = {"text": "x" * 300, "list": list(range(50))}
    detent(*RUN, "--name", "long", "--input", json.dumps(long))
    assert "x" * 60 not in detent("show", "long").stdout
    assert "x" * 300 in detent("show", "long", "--full").stdout
    assert "(512 B)" in detent("show", "long").stdout


def test_what_would_steer_a_terminal_is_spelled_out(detent: Detent, folder: Path) -> None:
    (folder / "evil.yaml").write_text(
        'StartAt: "A"\nStates: {A: {Type: Fail, Error: "E\\x1b[2J", Cause: "one\\ntwo \\x9b31m"}}\n'
    )
    detent("run", "evil.yaml", "--name", "evil")
    for command in (("show", "evil"), ("show", "evil", "--full"), ("history", "evil"), ("executions",)):
        shown = detent(*command).stdout
        assert not any(sign in shown for sign in ("\x1b", "\x9b")), command
    assert "E\\x1b[2J: one two \\x9b31m" in detent("show", "evil").stdout


def test_an_unknown_execution_is_guessed(ran: Detent) -> None:
    for command in ("show", "history", "stop", "delete", "export", "verify", "replay"):
        result = ran(command, "refusd")
        assert (result.exit_code, result.stdout) == (2, ""), command
        assert "there is no execution 'refusd' in this store; did you mean 'refused'?" in result.stderr


def test_one_name_of_two_machines_is_told_apart(ran: Detent) -> None:
    ran("run", "ends.yaml", "--name", "ada", "--input", '{"end": ""}')
    result = ran("show", "ada")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[1:] == ["  ends:ada", "  greet:ada"]
    assert ran("show", "greet:ada").stdout.startswith("greet  ada")
    assert ran("show", "arn:aws:states:us-east-1:123456789012:execution:ends:ada").stdout.startswith(
        "ends  ada"
    )


# history


def test_history_has_the_names_of_the_service(ran: Detent) -> None:
    lines = ran("history", "ada").stdout.splitlines()
    assert [re.split(r" {2,}", line.strip())[3] for line in lines[1:]] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    events = json.loads(ran("history", "ada", "--output", "json").stdout)["events"]
    assert events[-1]["executionSucceededEventDetails"]["output"] == '"Good morning, Ada!"'
    assert [event["previousEventId"] for event in events] == [0, 0, 2, 3, 4, 5, 6]


def test_internal_history_is_our_own_log(ran: Detent) -> None:
    shown = ran("history", "ada", "--internal").stdout
    assert [line.split()[1] for line in shown.splitlines() if line.startswith(" ")] == [
        "ExecutionStarted",
        "StateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "StateExited",
        "ExecutionEnded",
    ]
    steps = json.loads(ran("history", "ada", "--internal", "--output", "json").stdout)["steps"]
    assert [step["signal"]["kind"] for step in steps] == ["Started", "Began", "Succeeded"]
    assert [event["number"] for step in steps for event in step["events"]] == [1, 2, 3, 4, 5, 6, 7]
