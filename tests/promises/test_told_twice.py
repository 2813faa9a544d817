"""Told to end a second time a process ends at once, whatever it waits for: a lock, a silent database, a task."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from store.server import Server

from .world import PATIENCE, PROGRAM

COMMANDS = [("serve", "--port", "0"), ("worker",)]
INTERRUPTED = 130

#: Somebody else has a store migrated, and is not done.
HELD = """
CREATE SCHEMA detent;
CREATE TABLE detent.migration (number integer PRIMARY KEY, name text, phase text, applied_at timestamptz);
"""
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'detent.migration'::regclass"

HANGS = """\
import sys, threading
import detent

@detent.task("hang")
def hang(given):
    print("the task hangs", file=sys.stderr, flush=True)
    threading.Event().wait()
"""


class Started:
    """A process that says what it does, and is told to end."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DETENT_")}
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, *arguments], cwd=folder, env=clean, stdout=log, stderr=log
            )

    def until_said(self, text: str) -> None:
        until = time.monotonic() + PATIENCE
        while text not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.02)

    def told_twice(self) -> int:
        """The exit code. Two signals of one number, so soon after each other, would be one."""
        self.process.send_signal(signal.SIGTERM)
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    started = []

    def start(*arguments: str) -> Started:
        started.append(Started(tmp_path, *arguments))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_while_it_opens_a_store_that_somebody_else_changes(
    postgres_server: Server, begin: Callable[..., Started], command: tuple[str, ...]
) -> None:
    async def scenario() -> None:
        somebody = await asyncpg.connect(postgres_server.address)
        await somebody.execute(HELD)
        async with somebody.transaction():
            await somebody.execute("LOCK TABLE detent.migration IN EXCLUSIVE MODE")
            started = begin(*command, "--store", postgres_server.address)
            while not await somebody.fetchval(WAITING):
                assert started.process.poll() is None, started.log.read_text()
                await asyncio.sleep(0.02)
            assert await asyncio.to_thread(started.told_twice) == INTERRUPTED
            assert "ending at once" in started.log.read_text()
        await somebody.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_while_its_database_says_nothing(
    postgres_server: Server, begin: Callable[..., Started], command: tuple[str, ...]
) -> None:
    started = begin(*command, "--store", postgres_server.address)
    started.until_said("at work" if command[0] == "worker" else "AWS_DEFAULT_REGION")
    postgres_server.freeze()
    assert started.told_twice() == INTERRUPTED
    assert "ending at once" in started.log.read_text()


def test_while_a_task_does_not_end(begin: Callable[..., Started], tmp_path: Path) -> None:
    (tmp_path / "handlers.py").write_text(HANGS)
    (tmp_path / "hang.json").write_text(
        '{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "task:hang", "End": true}}}'
    )
    common = ("--handlers", "handlers.py", "--store", "it.db")
    first = begin("run", "hang.json", *common, "--name", "one")
    first.until_said("the task hangs")
    first.process.kill()
    first.process.wait()
    worker = begin("worker", *common)
    worker.until_said("the task hangs")
    assert worker.told_twice() == INTERRUPTED
    assert "others take over" in worker.log.read_text()
