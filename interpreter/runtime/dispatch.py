"""Run the tasks that executions wait for, and report what becomes of them.

Owns which attempts run now. It knows neither log nor store: an attempt is handed over once its
announcement is durable, and its beginning and end come back as signals.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

from ..core.errors import TASK_FAILED
from ..core.execution import Execution, Pending
from ..core.signals import Began, Failed, Signal, Submitted, Succeeded
from ..core.values import Payload, decode
from .clock import Clock
from .handlers.base import Handler, TaskCall, TaskError, task_key

log = logging.getLogger(__name__)

#: Where signals go: the execution's id, and the signal.
Post = Callable[[str, Signal], None]
#: Finds who does the work behind a resource.
Resolve = Callable[[str], Handler | None]
#: Told of a sign of life: the execution's id and the pending's.
OnBeat = Callable[[str, int], None]


class Dispatcher:
    """``limit`` bounds how many tasks run at once; the others wait, their clocks standing still.

    ``worker`` names who runs them, in the log.
    """

    def __init__(
        self, resolve: Resolve, post: Post, on_beat: OnBeat, *, worker: str, clock: Clock, limit: int
    ) -> None:
        self._worker = worker
        self._resolve = resolve
        self._post = post
        self._on_beat = on_beat
        self._clock = clock
        self._slots = asyncio.Semaphore(limit)
        self._running: dict[tuple[str, int], asyncio.Task[None]] = {}

    def start(self, execution: Execution, pending: Pending) -> bool:
        """Run an attempt as soon as there is room. False, and nothing happens, if it runs already."""
        place = (execution.id, pending.id)
        if place in self._running:
            return False
        call = _call(execution, pending)
        task = asyncio.get_running_loop().create_task(self._run(call, pending))
        self._running[place] = task
        task.add_done_callback(lambda _: self._running.pop(place, None))
        return True

    def cancel(self, execution: str, pending: int) -> None:
        """Nobody waits for this attempt any more."""
        task = self._running.get((execution, pending))
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """Cancel what runs; its attempts run again where the executions are resumed."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, call: TaskCall, pending: Pending) -> None:
        handler, problem = None, f"nobody handles the resource {call.resource}"
        try:
            handler = self._resolve(call.resource)
        except Exception as error:
            log.exception("the handler of %s could not be found", call.resource)
            problem = f"{problem}: {error}"
        if handler is None:
            self._post(call.execution, Failed(call.pending, TASK_FAILED, problem))
            return
        async with self._slots, handler.slots or nullcontext():
            self._post(call.execution, Began(call.pending, self._worker))
            if pending.timeout is not None and (not pending.started or pending.mode == "request"):
                call = replace(call, deadline=self._clock.now() + pending.timeout * 1000)
            signal = await self._attempt(handler, call, pending)
        self._post(call.execution, signal)

    async def _attempt(self, handler: Handler, call: TaskCall, pending: Pending) -> Signal:
        try:
            result = await handler.run(call, lambda: self._on_beat(call.execution, call.pending))
            payload = Payload(result)
            payload.text  # noqa: B018  # what cannot be written is found here, while a task can still fail
            # A job or a callback was only begun by the call; its end comes from elsewhere.
            return (Succeeded if pending.mode == "request" else Submitted)(call.pending, payload)
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
            log.exception("the handler of %s broke in %s", call.resource, call.execution)
            return Failed(call.pending, type(error).__name__, str(error))


def _call(execution: Execution, pending: Pending) -> TaskCall:
    assert pending.arguments is not None
    frame = execution.frames[pending.frame]
    return TaskCall(
        resource=pending.resource or "",
        # A copy of its own: what a handler does to it is nobody else's business.
        arguments=decode(pending.arguments.text),
        execution=execution.id,
        execution_name=execution.name,
        machine_name=execution.machine_name,
        state=frame.state or "",
        pending=pending.id,
        attempt=pending.attempt,
        key=task_key(execution.id, pending.id),
        deadline=pending.due,
    )
