"""Answers to tasks by token (api, section 11)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from detent.core.tokens import InvalidToken
from detent.core.values import JSON
from detent.runtime.errors import InvalidOutput, TaskClosed
from detent.runtime.handlers.payloads import parse

from ..call import Call
from ..errors import ServiceError, invalid_token


async def send_task_success(call: Call) -> JSON:
    text = call.params["output"]
    try:
        output = parse(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        raise _invalid_output() from None
    with _refused():
        await call.engine.answers.send_task_success(call.params["taskToken"], output)
    return {}


async def send_task_failure(call: Call) -> JSON:
    params = call.params
    with _refused():
        await call.engine.answers.send_task_failure(
            params["taskToken"], params.get("error"), params.get("cause")
        )
    return {}


async def send_task_heartbeat(call: Call) -> JSON:
    with _refused():
        await call.engine.answers.send_task_heartbeat(call.params["taskToken"])
    return {}


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except InvalidToken:
        raise invalid_token() from None
    except TaskClosed:
        raise ServiceError(
            "TaskTimedOut",
            "Task Timed Out: 'Provided task does not exist anymore'",
        ) from None
    except InvalidOutput:
        raise _invalid_output() from None


def _invalid_output() -> ServiceError:
    return ServiceError("InvalidOutput", "Invalid Output: 'The output of a task must be JSON'")
