"""Tasks that somebody outside does: taken from an activity, answered by token."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from detent.runtime.names import is_name

from ..refusals import Refused
from .operation import Call, Reply, Shape, operation
from .shapes import Instant, Json, Name, Page, Token, Wait, cursor_of, instant, place_of, wait_seconds

TAG = "tasks"


class Success(Shape):
    """The result of a task."""

    token: Token
    output: Json = None


class Failure(Shape):
    """Why a task failed."""

    token: Token
    error: Annotated[str, Meta(max_length=256)] | None = None
    cause: Annotated[str, Meta(max_length=32_768)] | None = None


class SignOfLife(Shape):
    """Which task is alive."""

    token: Token


class Activity(Shape):
    """A queue of tasks that workers take."""

    name: str
    arn: str
    created_at: Instant


class ActivityList(Shape):
    """A page of activities, the oldest first."""

    activities: list[Activity]
    next: str | None


class CreateActivity(Shape):
    """A new activity."""

    name: Name


class Poll(Shape):
    """Who asks, and for how long."""

    worker: Annotated[str, Meta(max_length=80, description="Shown in the history.")] | None = None
    wait: Wait = "55s"


class TaskForWorker(Shape):
    """A task that was taken."""

    token: str
    input: Json


@operation("POST", "/v1/tasks/succeed", tag=TAG, status=204, keyed=True)
async def succeed_task(call: Call, body: Success) -> None:
    """Answer a task with its result

    The answer is durable when this is answered, and the first one counts.
    """
    await call.engine.answers.send_task_success(body.token, body.output)


@operation("POST", "/v1/tasks/fail", tag=TAG, status=204, keyed=True)
async def fail_task(call: Call, body: Failure) -> None:
    """Answer a task with an error"""
    await call.engine.answers.send_task_failure(body.token, body.error, body.cause)


@operation("POST", "/v1/tasks/heartbeat", tag=TAG, status=204)
async def beat_task(call: Call, body: SignOfLife) -> None:
    """Say that a task is alive: HeartbeatSeconds starts anew"""
    await call.engine.answers.send_task_heartbeat(body.token)


@operation("GET", "/v1/activities", tag=TAG)
async def list_activities(call: Call, query: Page) -> ActivityList:
    """List activities, the oldest first"""
    after = int(place_of(query.cursor) or 0)
    prefix = _arn(call, "x").rpartition(":")[0]
    page = await call.engine.catalogue.activities(prefix, after=after, limit=query.limit)
    return ActivityList(
        activities=[
            Activity(name=entry.name, arn=entry.arn, created_at=instant(entry.created_at))
            for entry in page.entries
        ],
        next=cursor_of(page.after),
    )


@operation("POST", "/v1/activities", tag=TAG, status=201, keyed=True)
async def create_activity(call: Call, body: CreateActivity) -> Activity:
    """Create an activity; the same one again changes nothing"""
    entry = await call.engine.catalogue.create_activity(_arn(call, body.name))
    return Activity(name=entry.name, arn=entry.arn, created_at=instant(entry.created_at))


@operation("DELETE", "/v1/activities/{activity}", tag=TAG, status=204, keyed=True)
async def delete_activity(call: Call) -> None:
    """Forget an activity"""
    arn = _activity(call)
    await call.engine.catalogue.activity(arn)
    await call.engine.catalogue.delete_activity(arn)


@operation(
    "POST",
    "/v1/activities/{activity}/poll",
    tag=TAG,
    also={204: "There was none in time"},
    body_optional=True,
)
async def poll_activity(call: Call, body: Poll) -> Reply[TaskForWorker]:
    """Take the task that has waited longest, or wait for one"""
    arn = _activity(call)
    await call.engine.catalogue.activity(arn)
    task = await call.engine.activities.get_activity_task(arn, body.worker, wait_seconds(body.wait))
    if task is None:
        return Reply(None, 204)  # type: ignore[arg-type]  # without a body
    return Reply(TaskForWorker(token=task.token, input=task.input))


def _activity(call: Call) -> str:
    text = call.params["activity"]
    return text if text.startswith("arn:") else _arn(call, text)


def _arn(call: Call, name: str) -> str:
    if not is_name(name):
        raise Refused(404, "not-found", f"{name[:100]!r} is no name of an activity")
    settings = call.service.settings
    return f"arn:aws:states:{settings.region}:{settings.account}:activity:{name}"


OPERATIONS = (
    succeed_task,
    fail_task,
    beat_task,
    list_activities,
    create_activity,
    delete_activity,
    poll_activity,
)
