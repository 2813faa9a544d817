"""Executions steered while they run: named signals, pauses, resumptions, a value for the state that waits."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from detent.runtime.steering import Given

from .operation import Call, Shape, operation
from .shapes import Json, execution_id

TAG = "executions"


class Signal(Shape):
    """A named signal."""

    name: Annotated[str, Meta(min_length=1, max_length=256, description="As in `Resource: signal:NAME`.")]
    value: Annotated[Json, Meta(description="What the state that waits for it answers.")] = None


class Resume(Shape):
    """A value in place of the result of the state that waits; without one it goes on waiting."""

    value: Annotated[Json, Meta(description="The result of the state.")] = msgspec.UNSET
    state: Annotated[str, Meta(max_length=80, description="Which one, where several wait.")] | None = None


class Stored(Shape):
    """What was asked for is durable, and reaches the execution, whoever runs it."""

    key: Annotated[str, Meta(description="The name of this wish: it counts once.")]


@operation("POST", "/v1/executions/{execution}/signal", tag=TAG, status=202, keyed=True)
async def signal_execution(call: Call, body: Signal) -> Stored:
    """Send a named signal: it answers the state that waits for the name

    One that comes early waits for the state.
    """
    key = await call.engine.steering.signal(execution_id(call), body.name, body.value, key=call.key)
    return Stored(key=key)


@operation("POST", "/v1/executions/{execution}/pause", tag=TAG, status=202, keyed=True)
async def pause_execution(call: Call) -> Stored:
    """Pause an execution: answers and due timers are recorded, nothing new is begun, deadlines run on"""
    return Stored(key=await call.engine.steering.pause(execution_id(call), key=call.key))


@operation("POST", "/v1/executions/{execution}/resume", tag=TAG, status=202, keyed=True, body_optional=True)
async def resume_execution(call: Call, body: Resume) -> Stored:
    """Have a paused execution go on, perhaps with a value for the state that waits"""
    given = None if body.value is msgspec.UNSET else Given(body.value, body.state)
    return Stored(key=await call.engine.steering.resume(execution_id(call), given, key=call.key))


OPERATIONS = (signal_execution, pause_execution, resume_execution)
