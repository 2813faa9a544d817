"""What has no place in any file of the project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .tree import ROOT, our_files

FILES = sorted(our_files())
TEXTS = [
    path for path in FILES if path.suffix in {".cfg", ".md", ".py", ".sh", ".sql", ".toml", ".yaml", ".yml"}
]
TEXTS += [path for path in FILES if path.name in {"Makefile", "run"}]

MEBIBYTE = 1024 * 1024

#: Written so that this file does not find itself.
UNWANTED = {
    "a place left unfinished": r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|NotImplemented" r"Error",
    "a path of someone's machine": r"(?<![\w.:}/-])/(ro" r"ot|ho" r"me|Us" r"ers|wo" r"rk)/\w",
    "a test that does not run": r"pytest\.(mark\.)?(sk" r"ip|xf" r"ail|importor" r"skip)\b",
    "an ignored error without its code": r"# type: igno" r"re(?!\[)|# no" r"qa(?!:)",
}


@pytest.mark.parametrize("what", UNWANTED)
def test_no_text_holds(what: str) -> None:
    pattern = re.compile(UNWANTED[what])
    found = [f"{_name(path)}: {match[0]}" for path in TEXTS for match in pattern.finditer(path.read_text())]
    assert found == []


def test_no_file_is_over_a_mebibyte() -> None:
    assert [_name(path) for path in FILES if path.stat().st_size > MEBIBYTE] == []


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
