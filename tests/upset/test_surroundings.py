"""Disks, rights, clocks, signals, pipes and other processes: nothing that was written is lost."""

from __future__ import annotations

import ctypes
import json
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from detent.cli.app import app
from detent.runtime.clock import SystemClock

from .conftest import PROGRAM, Program, the_error

HOLD = """\
StartAt: Hold
States:
  Hold: {Type: Wait, Seconds: 1, Next: Work}
  Work: {Type: Task, Resource: task:work, End: true}
"""

COPY = """\
StartAt: Copy
States:
  Copy:
    Type: Map
    ItemsPath: $.numbers
    MaxConcurrency: 4
    ItemProcessor:
      StartAt: One
      States:
        One: {Type: Task, Resource: task:page, End: true}
    ResultPath: null
    OutputPath: $.done
    End: true
"""

PAGES = """\
import os
import detent


@detent.task("page")
def page(number):
    return os.urandom(2000).hex()


@detent.task("work")
def work(document):
    return "done"
"""

RUN = ("run", "work.yaml", "--handlers", "handlers.py")

#: prctl(2), and the capabilities by which root may read and write everything.
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def as_anybody() -> None:
    """Rights of files count, also where the tests are run by root."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE)
        libc.prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH)


@pytest.fixture
def locked(folder: Path) -> Iterator[Path]:
    """A folder in which nothing can be written, with a finished store in it."""
    place = folder / "locked"
    place.mkdir()
    (place / "file.json").write_text("{}")
    (place / "file.json").chmod(0)
    place.chmod(0o555)
    yield place
    place.chmod(0o755)


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((*RUN, "--store", "locked/it.db"), 74, "locked/it.db: unable to open database file"),
        ((*RUN, "--store", "locked/below/it.db"), 74, "cannot create the folder of locked/below/it.db"),
        ((*RUN, "--input", "@locked/file.json"), 2, "locked/file.json cannot be read: Permission denied"),
        (("run", "locked/file.json"), 2, "locked/file.json cannot be read"),
        (("convert", "work.yaml", "-o", "locked/work.json"), 2, "cannot be written: Permission denied"),
        (("gallery", "trip-quote", "locked/trip"), 2, "locked/trip cannot be written: Permission denied"),
    ],
    ids=["store", "folder of a store", "input", "definition", "convert", "gallery"],
)
def test_without_the_right_to_it(program: Program, arguments: tuple[str, ...], code: int, said: str) -> None:
    result = program(*arguments, preexec_fn=as_anybody)
    assert said in the_error(result)
    assert result.returncode == code


@pytest.fixture
def kept(folder: Path, program: Program) -> Iterator[Path]:
    """A store with an execution in it, in a folder in which nothing can be written."""
    place = folder / "kept"
    assert program(*RUN, "--name", "old", "--store", "kept/it.db").returncode == 0
    (place / "it.db").chmod(0o444)
    place.chmod(0o555)
    yield place
    place.chmod(0o755)


LOOKS = [
    ("executions",),
    ("show", "old"),
    ("history", "old"),
    ("verify", "old"),
    ("replay", "old"),
    ("export", "old"),
]


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("command", LOOKS, ids=lambda command: command[0])
def test_what_may_only_be_read_is_looked_at(program: Program, command: tuple[str, ...]) -> None:
    result = program(*command, "--store", "kept/it.db", preexec_fn=as_anybody)
    assert (result.returncode, result.stderr) == (0, "")
    assert "old" in result.stdout or "SUCCEEDED" in result.stdout or "ExecutionSucceeded" in result.stdout


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("command", [("delete", "old"), (*RUN, "--name", "new")], ids=["delete", "run"])
def test_what_may_only_be_read_is_not_changed(program: Program, command: tuple[str, ...]) -> None:
    result = program(*command, "--store", "kept/it.db", preexec_fn=as_anybody)
    assert result.returncode == 74
    the_error(result)
    assert program("show", "old", "--store", "kept/it.db").returncode == 0


def test_changes_that_cannot_be_read_are_told_of(kept: Path, program: Program) -> None:
    kept.chmod(0o755)
    (kept / "it.db-wal").write_bytes(b"something")
    (kept / "it.db-wal").chmod(0)
    kept.chmod(0o555)
    result = program("show", "old", "--store", "kept/it.db", preexec_fn=as_anybody)
    assert "its last changes stand in it.db-wal" in the_error(result)
    assert result.returncode == 74


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    processes = []

    def begin(*arguments: str, **options: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"{text!r} was never said")


def small_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))


def test_a_full_disk_is_waited_for_and_nothing_is_lost(program: Program, start: Start, folder: Path) -> None:
    (folder / "copy.yaml").write_text(COPY)
    (folder / "pages.py").write_text(PAGES)
    input = json.dumps({"numbers": list(range(100)), "done": "copied"})
    run = ("run", "copy.yaml", "--handlers", "pages.py", "--name", "one", "--input", input)
    process = start(*run, preexec_fn=small_disk)
    read_until(process, "nothing needs to be restarted")
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate()
    assert "to resume: detent resume one --handlers pages.py" in rest
    assert process.returncode == 130
    assert program("verify", "one").returncode == 0
    resumed = program("resume", "one", "--handlers", "pages.py")
    assert resumed.stdout == '"copied"\n'
    assert program("verify", "one").returncode == 0


def test_a_disk_that_is_full_from_the_start(program: Program) -> None:
    result = program(*RUN, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
    assert result.returncode == 74
    assert "disk" in the_error(result)


def test_two_processes_on_one_store(program: Program, start: Start, folder: Path) -> None:
    (folder / "hold.yaml").write_text(HOLD.replace("Seconds: 1", "Seconds: 60"))
    process = start("run", "hold.yaml", "--handlers", "handlers.py", "--name", "one")
    read_until(process, "waits")
    for refused in (RUN, ("resume", "one", "--handlers", "handlers.py")):
        result = program(*refused)
        assert f"process {process.pid} runs the executions of" in the_error(result)
        assert result.returncode == 74
    # What only looks, or leaves a wish, is welcome.
    assert "RUNNING" in program("executions").stdout
    assert program("stop", "one").returncode == 0
    process.communicate()
    assert process.returncode == 5


def test_killed_while_it_waits_and_resumed(program: Program, start: Start, folder: Path) -> None:
    # Long enough to be killed within, however busy the machine is.
    (folder / "hold.yaml").write_text(HOLD.replace("Seconds: 1", "Seconds: 8"))
    process = start("run", "hold.yaml", "--handlers", "handlers.py", "--name", "one")
    read_until(process, "waits")
    process.kill()
    process.communicate()
    assert program("verify", "one").returncode == 0
    assert program("resume", "one", "--handlers", "handlers.py").stdout == '"done"\n'


def test_a_clock_that_goes_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of an execution the clock is set back by a day: it ends, and its log stays in order."""
    (folder / "hold.yaml").write_text(HOLD)
    real, calls = SystemClock.now, iter(range(1_000_000))

    def now(clock: SystemClock) -> int:
        return real(clock) - (86_400_000 if next(calls) > 3 else 0)

    monkeypatch.setattr(SystemClock, "now", now)
    result = CliRunner().invoke(app, ["run", "hold.yaml", "--handlers", "handlers.py", "--name", "one"])
    assert result.stdout == '"done"\n'
    assert CliRunner().invoke(app, ["verify", "one"]).exit_code == 0
    assert CliRunner().invoke(app, ["replay", "one"]).exit_code == 0


#: What writes to stdout, each command in its own way.
WRITERS = (
    "executions",
    "show one",
    "history one --internal",
    "export one",
    "gallery",
    "validate work.yaml --format json",
)


@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        ("| head -c 1", 0, ""),
        ("> /dev/full", 74, "No space left on device"),
        (">&-", 0, ""),
        ("2>&-", 0, ""),
        ("< /dev/null", 0, ""),
    ],
)
def test_streams(program: Program, redirection: str, code: int, said: str) -> None:
    assert program(*RUN, "--name", "one").returncode == 0
    for command in WRITERS:
        line = f"{PROGRAM} {command} {redirection}"
        result = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
        assert result.returncode == code, command
        assert said in result.stderr
        assert "Traceback" not in result.stderr
        assert "BrokenPipe" not in result.stderr
