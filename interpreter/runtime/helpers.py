"""Helper processes: they do what would keep this one from its work, and can be ended half-way.

They give way to this process where there are too few processors for all.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from contextlib import suppress
from typing import NamedTuple

from ..core.evaluation import TOOK_TOO_LONG, TOOK_TOO_MUCH
from .frames import ANSWER, JOB, LAST

#: Seconds that a job has in all, however busy the machine is. What it computes a helper limits itself.
PATIENCE_SECONDS = 60.0
#: How a helper ends that has computed for too long.
_OUT_OF_TIME = -getattr(signal, "SIGPROF", 0)
#: Helper processes at work at a time.
HELPERS_MAX = 2
#: Seconds after which a helper that has nothing to do is ended.
IDLE_SECONDS = 30.0
#: How much less of a processor helpers get than whoever waits for it, too.
NICENESS = 10
#: Bytes of an answer that are read at a time.
_READ_BYTES = 1024 * 1024


class Job(NamedTuple):
    """Work that helpers do: a function of a request, ``module:function``, and what it may take.

    ``seconds`` are of computing, ``memory`` is in bytes.
    """

    name: str
    seconds: float
    memory: int


#: One JSONata expression, as long as the service allows; memory is enough for the longest list that it allows.
EVALUATE = Job("detent.runtime.helper:evaluate", seconds=1.0, memory=96 * 1024 * 1024)


class Ended(Exception):
    """A job that was ended without an answer. ``too_long`` says whether it took too long, or too much memory."""

    def __init__(self, *, too_long: bool) -> None:
        super().__init__("it took too long" if too_long else "it took too much memory")
        self.too_long = too_long


class Helpers:
    """At most so many processes, begun when they are needed; each does one job at a time."""

    def __init__(self, at_once: int = HELPERS_MAX) -> None:
        self._room = asyncio.Semaphore(at_once)
        self._idle: list[tuple[Process, asyncio.TimerHandle]] = []
        self._leaving: dict[Process, asyncio.Task[int]] = {}

    async def close(self) -> None:
        """End the helpers that have nothing to do."""
        idle, self._idle = self._idle, []
        for process, until in idle:
            until.cancel()
            await _end(process)
        for process in list(self._leaving):
            await _end(process)

    async def evaluate(self, request: bytes) -> bytes:
        """The answer to a request; one of the core's two if it took too much. Never raises an OSError."""
        try:
            return await self.do(EVALUATE, request)
        except Ended as ended:
            return TOOK_TOO_LONG if ended.too_long else TOOK_TOO_MUCH

    async def do(self, job: Job, request: bytes) -> bytes:
        """The answer to a request. Raises Ended if there is none: also where the system has no process to spare."""
        async with self._room:
            try:
                process = await self._begun()
            except OSError:
                raise Ended(too_long=False) from None
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    answer, goes_on = await _ask(process, job, request)
            except TimeoutError:
                await _end(process)
                raise Ended(too_long=True) from None
            except (EOFError, OSError):
                await process.wait()
                raise Ended(too_long=process.returncode == _OUT_OF_TIME) from None
            except BaseException:
                await _end(process)
                raise
            if goes_on:
                self._keep(process)
            else:
                self._let_go(process)
            return answer

    async def _begun(self) -> Process:
        while self._idle:
            process, until = self._idle.pop()
            until.cancel()
            if process.returncode is None:
                return process
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "detent.runtime.helper",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
            limit=_READ_BYTES,
            # What a terminal sends to its group does not reach it. It stays in the session: to each of these Linux may
            # give an equal share of the processors, however nice its processes are.
            process_group=0,
        )
        if hasattr(os, "setpriority"):
            with suppress(OSError):
                niceness = os.getpriority(os.PRIO_PROCESS, 0) + NICENESS
                os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
        return process

    def _keep(self, process: Process) -> None:
        """Keep a process for the next job, unless there is none for long."""

        def let_go() -> None:
            self._idle = [each for each in self._idle if each[0] is not process]
            self._let_go(process)

        self._idle.append((process, asyncio.get_running_loop().call_later(IDLE_SECONDS, let_go)))

    def _let_go(self, process: Process) -> None:
        """Have a process end by itself."""
        _close(process)
        waiting = asyncio.get_running_loop().create_task(process.wait())
        self._leaving[process] = waiting
        waiting.add_done_callback(lambda _: self._leaving.pop(process, None))


async def _ask(process: Process, job: Job, request: bytes) -> tuple[bytes, bool]:
    """The answer, and whether the process takes more. Raises EOFError or OSError if it ends before."""
    assert process.stdin is not None
    assert process.stdout is not None
    name = job.name.encode()
    process.stdin.write(JOB.pack(len(name), job.memory, len(request), job.seconds) + name)
    process.stdin.write(request)
    await process.stdin.drain()
    last, length = ANSWER.unpack(await process.stdout.readexactly(ANSWER.size))
    answer = await process.stdout.readexactly(length)
    return answer, last != LAST


def _close(process: Process) -> None:
    """A helper ends when nothing more can come."""
    if process.stdin is not None:
        process.stdin.close()


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    _close(process)
    await process.wait()


def _environment() -> dict[str, str]:
    """Ours, with the places of modules.

    A helper limits its address space: the allocator of JSONata's engine must not reserve what it does not use, and
    where memory ends the engine must not begin to write how it came there: it has none for that, and would wait for
    ever.
    """
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "MIMALLOC_ARENA_RESERVE": "0",
        "RUST_BACKTRACE": "0",
    }
