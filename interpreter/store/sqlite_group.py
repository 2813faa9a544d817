"""Small writes that come at the same time: they share a transaction, and so one wait for the disk.

What comes while such a transaction is under way goes into the next one. A write that cannot be made spoils no other.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from .base import StoreError, StoreUnavailable
from .settled import settled

T = TypeVar("T")

Work = Callable[[sqlite3.Connection], Any]


class Group:
    """``write`` runs a function as one transaction."""

    def __init__(
        self, write: Callable[[Callable[[sqlite3.Connection], list[Any]]], Awaitable[list[Any]]]
    ) -> None:
        self._write = write
        self._waiting: list[tuple[Work, asyncio.Future[Any]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` returns, once it is committed. Raises StoreError: then it has written nothing.

        A cancelled caller gets the cancellation when its transaction has ended.
        """
        return await settled(self._join(work))

    async def _join(self, work: Callable[[sqlite3.Connection], T]) -> T:
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._go())
        return await done

    async def _go(self) -> None:
        try:
            await asyncio.sleep(0)  # whoever is ready in this turn comes along
            while self._waiting:
                group, self._waiting = self._waiting, []
                await self._do(group)
        finally:
            self._writing = None

    async def _do(self, group: Sequence[tuple[Work, asyncio.Future[Any]]]) -> None:
        try:
            answers = await self._write(partial(_all, [work for work, _ in group]))
        except StoreUnavailable as error:
            _fail(group, error)
        except StoreError as error:
            if len(group) == 1:
                _fail(group, error)
            for one in group if len(group) > 1 else ():
                await self._do([one])
        except BaseException as error:
            _fail(group, error)
            raise
        else:
            for (_, done), answer in zip(group, answers, strict=True):
                done.set_result(answer)


def _all(works: Sequence[Work], connection: sqlite3.Connection) -> list[Any]:
    return [work(connection) for work in works]


def _fail(group: Sequence[tuple[Work, asyncio.Future[Any]]], error: BaseException) -> None:
    for _, done in group:
        if isinstance(error, asyncio.CancelledError):
            done.cancel()
        else:
            done.set_exception(error)
