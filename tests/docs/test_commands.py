"""The reference of the commands that look at executions names exactly the options they have."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from detent.cli.app import app

REFERENCE = (Path(__file__).resolve().parent.parent.parent / "docs" / "executions.md").read_text()
ROWS = dict(re.findall(r"^\| `detent (\w+)[^`]*` \| (--.*|`--.*) \|$", REFERENCE, re.MULTILINE))
COMMON = {"--store", "--server", "--output", "--help"}


@pytest.mark.parametrize("name", ROWS)
def test_the_reference_names_every_option(name: str) -> None:
    command = app.get_command(click.Context(app), name)
    assert command is not None
    options = {
        max(parameter.opts, key=len) for parameter in command.params if isinstance(parameter, click.Option)
    }
    assert set(re.findall(r"`(--[a-z]+)`", ROWS[name])) == options - COMMON


def test_the_reference_names_every_command_that_looks_at_executions() -> None:
    assert set(ROWS) == {
        "executions",
        "show",
        "history",
        "signal",
        "redrive",
        "stop",
        "delete",
        "verify",
        "replay",
        "export",
        "import",
    }
