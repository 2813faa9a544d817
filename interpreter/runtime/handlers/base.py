"""The seam between the engine and the work behind Task states.

A handler is given one attempt of one task and answers its result, or raises :class:`TaskError`. It runs
at least once: a worker that dies before the result is stored makes it run again, with the same
idempotency key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol, runtime_checkable

from ...core.values import JSON


class TaskError(Exception):
    """The task failed: what retriers and catchers see. ``cause`` is text for people.

    Raise it from a handler for an exact error name; of any other exception the class name is the error
    and the message the cause.
    """

    def __init__(self, error: str, cause: str | None = None) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause

    def __str__(self) -> str:
        return self.error if self.cause is None else f"{self.error}: {self.cause}"


class NotBegun(Exception):
    """Nothing has been done: since the engine let it begin, this process may have stood still for so long that what
    it held is somebody else's."""


def _always() -> bool:
    return True


@dataclass(slots=True)
class TaskCall:
    """One attempt of one task.

    ``arguments`` is a copy of its own. ``pending`` names the attempt inside the execution, ``attempt``
    counts from 1 within a visit of the state. ``key`` is the same whenever this very attempt is run again
    and differs from every other attempt's: the idempotency key to hand on. ``deadline`` is when the
    attempt runs out of time (milliseconds since the epoch), None if never.
    """

    resource: str
    arguments: JSON
    execution: str
    execution_name: str
    machine_name: str
    state: str
    pending: int
    attempt: int
    deadline: int | None
    #: Whether it may begin, asked just before it does, from whatever thread: see :class:`NotBegun`.
    may_begin: Callable[[], bool] = _always

    @property
    def key(self) -> str:
        return task_key(self.execution, self.pending)


def task_key(execution: str, pending: int) -> str:
    """The idempotency key of an attempt."""
    return blake2b(f"{execution}/{pending}".encode(), digest_size=16).hexdigest()


#: Tells the engine that the task is alive. May be called from any thread, as often as one likes.
Beat = Callable[[], None]


#: Takes note of what a task was done with, by name.
Note = Callable[[str, JSON], None]


class Handler(Protocol):
    """Whoever can do the work behind a resource.

    ``slots`` bounds how many attempts run at once, None where nothing does: one that waits for a slot has
    not begun, and its clocks stand still.
    """

    @property
    def slots(self) -> asyncio.Semaphore | None: ...

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        """Do it and answer the result, a JSON value. Raises TaskError, and NotBegun if ``may_begin`` said no.

        Called on the engine's loop, which must never wait for user code: a handler moves what may block
        elsewhere. Cancelled when the task is no longer awaited.
        """


@runtime_checkable
class NotingHandler(Handler, Protocol):
    """A handler that can tell what it did: TestState shows it."""

    async def run_noting(self, task: TaskCall, note: Note, *, reveal: bool) -> JSON:
        """As :meth:`run`, with notes; ``reveal`` says that they may hold secrets."""
