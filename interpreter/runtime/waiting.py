"""Who waits for executions to begin and to end."""

from __future__ import annotations

import asyncio
from typing import Any

from ..core.execution import Execution
from .progress import Progress


class Waiting:
    """Futures by execution. Telling nobody is fine; nobody is told twice."""

    def __init__(self) -> None:
        self._begin: dict[str, asyncio.Future[Progress]] = {}
        self._end: dict[str, list[asyncio.Future[Execution]]] = {}

    def begin(self, execution: str) -> asyncio.Future[Progress]:
        """Resolved when the start, or the redrive, is durable, with how far it has come by then."""
        future: asyncio.Future[Progress]
        future = self._begin[execution] = asyncio.get_running_loop().create_future()
        return future

    def is_beginning(self, execution: str) -> bool:
        """Whether somebody waits for the start."""
        return execution in self._begin

    def beginning(self) -> list[str]:
        """The executions whose start, or redrive, somebody waits for."""
        return list(self._begin)

    async def settled(self, execution: str) -> None:
        """Wait until nothing of it is about to begin."""
        beginning = self._begin.get(execution)
        if beginning is not None:
            await asyncio.wait({beginning})

    def is_awaited(self, execution: str) -> bool:
        """Whether somebody waits for the end."""
        return execution in self._end

    def end(self, execution: str) -> asyncio.Future[Execution]:
        """Resolved with the state in which the execution ends."""
        future: asyncio.Future[Execution] = asyncio.get_running_loop().create_future()
        self._end.setdefault(execution, []).append(future)
        return future

    def begun(self, execution: str, state: Execution) -> None:
        """The start, or the redrive, is durable."""
        future = self._begin.pop(execution, None)
        if future is not None and not future.done():
            future.set_result(Progress.of(state))

    def ended(self, execution: str, state: Execution) -> None:
        """The end is durable."""
        for future in self._end.pop(execution, []):
            if not future.done():
                future.set_result(state)

    def failed(self, execution: str, error: BaseException) -> None:
        """Neither will happen here."""
        futures: list[asyncio.Future[Any]] = [*self._end.pop(execution, [])]
        if execution in self._begin:
            futures.append(self._begin.pop(execution))
        for future in futures:
            if not future.done():
                future.set_exception(error)

    def cancel(self) -> None:
        """Nobody will be told any more."""
        for beginning in self._begin.values():
            beginning.cancel()
        for endings in self._end.values():
            for ending in endings:
                ending.cancel()
        self._begin.clear()
        self._end.clear()
