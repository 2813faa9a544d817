"""The reference is what the code says: nothing is missing from it, and nothing in it is out of date."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_code_says(tool: ModuleType) -> None:
    assert (ROOT / "docs" / "reference.md").read_text() == tool.reference(), "run `make reference`"


def test_everything_in_it_has_a_meaning(tool: ModuleType) -> None:
    empty = [line for line in tool.reference().splitlines() if line.startswith("|") and line.endswith("|  |")]
    assert empty == []
