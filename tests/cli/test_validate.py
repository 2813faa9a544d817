from __future__ import annotations

import json
from pathlib import Path

from .conftest import Detent


def test_a_valid_file_says_so_on_stderr_only(detent: Detent) -> None:
    result = detent("validate", "greet.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "1 file: valid\n")


def test_all_findings_of_all_files_at_once(detent: Detent, folder: Path) -> None:
    (folder / "one.yaml").write_text("StartAt: Her\nStates:\n  Here: {Type: Pass, Nex: There}\n")
    (folder / "two.json").write_text('{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": tru}}}')
    result = detent("validate", "one.yaml", "greet.yaml", "two.json")
    assert result.exit_code == 1
    assert "one.yaml:1:10: error missing-target" in result.stdout
    assert "one.yaml:3:22: error unknown-field" in result.stdout
    assert "two.json:1:58: error" in result.stdout
    assert "3 files: " in result.stderr


def test_warnings_are_allowed(detent: Detent, folder: Path) -> None:
    (folder / "warn.yaml").write_text(
        "StartAt: A\nStates:\n  A:\n    Type: Task\n    Resource: task:a\n    End: true\n"
        "    Retry: [{ErrorEquals: [States.Runtime]}]\n"
    )
    result = detent("validate", "warn.yaml")
    assert result.exit_code == 0
    assert "warning" in result.stdout
    assert result.stderr.endswith("1 file: valid, 1 warning\n")


def test_placeholders_are_values_nobody_knows_yet(detent: Detent, folder: Path) -> None:
    (folder / "hole.yaml").write_text(
        "StartAt: A\nStates:\n  A:\n    Type: Wait\n    Seconds: ${Delay}\n    Next: ${Next}\n  B: {Type: Succeed}\n"
    )
    assert detent("validate", "hole.yaml").exit_code == 0
    assert detent("validate", "hole.yaml", "--var", "Delay=3", "--var", "Next=B").exit_code == 0
    result = detent("validate", "hole.yaml", "--var", "Next=C")
    assert result.exit_code == 1
    assert "missing-target" in result.stdout


def test_express_machines_may_use_less(detent: Detent, folder: Path) -> None:
    (folder / "sync.yaml").write_text(
        "StartAt: A\nStates:\n  A: {Type: Task, Resource: 'arn:aws:states:::states:startExecution.sync', "
        "Parameters: {StateMachineArn: x}, End: true}\n"
    )
    assert detent("validate", "sync.yaml").exit_code == 0
    assert detent("validate", "sync.yaml", "--type", "express").exit_code == 1


def test_formats_for_tools(detent: Detent, folder: Path) -> None:
    (folder / "bad.yaml").write_text("StartAt: B\nStates:\n  A: {Type: Pass, End: true}\n")
    found = json.loads(detent("validate", "bad.yaml", "--format", "json").stdout)
    assert found["valid"] is False
    sarif = json.loads(detent("validate", "bad.yaml", "--format", "sarif").stdout)
    assert sarif["version"] == "2.1.0"
    assert detent("validate", "bad.yaml", "--format", "github").stdout.startswith(
        "::error file=bad.yaml,line=1"
    )
    assert detent("validate", "greet.yaml", "--format", "github").stdout == ""


def test_a_file_that_cannot_be_opened_is_wrong_usage(detent: Detent) -> None:
    result = detent("validate", "nowhere.yaml", "greet.yaml")
    assert result.exit_code == 2
    assert "nowhere.yaml: error not-found: there is no such file" in result.stdout
    assert detent("validate", ".").exit_code == 2


def test_wrong_usage(detent: Detent) -> None:
    assert detent("validate").exit_code == 2
    assert detent("validate", "greet.yaml", "--format", "xml").exit_code == 2
    result = detent("validate", "greet.yaml", "--var", "Delay")
    assert result.exit_code == 2
    assert "NAME=VALUE" in result.stderr
