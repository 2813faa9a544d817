"""``detent gc`` and ``detent backup``: what is forgotten, what is kept, and a copy that is a store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from detent.cli.app import app

PASS = "StartAt: A\nStates:\n  A:\n    Type: Pass\n    End: true\n"


def detent(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Three executions of one machine, two of another."""
    path = str(tmp_path / "x.db")
    for machine, names in (("a", "123"), ("b", "45")):
        definition = tmp_path / f"{machine}.yaml"
        definition.write_text(PASS)
        for name in names:
            assert detent("run", str(definition), "--name", name, "--store", path).exit_code == 0
    return path


def names(store: str) -> set[str]:
    found = json.loads(detent("executions", "--output", "json", "--store", store).stdout)
    return {one["name"] for one in found["executions"]}


def test_the_newest_of_each_machine_are_kept(store):
    result = detent("gc", "--keep-count", "1", "--store", store)
    assert (result.exit_code, result.stdout) == (0, "a: 2 forgotten\nb: 1 forgotten\n")
    assert names(store) == {"3", "5"}
    assert "nothing is old enough" in detent("gc", "--keep-count", "1", "--store", store).stderr


def test_one_machine_alone_is_looked_at(store):
    result = detent("gc", "--keep-age", "0s", "--machine", "b", "--output", "json", "--store", store)
    (count,) = json.loads(result.stdout)["forgotten"].values()
    assert count == 2
    assert names(store) == {"1", "2", "3"}


def test_machines_are_kept_differently(store):
    detent("gc", "--keep-age", "1d", "--keep-age", "b=0s", "--keep-count", "a=2", "--store", store)
    assert names(store) == {"2", "3"}


def test_what_is_younger_is_kept(store):
    detent("gc", "--keep-age", "1d", "--store", store)
    assert names(store) == set("12345")


@pytest.mark.parametrize(
    "arguments", [(), ("--keep-age", "soon"), ("--keep-count", "-1"), ("--keep-age", "b=soon")]
)
def test_what_to_keep_must_be_said(store, arguments):
    assert detent("gc", *arguments, "--store", store).exit_code == 2
    assert names(store) == set("12345")


def test_a_backup_is_a_store(store, tmp_path):
    copy = tmp_path / "copy.db"
    assert detent("backup", str(copy), "--store", store).exit_code == 0
    detent("gc", "--keep-count", "0", "--store", store)
    assert names(str(copy)) == set("12345")
    assert detent("verify", "1", "2", "3", "4", "5", "--store", str(copy)).exit_code == 0
    # Restored: put where the store was.
    for file in Path(store).parent.glob("x.db*"):
        file.unlink()
    copy.rename(store)
    assert names(store) == set("12345")
    assert not list(tmp_path.glob("*.part"))


def test_a_backup_replaces_nothing_and_needs_a_store(store, tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("mine")
    assert detent("backup", str(kept), "--store", store).exit_code == 74
    assert kept.read_text() == "mine"
    assert detent("backup", str(tmp_path / "new"), "--store", str(tmp_path / "none.db")).exit_code == 74
    assert detent("backup", str(tmp_path / "new"), "--store", "memory:").exit_code == 74
    assert not (tmp_path / "new").exists()
