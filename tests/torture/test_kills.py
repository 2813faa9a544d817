"""SIGKILL at any moment: every execution ends exactly once, nothing is lost, effects repeat only after a kill."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

from detent.audit import verify
from detent.core.codec import Step
from detent.core.events import ExecutionEnded, TaskScheduled, TaskSucceeded
from detent.runtime.recall import recall_steps
from detent.store.base import Found, Query
from detent.store.sqlite import SqliteStore

from .victim import EXECUTIONS

KILLS = 12
VICTIM = Path(__file__).parent / "victim.py"


def run_and_kill(store: Path, folder: Path, commits: int | None) -> bool:
    """Run the victim and kill it after so many commits (None: never); whether it ended by itself."""
    command = [sys.executable, str(VICTIM), str(store), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as victim:
        assert victim.stdout is not None
        if len(victim.stdout.read(commits)) == commits:
            victim.kill()
    return victim.returncode == 0


async def read(path: Path) -> list[tuple[Found, list[Step]]]:
    store = SqliteStore(path)
    await store.open(engine=False)
    try:
        found = await store.find(Query(limit=2 * EXECUTIONS))
        return [(one, (await recall_steps(store, one.record.id))[1]) for one in found]
    finally:
        await store.close()


def test_killed_again_and_again_everything_ends_once(tmp_path: Path) -> None:
    random = Random(1)
    store = tmp_path / "detent.db"
    for _ in range(KILLS):
        if run_and_kill(store, tmp_path, random.randrange(1, 200)):
            break
    assert run_and_kill(store, tmp_path, None)

    executions = asyncio.run(read(store))
    names = {found.record.name for found, _ in executions}
    acknowledged = (tmp_path / "acknowledged").read_text().split()
    assert set(acknowledged) <= names
    assert len(executions) == len(names) == EXECUTIONS
    scheduled, succeeded = set(), set()
    for found, steps in executions:
        assert found.head.status == "SUCCEEDED"
        assert verify(steps) == []
        events = [event for step in steps for event in step.events]
        assert sum(isinstance(event, ExecutionEnded) for event in events) == 1
        name = found.record.name
        scheduled |= {(name, n) for n, event in enumerate(events, 1) if isinstance(event, TaskScheduled)}
        succeeded |= {(name, event.pending) for event in events if isinstance(event, TaskSucceeded)}

    lines = [line.split() for line in (tmp_path / "effects").read_text().splitlines()]
    effects = {(name, int(pending)) for _, name, pending, _, _ in lines}
    assert succeeded <= effects, "a task ended without its effect"
    assert effects <= scheduled, "an effect was not announced"
    assert len({key for key, *_ in lines}) == len(effects), (
        "an attempt has two keys, or two attempts share one"
    )
    # One process runs an attempt at most once: only a kill makes it run again.
    assert max(Counter((key, process) for key, _, _, _, process in lines).values()) == 1
