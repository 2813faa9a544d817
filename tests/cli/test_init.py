"""``detent init``: the project it begins runs, passes its own tests, and is sound in every respect."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import PROGRAM, Detent

FILES = [
    ".gitignore",
    "README.md",
    "detent.toml",
    "handlers.py",
    "input.json",
    "input.schema.json",
    "test_workflow.py",
    "workflow.asl.yaml",
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new") / "orders"
    result = shell([PROGRAM, "init", "orders"], folder.parent)
    assert result.returncode == 0, result.stderr
    return folder


def shell(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_it_writes_a_project(project: Path) -> None:
    assert {path.name for path in project.iterdir()} >= set(FILES)


def test_the_command_it_suggests_runs_the_workflow(project: Path) -> None:
    command = "run workflow.asl.yaml --input @input.json --handlers handlers.py".split()
    result = shell([PROGRAM, *command, "--store", "memory:"], project)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["reservation"] == "R-teapot-2"


def test_its_tests_pass(project: Path) -> None:
    result = shell([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], project)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("command", [["lint"], ["validate", "--strict"], ["fmt", "--check"]])
def test_its_definition_is_sound(project: Path, command: list[str]) -> None:
    result = shell([PROGRAM, *command, "workflow.asl.yaml"], project)
    assert result.returncode == 0, result.stdout + result.stderr


def test_it_says_what_to_do_next(detent: Detent, folder: Path) -> None:
    result = detent("init", str(folder / "one project"))
    assert result.exit_code == 0
    assert f"  cd '{folder / 'one project'}'\n" in result.stdout
    assert "handlers.py" in result.stdout


def test_without_a_folder_it_takes_the_current_one(tmp_path: Path) -> None:
    result = shell([PROGRAM, "init"], tmp_path)
    assert result.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES
    assert "cd " not in result.stdout


def test_files_of_other_names_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert shell([PROGRAM, "init"], tmp_path).returncode == 0
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "handlers.py").write_text("mine")
    result = shell([PROGRAM, "init"], tmp_path)
    assert result.returncode == 2
    assert "handlers.py is in . already; nothing was written" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["handlers.py"]


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = shell([PROGRAM, "init", "file"], tmp_path)
    assert result.returncode == 2
    assert "cannot be written" in result.stderr
