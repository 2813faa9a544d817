"""What the client does for tasks: workers take them from activities, and whoever has the token answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from .connection import Connection
from .shapes import Activity, Shape, Task

JSON = Any

PAGE = 100


class _ActivityPage(Shape):
    activities: list[Activity]
    next: str | None


class AsyncTasks:
    """The part of :class:`.asynchronous.AsyncClient` that is about tasks and activities."""

    _connection: Connection

    async def create_activity(self, name: str) -> Activity:
        """Create an activity; the same one again changes nothing."""
        return (await self._connection.ask("POST", "/v1/activities", body={"name": name})).read(Activity)

    async def activities(self) -> AsyncIterator[Activity]:
        """Every activity, the oldest first."""
        cursor: str | None = None
        while True:
            query = {"limit": PAGE, "cursor": cursor}
            page = (await self._connection.ask("GET", "/v1/activities", query=query)).read(_ActivityPage)
            for activity in page.activities:
                yield activity
            if (cursor := page.next) is None:
                return

    async def delete_activity(self, activity: str) -> None:
        """Forget an activity."""
        await self._connection.ask("DELETE", _path(activity))

    async def poll(self, activity: str, *, worker: str | None = None, wait: float = 55.0) -> Task | None:
        """Take the task of an activity that has waited longest; None if there is none within ``wait`` seconds."""
        body = {"worker": worker, "wait": f"{round(wait * 1000)}ms"}
        answer = await self._connection.ask("POST", f"{_path(activity)}/poll", body=body, waits=wait)
        return None if answer.status == 204 else answer.read(Task)

    async def succeed(self, token: str, output: JSON = None) -> None:
        """Answer a task with its result. Durable when this returns; the first answer counts."""
        await self._connection.ask("POST", "/v1/tasks/succeed", body={"token": token, "output": output})

    async def fail(self, token: str, *, error: str | None = None, cause: str | None = None) -> None:
        """Answer a task with an error."""
        body = {"token": token, "error": error, "cause": cause}
        await self._connection.ask("POST", "/v1/tasks/fail", body=body)

    async def heartbeat(self, token: str) -> None:
        """Say that a task is alive: its HeartbeatSeconds starts anew."""
        await self._connection.ask("POST", "/v1/tasks/heartbeat", body={"token": token})


def _path(activity: str) -> str:
    return f"/v1/activities/{quote(activity, safe=':')}"
