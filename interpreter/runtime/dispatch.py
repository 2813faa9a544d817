"""Run the tasks that executions wait for, and report what becomes of them.

Owns which attempts run now. It knows neither log nor store: an attempt is handed over once its
announcement is durable, and its beginning and end come back as signals.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from time import monotonic
from typing import Protocol

from ..core.errors import RUNTIME, TASK_FAILED
from ..core.execution import Execution, Pending
from ..core.machine import OTHERS_ANSWER
from ..core.signals import Began, Failed, Signal, Submitted, Succeeded
from ..core.values import Payload, decode, encode
from ..mocking import MockError
from ..store.base import NotFound, StoreUnavailable
from .clock import Clock
from .handlers.base import Handler, NotBegun, TaskCall, TaskError
from .handlers.errors import HandlersError
from .leases import Lease
from .limits import Limits
from .log_facts import about
from .mocks import Mocks, mocked_signals

log = logging.getLogger(__name__)

#: How long attempts that end at once may follow each other before others have their turn, in seconds.
TURN_SECONDS = 0.02

#: Finds who does the work behind a resource.
Resolve = Callable[[str], Handler | None]
#: Told of a sign of life: the execution's id and the pending's.
OnBeat = Callable[[str, int], None]


class Report(Protocol):
    """Where signals go: to an execution, as of an instant in milliseconds; None: now."""

    def __call__(self, execution: str, signal: Signal, at: int | None = None, /) -> None: ...


class _Attempt:
    """An attempt that waits for room or runs; ``began_at`` is when it began, as long as that was not told."""

    __slots__ = ("began_at", "call", "pending", "place", "task")

    def __init__(self, place: tuple[str, int], call: TaskCall, pending: Pending) -> None:
        self.place = place
        self.call = call
        self.pending = pending
        self.task: asyncio.Task[None] | None = None
        self.began_at: int | None = None


class Dispatcher:
    """``limit`` bounds how many tasks run at once; the others wait, their clocks standing still.

    ``report`` is told of their beginnings and ends, ``worker`` names who runs them, in the log. What ``mocks`` has
    an answer for nobody else does. ``limits`` bounds them in the whole fleet. Nothing is begun unless the
    ``lease`` surely lives.

    Attempts that end without being awaited cost no asyncio task of their own: one task runs them one after the
    other, and becomes the task of the first that has to be awaited, while the next one goes on with the rest.
    """

    def __init__(
        self,
        resolve: Resolve,
        report: Report,
        on_beat: OnBeat,
        *,
        worker: str,
        clock: Clock,
        limit: int,
        lease: Lease,
        limits: Limits,
        mocks: Mocks | None = None,
    ) -> None:
        self._mocks = mocks
        self._worker = worker
        self._resolve = resolve
        self._report = report
        self._on_beat = on_beat
        self._clock = clock
        self._limit = limit
        self._lease = lease
        self._limits = limits
        self._busy = 0
        self._running: dict[tuple[str, int], _Attempt] = {}
        self._waiting: deque[_Attempt] = deque()
        #: The task that begins attempts now, what it has begun, and all tasks.
        self._beginner: asyncio.Task[None] | None = None
        self._begun: _Attempt | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False

    def start(self, execution: Execution, pending: Pending) -> bool:
        """Run an attempt as soon as there is room. False, and nothing happens, if it runs already."""
        place = (execution.id, pending.id)
        if place in self._running:
            return False
        if self._draining:
            return True  # it is begun by whoever has the execution next
        attempt = self._running[place] = _Attempt(
            place, _call(execution, pending, self._lease.is_sure), pending
        )
        self._waiting.append(attempt)
        self._go_on()
        return True

    def mock(self, execution: Execution, pending: Pending) -> None:
        """Answer a task that waits for a worker or a signal, if a mock does."""
        if self._mocks is not None:
            self.start(execution, pending)

    def cancel(self, execution: str, pending: int) -> None:
        """Nobody waits for this attempt any more."""
        attempt = self._running.get((execution, pending))
        if attempt is None:
            return
        if attempt.task is not None:
            attempt.task.cancel()
        else:
            del self._running[attempt.place]

    def runs(self, execution: str) -> bool:
        """Whether an attempt of an execution waits for room or runs here."""
        return any(place[0] == execution for place in self._running)

    @property
    def tasks(self) -> int:
        """How many tasks run or wait for their turn."""
        return len(self._running)

    def busy(self) -> set[str]:
        """The executions of which attempts run here."""
        return {place[0] for place, attempt in self._running.items() if attempt.task is not None}

    def begin_no_more(self) -> None:
        """What runs is finished, nothing else is begun."""
        self._draining = True
        for attempt in self._waiting:
            self._running.pop(attempt.place, None)
        self._waiting.clear()

    async def close(self) -> None:
        """Cancel what runs; its attempts run again where the executions are resumed."""
        self._waiting.clear()
        running = list(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _go_on(self) -> None:
        """Have somebody begin what waits, if there is room."""
        if self._beginner is None and self._waiting and self._busy < self._limit:
            self._beginner = task = asyncio.get_running_loop().create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        """Run attempts one after the other, until one has to be awaited or others should have their turn."""
        me = asyncio.current_task()
        # It is looked at once this task has ended or awaits something.
        asyncio.get_running_loop().call_soon(self._relieve, me)
        until = monotonic() + TURN_SECONDS
        try:
            while self._beginner is me and self._waiting and self._busy < self._limit:
                attempt = self._waiting.popleft()
                if self._running.get(attempt.place) is not attempt:
                    continue  # cancelled before it began
                attempt.task = me
                self._busy += 1
                self._begun = attempt
                try:
                    await self._run(attempt)
                finally:
                    self._busy -= 1
                    del self._running[attempt.place]
                if monotonic() > until:
                    break
        finally:
            if self._beginner is me:
                self._beginner = None
            self._go_on()

    def _relieve(self, beginner: asyncio.Task[None] | None) -> None:
        """What was begun has to be awaited: its beginning is told, and somebody else goes on."""
        if self._beginner is beginner:
            self._beginner = None
            if self._begun is not None:
                self._tell_begin(self._begun)
            self._go_on()

    def _tell_begin(self, attempt: _Attempt) -> None:
        """Once, and not while it waits for a slot."""
        at, attempt.began_at = attempt.began_at, None
        if at is not None:
            self._report(attempt.call.execution, Began(attempt.call.pending, self._worker), at)

    async def _run(self, attempt: _Attempt) -> None:
        call = attempt.call
        mocked = None if self._mocks is None else await self._mocked(self._mocks, attempt)
        if mocked is not None:
            self._report(call.execution, mocked)
            return
        if attempt.pending.mode in OTHERS_ANSWER:
            return  # somebody takes it, or sends the signal
        handler, why = None, ""
        try:
            handler = self._resolve(call.resource)
        except HandlersError as error:
            why = f": {error}"
        except Exception as error:
            facts = about(call.execution, call.state)
            log.exception("the handler of %s could not be found", call.resource, extra=facts)
            why = f": {error}"
        if handler is None:
            problem = f"nobody handles the resource {call.resource}{why}"
            signal: Signal = Failed(call.pending, TASK_FAILED, problem)
        elif handler.slots is None and not self._limits:
            signal = await self._ask(handler, attempt)
        else:
            async with self._limits.slot(call.resource, call.arguments), handler.slots or nullcontext():
                signal = await self._ask(handler, attempt)
        self._report(call.execution, signal)

    async def _mocked(self, mocks: Mocks, attempt: _Attempt) -> Signal | None:
        """The end of an attempt that has a mocked answer, None if it has none."""
        call = attempt.call
        try:
            answer = await mocks.answer(call)
        except StoreUnavailable:
            # Whoever resumes the execution runs the attempt again.
            await asyncio.get_running_loop().create_future()
        except (MockError, NotFound) as error:
            return Failed(call.pending, RUNTIME, str(error))
        if answer is None:
            return None
        if attempt.pending.mode != "signal":  # which has begun when it is entered
            attempt.began_at = self._clock.now()
            self._tell_begin(attempt)
        *submitted, end = mocked_signals(call, attempt.pending.mode, answer)
        for signal in submitted:
            self._report(call.execution, signal)
        if answer.delay:
            await asyncio.sleep(answer.delay)
        return end

    async def _ask(self, handler: Handler, attempt: _Attempt) -> Signal:
        """What becomes of an attempt. It begins now; that is told alone unless it ends at once."""
        call, pending = attempt.call, attempt.pending
        while True:
            if not self._lease.is_sure():
                # This process may have stood still for long: what it held may be somebody else's, who does this now.
                await self._lease.sure()
            attempt.began_at = now = self._clock.now()
            # The answer of a job or a callback is not its end: that it began is always told.
            if attempt.task is not self._beginner or pending.mode != "request":
                self._tell_begin(attempt)
            if pending.timeout is not None and (not pending.started or pending.mode == "request"):
                call.deadline = now + pending.timeout * 1000
            try:
                result = await handler.run(call, lambda: self._on_beat(call.execution, call.pending))
                # What cannot be written is found here, while a task can still fail.
                payload = Payload(result, encode(result))
                # A job or a callback was only begun by the call; its end comes from elsewhere.
                return (Succeeded if pending.mode == "request" else Submitted)(call.pending, payload)
            except NotBegun:
                continue
            except TaskError as error:
                return Failed(call.pending, error.error, error.cause)
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                # Nobody here cancelled it: something that the handler awaits was.
                return Failed(call.pending, type(error).__name__, "the handler was cancelled from inside")
            except (TypeError, ValueError) as error:
                return Failed(call.pending, type(error).__name__, str(error))
            except Exception as error:
                facts = about(call.execution, call.state)
                log.exception("the handler of %s broke in %s", call.resource, call.execution, extra=facts)
                return Failed(call.pending, type(error).__name__, str(error))


def _call(execution: Execution, pending: Pending, may_begin: Callable[[], bool]) -> TaskCall:
    assert pending.arguments is not None
    frame = execution.frames[pending.frame]
    return TaskCall(
        pending.resource or "",
        # A copy of its own: what a handler does to it is nobody else's business.
        decode(pending.arguments.text),
        execution.id,
        execution.name,
        execution.machine_name,
        frame.state or "",
        pending.id,
        pending.attempt,
        pending.due,
        may_begin,
    )
