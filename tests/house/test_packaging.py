"""What is installed: one distribution, one top-level name, every module and every data file."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib.metadata import version
from pathlib import Path

import pytest

import detent

from .tree import ROOT, copy_project, our_files, package_folders, pyproject

#: The public face of ``import detent``. What is not named here may change tomorrow.
PUBLIC = ["TaskContext", "TaskError", "task"]

MAPPED = {
    package: ROOT / folder for package, folder in pyproject()["tool"]["setuptools"]["package-dir"].items()
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of a clean copy: what earlier builds left in the checkout is not in it."""
    here = tmp_path_factory.mktemp("wheel")
    project = copy_project(here / "project")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(here),
        str(project),
    ]
    subprocess.run(build, check=True, capture_output=True)
    (path,) = here.glob("*.whl")
    return zipfile.ZipFile(path)


def test_every_folder_with_modules_is_a_package_of_the_distribution() -> None:
    folders = {path.parent for path in our_files() if path.name == "__init__.py" and _is_shipped(path)}
    assert set(package_folders().values()) == folders


def test_the_wheel_holds_every_shipped_file_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    files = {_installed_name(path) for path in our_files() if _is_shipped(path)}
    metadata = {name for name in wheel.namelist() if ".dist-info/" in name}
    assert set(wheel.namelist()) - metadata == files


def test_the_wheel_has_one_top_level_name(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert tops == {"detent", f"detent-{version('detent')}.dist-info"}


def test_the_wheel_says_that_it_is_typed(wheel: zipfile.ZipFile) -> None:
    assert "detent/py.typed" in wheel.namelist()


def test_the_wheel_carries_the_licence_and_the_readme(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    fields = Parser().parsestr(wheel.read(metadata).decode())
    assert fields["License-Expression"] == "MIT"
    assert fields["License-File"] == "LICENSE"
    assert "make demo" in fields.get_payload()


def test_the_version_is_written_once() -> None:
    assert version("detent") == pyproject()["project"]["version"]
    written = f'"{pyproject()["project"]["version"]}"'
    assert [str(path) for path in our_files() if _is_shipped(path) and written in path.read_text()] == []


def test_the_public_face_is_sorted_and_complete() -> None:
    exported = list(getattr(detent, "__all__", []))
    assert exported == PUBLIC
    assert exported == sorted(exported)
    assert [name for name in exported if not hasattr(detent, name)] == []


def _is_shipped(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in MAPPED.values())


def _installed_name(path: Path) -> str:
    package, folder = next(
        (package, folder) for package, folder in MAPPED.items() if path.is_relative_to(folder)
    )
    return "/".join([*package.split("."), *path.relative_to(folder).parts])
