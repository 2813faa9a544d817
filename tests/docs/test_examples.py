"""The examples in README.md and docs/ run, and print what they say.

An HTML comment on the line before a code block makes it an example; without one a block is only read:

``<!-- file: NAME -->``   the block is written to that file
``<!-- runs -->``         the block is run: ``python`` by Python, ``sh`` by bash. In a ``console`` block each line
                          that begins with ``$ `` is a command and the lines below it are what it prints, on
                          stdout and stderr together; ``...`` stands for any text
``<!-- runs: exit 3 -->`` the same, and the exit code of the last command is 3 instead of 0

The examples of one document share an empty folder, from top to bottom, with ``definitions/`` in it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]

EXAMPLE = re.compile(
    r"^<!-- (?P<what>file|runs)(?:: (?P<detail>[^\n]+?))? -->\n+```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Example:
    what: str
    detail: str
    language: str
    text: str
    line: int


def examples(markdown: str) -> Iterator[Example]:
    for match in EXAMPLE.finditer(markdown):
        line = markdown.count("\n", 0, match.start()) + 1
        yield Example(match["what"], match["detail"] or "", match["language"], match["text"], line)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_examples(document: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "definitions", tmp_path / "definitions")
    for example in examples(document.read_text()):
        follow(example, tmp_path, f"{document.name}:{example.line}")


def test_a_marked_block_is_always_an_example() -> None:
    """A marker with a slip of the pen would silently run nothing."""
    for document in DOCUMENTS:
        text = document.read_text()
        assert len(re.findall(r"<!--\s*(?:file|runs?)\b", text)) == len(list(examples(text))), document.name


def follow(example: Example, folder: Path, where: str) -> None:
    if example.what == "file":
        path = folder / example.detail
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.text)
        return
    *commands, (last, printed) = _commands(example)
    for command, expected in commands:
        _expect(command, 0, expected, folder, where)
    _expect(last, int(example.detail.removeprefix("exit ") or 0), printed, folder, where)


def _commands(example: Example) -> list[tuple[list[str], str | None]]:
    """The commands of a block, each with what it prints, None if the block does not say."""
    if example.language == "python":
        return [([sys.executable, "-c", example.text], None)]
    if example.language == "sh":
        return [(["bash", "-euo", "pipefail", "-c", example.text], None)]
    assert example.language == "console", f"no way to run {example.language!r}"
    _, *parts = re.split(r"^\$ ", example.text, flags=re.MULTILINE)
    pairs = (part.partition("\n") for part in parts)
    return [(["bash", "-c", command], printed) for command, _, printed in pairs]


def _expect(command: list[str], status: int, printed: str | None, folder: Path, where: str) -> None:
    result = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    report = f"{where}: {command[-1]}\n{result.stdout}"
    assert result.returncode == status, report
    if printed is not None:
        pattern = ".*".join(re.escape(part) for part in printed.strip().split("..."))
        assert re.fullmatch(pattern, result.stdout.strip(), re.DOTALL), report


def _one(markdown: str) -> Example:
    (example,) = examples(markdown)
    return example


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("<!-- runs -->\n```console\n$ echo one two\none ...\n$ true\n```\n", True),
        ("<!-- runs -->\n```console\n$ echo one\ntwo\n```\n", False),
        ("<!-- runs: exit 3 -->\n```console\n$ exit 3\n```\n", True),
        ("<!-- runs -->\n```sh\nfalse\ntrue\n```\n", False),
        ("<!-- runs -->\n```python\nimport detent\n```\n", True),
        ("<!-- runs -->\n```python\nassert False\n```\n", False),
    ],
)
def test_an_example_that_does_not_hold_fails(text: str, holds: bool, tmp_path: Path) -> None:
    if holds:
        follow(_one(text), tmp_path, "here")
        return
    with pytest.raises(AssertionError):
        follow(_one(text), tmp_path, "here")


def test_a_file_is_written_for_the_examples_below(tmp_path: Path) -> None:
    follow(_one("<!-- file: a/b.yaml -->\n```yaml\nStartAt: Here\n```\n"), tmp_path, "here")
    follow(_one("<!-- runs -->\n```console\n$ cat a/b.yaml\nStartAt: Here\n```\n"), tmp_path, "here")
