"""``make check`` fails for an error in any folder: each kind is planted in a copy of the project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .tree import ROOT, copy_project, package_folders

FOLDERS = [str(folder.relative_to(ROOT)) for folder in package_folders().values()]
FOLDERS += ["definitions/a-workflow"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copy_project(tmp_path_factory.mktemp("planted") / "project")
    (copy / "definitions" / "a-workflow").mkdir()
    return copy


def plant(project: Path, source: str) -> list[str]:
    """Put the source into every folder that is shipped; return the new files."""
    files = [f"{folder}/planted.py" for folder in FOLDERS]
    for name in files:
        (project / name).write_text(f'"""Planted."""\n\n{source}')
    return files


def make(project: Path, *goals: str) -> tuple[int, str]:
    """Run goals of the Makefile with the tools of this environment, installing nothing."""
    result = subprocess.run(
        ["make", *goals, "-o", ".venv/.test", f"BIN={Path(sys.executable).parent}"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout


@pytest.mark.parametrize(
    ("goal", "source", "code"),
    [
        pytest.param("check-types", 'x: int = "text"\n', "[assignment]", id="a wrong type"),
        pytest.param("check-types", "\ndef f(x):\n    return x\n", "[no-untyped-def]", id="no type at all"),
        pytest.param("check-lint", "import os\n", "F401", id="lint"),
        pytest.param("check-format", "x = {'a':1}\n", "would be reformatted", id="format"),
    ],
)
def test_an_error_in_any_folder_is_found(project: Path, goal: str, source: str, code: str) -> None:
    files = plant(project, source)
    status, output = make(project, goal)
    assert status != 0
    assert code in output
    assert [name for name in files if name not in output] == []


def test_a_forbidden_import_is_found(project: Path) -> None:
    plant(project, "import yaml\n\nx = yaml\n")
    for planted in (project / "schema").glob("**/planted.py"):
        planted.unlink()  # the one room that may
    status, output = make(project, "check-imports")
    assert status != 0
    elsewhere = [package for package in package_folders() if not package.startswith("detent.schema")]
    modules = [f"{package}.planted" for package in elsewhere]
    assert [module for module in modules if f"[{module}]" not in output] == []


def test_make_check_is_all_of_them(project: Path) -> None:
    _, commands = make(project, "-n", "check")
    assert [
        tool
        for tool in ("ruff check", "ruff format", "typecheck.py", "test_imports.py")
        if tool not in commands
    ] == []


def test_the_project_as_it_stands_passes(project: Path) -> None:
    for folder in FOLDERS:
        (project / folder / "planted.py").unlink(missing_ok=True)
    status, output = make(project, "-k", "check")
    assert status == 0, output
