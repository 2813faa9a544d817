"""The command line, in a folder of its own with a few definitions: in this process, or as the installed program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from detent.cli.app import app

PROGRAM = str(Path(sys.executable).parent / "detent")

GREET = """\
StartAt: Greet
States:
  Greet:
    Type: Task
    Resource: task:greet
    Retry:
      - ErrorEquals: [Busy]
        IntervalSeconds: 1
        MaxAttempts: 2
        MaxDelaySeconds: 1
    Catch:
      - ErrorEquals: [Shy]
        Next: Wave
    End: true
  Wave: {Type: Pass, Result: o/, End: true}
"""

WAIT = """\
StartAt: Before
States:
  Before: {Type: Task, Resource: task:count, ResultPath: $.before, Next: Hold}
  Hold: {Type: Wait, SecondsPath: $.seconds, Next: After}
  After: {Type: Task, Resource: task:count, ResultPath: $.after, End: true}
"""

ENDS = """\
StartAt: Which
TimeoutSeconds: 1
States:
  Which:
    Type: Choice
    Choices:
      - {Variable: $.end, StringEquals: FAILED, Next: Refuse}
      - {Variable: $.end, StringEquals: TIMED_OUT, Next: Sleep}
    Default: Fine
  Refuse: {Type: Fail, Error: Refused, Cause: not today}
  Sleep: {Type: Wait, Seconds: 3600, End: true}
  Fine: {Type: Succeed}
"""

HANDLERS = '''\
import os
from pathlib import Path

import detent


@detent.task("greet")
def greet(person, context):
    print("a handler may print")
    name = person.get("name", "World")
    if name == "shy":
        raise detent.TaskError("Shy", "would rather not")
    return f"Good morning, {name}!"


@detent.task("count")
def count(document, context):
    """Leaves a line for every call: what ran twice is seen."""
    with Path("calls.txt").open("a") as file:
        file.write(f"{context.state}\\n")
    return os.getpid()
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    for name, text in {
        "greet.yaml": GREET,
        "wait.yaml": WAIT,
        "ends.yaml": ENDS,
        "handlers.py": HANDLERS,
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DETENT_")]:
        monkeypatch.delenv(name)
    return tmp_path


Detent = Callable[..., Result]


@pytest.fixture
def detent(folder: Path) -> Detent:
    """Runs a command in this process."""

    def invoke(*arguments: str, input: str | None = None, env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=input, env=env)

    return invoke


Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def program(folder: Path) -> Program:
    """Runs the installed program."""

    def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False, **options)

    return run
