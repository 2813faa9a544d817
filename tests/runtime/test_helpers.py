"""Helper processes: each does one job after the other, and is ended by what takes too much."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from detent.runtime.helpers import NICENESS, Ended, Helpers, Job

WORK = """
import os

kept = []

def number(request):
    return str(os.getpid()).encode()

def standing(request):
    return f"{os.getsid(0)} {os.getpriority(os.PRIO_PROCESS, 0)}".encode()

def spin(request):
    while True:
        pass

def hoard(request):
    kept.append(bytes(int(request)))
    return b"it fits"

def fail(request):
    raise ValueError("a defect")

def end(request):
    os._exit(3)
"""
MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(tmp_path))


def job(name: str, seconds: float = 50.0, memory: int = 512 * MEGABYTE) -> Job:
    return Job(f"some_work:{name}", seconds, memory)


def with_helpers(act: Callable[[Helpers], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        helpers = Helpers()
        try:
            return await act(helpers)
        finally:
            await helpers.close()

    return asyncio.run(run())


def test_a_helper_does_one_job_after_the_other() -> None:
    async def act(helpers: Helpers) -> set[bytes]:
        return {await helpers.do(job("number"), b"") for _ in range(3)}

    assert len(with_helpers(act)) == 1


def test_a_helper_gives_way_to_the_process_that_it_helps() -> None:
    async def act(helpers: Helpers) -> bytes:
        return await helpers.do(job("standing"), b"")

    session, niceness = map(int, with_helpers(act).split())
    assert niceness == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
    assert session == os.getsid(0), "processes of different sessions get equal shares"


def test_more_jobs_than_processes_wait_for_their_turn() -> None:
    async def act(helpers: Helpers) -> list[bytes]:
        return await asyncio.gather(*(helpers.do(job("number"), b"") for _ in range(6)))

    answers = with_helpers(act)
    assert len(answers) == 6
    assert 1 <= len(set(answers)) <= 2


def test_a_large_request_comes_whole_and_a_large_answer_goes_back_whole() -> None:
    async def act(helpers: Helpers) -> bytes:
        return await helpers.do(Job("base64:b64encode", 50.0, 512 * MEGABYTE), bytes(5 * MEGABYTE))

    assert with_helpers(act) == b"AAAA" * (5 * MEGABYTE // 3) + b"AAA="


@pytest.mark.parametrize(
    ("taking_too_much", "request_", "too_long"),
    [
        (job("spin", seconds=0.05), b"", True),
        (job("hoard", memory=64 * MEGABYTE), str(200 * MEGABYTE).encode(), False),
        (job("fail"), b"", False),
        (job("end"), b"", False),
    ],
)
def test_what_takes_too_much_is_ended_and_others_are_done(
    taking_too_much: Job, request_: bytes, too_long: bool
) -> None:
    async def act(helpers: Helpers) -> bool:
        with pytest.raises(Ended) as ended:
            await helpers.do(taking_too_much, request_)
        assert (await helpers.do(job("number"), b"")).isdigit()
        return ended.value.too_long

    assert with_helpers(act) is too_long


def test_what_a_job_has_used_up_does_not_count_for_the_next() -> None:
    async def act(helpers: Helpers) -> bytes:
        # It is computed with, but only a little at a time.
        for _ in range(4):
            await helpers.do(job("hoard", seconds=5.0, memory=64 * MEGABYTE), str(MEGABYTE).encode())
        return await helpers.do(job("hoard", memory=64 * MEGABYTE), str(8 * MEGABYTE).encode())

    assert with_helpers(act) == b"it fits"


def test_a_process_in_which_a_job_has_left_much_does_no_other() -> None:
    async def act(helpers: Helpers) -> tuple[bytes, bytes]:
        before = await helpers.do(job("number"), b"")
        await helpers.do(job("hoard"), str(100 * MEGABYTE).encode())
        return before, await helpers.do(job("number"), b"")

    before, after = with_helpers(act)
    assert before != after


def test_who_waits_no_longer_ends_the_process() -> None:
    async def act(helpers: Helpers) -> bytes:
        waiting = asyncio.create_task(helpers.do(job("spin"), b""))
        await helpers.do(job("number"), b"")
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return await helpers.do(job("number"), b"")

    assert with_helpers(act).isdigit()
