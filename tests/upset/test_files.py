"""Whatever is given as a definition, an input, a handlers file or a store: one sentence, and the right exit code."""

from __future__ import annotations

import json
import socket
import sqlite3
from pathlib import Path

import pytest

from .conftest import Program, the_error

NOISE = bytes(range(256)) * 8
DEEP = "[" * 100_000

#: What lies in the folder beside what is sound.
FILES: dict[str, bytes] = {
    "empty.yaml": b"",
    "text.yaml": b"to whom it may concern\n",
    "broken.yaml": b"States: [here\n",
    "binary.yaml": NOISE,
    "latin.yaml": b"StartAt: caf\xe9\nStates: {}\n",
    "deep.yaml": b"States: " + b"{A: " * 5000,
    "huge.yaml": b"Comment: " + b"x" * 2_000_000,
    "latin.json": b'{"name": "caf\xe9"}',
    "deep.json": DEEP.encode(),
    "five.json": json.dumps({"text": "x" * 5_000_000}).encode(),
    "noise.py": NOISE,
    "slip.py": b"def work(:\n",
    "leaves.py": b"raise SystemExit(3)\n",
    "nothing.py": b"x = 1\n",
    "noise.db": NOISE,
}

DEFINITIONS = [
    ("missing.yaml", 2, "there is no such file"),
    ("", 2, "this is a directory"),
    (".", 2, "this is a directory"),
    ("empty.yaml", 1, "there is nothing in it"),
    ("/dev/null", 1, "there is nothing in it"),
    ("text.yaml", 1, "A definition must be an object, not 'to whom it may concern'"),
    ("broken.yaml", 1, "a list in brackets goes on or ends here"),
    ("binary.yaml", 1, "this is binary data, not text"),
    ("latin.yaml", 1, "byte 0xe9 is not UTF-8"),
    ("deep.yaml", 1, "nested deeper than 200 levels"),
    ("huge.yaml", 1, "larger than the limit of 1048576 bytes"),
]

INPUTS = [
    ("{", "the text ends too early"),
    ("Ada", "Ada is not a JSON value (put text in double quotes)"),
    ("", "there is nothing in it"),
    ("-", "there is nothing in it"),
    ("@missing.json", "the input file missing.json cannot be read: No such file or directory"),
    ("@.", "the input file . cannot be read: Is a directory"),
    ("@noise.db", "this is binary data, not text"),
    ("@latin.json", "byte 0xe9 is not UTF-8"),
    ("@deep.json", "nested deeper than 200 levels"),
    ("@five.json", "the input has 5,000,011 bytes, and at most 1,048,576 may pass from state to state"),
    ("@/dev/zero", "larger than the limit of 67108864 bytes"),
]

HANDLERS = [
    ("missing.py", "there is no file"),
    ("missing_module", "there is no module 'missing_module'"),
    ("nothing.py", "no handler is defined there"),
    ("noise.py", "syntax error: source code string cannot contain null bytes"),
    ("slip.py", "slip.py:1: syntax error"),
    ("leaves.py", "SystemExit while it was imported: 3"),
]

STORES = [
    ("noise.db", 74, "noise.db is no store, or is damaged"),
    (".", 74, "is a directory; name a file in it"),
    ("noise.db/below/it.db", 74, "cannot create the folder of noise.db/below/it.db"),
    ("ftp://example/store", 2, "is no store this release knows"),
]


@pytest.fixture
def files(folder: Path) -> Path:
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("name", ["validate", "run"])
@pytest.mark.parametrize(("file", "code", "said"), DEFINITIONS, ids=[name for name, _, _ in DEFINITIONS])
def test_definitions(command: Program, name: str, file: str, code: int, said: str) -> None:
    result = command(name, file)
    assert said in result.stdout + result.stderr
    assert result.returncode == code


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("file", "code", "said"),
    [row for row in DEFINITIONS if row[0] not in ("", ".")],  # a folder may be served
    ids=[name for name, _, _ in DEFINITIONS if name not in ("", ".")],
)
def test_definitions_to_serve(command: Program, file: str, code: int, said: str) -> None:
    result = command("serve", file, "--port", "0")
    assert said in result.stderr
    assert result.returncode == code
    assert not Path(".detent").exists()


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("asked", [["run", "work.yaml", "--handlers", "handlers.py"], ["start", "work"]])
@pytest.mark.parametrize(("input", "said"), INPUTS, ids=[input for input, _ in INPUTS])
def test_inputs(command: Program, asked: list[str], input: str, said: str) -> None:
    result = command(*asked, "--input", input)
    assert said in the_error(result)
    assert result.returncode == 2
    assert not Path(".detent").exists()


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    "asked", [["run", "work.yaml"], ["serve", "work.yaml", "--port", "0"], ["worker", "--store", "shared.db"]]
)
@pytest.mark.parametrize(("handlers", "said"), HANDLERS, ids=[name for name, _ in HANDLERS])
def test_handlers(command: Program, asked: list[str], handlers: str, said: str) -> None:
    result = command(*asked, "--handlers", handlers)
    assert said in the_error(result)
    assert result.returncode == 2
    assert not Path(".detent").exists()


def test_a_task_that_nobody_handles(program: Program) -> None:
    result = program("run", "work.yaml")
    assert "nobody handles the Resource 'task:work' of the state 'Work'" in result.stderr
    assert the_error(result) == "nothing was started: some tasks have no handler"
    assert result.returncode == 1


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    "asked",
    [["executions"], ["run", "work.yaml", "--handlers", "handlers.py"], ["serve", "--port", "0"], ["worker"]],
    ids=["executions", "run", "serve", "worker"],
)
@pytest.mark.parametrize(("store", "code", "said"), STORES, ids=[name for name, _, _ in STORES])
def test_stores(command: Program, asked: list[str], store: str, code: int, said: str) -> None:
    before = {path: path.read_bytes() for path in Path().glob("*.db")}
    result = command(*asked, "--store", store)
    if asked == ["executions"] and store == "noise.db/below/it.db":
        code, said = 2, "there is no store at"
    assert said in the_error(result)
    assert result.returncode == code
    assert {path: path.read_bytes() for path in Path().glob("*.db")} == before


@pytest.mark.parametrize("command", [["executions"], ["run", "work.yaml", "--handlers", "handlers.py"]])
def test_a_store_of_a_later_release(program: Program, command: list[str]) -> None:
    assert program("run", "work.yaml", "--handlers", "handlers.py", "--store", "it.db").returncode == 0
    with sqlite3.connect("it.db") as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'protocol'")
    connection.close()
    result = program(*command, "--store", "it.db")
    assert the_error(result).startswith("it.db was written by a later release")
    assert result.returncode == 74


def test_a_machine_that_is_edited_while_an_execution_waits(program: Program, folder: Path) -> None:
    """The execution goes on with the definition it was started with, which is kept with it."""
    left = program(
        "run", "work.yaml", "--handlers", "handlers.py", "--name", "one", "--input", '{"do": "os._exit"}'
    )
    assert left.returncode == 130
    (folder / "work.yaml").write_text("StartAt: Other\nStates:\n  Other: {Type: Fail, Error: Edited}\n")
    (folder / "handlers.py").write_text(
        "import detent\n@detent.task('work')\ndef work(document): return 'as begun'\n"
    )
    again = program("run", "work.yaml", "--name", "one")
    assert "there is an execution named 'one' already; it was interrupted" in the_error(again)
    resumed = program("resume", "one", "--handlers", "handlers.py")
    assert resumed.stdout == '"as begun"\n'
    assert program("verify", "one").returncode == 0
    changed = program("replay", "one", "--definition", "work.yaml")
    assert "one: would take another path" in changed.stdout
    assert changed.returncode == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("start work", "http://127.0.0.1:1 does not answer: Connection refused"),
        ("executions", "http://127.0.0.1:1 does not answer: Connection refused"),
        ("signal one two", "http://127.0.0.1:1 does not answer: Connection refused"),
        ("tail", "http://127.0.0.1:1 does not answer: Connection refused"),
        ("start work --server nonsense", "'nonsense' is no address of a server: write http://HOST:PORT"),
        ("start work --name a/b", "'a/b' cannot be the name of an execution"),
        ("signal one two --value {", "the value is not JSON"),
        ("worker --store memory:", "a store in memory belongs to one process"),
        ("show one --json", "No such option '--json'. Did you mean '--output json'?"),
    ],
)
def test_a_server_a_worker_and_what_is_asked_of_them(
    command: Program, monkeypatch: pytest.MonkeyPatch, asked: str, said: str
) -> None:
    monkeypatch.setenv("DETENT_SERVER", "http://127.0.0.1:1")
    result = command(*asked.split())
    assert said in result.stderr
    assert result.returncode == 2


def test_a_port_that_is_taken(command: Program) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = command("serve", "--port", port)
    assert the_error(result) == f"127.0.0.1:{port} cannot be listened on: Address already in use"
    assert result.returncode == 2
