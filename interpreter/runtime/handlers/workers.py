"""Where user code runs: an event loop in a thread of its own, and threads for what blocks.

The engine's loop hands work over and awaits an answer; it never runs user code. Both ways, many
hand-overs share one wake-up of the loop they go to. The threads are daemons, unlike those of
``concurrent.futures``: a handler that hangs must not keep the process from ending.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol

from ...core.values import JSON

#: Threads for handlers that block. They wait more than they compute, so there are more of them than cores.
THREADS = 32
#: Seconds that async handlers are given to end when the workers close.
CLOSING_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Work(Protocol):
    """One call of user code. Whatever the code does, both forms end in a JSON value, a TaskError, or NotBegun."""

    is_async: bool

    def run(self) -> JSON: ...

    async def run_async(self) -> JSON: ...

    def cancel(self) -> None:
        """The result is no longer awaited. Called from the engine's thread."""


class Workers:
    """Runs work away from the loop that asks for it. Threads start when they are first needed."""

    def __init__(self, threads: int = THREADS) -> None:
        #: One for each thread: work that cannot have one waits here.
        self.slots = asyncio.Semaphore(threads)
        self._loop = _LoopThread()
        self._threads = _Threads(threads)
        self._answers: _Mailbox | None = None

    async def run(self, work: Work) -> JSON:
        """The work's result. Raises what the work raises. Cancelling it cancels the work and does not wait for it."""
        loop = asyncio.get_running_loop()
        answers = self._answers
        if answers is None or answers.loop is not loop:
            answers = self._answers = _Mailbox(loop)
        job = _Job(work, loop.create_future(), answers)
        if work.is_async:
            self._loop.mailbox.post(self._loop.begin, job)
        else:
            self._threads.put(job)
        try:
            return await job.future
        except asyncio.CancelledError:
            job.abandoned = True
            work.cancel()
            if work.is_async:
                self._loop.mailbox.post(_cancel, job)
            raise

    async def close(self) -> None:
        """End the threads. Async handlers still running are cancelled; blocked threads are left behind."""
        self._threads.close()
        await asyncio.to_thread(self._loop.close)


class _Job:
    """A piece of work, who awaits it, and the asyncio task that does it, if it is async."""

    __slots__ = ("abandoned", "answers", "future", "task", "work")

    def __init__(self, work: Work, future: asyncio.Future[JSON], answers: _Mailbox) -> None:
        self.work = work
        self.future = future
        self.answers = answers
        self.task: asyncio.Task[None] | None = None
        self.abandoned = False

    def run(self) -> None:
        if self.abandoned:
            return
        try:
            result = self.work.run()
        except Exception as error:  # also what no work should raise: nobody would ever be answered
            self.answers.post(_fail, self.future, error)
        else:
            self.answers.post(_succeed, self.future, result)

    async def run_async(self) -> None:
        try:
            result = await self.work.run_async()
        except Exception as error:  # also what no work should raise: nobody would ever be answered
            self.answers.post(_fail, self.future, error)
        else:
            self.answers.post(_succeed, self.future, result)


def _succeed(future: asyncio.Future[JSON], result: JSON) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[JSON], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _cancel(job: _Job) -> None:
    if job.task is not None:
        job.task.cancel()


class _Mailbox:
    """Calls to be made on a loop, posted from other threads; all that wait are made in one turn of the loop."""

    __slots__ = ("_awake", "_calls", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._awake = False

    def post(self, call: Callable[..., object], *arguments: Any) -> None:
        """Never blocks. A call to a loop that has been closed is dropped: nobody is left to answer to."""
        self._calls.append((call, arguments))
        # Appended first, looked at second, while _deliver does it the other way round: no call is missed.
        if not self._awake:
            self._awake = True
            try:
                self.loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:
                self._calls.clear()

    def _deliver(self) -> None:
        self._awake = False
        for _ in range(len(self._calls)):
            call, arguments = self._calls.popleft()
            call(*arguments)


class _LoopThread:
    """An event loop in a thread of its own, started when it is first needed."""

    def __init__(self) -> None:
        self._mailbox: _Mailbox | None = None
        self._thread: threading.Thread | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def mailbox(self) -> _Mailbox:
        if self._mailbox is None:
            loop = asyncio.new_event_loop()
            self._mailbox = _Mailbox(loop)
            self._thread = threading.Thread(
                target=self._serve, args=[loop], name="detent-handlers", daemon=True
            )
            self._thread.start()
        return self._mailbox

    def begin(self, job: _Job) -> None:
        job.task = task = asyncio.get_running_loop().create_task(job.run_async())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Blocks until the loop has ended, a few seconds at most."""
        if self._mailbox is not None and self._thread is not None:
            self._mailbox.post(self._end)
            self._thread.join(2 * CLOSING_SECONDS)
            self._mailbox = self._thread = None

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        while not self._closing:
            try:
                loop.run_forever()
            except BaseException:  # a SystemExit in a task that a handler started must not end the others
                _log.exception("a task of a handler tried to end the process")
        try:
            loop.run_until_complete(self._wind_up(loop))
        finally:
            loop.close()

    def _end(self) -> None:
        self._closing = True
        asyncio.get_running_loop().stop()

    async def _wind_up(self, loop: asyncio.AbstractEventLoop) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=CLOSING_SECONDS)
        await loop.shutdown_asyncgens()


class _Threads:
    """Threads that take jobs from one queue; another one starts while all are busy and the size allows it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._started = 0

    def put(self, job: _Job) -> None:
        """Called from one thread, the engine's."""
        if not self._idle.acquire(blocking=False) and self._started < self._size:
            self._started += 1
            name = f"detent-handler-{self._started}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()
        self._queue.put(job)

    def close(self) -> None:
        for _ in range(self._started):
            self._queue.put(None)

    def _serve(self) -> None:
        while (job := self._queue.get()) is not None:
            job.run()
            self._idle.release()
