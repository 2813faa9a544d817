"""What a user can meet by name is documented: every code of an error, every package, every command of make."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from .tree import ROOT, package_folders, shipped_modules


def error_codes() -> Iterator[str]:
    """The ``code`` of each class that has one: those of the exceptions below DetentError."""
    for _, path in shipped_modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                yield from _code(node)


def _code(owner: ast.ClassDef) -> Iterator[str]:
    for node in owner.body:
        match node:
            case ast.Assign(targets=[ast.Name("code")], value=ast.Constant(str(code))):
                yield code


def test_every_code_of_an_error_is_explained_once() -> None:
    codes = Counter(error_codes())
    explained = re.findall(r"^\| `([A-Z_]+)` \| \S", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE)
    assert [code for code, times in codes.items() if times > 1] == []
    assert sorted(codes.keys() - set(explained)) == [], "not in docs/errors.md"
    assert sorted(set(explained) - codes.keys()) == [], "only in docs/errors.md"
    assert explained == sorted(explained)


def test_the_architecture_names_every_package() -> None:
    architecture = (ROOT / "docs" / "architecture.md").read_text()
    folders = [folder.relative_to(ROOT).as_posix() for folder in package_folders().values()]
    assert [name for name in folders if f"`{name}/`" not in architecture] == []


def test_contributing_names_every_command_of_make() -> None:
    commands = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    assert [name for name in commands if f"make {name}" not in contributing] == []


def test_contributing_says_what_each_folder_of_tests_proves() -> None:
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    assert [name for name in sorted(folders) if f"| `tests/{name}/` |" not in contributing] == []
