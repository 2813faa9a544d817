"""TestState with the world behind it: the work of a Task that no mock stands for is done by its handler.

A server has each step of a trial taken by a helper process: a state that is tried may take as much as any.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from ..core.errors import RUNTIME, TASK_FAILED, TIMEOUT
from ..core.values import JSON
from ..teststate import Asked, Call, Step, Work, read_answer, take, write_step
from .clock import Clock, SystemClock
from .dispatch import Resolve
from .handlers.base import NotingHandler, TaskCall, TaskError
from .handlers.errors import HandlersError
from .helpers import Ended, Helpers, Job

#: Seconds that a trial may take (api, section 14).
TRIAL_SECONDS_MAX = 300
#: One step of a trial: its definition is judged, and a few expressions are evaluated, each as long as may be.
TRY = Job("detent.teststate.apart:answer", seconds=5.0, memory=128 * 1024 * 1024)


async def run_trial(
    request: Mapping[str, Any],
    resolve: Resolve,
    *,
    place: str | None = None,
    clock: Clock | None = None,
    helpers: Helpers | None = None,
) -> dict[str, JSON]:
    """The answer to TestState. Raises :class:`detent.teststate.Refused` for a request that is refused.

    ``place`` begins the ARNs in the default context object (``arn:aws:states:REGION:ACCOUNT``); without ``helpers``
    the state is tried in this process, and nothing bounds it.
    """
    now = (clock or SystemClock()).now()
    step = Step(request, now, uuid4().hex, place)
    said = await _take(step, helpers)
    if isinstance(said, Asked):
        said = await _take(step._replace(work=await _work(said, resolve, now)), helpers)
    assert not isinstance(said, Asked)
    return said


async def _take(step: Step, helpers: Helpers | None) -> dict[str, JSON] | Asked:
    if helpers is None:
        return take(step)
    try:
        return read_answer(await helpers.do(TRY, write_step(step)))
    except Ended as ended:
        return {"status": "FAILED", "error": RUNTIME, "cause": f"The state could not be evaluated: {ended}"}


async def _work(asked: Asked, resolve: Resolve, now: int) -> Work:
    """Have the work of a Task done."""
    call = asked.call
    seconds = min(call.timeout or TRIAL_SECONDS_MAX, TRIAL_SECONDS_MAX)
    notes: dict[str, JSON] = {}
    handler, why = None, ""
    try:
        handler = resolve(call.resource)
    except HandlersError as error:
        why = f": {error}"
    if handler is None:
        return Work(
            {}, failed=True, error=TASK_FAILED, cause=f"nobody handles the resource {call.resource}{why}"
        )
    task = _task(call, now + seconds * 1000)
    try:
        async with asyncio.timeout(seconds):
            if asked.traced and isinstance(handler, NotingHandler):
                result = await handler.run_noting(task, notes.__setitem__, reveal=asked.reveals)
            else:
                result = await handler.run(task, lambda: None)
    except TaskError as error:
        return Work(notes, failed=True, error=error.error, cause=error.cause)
    except TimeoutError:
        return Work(notes, failed=True, error=TIMEOUT)
    return Work(notes, result=result)


def _task(call: Call, deadline: int) -> TaskCall:
    return TaskCall(
        resource=call.resource,
        arguments=call.arguments,
        execution=call.execution,
        execution_name=call.name,
        machine_name=call.machine,
        state=call.state,
        pending=1,
        attempt=1,
        deadline=deadline,
    )
