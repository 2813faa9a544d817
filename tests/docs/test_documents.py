"""What the documents must name, and that their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("**/*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_inside_the_project_lead_to_files(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_the_first_screen_shows_the_two_commands() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:25])
    assert re.search(r"^make demo\b", first_screen, re.MULTILINE)
    assert re.search(r"^make test\b", first_screen, re.MULTILINE)


def test_the_architecture_names_every_package() -> None:
    architecture = (ROOT / "docs" / "architecture.md").read_text()
    packages = {
        path.parent.relative_to(ROOT).as_posix() for top in _shipped() for path in top.rglob("__init__.py")
    }
    assert [name for name in sorted(packages) if f"`{name}/`" not in architecture] == []


def test_contributing_names_every_command_of_make() -> None:
    commands = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    assert [name for name in commands if f"make {name}" not in contributing] == []


def test_contributing_says_what_each_folder_of_tests_proves() -> None:
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    assert [name for name in sorted(folders) if f"| `tests/{name}/` |" not in contributing] == []


def _shipped() -> list[Path]:
    return [
        folder for folder in map(ROOT.joinpath, ("cli", "interpreter", "schema", "server")) if folder.exists()
    ]
