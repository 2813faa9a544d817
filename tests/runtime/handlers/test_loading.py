"""Finding handlers in modules and files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from detent.core.errors import DetentError
from detent.runtime.handlers.loading import load_handlers

IMPORT = "from detent.runtime.handlers.python import task\n"
CHARGE = IMPORT + '@task("charge")\ndef charge(order):\n    return order\n'


@pytest.fixture(autouse=True)
def _clean_imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def refused(spec: str) -> str:
    with pytest.raises(DetentError) as caught:
        load_handlers(spec)
    assert caught.value.code == "HANDLERS"
    return str(caught.value)


def test_a_file_names_its_handlers(tmp_path: Path) -> None:
    found = load_handlers(write(tmp_path / "work.py", CHARGE))
    assert found["charge"](3) == 3
    assert list(found) == ["charge"]


def test_a_directory_stands_for_its_handlers_file(tmp_path: Path) -> None:
    write(tmp_path / "handlers.py", CHARGE)
    assert list(load_handlers(str(tmp_path))) == ["charge"]


def test_a_module_is_found_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "shop_pkg_a" / "__init__.py", "")
    write(tmp_path / "shop_pkg_a" / "work.py", CHARGE)
    monkeypatch.chdir(tmp_path)
    assert list(load_handlers("shop_pkg_a.work")) == ["charge"]


def test_a_file_imports_its_neighbours_and_brings_their_handlers(tmp_path: Path) -> None:
    write(tmp_path / "neighbour_b.py", CHARGE)
    spec = write(tmp_path / "work.py", "from neighbour_b import charge as renamed\n")
    assert list(load_handlers(spec)) == ["charge"]


def test_one_function_may_have_two_names(tmp_path: Path) -> None:
    spec = write(tmp_path / "work.py", IMPORT + '@task("a")\n@task("b")\ndef f(x):\n    return x\n')
    assert sorted(load_handlers(spec)) == ["a", "b"]


def test_two_files_of_one_name_are_two_modules(tmp_path: Path) -> None:
    one = load_handlers(write(tmp_path / "one" / "handlers.py", CHARGE))
    two = load_handlers(write(tmp_path / "two" / "handlers.py", CHARGE.replace("return order", "return 2")))
    assert (one["charge"](1), two["charge"](1)) == (1, 2)


def test_dataclasses_work_in_a_file(tmp_path: Path) -> None:
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n"
    assert list(load_handlers(write(tmp_path / "work.py", text + CHARGE))) == ["charge"]


def test_one_name_twice_names_both_places(tmp_path: Path) -> None:
    spec = write(tmp_path / "work.py", CHARGE + '@task("charge")\ndef other(order):\n    return 1\n')
    message = refused(spec)
    assert f"two functions are called 'charge': {spec}:2 and {spec}:5" in message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert f"there is no file {tmp_path / 'gone.py'}" in refused(str(tmp_path / "gone.py"))


def test_a_missing_module_is_named() -> None:
    assert "there is no module 'no_such_module_c'" in refused("no_such_module_c.work")


def test_a_module_missing_inside_is_told_apart(tmp_path: Path) -> None:
    spec = write(tmp_path / "work.py", "\nimport no_such_module_d\n")
    assert f"{spec}:2: ModuleNotFoundError while it was imported" in refused(spec)


def test_a_syntax_error_has_its_line(tmp_path: Path) -> None:
    spec = write(tmp_path / "work.py", "\n\ndef f(:\n")
    assert f"{spec}:3: syntax error: " in refused(spec)


@pytest.mark.parametrize("statement", ["1 / 0", "raise SystemExit(2)", "int('x')"])
def test_what_is_raised_on_import_has_its_line(tmp_path: Path, statement: str) -> None:
    spec = write(tmp_path / "work.py", f"x = 1\n{statement}\n")
    assert f"{spec}:2: " in refused(spec)


@pytest.mark.parametrize("content", [b"\x00", b"\xff\xfe", b"# coding: nonsense\n"])
def test_what_is_no_python_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "work.py"
    path.write_bytes(content)
    assert refused(str(path))


@pytest.mark.parametrize("spec", ["", ".", "..x", "a b", "x/y"])
def test_what_is_no_spec_is_refused(spec: str) -> None:
    assert refused(spec)


def test_a_file_without_handlers_says_how_to_mark_them(tmp_path: Path) -> None:
    assert "@detent.task" in refused(write(tmp_path / "work.py", "def f(x): return x\n"))
