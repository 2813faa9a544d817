"""A disk filled to the last byte: the server says so and lives, loses nothing, and goes on when there is room (P8).

The store is on a small file system that only the server and its children see, mounted in a namespace of their own.
Where the system forbids that, a limit of the size of files stands in for it.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .judge import findings
from .world import PATIENCE, SIZE, World, say, world

MEGABYTES = 8
CLIENTS = 20
#: Starts of each of them while the disk is full.
ROUNDS = max(2, SIZE)
AFTER = 20
WORK: Any = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Task", "Resource": "task:note", "Next": "Pause"},
        "Pause": {"Type": "Wait", "Seconds": 1, "Next": "B"},
        "B": {"Type": "Task", "Resource": "task:note", "End": True},
    },
}
PAYLOAD = "x" * 3000


def test_a_full_disk_costs_answers_and_no_data(tmp_path: Path) -> None:
    with world(tmp_path) as under, small_disk(under) as disk:
        under.start()
        under.machine("work", WORK)
        acknowledged = {name for n in range(10) if under.begin("work", name := f"before{n}", {"x": PAYLOAD})}
        disk.fill()
        asked = [f"full{number}" for number in range(CLIENTS * ROUNDS)]
        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(lambda name: under.ask("POST", "/v1/executions", body(name)), asked))
        for answer in answers:
            answer.must_be_well_formed()
        acknowledged |= {name for name, answer in zip(asked, answers, strict=True) if answer.status == 202}
        refused = sum(answer.status == 503 for answer in answers)
        assert refused, "the disk was not full"
        told = under.sfn("StartExecution", stateMachineArn=machine_arn(under), input='{"x": 1}')
        told.must_be_well_formed()
        assert under.ask("GET", "/healthz").status == 200
        assert under.ask("GET", "/v1/executions?limit=5").status == 200
        assert under.is_running

        disk.empty()
        recovered = [name for n in range(AFTER) if until_begun(under, name := f"after{n}")]
        assert under.is_running, "it had to be started again"
        disk.fill()
        under.kill()
        disk.empty()
        under.start()
        ended = under.until_ended()
        assert acknowledged | set(recovered) <= set(ended)
        assert {one["status"] for one in ended.values()} == {"SUCCEEDED"}
        wrong = {name: said for name, one in ended.items() if (said := findings(under.history(one["id"])))}
        assert not wrong
        done = {(effect.execution, effect.state) for effect in under.effects()}
        assert done == {(name, state) for name in ended for state in "AB"}
        assert under.end() == 0
        say(
            f"P8: {disk.kind}, {refused} starts refused of {len(asked)}; {len(ended)} executions, 0 lost; "
            f"{AFTER} of {AFTER} started after"
        )


def body(name: str) -> Any:
    return {"machine": "work", "name": name, "input": {"x": PAYLOAD}}


def machine_arn(under: World) -> str:
    arn: str = under.ask("GET", "/v1/machines/work").json["arn"]
    return arn


def until_begun(under: World, name: str) -> bool:
    """Start until it is acknowledged: a moment after there is room again it must be."""
    until = time.monotonic() + PATIENCE
    while not under.begin("work", name, {"x": PAYLOAD}):
        assert time.monotonic() < until, under.log()[-3000:]
        time.sleep(0.1)
    return True


class SmallDisk:
    """A file system of a few megabytes that is mounted where the server sees it."""

    kind = "a small file system"

    def __init__(self, under: World) -> None:
        self.under = under
        self.place = under.folder / "disk"
        self.place.mkdir()
        under.store = f"sqlite:///{self.place / 'detent.db'}"
        # One process keeps the mount while servers come and go.
        self.holder = subprocess.Popen(
            [
                "unshare",
                "-rm",
                "sh",
                "-c",
                f"mount -t tmpfs -o size={MEGABYTES}m tmpfs '{self.place}' && echo && cat",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.holder.stdout is not None
        self.holder.stdout.readline()
        under.before = [
            "nsenter",
            "-t",
            str(self.holder.pid),
            "-U",
            "-m",
            "--preserve-credentials",
            f"--wd={under.folder}",
        ]
        self.seen = Path(f"/proc/{self.holder.pid}/root{self.place}")

    def fill(self) -> None:
        with (self.seen / "ballast").open("ab", buffering=0) as file:
            for size in (65536, 1):
                try:
                    while file.write(b"\0" * size):
                        pass
                except OSError:
                    pass

    def empty(self) -> None:
        (self.seen / "ballast").unlink(missing_ok=True)

    def close(self) -> None:
        self.under.kill()
        self.holder.communicate()


class LimitedFiles:
    """Files of the server may not grow beyond what they are."""

    kind = "a limit of the size of files"

    def __init__(self, under: World) -> None:
        self.under = under

    def fill(self) -> None:
        largest = max(path.stat().st_size for path in self.under.folder.glob("detent.db*"))
        self._limit(largest + 50_000)

    def empty(self) -> None:
        if self.under.is_running:
            self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        assert self.under.process is not None
        resource.prlimit(self.under.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def close(self) -> None:
        pass


@contextmanager
def small_disk(under: World) -> Iterator[SmallDisk | LimitedFiles]:
    disk = SmallDisk(under) if may_mount() else LimitedFiles(under)
    try:
        yield disk
    finally:
        disk.close()


def may_mount() -> bool:
    if "NO_MOUNT" in os.environ or shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
