"""TestState with the world behind it: the work of a Task that no mock stands for is done by its handler."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from ..core.errors import TASK_FAILED, TIMEOUT
from ..core.values import JSON
from ..teststate import Call, Trial
from .clock import Clock, SystemClock
from .dispatch import Resolve
from .handlers.base import NotingHandler, TaskCall, TaskError
from .handlers.errors import HandlersError

#: Seconds that a trial may take (api, section 14).
TRIAL_SECONDS_MAX = 300


async def run_trial(
    request: Mapping[str, Any], resolve: Resolve, *, place: str | None = None, clock: Clock | None = None
) -> dict[str, JSON]:
    """The answer to TestState. Raises :class:`detent.teststate.Refused` for a request that is refused.

    ``place`` begins the ARNs in the default context object (``arn:aws:states:REGION:ACCOUNT``).
    """
    clock = clock or SystemClock()
    seed = uuid4().hex
    trial = Trial(request, now=clock.now(), seed=seed, **({} if place is None else {"place": place}))
    if trial.call is not None:
        await _work(trial, trial.call, resolve, clock.now())
    return trial.response


async def _work(trial: Trial, call: Call, resolve: Resolve, now: int) -> None:
    seconds = min(call.timeout or TRIAL_SECONDS_MAX, TRIAL_SECONDS_MAX)
    task = TaskCall(
        resource=call.resource,
        arguments=call.arguments,
        execution=call.execution,
        execution_name=call.name,
        machine_name=call.machine,
        state=call.state,
        pending=1,
        attempt=1,
        deadline=now + seconds * 1000,
    )
    handler, why = None, ""
    try:
        handler = resolve(call.resource)
    except HandlersError as error:
        why = f": {error}"
    if handler is None:
        trial.fail(TASK_FAILED, f"nobody handles the resource {call.resource}{why}")
        return
    try:
        async with asyncio.timeout(seconds):
            if trial.traced and isinstance(handler, NotingHandler):
                result = await handler.run_noting(task, trial.note, reveal=trial.reveals)
            else:
                result = await handler.run(task, lambda: None)
    except TaskError as error:
        trial.fail(error.error, error.cause)
    except TimeoutError:
        trial.fail(TIMEOUT, None)
    else:
        trial.succeed(result)
