"""Every workflow in definitions/ is sound, runs with each of its inputs, and ends as its expected.json
says; the log of every run verifies and replays without a difference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import detent.definitions
from detent.cli.app import app
from detent.schema.document import read_file
from detent.schema.validate import validate

from .retrospect import stands_up

ROOT = Path(detent.definitions.__file__).parent
FOLDERS = sorted(path.parent for path in ROOT.glob("*/workflow.yaml"))


def runs() -> list[Any]:
    return [
        pytest.param(folder, name, outcome, id=f"{folder.name}-{name}")
        for folder in FOLDERS
        for name, outcome in json.loads((folder / "expected.json").read_text()).items()
    ]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_is_valid_without_a_warning(folder: Path) -> None:
    assert validate(read_file(folder / "workflow.yaml")) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_input_has_an_expected_outcome_and_a_command(folder: Path) -> None:
    outcomes = json.loads((folder / "expected.json").read_text())
    assert sorted(outcomes) == sorted(path.name for path in folder.glob("*.json") if path.stem != "expected")
    for name in outcomes:
        assert f"--input @{name}" in (folder / "README.md").read_text()


@pytest.mark.parametrize(("folder", "input", "expected"), runs())
def test_it_ends_as_expected(
    folder: Path, input: str, expected: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_PACE", "0")
    command = ["run", str(folder / "workflow.yaml"), "--input", f"@{folder / input}", "--output", "json"]
    command += ["--store", str(tmp_path / "detent.db")]
    if (folder / "handlers.py").exists():
        command += ["--handlers", str(folder / "handlers.py")]
    result = CliRunner().invoke(app, command)
    outcome = json.loads(result.stdout)
    outcome_name = outcome["name"]
    for varying in ("execution", "name", "started", "ended"):
        del outcome[varying]
    assert outcome == expected, result.stderr
    for judge in ("verify", "replay"):
        judged = CliRunner().invoke(app, [judge, "--all", "--store", str(tmp_path / "detent.db")])
        assert judged.exit_code == 0, judged.output
    stands_up(tmp_path / "detent.db")
    expect_replay_to_name_what_changed(folder, tmp_path, outcome_name)


def expect_replay_to_name_what_changed(folder: Path, place: Path, execution: str) -> None:
    """Whichever state of the way is changed, replay tells that the path would be another one from there on."""
    store = ["--store", str(place / "detent.db")]
    found = CliRunner().invoke(
        app, ["history", execution, "--query", "$.events[*].stateEnteredEventDetails.name", *store]
    )
    definition = read_file(folder / "workflow.yaml").value
    visited = {json.loads(line) for line in found.stdout.splitlines()} & definition["States"].keys()
    assert visited
    for state in visited:
        changed = place / "changed.json"
        changed.write_text(json.dumps(with_a_change(definition, state)))
        replayed = CliRunner().invoke(app, ["replay", execution, "--definition", str(changed), *store])
        assert replayed.exit_code == 1
        assert f"{state}, {changed}:" in replayed.stdout, replayed.output


def with_a_change(definition: Any, state: str) -> Any:
    """The definition, with a state that now fails; what was reached from it still could be."""
    fields = definition["States"][state]
    targets = [fields.get("Next"), fields.get("Default")]
    targets += [way["Next"] for key in ("Choices", "Catch") for way in fields.get(key, ())]
    never = (
        {"Condition": "{% false %}"}
        if definition.get("QueryLanguage") == "JSONata"
        else {"Variable": "$.nowhere", "IsPresent": True}
    )
    names = [name.removesuffix(".$") for name in fields.get("Assign", ())]
    assigned = {"Assign": dict.fromkeys(names, 0)} if names else {}
    choices = [{**never, **assigned, "Next": target} for target in targets if target is not None]
    fails = {"Type": "Fail", "Error": "Changed", "Cause": state}
    states = {**definition["States"], state: fails}
    if choices:
        states |= {state: {"Type": "Choice", "Choices": choices, "Default": "Changed"}, "Changed": fails}
    return {**definition, "States": states}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_its_readme_begins_with_what_it_shows(folder: Path) -> None:
    title, empty, sentence, *_ = (folder / "README.md").read_text().splitlines()
    assert title.startswith("# ")
    assert empty == ""
    assert sentence.startswith("Shows ")


def test_the_order_uses_every_type_of_state_with_retry_and_catch() -> None:
    text = (ROOT / "order-fulfilment" / "workflow.yaml").read_text()
    for kind in ("Task", "Choice", "Wait", "Parallel", "Map", "Pass", "Succeed", "Fail"):
        assert f"Type: {kind}\n" in text
    assert "Retry:" in text
    assert "Catch:" in text


def test_the_list_names_every_definition() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [folder.name for folder in FOLDERS if f"({folder.name}/)" not in readme] == []
