"""``detent lsp`` as an editor sees it: the installed program, spoken to over stdin and stdout."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .client import Client, Failure, Message
from .marked import ORDER

PROGRAM = str(Path(sys.executable).parent / "detent")
FILE = "order.asl.yaml"
LINES = ORDER.splitlines()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "handlers.py").write_text('import detent\n\n@detent.task("charge")\ndef charge(order): ...\n')
    return folder


@pytest.fixture(scope="module")
def client(project: Path) -> Iterator[Client]:
    with Client([PROGRAM, "lsp"], project) as client:
        client.open(FILE, ORDER)
        client.findings(FILE)
        yield client


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(LINES) if text in line)


def covered(text: str, range_: Message) -> str:
    start, end = range_["start"], range_["end"]
    assert start["line"] == end["line"]
    return text.splitlines()[start["line"]][start["character"] : end["character"]]


def test_it_says_what_it_can(client: Client) -> None:
    can = client.capabilities
    assert can["textDocumentSync"]["change"] == 2  # incremental
    for name in ("hover", "definition", "references", "documentSymbol", "documentFormatting", "codeAction"):
        assert can[f"{name}Provider"], name
    assert can["renameProvider"] == {"prepareProvider": True}
    assert "$" in can["completionProvider"]["triggerCharacters"]


def test_findings_come_while_typing_and_go_when_mended(client: Client) -> None:
    name, text = "typed.asl.yaml", "StartAt: A\nStates:\n  A: {Type: Succeed}\n"
    client.open(name, text)
    assert client.findings(name, 1) == []
    client.type(name, 2, 0, 9, 10, "AB")
    found = client.findings(name, 2)
    (finding,) = [each for each in found if each["code"] == "missing-target"]
    assert (finding["source"], finding["severity"]) == ("detent", 1)
    assert finding["range"] == {"start": {"line": 0, "character": 9}, "end": {"line": 0, "character": 11}}
    client.type(name, 3, 0, 10, 11, "")
    assert client.findings(name, 3) == []


def test_half_typed_text_is_a_finding_and_no_more(client: Client) -> None:
    client.open("half.asl.json", '{"StartAt": "A", "States": {"A": {"Type": ')
    (finding,) = client.findings("half.asl.json")
    assert finding["code"] == "json-syntax"
    (item, *_) = client.ask("completion", "half.asl.json", 0, 42)
    assert item["label"] == "Task"


def test_other_yaml_is_left_alone(client: Client) -> None:
    client.open("ci.yaml", "on: [push\n")
    assert client.findings("ci.yaml") == []


def test_completion(client: Client) -> None:
    line = line_of("Resource: task:charge")
    items = client.ask("completion", FILE, line, len("    Resource: "))
    assert items[0]["label"] == "task:charge"
    assert covered(ORDER, items[0]["textEdit"]["range"]) == "task:charge"


def test_hover(client: Client) -> None:
    answer = client.ask("hover", FILE, 0, 10)
    assert "**Check** (Pass)" in answer["contents"]["value"]
    assert covered(ORDER, answer["range"]) == "Check"
    assert client.ask("hover", FILE, line_of("States:"), 2) is not None


def test_definition_and_references(client: Client) -> None:
    line = line_of("Default: Charge")
    place = client.ask("definition", FILE, line, len("    Default: C"))
    assert place["range"]["start"] == {"line": line_of("  Charge:"), "character": 2}
    places = client.ask("references", FILE, line, 15, context={"includeDeclaration": True})
    assert [covered(ORDER, each["range"]) for each in places] == ["Charge"] * 3


def test_rename(client: Client) -> None:
    line = line_of("Default: Charge")
    assert covered(ORDER, client.ask("prepareRename", FILE, line, 15)) == "Charge"
    changes = client.ask("rename", FILE, line, 15, newName="Pay")["changes"][client.uri(FILE)]
    assert [each["newText"] for each in changes] == ["Pay"] * 3
    with pytest.raises(Failure, match="a state 'Hold' already"):
        client.ask("rename", FILE, line, 15, newName="Hold")


def test_symbols(client: Client) -> None:
    answer = client.ask("documentSymbol", FILE)
    assert [each["name"] for each in answer] == ["Check", "Large?", "Hold", "Charge", "Refuse"]


def test_formatting(client: Client) -> None:
    client.open("untidy.asl.yaml", "States:\n    A: {Type: Succeed}\nStartAt: A\n")
    options = {"tabSize": 2, "insertSpaces": True}
    (edit,) = client.ask("formatting", "untidy.asl.yaml", options=options)
    assert edit["newText"].startswith("StartAt: A\nStates:\n  A:")
    client.open("broken.asl.yaml", "States: [\n")
    assert client.ask("formatting", "broken.asl.yaml", options=options) is None


def test_code_actions(client: Client) -> None:
    name = "wrong.asl.yaml"
    client.open(name, ORDER.replace("Default: Charge", "Default: Chrage"))
    found = [each for each in client.findings(name) if each["code"] == "missing-target"]
    actions = client.ask("codeAction", name, range=found[0]["range"], context={"diagnostics": found})
    mend = next(each for each in actions if each.get("isPreferred"))
    (edit,) = mend["edit"]["changes"][client.uri(name)]
    assert edit["newText"] == "Charge"
    assert edit["range"] == found[0]["range"]


def test_characters_beyond_the_first_plane_count_twice(client: Client) -> None:
    client.open("wide.asl.yaml", 'StartAt: "🐙 A"\nStates:\n  "🐙 A": {Type: Succeed}\n')
    assert client.findings("wide.asl.yaml") == []
    answer = client.ask("hover", "wide.asl.yaml", 0, 12)
    assert answer["range"]["end"] == {"line": 0, "character": 15}


def test_a_closed_file_has_no_findings(client: Client) -> None:
    client.open("closed.asl.yaml", "StartAt: B\nStates:\n  A: {Type: Succeed}\n")
    assert client.findings("closed.asl.yaml") != []
    client.notify("textDocument/didClose", {"textDocument": {"uri": client.uri("closed.asl.yaml")}})
    assert client.findings("closed.asl.yaml") == []


def test_the_configuration_beside_a_file_counts(project: Path, tmp_path: Path) -> None:
    (tmp_path / "detent.toml").write_text('[lint]\nignore = ["missing-target"]\n')
    with Client([PROGRAM, "lsp", "--stdio"], project) as client:
        file = (tmp_path / "x.asl.yaml").as_uri()
        text = "StartAt: A\nStates:\n  A: {Type: Pass, Next: B}\n"
        document = {"uri": file, "languageId": "yaml", "version": 1, "text": text}
        client.notify("textDocument/didOpen", {"textDocument": document})
        client.uri = lambda name: file  # type: ignore[method-assign]  # a file outside of the client's folder
        assert "missing-target" not in {each["code"] for each in client.findings("x")}
        assert client.end() == (0, "")


def test_without_its_library_it_says_what_to_install(tmp_path: Path) -> None:
    missing = "import sys; sys.modules['pygls'] = None; from detent.cli.app import app; app.main(['lsp'])"
    result = subprocess.run([sys.executable, "-c", missing], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr == (
        "detent: error: the language server needs pygls\n  hint: pip install 'detent[lsp]'\n"
    )
