"""The client for programs with an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import msgspec

from .connection import Connection
from .machines import AsyncMachines
from .shapes import Execution, ExecutionSummary, Shape, Status
from .tasks import AsyncTasks

PAGE = 100
HISTORY_PAGE = 1000
#: How long one request waits for an end, in seconds; longer waits are several requests.
WAIT_SECONDS = 60.0
#: The pause before a stream of events that was cut off is asked for again, in seconds.
AGAIN_SECONDS = 0.2

JSON = Any
Event = dict[str, Any]


class ExecutionPage(Shape):
    """Executions, the newest first; ``next`` is the cursor of the page after it."""

    executions: list[ExecutionSummary]
    next: str | None


class _History(Shape):
    events: list[Event]
    next: str | None


class _Redriven(Shape):
    redriven_at: datetime


class AsyncClient(AsyncMachines, AsyncTasks):
    """A client of the server at ``url``; ``api_key`` is what `detent keys create` has printed.

    Machines are named by name or ARN, executions by ARN or ``MACHINE:NAME``. Every method raises ClientError. Requests
    are tried again, ``retries`` times, when the server is busy or the connection is lost; what they create is created
    once all the same.
    """

    def __init__(self, url: str, *, api_key: str | None = None, retries: int = 5) -> None:
        self._connection = Connection(url, api_key, retries)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the sockets back."""
        await self._connection.close()

    # Executions

    async def start(
        self,
        machine: str,
        input: JSON = None,
        *,
        name: str | None = None,
        version: int | None = None,
        alias: str | None = None,
        wait: float | None = None,
        key: str | None = None,
    ) -> Execution:
        """Start an execution; durable when this returns. With ``wait``, in seconds, its end is waited for so long.

        Without an ``input`` it is an empty object. Started again with the same ``key``, or with the same ``name`` while
        it runs, and the same input, it is the same execution; otherwise that is an error.
        """
        optional = {"name": name, "version": version, "alias": alias}
        body = {"machine": machine, "input": {} if input is None else input}
        body |= {name: value for name, value in optional.items() if value is not None}
        answer = await self._connection.ask("POST", "/v1/executions", body=body, key=key)
        started = answer.read(Execution)
        return started if wait is None else await self.wait(started.id, wait)

    async def execution(self, execution: str) -> Execution:
        """Look at an execution."""
        return (await self._connection.ask("GET", _path(execution))).read(Execution)

    async def wait(self, execution: str, seconds: float | None = None) -> Execution:
        """An execution once it has ended, or as it is after so long."""
        left = seconds
        while True:
            part = WAIT_SECONDS if left is None else min(left, WAIT_SECONDS)
            found = await self._wait(execution, round(part * 1000))
            left = None if left is None else left - part
            if found.status != "RUNNING" or (left is not None and left <= 0):
                return found

    async def _wait(self, execution: str, milliseconds: int) -> Execution:
        query = {"wait": f"{milliseconds}ms"}
        answer = await self._connection.ask("GET", _path(execution), query=query, waits=milliseconds / 1000)
        return answer.read(Execution)

    async def executions(
        self,
        *,
        status: Status | None = None,
        machine: str | None = None,
        name: str | None = None,
        started_after: datetime | None = None,
        started_before: datetime | None = None,
        where: Sequence[str] = (),
    ) -> AsyncIterator[ExecutionSummary]:
        """Find executions, the newest first; None means any.

        ``where`` asks for search attributes, all of them: ``customer=Ada``, ``total>=100`` (also ``>``, ``<``, ``<=``).
        """
        cursor: str | None = None
        while True:
            page = await self.execution_page(
                status=status,
                machine=machine,
                name=name,
                started_after=started_after,
                started_before=started_before,
                where=where,
                cursor=cursor,
            )
            for execution in page.executions:
                yield execution
            if (cursor := page.next) is None:
                return

    async def execution_page(
        self,
        *,
        status: Status | None = None,
        machine: str | None = None,
        name: str | None = None,
        started_after: datetime | None = None,
        started_before: datetime | None = None,
        where: Sequence[str] = (),
        cursor: str | None = None,
        limit: int = PAGE,
    ) -> ExecutionPage:
        """One page of what :meth:`executions` finds."""
        query: dict[str, str | int | None] = {f"attr.{condition}": "" for condition in where}
        query |= {
            "status": status,
            "machine": machine,
            "name": name,
            "startedAfter": _instant(started_after),
            "startedBefore": _instant(started_before),
            "cursor": cursor,
            "limit": limit,
        }
        return (await self._connection.ask("GET", "/v1/executions", query=query)).read(ExecutionPage)

    async def history(self, execution: str) -> AsyncIterator[Event]:
        """The events of an execution so far, as the service's protocol spells them."""
        cursor: str | None = None
        while True:
            page = await self._history(execution, cursor)
            for event in page.events:
                yield event
            if (cursor := page.next) is None:
                return

    async def follow(self, execution: str) -> AsyncIterator[Event]:
        """The events of an execution, those that there are and then each new one, until it has ended."""
        seen = "0"
        path = f"{_path(execution)}/events"
        while True:
            # A stream that is cut off goes on after the last event that was read.
            async for kind, number, event in self._connection.stream(path, {"Last-Event-ID": seen}):
                if kind == "end":
                    return
                if number is not None:
                    seen = number
                    yield event
            await asyncio.sleep(AGAIN_SECONDS)

    async def _history(self, execution: str, cursor: str | None) -> _History:
        query = {"limit": HISTORY_PAGE, "cursor": cursor}
        return (await self._connection.ask("GET", f"{_path(execution)}/history", query=query)).read(_History)

    async def export(self, execution: str) -> bytes:
        """The file that ``detent export`` writes: the definition, the log, every value."""
        return (await self._connection.ask("GET", f"{_path(execution)}/export")).body

    # Steer

    async def stop(self, execution: str, *, error: str | None = None, cause: str | None = None) -> Execution:
        """Stop an execution: it ends as ABORTED. One that has ended stays as it is."""
        body = {"error": error, "cause": cause}
        return (await self._connection.ask("POST", f"{_path(execution)}/stop", body=body)).read(Execution)

    async def pause(self, execution: str) -> None:
        """Begin nothing new until it is resumed. Durable when this returns."""
        await self._connection.ask("POST", f"{_path(execution)}/pause")

    async def resume(
        self, execution: str, value: JSON | msgspec.UnsetType = msgspec.UNSET, *, state: str | None = None
    ) -> None:
        """Go on with what was paused; a ``value`` is the result of the state that waits, or of the one named."""
        body = {} if value is msgspec.UNSET else {"value": value, "state": state}
        await self._connection.ask("POST", f"{_path(execution)}/resume", body=body)

    async def signal(self, execution: str, name: str, value: JSON = None, *, key: str | None = None) -> None:
        """Send a named signal. Durable when this returns; sent again with the same ``key`` it counts once."""
        body = {"name": name, "value": value}
        await self._connection.ask("POST", f"{_path(execution)}/signal", body=body, key=key)

    async def redrive(self, execution: str, *, key: str | None = None) -> datetime:
        """Go on with what ended without success, where it stood; when that was."""
        answer = await self._connection.ask("POST", f"{_path(execution)}/redrive", key=key)
        return answer.read(_Redriven).redriven_at

    async def delete(self, execution: str) -> None:
        """Forget an execution that has ended."""
        await self._connection.ask("DELETE", _path(execution))


def _path(execution: str) -> str:
    return f"/v1/executions/{quote(execution, safe=':')}"


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds")
