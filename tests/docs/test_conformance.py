"""The figures of conformance are those of the code, and what is promised of them holds."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from detent.query.jsonata.engine import SERVICE

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance", ROOT / "tools" / "conformance.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def figures(tool: ModuleType) -> tuple[Any, Any]:
    with pytest.MonkeyPatch.context() as patch:
        # A busy machine may take its time: the other limits are what counts here.
        patch.setattr("detent.query.jsonata.expression.SERVICE", SERVICE._replace(milliseconds=60_000))
        return tool.table.report(), tool.table.suites()


def test_the_page_is_what_the_recordings_say(tool: ModuleType, figures: tuple[Any, Any]) -> None:
    assert (ROOT / "docs" / "conformance.md").read_text() == tool.page(*figures), "run `make conformance`"


def test_no_recording_fails_but_those_that_are_listed(figures: tuple[Any, Any]) -> None:
    tables, _ = figures
    assert [one.unmet for _, one in tables] == [[], [], []]


def test_expressions_are_as_good_as_promised(figures: tuple[Any, Any]) -> None:
    _, suites = figures
    assert all(suite.right >= 0.97 * suite.cases for suite in suites)
    assert [suite.right for suite in suites[3:]] == [suite.cases for suite in suites[3:]]
