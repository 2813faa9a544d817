"""The tree of the project as the house tests see it: its folders, its modules, a copy to plant errors in."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent

#: What a checkout may hold beside the project's own files.
NOT_OURS = shutil.ignore_patterns(
    ".git", ".venv*", ".*_cache", ".hypothesis", ".detent", "build", "dist", "__pycache__", "*.egg-info"
)


@cache
def pyproject(root: Path = ROOT) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text())


@cache
def package_folders(root: Path = ROOT) -> dict[str, Path]:
    """Every package that is shipped, with its folder: ``detent.core`` is ``interpreter/core``."""
    tool = pyproject(root)["tool"]["setuptools"]
    return {package: root / _folder(package, tool["package-dir"]) for package in tool["packages"]}


def _folder(package: str, mapped: dict[str, str]) -> str:
    if package in mapped:
        return mapped[package]
    parent, _, name = package.rpartition(".")
    return f"{_folder(parent, mapped)}/{name}"


def shipped_modules(root: Path = ROOT) -> Iterator[tuple[str, Path]]:
    """Every module that can be imported, by its name; ``detent.core`` stands for its ``__init__``."""
    for package, folder in package_folders(root).items():
        for path in sorted(folder.glob("*.py")):
            yield package if path.name == "__init__.py" else f"{package}.{path.stem}", path


def our_files(root: Path = ROOT) -> Iterator[Path]:
    """Every file of the project, without what tools leave behind."""
    for folder, folders, files in os.walk(root):
        ignored = NOT_OURS(folder, [*folders, *files])
        folders[:] = [name for name in folders if name not in ignored]
        yield from (Path(folder, name) for name in files if name not in ignored)


def copy_project(target: Path) -> Path:
    """A copy of the project in ``target``, free to be spoiled."""
    return Path(shutil.copytree(ROOT, target, ignore=NOT_OURS))
