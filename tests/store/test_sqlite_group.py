"""Small writes at the same time: one transaction for all of them, and a failure for whom it concerns."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from detent.store.base import StoreError, StoreUnavailable
from detent.store.sqlite_group import Group


class File:
    """Runs transactions on a database in memory. ``sizes`` is what each of them came to; ``away`` refuses them."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.execute("CREATE TABLE number (n INTEGER UNIQUE)")
        self.sizes: list[int] = []
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()

    async def write(self, work: Callable[[sqlite3.Connection], list[Any]]) -> list[Any]:
        self.asked.set()
        await self.gate.wait()
        if self.away:
            raise StoreUnavailable("away")
        self.connection.execute("BEGIN")
        try:
            answers = work(self.connection)
        except sqlite3.Error as error:
            self.connection.execute("ROLLBACK")
            raise StoreError(str(error)) from error
        self.connection.execute("COMMIT")
        self.sizes.append(len(answers))
        return answers

    @property
    def numbers(self) -> list[int]:
        return [n for (n,) in self.connection.execute("SELECT n FROM number ORDER BY n")]


def put(n: int, connection: sqlite3.Connection) -> int:
    connection.execute("INSERT INTO number VALUES (?)", (n,))
    return n


def play(scenario: Callable[[File, Group], Any]) -> None:
    async def run() -> None:
        file = File()
        with closing(file.connection):
            await asyncio.wait_for(scenario(file, Group(file.write)), 60)

    asyncio.run(run())


def test_what_comes_together_or_while_another_is_written_shares_a_transaction() -> None:
    async def scenario(file: File, group: Group) -> None:
        file.gate.clear()
        first = [asyncio.create_task(group.do(partial(put, n))) for n in range(3)]
        await file.asked.wait()
        rest = [asyncio.create_task(group.do(partial(put, n))) for n in range(3, 10)]
        await asyncio.sleep(0)
        file.gate.set()
        assert await asyncio.gather(*first, *rest) == list(range(10))
        assert file.sizes == [3, 7]
        assert await group.do(partial(put, 10)) == 10
        assert file.numbers == list(range(11))

    play(scenario)


def test_one_that_cannot_be_written_spoils_no_other() -> None:
    async def scenario(file: File, group: Group) -> None:
        outcomes = await asyncio.gather(
            *(group.do(partial(put, n)) for n in (1, 2, 1, 3)), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [int, int, StoreError, int]
        assert file.numbers == [1, 2, 3]

    play(scenario)


def test_a_store_that_is_away_refuses_all_of_them_once_and_takes_the_next() -> None:
    async def scenario(file: File, group: Group) -> None:
        file.away = True
        outcomes = await asyncio.gather(*(group.do(partial(put, n)) for n in (1, 2)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
        file.away = False
        assert await group.do(partial(put, 3)) == 3
        assert file.numbers == [3]

    play(scenario)


def test_who_gives_up_waiting_hears_so_when_it_is_written() -> None:
    async def scenario(file: File, group: Group) -> None:
        file.gate.clear()
        given_up = asyncio.create_task(group.do(partial(put, 1)))
        beside = asyncio.create_task(group.do(partial(put, 2)))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.sleep(0)
        assert not given_up.done()
        file.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        assert await beside == 2
        assert file.numbers == [1, 2]

    play(scenario)
