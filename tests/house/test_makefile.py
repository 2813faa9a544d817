"""The Makefile on a machine that is not ours: its list, its refusals, and that it installs once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .tree import ROOT, copy_project


def make(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # What a surrounding make hands down would change what this one does.
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=cwd, env=plain, capture_output=True, text=True, check=False
    )


def python_that(tmp_path: Path, script: str) -> str:
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"PYTHON={path}"


def test_make_alone_lists_the_commands() -> None:
    listed = make().stdout
    assert all(f"make {command} " in listed for command in ("demo", "test", "check"))


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        pytest.param(
            'case "$*" in *version_info*) exit 1;; --version) echo Python 3.9.2;; esac',
            "detent needs Python 3.11 or later, and {python} is older (Python 3.9.2): name a newer one with PYTHON=...",
            id="too old",
        ),
        pytest.param(
            'case "$*" in *ensurepip*) exit 1;; esac',
            "{python} cannot build virtual environments: install its venv module "
            "(Debian and Ubuntu: apt install python3-venv).",
            id="without venv",
        ),
    ],
)
def test_a_python_that_will_not_do_is_refused_in_a_sentence(
    script: str, sentence: str, tmp_path: Path
) -> None:
    python = python_that(tmp_path, script)
    result = make("demo", python, f"VENV={tmp_path}/venv")
    assert result.returncode != 0
    assert result.stderr.splitlines()[0] == sentence.format(python=python.removeprefix("PYTHON="))
    assert not (tmp_path / "venv").exists()


def test_a_python_that_is_not_there_is_refused_in_a_sentence(tmp_path: Path) -> None:
    result = make("demo", "PYTHON=no-such-python", f"VENV={tmp_path}/venv")
    assert result.returncode != 0
    assert result.stderr.startswith("detent needs Python 3.11 or later, and no-such-python is not found")


def test_it_installs_once_and_again_when_the_project_file_changes(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    venv = tmp_path / "venv"
    venv.mkdir()
    for stamp in (".made", ".project", ".test"):
        (venv / stamp).touch()
    assert "pip" not in make("-n", "demo", "test", f"VENV={venv}", cwd=project).stdout
    os.utime(project / "pyproject.toml", (venv.stat().st_mtime + 60,) * 2)
    assert "pip" in make("-n", "demo", f"VENV={venv}", cwd=project).stdout
    assert "pip" in make("-n", "test", f"VENV={venv}", cwd=project).stdout
