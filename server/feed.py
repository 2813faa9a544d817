"""What becomes durable in this process, to those who watch it live."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from detent.core.codec import Step
from detent.core.events import ExecutionEnded, ExecutionRedriven, ExecutionStarted, StateEntered
from detent.core.execution import ROOT, Execution

#: Happenings that may wait for one watcher; who is slower than that is cut off.
WAITING_MAX = 1000


@dataclass(frozen=True, slots=True)
class Happening:
    """Something happened to an execution; ``at`` is in milliseconds, ``state`` the one it entered or ended in."""

    kind: str
    execution: str
    machine: str
    at: int
    state: str | None = None
    error: str | None = None


class Watcher:
    """``execution`` is the one that is watched, None for all: then ``waiting`` has what happened.

    ``lost`` says that more happened than could wait, ``closed`` that the server ends.
    """

    def __init__(self, execution: str | None) -> None:
        self.execution = execution
        self.waiting: deque[Happening] = deque()
        self.lost = False
        self.closed = False
        self.news = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """Wait for news; False if there are none for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self.news.wait()
        except TimeoutError:
            return False
        self.news.clear()
        return True


class Feed:
    """Tells watchers; an observer of the engine."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self._closed = False

    @contextmanager
    def watch(self, execution: str | None = None) -> Iterator[Watcher]:
        """A watcher of one execution, or of all."""
        watcher = Watcher(execution)
        watcher.closed = self._closed
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def observe(self, execution: Execution, steps: Sequence[Step]) -> None:
        """Pass on what has become durable."""
        if not self._watchers:
            return
        happened = [each for step in steps for each in happenings(execution, step)]
        for watcher in self._watchers:
            if watcher.execution == execution.id:
                watcher.news.set()
            elif watcher.execution is None and happened:
                if len(watcher.waiting) + len(happened) > WAITING_MAX:
                    watcher.lost = True
                else:
                    watcher.waiting.extend(happened)
                watcher.news.set()

    def close(self) -> None:
        """The server ends: nobody watches any longer."""
        self._closed = True
        for watcher in self._watchers:
            watcher.closed = True
            watcher.news.set()


def happenings(execution: Execution, step: Step) -> Iterator[Happening]:
    """What a step means to those who watch."""
    id, machine = execution.id, execution.machine_name
    for event in step.events:
        match event:
            case ExecutionStarted():
                yield Happening("started", id, machine, event.started_at)
            case StateEntered():
                yield Happening("entered", id, machine, event.at, state=event.state)
            case ExecutionRedriven():
                yield Happening("redriven", id, machine, event.at)
            case ExecutionEnded():
                yield Happening(event.status.lower(), id, machine, event.at, _state(execution), event.error)


def _state(execution: Execution) -> str | None:
    root = execution.frames.get(ROOT)
    return None if root is None else root.state
