"""The installed program in a folder of its own, and handlers that do everything a handler should not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from detent.cli.app import app

PROGRAM = str(Path(sys.executable).parent / "detent")

WORK = """\
StartAt: Work
States:
  Work: {Type: Task, Resource: task:work, End: true}
"""

HANDLERS = """\
import os
import subprocess
import sys
import time

import detent


@detent.task("work")
def work(document):
    match document.get("do"):
        case "raise":
            raise ValueError("no way")
        case "raise what has no words":
            class Mute(Exception):
                def __str__(self):
                    raise RuntimeError("nor this")
            raise Mute
        case "set":
            return {1, 2}
        case "nan":
            return float("nan")
        case "itself":
            value = []
            value.append(value)
            return value
        case "too much":
            return "x" * 5_000_000
        case "recurse":
            def again():
                return again()
            return again()
        case "no memory":
            raise MemoryError
        case "interrupt":
            raise KeyboardInterrupt
        case "sys.exit":
            sys.exit(7)
        case "os._exit":
            os._exit(0)
        case "print":
            print("to stdout")
            os.write(1, b"\\xff\\xfe raw bytes\\n")
            subprocess.run(["echo", "from a program"], check=True)
        case "hang":
            time.sleep(4)
        case "fork":
            child = os.fork()
            if child == 0:
                return "child"
            os.waitpid(child, 0)
            return "parent"
    return "done"
"""

Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    (tmp_path / "work.yaml").write_text(WORK)
    (tmp_path / "handlers.py").write_text(HANDLERS)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DETENT_")]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def program(folder: Path) -> Program:
    """Runs the installed program; whatever happens, nobody has to read a traceback."""

    def run(*arguments: str, input: str = "", **options: object) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [PROGRAM, *arguments],
            input=input,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            **options,
        )
        assert "Traceback" not in result.stderr
        assert "internal error" not in result.stderr
        return result

    return run


@pytest.fixture
def command(folder: Path) -> Program:
    """Runs a command in this process, which is quicker; the same promise."""

    def run(*arguments: str, input: str = "") -> subprocess.CompletedProcess[str]:
        result = CliRunner().invoke(app, list(arguments), input=input)
        assert "Traceback" not in result.stderr
        assert "internal error" not in result.stderr
        return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)

    return run


def the_error(result: subprocess.CompletedProcess[str]) -> str:
    """The one sentence that says what went wrong."""
    (sentence,) = re.findall(r"^detent: error: (.*)$", result.stderr, re.MULTILINE)
    return str(sentence)
