"""``detent migrate``: what it says, what it changes, and how it ends."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from click.testing import CliRunner

from detent.cli.app import app


def migrate(*arguments: str, path: object):
    return CliRunner().invoke(app, ["migrate", *arguments, "--store", str(path)])


def test_a_dry_run_lists_and_changes_nothing(tmp_path):
    path = tmp_path / "x.db"
    result = migrate("--dry-run", path=path)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "0001 initial (before the deploy)"
    assert "would be applied" in result.stderr
    assert not path.exists()


def test_a_new_store_is_made_and_then_up_to_date(tmp_path):
    path = tmp_path / "x.db"
    assert "0001 initial" in migrate(path=path).stdout
    result = migrate("--after-deploy", path=path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "the layout is up to date" in result.stderr


def test_the_sql_is_printed_for_those_who_run_it_themselves(tmp_path):
    path = tmp_path / "x.db"
    result = migrate("--print", path=path)
    assert not path.exists()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(result.stdout)
    assert migrate("--print", path=path).stdout == ""


def test_a_file_of_another_program_is_refused(tmp_path):
    path = tmp_path / "x.db"
    path.write_text("a letter " * 999)
    result = migrate(path=path)
    assert result.exit_code == 74
    assert str(path) in result.stderr
