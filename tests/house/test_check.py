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


def make_check(project: Path) -> tuple[int, str]:
    """Run all of ``make check`` with the tools of this environment, installing nothing."""
    result = subprocess.run(
        ["make", "-k", "check", "-o", ".venv/.test", f"BIN={Path(sys.executable).parent}"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout


@pytest.mark.parametrize(
    ("source", "code"),
    [
        pytest.param('x: int = "text"\n', "[assignment]", id="a wrong type"),
        pytest.param("\ndef f(x):\n    return x\n", "[no-untyped-def]", id="no type at all"),
        pytest.param("import os\n", "F401", id="lint"),
        pytest.param("x = {'a':1}\n", "would be reformatted", id="format"),
    ],
)
def test_an_error_in_any_folder_is_found(project: Path, source: str, code: str) -> None:
    files = plant(project, source)
    status, output = make_check(project)
    assert status != 0
    assert code in output
    assert [name for name in files if name not in output] == []


def test_a_forbidden_import_is_found(project: Path) -> None:
    plant(project, "import yaml\n\nx = yaml\n")
    (project / "schema" / "planted.py").unlink()  # the one room that may
    status, output = make_check(project)
    assert status != 0
    modules = [f"{package}.planted" for package in package_folders() if package != "detent.schema"]
    assert [module for module in modules if f"[{module}]" not in output] == []


def test_the_project_as_it_stands_passes(project: Path) -> None:
    for folder in FOLDERS:
        (project / folder / "planted.py").unlink(missing_ok=True)
    status, output = make_check(project)
    assert status == 0, output
