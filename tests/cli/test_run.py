from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Detent

GREET = ("run", "greet.yaml", "--handlers", "handlers.py", "--store", "memory:")


def test_the_output_goes_to_stdout_and_everything_else_to_stderr(detent: Detent) -> None:
    result = detent(*GREET, "--input", '{"name": "Ada"}')
    assert result.exit_code == 0
    assert result.stdout == '"Good morning, Ada!"\n'
    assert "a handler may print" in result.stderr


def test_what_waits_for_somebody_outside_is_said_before_it_begins(detent: Detent, folder: Path) -> None:
    def task(resource: str) -> dict[str, object]:
        return {"Type": "Task", "Resource": resource, "TimeoutSeconds": 1, "End": True}

    scopes = {
        "Review": "arn:aws:states:us-east-1:123456789012:activity:review",
        "Ask": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    }
    branches = [{"StartAt": name, "States": {name: task(resource)}} for name, resource in scopes.items()]
    both = {"Type": "Parallel", "Branches": branches, "End": True}
    (folder / "both.json").write_text(json.dumps({"StartAt": "Both", "States": {"Both": both}}))
    result = detent("run", "both.json", "--store", "memory:")
    assert result.exit_code == 3
    assert result.stderr.splitlines()[:2] == [
        "detent: note: the state 'Review' waits for a worker of the activity 'review'; somebody outside gives it",
        "detent: note: the state 'Ask' waits for an answer by task token; somebody outside gives it",
    ]


def test_one_line_per_transition(detent: Detent) -> None:
    lines = detent(*GREET, "--log", "--input", '{"name": "shy"}', "--name", "first").stderr.splitlines()
    said = [" ".join(line.split()[1:]) for line in lines if line[:2].isdigit()]
    assert said[:-1] == [
        "greet started as first",
        "Greet entered",
        "Greet calls task:greet",
        "Greet failed: Shy: would rather not",
        "Greet caught: Shy -> Wave",
        "Wave entered",
        "Wave done",
    ]
    assert said[-1].startswith("SUCCEEDED after ")


def test_one_json_object(detent: Detent) -> None:
    result = json.loads(detent(*GREET, "--output", "json", "--name", "first").stdout)
    assert result.pop("started") <= result.pop("ended")
    assert result == {
        "execution": "arn:aws:states:us-east-1:123456789012:execution:greet:first",
        "name": "first",
        "status": "SUCCEEDED",
        "output": "Good morning, World!",
    }


@pytest.mark.parametrize(
    ("end", "code", "error", "cause"),
    [("FAILED", 3, "Refused", "not today"), ("TIMED_OUT", 4, "States.Timeout", None)],
)
def test_the_exit_code_says_how_it_ended(
    detent: Detent, end: str, code: int, error: str, cause: str | None
) -> None:
    run = ("run", "ends.yaml", "--store", "memory:", "--input", json.dumps({"end": end}))
    result = detent(*run)
    assert (result.exit_code, result.stdout) == (code, "")
    assert f"{end}: {error}" in result.stderr
    said = json.loads(detent(*run, "--output", "json").stdout)
    assert (said["status"], said["error"], said["cause"]) == (end, error, cause)
    assert "output" not in said


def test_every_option_is_a_variable_of_the_environment(detent: Detent) -> None:
    environment = {
        "DETENT_HANDLERS": "handlers.py",
        "DETENT_STORE": "memory:",
        "DETENT_INPUT": '{"name": "Ada"}',
        "DETENT_OUTPUT": "json",
        "DETENT_NAME": "from-outside",
    }
    result = json.loads(detent("run", "greet.yaml", env=environment).stdout)
    assert (result["name"], result["output"]) == ("from-outside", "Good morning, Ada!")


# The input


def test_input_from_a_file_and_from_stdin(detent: Detent, folder: Path) -> None:
    (folder / "ada.json").write_text('{"name": "Ada"}')
    assert detent(*GREET, "--input", "@ada.json").stdout == '"Good morning, Ada!"\n'
    assert detent(*GREET, "--input", "-", input='{"name": "Bo"}').stdout == '"Good morning, Bo!"\n'


def test_stdin_is_not_read_unless_asked_for(detent: Detent) -> None:
    assert detent(*GREET, input='{"name": "Bo"}').stdout == '"Good morning, World!"\n'


@pytest.mark.parametrize("number", ["1.0", "12345678901234567890123", "1e30", "-0.0"])
def test_numbers_pass_unchanged(detent: Detent, folder: Path, number: str) -> None:
    (folder / "pass.yaml").write_text("StartAt: A\nStates: {A: {Type: Pass, End: true}}")
    printed = detent("run", "pass.yaml", "--store", "memory:", "--input", number).stdout
    assert printed.replace("+", "") == f"{number}\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('{"name', "--input:1:7: "),
        ("greet.yaml", "write --input @greet.yaml"),
        ("@nowhere.json", "nowhere.json cannot be read: No such file"),
        ("@.", "cannot be read"),
        ('{"a": 1, "a": 2}', "duplicate-key"),
        ("NaN", "the input is not JSON"),
        ("", "the input is not JSON"),
        ("[" * 100_000, "the input is not JSON"),
    ],
)
def test_wrong_input_is_wrong_usage(detent: Detent, given: str, said: str) -> None:
    result = detent(*GREET, "--input", given)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


# Before anything starts


def test_an_invalid_definition_is_not_started(detent: Detent, folder: Path) -> None:
    (folder / "bad.yaml").write_text("StartAt: B\nStates:\n  A: {Type: Pass, Nex: C}\n")
    result = detent("run", "bad.yaml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "bad.yaml:1:10: error missing-target" in result.stderr
    assert "bad.yaml:3:19: error unknown-field" in result.stderr
    assert not (folder / ".detent").exists()


def test_holes_are_named_with_how_to_fill_them(detent: Detent, folder: Path) -> None:
    (folder / "hole.yaml").write_text(
        "StartAt: A\nStates:\n  A:\n    Type: Task\n    Resource: task:${Who}\n"
        "    TimeoutSeconds: ${Limit}\n    End: true\n"
    )
    result = detent("run", "hole.yaml", "--handlers", "handlers.py")
    assert result.exit_code == 1
    assert "hole.yaml:5:20: error unfilled-placeholder: ${Who} is not filled in" in result.stderr
    assert "--var Who=VALUE" in result.stderr
    assert "hole.yaml:6:21: error unfilled-placeholder: ${Limit} is not filled in" in result.stderr
    filled = ("--var", "Who=greet", "--var", "Limit=5")
    assert detent("run", "hole.yaml", "--handlers", "handlers.py", *filled).exit_code == 0


def test_a_task_that_nobody_handles_is_found_before_the_start(detent: Detent, folder: Path) -> None:
    (folder / "deep.yaml").write_text(
        "StartAt: All\nStates:\n  All:\n    Type: Map\n    End: true\n    ItemProcessor:\n"
        "      StartAt: One\n      States:\n        One: {Type: Task, Resource: task:gret, End: true}\n"
    )
    result = detent("run", "deep.yaml", "--handlers", "handlers.py", "--input", "[]")
    assert result.exit_code == 1
    assert "deep.yaml:9:37: error unhandled-resource" in result.stderr
    assert "the Resource 'task:gret' of the state 'One'" in result.stderr
    assert "did you mean 'greet'?" in result.stderr
    assert not (folder / ".detent").exists()


def test_handlers_that_cannot_be_loaded(detent: Detent, folder: Path) -> None:
    (folder / "broken.py").write_text("import nothing_of_that_name\n")
    result = detent("run", "greet.yaml", "--handlers", "broken.py")
    assert result.exit_code == 2
    assert "broken.py" in result.stderr
    assert detent("run", "greet.yaml", "--handlers", "nowhere.py").exit_code == 2


def test_items_of_a_file_are_executions_of_their_own(detent: Detent, folder: Path) -> None:
    (folder / "people.csv").write_text("name,age\nAda,36\nAlan,41\n")
    (folder / "distributed.yaml").write_text(
        "StartAt: A\nStates: {A: {Type: Map, End: true, ItemReader: {Resource: 'file:people.csv', ReaderConfig: "
        "{InputType: CSV, CSVHeaderLocation: FIRST_ROW}}, ItemProcessor: {ProcessorConfig: {Mode: DISTRIBUTED, "
        "ExecutionType: STANDARD}, StartAt: B, States: {B: {Type: Pass, End: true}}}}}\n"
    )
    result = detent("run", "distributed.yaml")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == [{"name": "Ada", "age": "36"}, {"name": "Alan", "age": "41"}]
    listed = json.loads(detent("executions", "--output", "json").stdout)["executions"]
    assert [one["machine"].rpartition(":")[2] for one in listed] == ["distributed"]
    every = json.loads(detent("executions", "--all", "--output", "json").stdout)["executions"]
    run, *_ = [one for one in every if ":mapRun:" in one["execution"]]
    assert len(every) == 4
    assert f"Map Run {run['name']}" in detent("show", listed[0]["name"]).stdout
    told = json.loads(detent("show", run["name"], "--output", "json").stdout)
    children = [path["execution"] for path in told["states"][0]["attempts"][0]["paths"]]
    assert sorted(children) == sorted(one["execution"] for one in every if one not in (listed[0], run))
    assert detent("delete", listed[0]["name"]).exit_code == 0
    assert json.loads(detent("executions", "--all", "--output", "json").stdout)["executions"] == []


def test_a_machine_that_speaks_jsonata_runs(detent: Detent, folder: Path) -> None:
    (folder / "jsonata.yaml").write_text(
        "QueryLanguage: JSONata\nStartAt: A\n"
        "States: {A: {Type: Pass, Output: '{% $states.input.n * 2 %}', End: true}}\n"
    )
    result = detent("run", "jsonata.yaml", "--input", '{"n": 21}')
    assert (result.exit_code, result.stdout.strip()) == (0, "42")


# Names and stores


def test_a_name_is_taken_once(detent: Detent) -> None:
    run = ("run", "greet.yaml", "--handlers", "handlers.py", "--name", "only")
    assert detent(*run).exit_code == 0
    result = detent(*run)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is an execution named 'only' already" in result.stderr
    assert "choose another --name" in result.stderr


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 81])
def test_names_that_cannot_be(detent: Detent, name: str) -> None:
    assert detent(*GREET, "--name", name).exit_code == 2


def test_stores_that_cannot_be(detent: Detent, folder: Path) -> None:
    result = detent("run", "greet.yaml", "--handlers", "handlers.py", "--store", "oracle://x")
    assert result.exit_code == 2
    assert "use sqlite:///path" in result.stderr
    (folder / "notes.txt").write_text("these are no tables\n" * 100)
    result = detent("run", "greet.yaml", "--handlers", "handlers.py", "--store", "notes.txt")
    assert result.exit_code == 74
    assert len(result.stderr.splitlines()) <= 2


def mocks(folder: Path) -> None:
    case = {"Greet": "greeted"}
    answers = {"0": {"Throw": {"Error": "Shy", "Cause": "-"}}}
    config = {
        "StateMachines": {"greet": {"TestCases": {"shy": case}}},
        "MockedResponses": {"greeted": answers},
    }
    (folder / "mocks.json").write_text(json.dumps(config))


def test_a_test_case_answers_in_place_of_handlers(detent: Detent, folder: Path) -> None:
    mocks(folder)
    result = detent("run", "greet.yaml", "--store", "memory:", "--mock", "mocks.json", "--test-case", "shy")
    assert (result.exit_code, result.stdout) == (0, '"o/"\n')


def test_mocks_need_a_case_and_a_case_needs_mocks(detent: Detent, folder: Path) -> None:
    mocks(folder)
    result = detent("run", "greet.yaml", "--mock", "mocks.json")
    assert result.exit_code == 1
    assert "name the case to run with --test-case; mocks.json has: shy" in result.stderr
    result = detent("run", "greet.yaml", "--test-case", "shy")
    assert result.exit_code == 1
    assert "name the file with --mock" in result.stderr
    result = detent("run", "greet.yaml", "--mock", "mocks.json", "--test-case", "bold")
    assert "has no test case 'bold'" in result.stderr


def test_a_map_of_functions_says_where_they_are(detent: Detent, folder: Path) -> None:
    (folder / "lambdas").mkdir()
    (folder / "lambdas" / "shop.py").write_text("def charge(event, _):\n    return event['sum'] * 2\n")
    (folder / "lambdas" / "map.yaml").write_text("charge-card: shop.py:charge\n")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:charge-card",
        "End": True,
    }
    (folder / "shop.json").write_text(json.dumps({"StartAt": "A", "States": {"A": task}}))
    command = ("run", "shop.json", "--store", "memory:", "--input", '{"sum": 21}')
    result = detent(*command, "--functions", "lambdas/map.yaml")
    assert (result.exit_code, result.stdout) == (0, "42\n")
    (folder / "lambdas" / "map.yaml").write_text("charge-card: shop.py:refund\n")
    result = detent(*command, "--functions", "lambdas/map.yaml")
    assert "shop.py has no function 'refund'" in result.stderr
    (folder / "lambdas" / "map.yaml").write_text("- charge-card\n")
    assert "is no map of functions" in detent(*command, "--functions", "lambdas/map.yaml").stderr
