"""The installed program as the shell sees it: exit codes, signals, pipes, terminals."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import pyte
import pytest

from .conftest import PROGRAM, Program

WAIT = (PROGRAM, "run", "wait.yaml", "--handlers", "handlers.py", "--name", "long")
#: To be seen, interrupted and killed within, however busy the machine is.
LONG_ENOUGH = '{"seconds": 8}'


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the program and leaves it running."""
    started = []

    def begin(*command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def read_until(stream: IO[str] | None, text: str) -> str:
    """The lines up to the one that holds ``text``."""
    assert stream is not None
    lines = ""
    for line in stream:
        lines += line
        if text in line:
            return lines
    raise AssertionError(f"{text!r} did not come:\n{lines}")


def test_help_and_version(program: Program) -> None:
    help = program("--help")
    assert help.returncode == 0
    assert all(command in help.stdout for command in ("validate", "run", "resume"))
    assert max(map(len, help.stdout.splitlines())) <= 80
    assert program("--version").stdout.startswith("detent 0")
    assert program().returncode in (0, 2)


def test_help_imports_nothing_heavy(folder: Path) -> None:
    """What makes `detent --help` start at once."""
    code = (
        "import sys; sys.argv = ['detent', '--help']\n"
        "from detent.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'aiohttp', 'aiosqlite', 'asyncio', 'jsonschema', 'orjson', 'rich', 're2', 'sqlite3', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_a_wrong_command_gets_a_suggestion(program: Program) -> None:
    result = program("valdate", "greet.yaml")
    assert result.returncode == 2
    assert "Did you mean 'validate'?" in result.stderr


# Interrupted and resumed


def test_interrupted_it_says_how_to_resume_and_that_works(
    start: Callable[..., subprocess.Popen[str]], program: Program, folder: Path
) -> None:
    process = start(*WAIT, "--input", LONG_ENOUGH, "--store", "here.db")
    read_until(process.stderr, "Hold                      waits")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert "detent: interrupted; to resume: " in err
    command = err.strip().splitlines()[-1].partition("to resume: ")[2]
    assert command == "detent resume long --handlers handlers.py --store here.db"
    resumed = program(*command.split()[1:])
    assert resumed.returncode == 0
    assert json.loads(resumed.stdout)["after"] != process.pid
    assert (folder / "calls.txt").read_text() == "Before\nAfter\n"


def test_killed_it_goes_on_where_it_was(
    start: Callable[..., subprocess.Popen[str]], program: Program, folder: Path
) -> None:
    process = start(*WAIT, "--input", LONG_ENOUGH)
    read_until(process.stderr, "Hold                      waits")
    process.kill()
    process.wait()
    taken = program(*WAIT[1:])
    assert taken.returncode == 2
    assert "to go on with it: detent resume long --handlers handlers.py" in taken.stderr
    resumed = program("resume", "--handlers", "handlers.py", "--output", "json")
    assert resumed.returncode == 0
    outcome = json.loads(resumed.stdout)
    assert (outcome["name"], outcome["status"]) == ("long", "SUCCEEDED")
    assert outcome["output"]["before"] == process.pid
    assert (folder / "calls.txt").read_text() == "Before\nAfter\n"
    again = program("resume", "--handlers", "handlers.py")
    assert (again.returncode, again.stdout) == (0, "")
    assert "no execution was interrupted" in again.stderr


def test_what_nobody_handles_is_left_alone(
    start: Callable[..., subprocess.Popen[str]], program: Program
) -> None:
    process = start(*WAIT, "--input", '{"seconds": 0}')
    read_until(process.stderr, "Hold                      entered")
    process.kill()
    process.wait()
    result = program("resume")
    if "was left as it is" not in result.stderr:  # it had ended before it was killed
        assert "no execution was interrupted" in result.stderr
        return
    assert result.returncode == 2
    assert "long was left as it is: nobody handles 'task:count'" in result.stderr
    assert program("resume", "long", "--handlers", "handlers.py").returncode == 0


def test_a_second_interrupt_ends_it_at_once(
    start: Callable[..., subprocess.Popen[str]], folder: Path
) -> None:
    (folder / "stuck.py").write_text(
        "import asyncio, detent\n"
        "@detent.task('count')\n"
        "async def count(document):\n"
        "    print('at work', flush=True)\n"
        "    while True:\n"
        "        try: await asyncio.sleep(60)\n"
        "        except asyncio.CancelledError: print('not yet', flush=True)\n"
    )
    process = start(PROGRAM, "run", "wait.yaml", "--handlers", "stuck.py")
    read_until(process.stderr, "at work")
    process.send_signal(signal.SIGINT)
    read_until(process.stderr, "not yet")
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    assert process.returncode == 130
    assert "to resume" not in process.communicate()[1]


def test_one_engine_per_store(start: Callable[..., subprocess.Popen[str]], program: Program) -> None:
    process = start(*WAIT, "--input", '{"seconds": 60}')
    read_until(process.stderr, "waits")
    result = program("run", "greet.yaml", "--handlers", "handlers.py")
    assert result.returncode == 74
    assert len(result.stderr.strip().splitlines()) == 2
    assert str(process.pid) in result.stderr


# Pipes


def test_closed_stdout_is_no_drama(folder: Path) -> None:
    command = f"{PROGRAM} run greet.yaml --handlers handlers.py --store memory: | true"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in result.stderr
    assert "BrokenPipe" not in result.stderr


def test_when_nobody_reads_the_progress_any_more_the_execution_goes_on(folder: Path) -> None:
    command = f"{PROGRAM} run wait.yaml --handlers handlers.py --input '{{\"seconds\": 1}}' --log"
    script = f"{{ {command} 2>&1 >out.json; echo $? >code; }} | head -1"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert "started as" in result.stdout
    assert (folder / "code").read_text() == "0\n"
    assert json.loads((folder / "out.json").read_text())["seconds"] == 1


@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        (">/dev/full", 74, "No space left on device"),
        (">&-", 0, "SUCCEEDED"),
        ("2>&-", 0, ""),
        ("<&-", 0, "SUCCEEDED"),
    ],
)
def test_streams_that_cannot_be_used(folder: Path, redirection: str, code: int, said: str) -> None:
    command = f"{PROGRAM} run greet.yaml --handlers handlers.py --store memory: {redirection}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert result.returncode == code
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_input_is_utf8_whatever_the_locale(folder: Path) -> None:
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    run = [PROGRAM, "run", "greet.yaml", "--handlers", "handlers.py", "--store", "memory:"]
    result = subprocess.run(
        [*run, "--input", '{"name": "Zoë ✓"}'], capture_output=True, check=False, env=os.environ | plain
    )
    assert result.stdout.decode() == '"Good morning, Zoë ✓!"\n'


def test_a_defect_is_one_line_and_a_traceback_on_request(folder: Path) -> None:
    code = (
        "import sys; sys.argv = ['detent', 'validate', 'greet.yaml']\n"
        "import detent.cli.validate as v\n"
        "def broken(*a): raise RuntimeError('boom')\n"
        "v.check = broken\n"
        "from detent.cli import main; main()\n"
    )
    run = [sys.executable, "-c", code]
    short = subprocess.run(run, capture_output=True, text=True, check=False)
    assert short.returncode == 70
    assert "internal error: RuntimeError: boom" in short.stderr
    assert "Traceback" not in short.stderr
    long = subprocess.run(
        run, capture_output=True, text=True, check=False, env=os.environ | {"DETENT_DEBUG": "1"}
    )
    assert "Traceback" in long.stderr


# Terminals


class Terminal:
    """A terminal of 80 by 24 that a program runs in."""

    def __init__(self, *command: str, **environment: str) -> None:
        self.screen = pyte.HistoryScreen(80, 24, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            env = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", "LANG": "C.UTF-8"}
            os.execvpe(command[0], command, os.environ | env | environment)

    def run(self, until: str | None = None) -> list[str]:
        """The lines on the screen once ``until`` stands there, or the program has ended."""
        while True:
            try:
                data = os.read(self.descriptor, 65536)
            except OSError:
                data = b""
            self.stream.feed(data)
            if not data or (until and any(until in line for line in self.screen.display)):
                return [line.rstrip() for line in self.screen.display]

    def wait(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_the_live_view_shows_the_states_and_stays(folder: Path) -> None:
    terminal = Terminal(*WAIT, "--input", LONG_ENOUGH)
    running = terminal.run(until="left")
    assert any("running" in line for line in running)
    assert any(line.startswith("✓ Before") for line in running)
    assert any(line.startswith("○ Hold") and "until" in line for line in running)
    final = [line for line in terminal.run() if line]
    assert terminal.wait() == 0
    assert "SUCCEEDED" in final[0]
    assert [line.split()[:2] for line in final[1:4]] == [["✓", "Before"], ["✓", "Hold"], ["✓", "After"]]
    assert json.loads("".join(final[4:])) | json.loads(LONG_ENOUGH) == json.loads("".join(final[4:]))


def test_interrupted_in_a_terminal(folder: Path) -> None:
    terminal = Terminal(*WAIT, "--input", '{"seconds": 60}')
    terminal.run(until="left")
    os.write(terminal.descriptor, b"\x03")
    final = terminal.run()
    assert terminal.wait() == 130
    assert any("to resume: detent resume long" in line for line in final)
    assert not terminal.screen.cursor.hidden


@pytest.mark.parametrize(
    ("environment", "options"), [({"TERM": "dumb"}, ()), ({}, ("--log",))], ids=["dumb", "log"]
)
def test_lines_instead_of_a_picture(
    folder: Path, environment: dict[str, str], options: tuple[str, ...]
) -> None:
    terminal = Terminal(PROGRAM, "run", "greet.yaml", "--handlers", "handlers.py", *options, **environment)
    lines = terminal.run()
    assert terminal.wait() == 0
    assert any(line.endswith("Greet                     entered") for line in lines)


def test_no_colour_if_it_is_not_wanted(folder: Path) -> None:
    terminal = Terminal(PROGRAM, "run", "greet.yaml", "--handlers", "handlers.py", NO_COLOR="1")
    terminal.run()
    assert terminal.wait() == 0
    cells = [cell for line in terminal.screen.buffer.values() for cell in line.values()]
    assert {cell.fg for cell in cells} == {"default"}


def test_a_refused_start_leaves_no_picture(folder: Path) -> None:
    run = (PROGRAM, "run", "greet.yaml", "--handlers", "handlers.py", "--name", "only")
    subprocess.run(run, check=True, capture_output=True)
    terminal = Terminal(*run)
    lines = [line for line in terminal.run() if line]
    assert terminal.wait() == 2
    assert lines[0] == "detent: error: there is an execution named 'only' already"


@pytest.mark.parametrize(
    "command", [("executions",), ("gallery",), ("explain",)], ids=lambda command: command[0]
)
def test_whoever_reads_the_output_may_go_before_it_comes(folder: Path, command: tuple[str, ...]) -> None:
    subprocess.run(
        [PROGRAM, "run", "greet.yaml", "--handlers", "handlers.py"], capture_output=True, check=False
    )
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody:
        result = subprocess.run([PROGRAM, *command], stdout=nobody, stderr=subprocess.PIPE, check=False)
    assert (result.returncode, result.stderr) == (141, b"")


# Told to end before it works


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",)], ids=lambda command: command[0])
def test_told_to_end_while_it_starts_it_ends_in_order(
    start: Callable[..., subprocess.Popen[str]], folder: Path, command: tuple[str, ...], number: int
) -> None:
    (folder / "slow.py").write_text(
        "import sys, threading\nprint('starting', file=sys.stderr, flush=True)\nthreading.Event().wait()\n"
    )
    process = start(PROGRAM, *command, "--handlers", "slow.py", "--store", "it.db")
    read_until(process.stderr, "starting")
    process.send_signal(number)
    _, said = process.communicate()
    assert (process.returncode, said) == (0, "detent: note: ended before it was at work\n")
