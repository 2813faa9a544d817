"""``export`` and ``import``: an execution goes to another machine, and nothing is lost on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from detent.core.values import encode

from .conftest import Detent

GREETING = ("run", "greet.yaml", "--handlers", "handlers.py")


@pytest.fixture
def ran(detent: Detent) -> Detent:
    detent(*GREETING, "--name", "shy", "--input", '{"name": "shy"}')
    return detent


def test_the_file_is_shown_verified_and_replayed_without_a_store(ran: Detent, folder: Path) -> None:
    assert ran("export", "shy", "-o", "shy.json").exit_code == 0
    shown = [ran("show", "shy", "--output", "json").stdout, ran("history", "shy", "--output", "json").stdout]
    for path in (folder / ".detent").iterdir():
        path.unlink()
    (folder / ".detent").rmdir()
    again = [ran(command, "shy.json", "--output", "json").stdout for command in ("show", "history")]
    assert again == shown
    assert ran("verify", "shy.json").stdout == "greet:shy: 9 events, sound\n"
    assert ran("replay", "shy.json").stdout == "greet:shy: 9 events, decided alike\n"
    assert not (folder / ".detent").exists()


def test_another_store_takes_it_once(ran: Detent) -> None:
    ran("export", "shy", "-o", "shy.json")
    other = ("--store", "other/new.db")
    assert ran("import", "shy.json", *other).stdout == "greet:shy is imported\n"
    again = ran("import", "shy.json", *other, "--output", "json")
    assert json.loads(again.stdout)["executions"][0]["imported"] is False
    assert ran("show", "shy", *other).stdout == ran("show", "shy").stdout
    assert ran("export", "shy", *other).stdout == ran("export", "shy").stdout


def test_stdout_is_the_file(ran: Detent, folder: Path) -> None:
    ran("export", "shy", "-o", "shy.json")
    assert ran("export", "shy").stdout == (folder / "shy.json").read_text()


def test_another_execution_of_that_name_is_kept(ran: Detent) -> None:
    ran("export", "shy", "-o", "shy.json")
    ran("delete", "shy")
    ran(*GREETING, "--name", "shy", "--input", '{"name": "Ada"}')
    result = ran("import", "shy.json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "what happened in it is something else" in result.stderr
    assert ran("show", "shy", "--query", "$.output").stdout == '"Good morning, Ada!"\n'


def test_what_has_not_ended_is_imported_only_if_one_means_it(detent: Detent, folder: Path) -> None:
    logs = Path(__file__).parent.parent / "logs" / "0.1.0"
    file = str(logs / "running.json")
    refused = detent("import", file)
    assert refused.exit_code == 2
    assert "running:kept has not ended" in refused.stderr
    assert detent("import", file, "--unfinished").exit_code == 0
    assert detent("stop", "kept").stdout == "running:kept is stopped\n"


def test_many_files_are_imported_together_or_not_at_all(ran: Detent, folder: Path) -> None:
    logs = Path(__file__).parent.parent / "logs" / "0.1.0"
    files = [str(logs / f"{name}.json") for name in ("values", "token", "uncaught")]
    (folder / "cut.json").write_bytes((logs / "loop.json").read_bytes()[:2000])
    refused = ran("import", *files, "cut.json", "--store", "new.db")
    assert refused.exit_code == 1
    assert "cut.json: this is an exported execution that was cut or changed" in refused.stderr
    assert not (folder / "new.db").exists()
    assert ran("import", *files, "--store", "new.db").exit_code == 0
    assert ran("verify", "--all", "--store", "new.db").stdout.splitlines()[-1] == "3 executions, all sound"


@pytest.mark.parametrize("command", ["show", "history", "verify", "replay", "import"])
def test_what_is_no_export_is_refused(detent: Detent, command: str) -> None:
    result = detent(command, "greet.yaml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "greet.yaml: this is no exported execution; `detent export` writes one" in result.stderr


def test_files_that_cannot_be(ran: Detent, folder: Path) -> None:
    assert "cannot be read: No such file" in ran("import", "nowhere.json").stderr
    assert "cannot be read: Is a directory" in ran("import", ".").stderr
    result = ran("export", "shy", "-o", "no/such/folder.json")
    assert (result.exit_code, "cannot be written: No such file" in result.stderr) == (2, True)
    (folder / "there.json").mkdir()
    assert "cannot be written" in ran("export", "shy", "-o", "there.json").stderr
    assert sorted(path.name for path in folder.glob(".*")) == [".detent"]


def forged(change: Callable[[dict[str, Any]], object]) -> bytes:
    """An export that somebody made by hand, every digest in order."""
    logs = Path(__file__).parent.parent / "logs" / "0.1.0"
    body = json.loads((logs / "torn-down.json").read_text())
    del body["sha256"]
    change(body)
    body["execution"]["digest"] = sha256(encode(body["definition"])).hexdigest()
    return json.dumps(body | {"sha256": sha256(encode(body)).hexdigest()}).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(definition={}),
        lambda body: body.update(definition=[1]),
        lambda body: body.update(definition={"StartAt": "A", "States": {"A": {"Type": "Task"}}}),
        lambda body: body["log"][0]["control"][2][0][3].clear(),
        lambda body: body["log"][0]["control"][2][0][3].reverse(),
        lambda body: body["log"][0]["control"][2][0][3][1].__setitem__(1, 77),
        lambda body: body["log"][0]["control"][2][0][3][1].__setitem__(2, None),
        lambda body: body["log"][0]["control"][2].__setitem__(0, [["fired", 3], "soon", None, []]),
        lambda body: body["log"].pop(0),
        lambda body: body["execution"].update(profile="none", status="HAPPY", started_at=10**30),
    ],
)
def test_a_forged_file_is_refused_in_one_sentence(
    detent: Detent, folder: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    (folder / "forged.json").write_bytes(forged(change))
    for command in ("verify", "replay", "show", "history", "import"):
        result = detent(command, "forged.json")
        assert result.exit_code in (0, 1, 2, 74), (command, result.stderr)
        assert "internal error" not in result.stderr, (command, result.stderr)
    assert detent("import", "forged.json").exit_code != 0
