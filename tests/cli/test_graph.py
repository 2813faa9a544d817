from __future__ import annotations

import os
from pathlib import Path

import pytest

from .conftest import Detent


def test_lines_on_stdout(detent: Detent) -> None:
    result = detent("graph", "greet.yaml")
    assert result.exit_code == 0
    assert result.stdout.startswith("□ Greet  Task  task:greet  ↻ 2  (start)\n└ ⚡ Shy → Wave\n")


@pytest.mark.parametrize(("file", "begin"), [("g.svg", "<svg"), ("g.mmd", "flowchart"), ("g.dot", "digraph")])
def test_the_suffix_decides_about_the_format(detent: Detent, folder: Path, file: str, begin: str) -> None:
    result = detent("graph", "greet.yaml", "-o", file)
    assert (result.exit_code, result.output) == (0, "")
    assert (folder / file).read_text().startswith(begin)


def test_the_path_of_an_execution_with_and_without_its_file(detent: Detent) -> None:
    detent("run", "greet.yaml", "--handlers", "handlers.py", "--name", "e1", "--input", '{"name": "shy"}')
    expected = "↷ Greet  Task  task:greet  ↻ 2  (start)\n└ ⚡ Shy → Wave ✓\n\n✓ Wave  Pass\n"
    assert detent("graph", "--execution", "e1").stdout == expected
    assert detent("graph", "greet.yaml", "--execution", "e1").stdout == expected


def test_png_needs_a_converter(detent: Detent, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    result = detent("graph", "greet.yaml", "-o", "g.png")
    assert result.exit_code == 2
    assert "no converter to PNG is installed: none of resvg, rsvg-convert" in result.stderr
    program = folder / "resvg"
    program.write_text('#!/bin/sh\nread line < "$3"\necho "png of $line" > "$4"\n')
    program.chmod(0o755)
    assert detent("graph", "greet.yaml", "-o", "g.png").exit_code == 0
    assert (folder / "g.png").read_text().startswith("png of <svg")
    program.write_text("#!/bin/sh\necho no memory >&2\nexit 1\n")
    assert (
        "resvg could not convert the picture: no memory"
        in detent("graph", "greet.yaml", "-o", "g.png").stderr
    )


def test_wrong_usage(detent: Detent) -> None:
    assert detent("graph").exit_code == 2
    assert detent("graph", "none.yaml").exit_code == 2
    assert detent("graph", "greet.yaml", "-o", os.path.join("no", "such", "g.svg")).exit_code == 2
