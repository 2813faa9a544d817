"""Evaluations of one decision within a small budget, and the helper processes that do what exceeds it.

The engine's loop decides for all executions, so no decision may hold it for long. What an evaluation
exceeds breaks the decision off; a helper process evaluates, and the decision is made again from its
beginning, with the outcomes that are known. A decision that only takes long altogether is taken up again
in the same way.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import perf_counter
from typing import Any

from ..core.evaluation import TOOK_TOO_LONG, TOOK_TOO_MUCH, BrokenOff, Evaluation

#: Seconds of evaluations after which a decision lets others go first.
DECISION_SECONDS = 0.05
#: Seconds that a helper process has in all, however busy the machine is. What it computes it limits itself, to the one
#: second that the service allows.
HELPER_SECONDS = 60.0
#: How a helper ends that has computed for too long.
_OUT_OF_TIME = -getattr(signal, "SIGPROF", 0)
#: Helper processes at work at a time.
HELPERS_MAX = 2


class Evaluations:
    """The outcomes of one decision's evaluations, in order: the core's Evaluator.

    The same decision evaluates the same in the same order, so a place in that order is all it takes to
    know an outcome again.
    """

    __slots__ = ("_known", "_place", "_spent")

    def __init__(self) -> None:
        self._known: list[Any] = []
        self._place = 0
        self._spent = 0.0

    def begin(self) -> None:
        """The decision is made, or made again."""
        self._place = 0
        self._spent = 0.0

    def learn(self, answer: bytes) -> None:
        """What came out of the evaluation over which the decision was broken off."""
        self._known.append(answer)

    def __call__(self, evaluation: Evaluation) -> Any:
        place = self._place
        self._place += 1
        if place < len(self._known):
            known = self._known[place]
            return evaluation.outcome(known) if isinstance(known, bytes) else known
        if self._spent > DECISION_SECONDS:
            raise BrokenOff(None)
        began = perf_counter()
        outcome = evaluation.quick()
        self._spent += perf_counter() - began
        if outcome is None:
            raise BrokenOff(evaluation.request())
        self._known.append(outcome)
        return outcome


class Helpers:
    """Helper processes, one for each evaluation: what it leaves behind goes with it."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(HELPERS_MAX)
        self._tasks: set[asyncio.Task[None]] = set()

    def hand_over(
        self, request: bytes | None, learn: Callable[[bytes], None], go_on: Callable[[], Awaitable[None]]
    ) -> None:
        """Let a helper evaluate, if there is something to evaluate, tell the answer, and go on."""

        async def evaluate() -> None:
            if request is not None:
                learn(await self.evaluate(request))
            await go_on()

        task = asyncio.get_running_loop().create_task(evaluate())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End the helpers; what they evaluate is lost."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def evaluate(self, request: bytes) -> bytes:
        """The answer to a request; one of the core's two if it took too much. Never raises an OSError."""
        async with self._room:
            try:
                return await self._ask(request)
            except OSError:
                return TOOK_TOO_MUCH

    async def _ask(self, request: bytes) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "detent.runtime.helper",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
        )
        try:
            async with asyncio.timeout(HELPER_SECONDS):
                answer, _ = await process.communicate(request)
        except TimeoutError:
            return TOOK_TOO_LONG
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode == 0:
            return answer
        return TOOK_TOO_LONG if process.returncode == _OUT_OF_TIME else TOOK_TOO_MUCH


def _environment() -> dict[str, str]:
    """Ours, with the places of modules. The engine's allocator must not reserve what it does not use: the
    helper limits its address space."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "MIMALLOC_ARENA_RESERVE": "0",
    }
