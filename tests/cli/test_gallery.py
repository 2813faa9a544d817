"""``detent gallery`` lists the shipped workflows, and copies one out that runs where it lies."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from .conftest import Detent


def test_the_list_says_what_each_shows_and_how_to_run_it(detent: Detent) -> None:
    result = detent("gallery")
    assert result.exit_code == 0
    assert "\norder-fulfilment\n  Shows all eight types of states" in result.stdout
    assert "    detent run workflow.yaml --input @declined.json --handlers handlers.py\n" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 110


def test_the_list_as_json_has_at_least_ten_workflows(detent: Detent) -> None:
    workflows = json.loads(detent("gallery", "--output", "json").stdout)["workflows"]
    assert len(workflows) >= 10
    assert all(workflow["shows"].startswith("Shows ") for workflow in workflows)
    assert all(len(workflow["commands"]) >= 2 for workflow in workflows)


def test_a_copy_runs_with_the_commands_it_names(
    detent: Detent, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = detent("gallery", "loan-decision", "mine/loans", "--output", "json")
    assert result.exit_code == 0, result.stderr
    monkeypatch.chdir(folder / "mine" / "loans")
    assert not list(Path().glob("**/__pycache__"))
    first, *_ = json.loads(result.stdout)["commands"]
    assert detent(*shlex.split(first)[1:]).exit_code == 0


def test_the_copy_is_named_like_the_workflow_unless_a_folder_is_named(detent: Detent, folder: Path) -> None:
    result = detent("gallery", "trip-quote")
    assert result.exit_code == 0
    assert "cd trip-quote\n  detent run workflow.yaml" in result.stdout
    assert (folder / "trip-quote" / "workflow.yaml").is_file()


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_exists_is_not_overwritten(detent: Detent, folder: Path, what: str) -> None:
    target = folder / "trip-quote"
    kept = target if what == "file" else target / "workflow.yaml"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine")
    result = detent("gallery", "trip-quote")
    assert result.exit_code == 2
    assert "detent: error: trip-quote exists already" in result.stderr
    assert kept.read_text() == "mine"


def test_an_unknown_name_is_refused(detent: Detent) -> None:
    result = detent("gallery", "perpetuum-mobile")
    assert result.exit_code == 2
    assert "there is no 'perpetuum-mobile' in the gallery" in result.stderr


def test_a_folder_that_cannot_be_made_is_said(detent: Detent, folder: Path) -> None:
    (folder / "file").write_text("")
    result = detent("gallery", "trip-quote", "file/below")
    assert result.exit_code == 2
    assert "file/below cannot be written" in result.stderr
