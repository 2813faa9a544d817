"""Hints between the engines of one Postgres database: LISTEN and NOTIFY, on connections of their own.

A hint says only that it may be worth looking. It is sent outside every transaction of the store, where it would
make commits wait for each other, and at most a few times a second. The poll of each engine is the truth: where
hints do not come through, as behind a transaction pooler, work is found by it.

A connection that the server ends is noticed at once. One that was dropped half-way says nothing: whether hints come
through is seen by a word to oneself, again and again.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg

from .postgres_pool import CONNECT_SECONDS, shown

log = logging.getLogger("detent.store")

CHANNEL = "detent"
#: Between two hints that one process sends, in seconds: what happens meanwhile shares one.
DEBOUNCE_SECONDS = 0.05
#: How often a listener says a word to itself, and how long it waits to hear it, in seconds.
WORD_SECONDS = 20.0
ECHO_SECONDS = 5.0
#: How long before a listener connects again, in seconds; ever longer, up to the second of these, where it has never
#: heard anything.
AGAIN_SECONDS = 2.0
DEAF_SECONDS = 300.0

_LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)


class _Deaf(Exception):
    """Nothing that is said is heard: a pooler stands between."""


class Hints:
    """``url`` names the database. What one process says it does not hear itself."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._me = secrets.token_hex(8)
        #: Whether a hint has ever come through: then one that does not was lost, and no pooler swallows them.
        self._hears = False
        self._speaker: Any = None
        self._sending: asyncio.Task[None] | None = None
        self._again = False
        self._speaks = asyncio.Lock()

    # Say

    def tell(self) -> None:
        """Give a hint, now or in a moment together with others. Never fails, and waits for nobody."""
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send())
        else:
            self._again = True

    async def _send(self) -> None:
        try:
            while True:
                self._again = False
                await self._notify(self._me)
                await asyncio.sleep(DEBOUNCE_SECONDS)
                if not self._again:
                    return
        except _LOST as error:
            log.debug("a hint was lost: %s", error)
            self._drop()

    async def _notify(self, word: str) -> None:
        async with asyncio.timeout(CONNECT_SECONDS), self._speaks:
            if self._speaker is None or self._speaker.is_closed():
                self._speaker = await asyncpg.connect(
                    self._url, timeout=CONNECT_SECONDS, statement_cache_size=0
                )
            await self._speaker.execute(f"NOTIFY {CHANNEL}, '{word}'")

    def _drop(self) -> None:
        if self._speaker is not None:
            self._speaker.terminate()
            self._speaker = None

    # Hear

    async def watch(self, heard: Callable[[], None]) -> None:
        """Call ``heard`` for every hint of others, connecting again whenever the connection is lost."""
        rest = AGAIN_SECONDS
        while True:
            try:
                await self._listen(heard)
            except _Deaf:
                log.info("%s: hints do not come through; the store is polled", shown(self._url))
                await asyncio.sleep(rest)
                # It may have been a busy moment, and no pooler.
                rest = min(2 * rest, DEAF_SECONDS)
            except _LOST as error:
                log.debug("%s: the listener has lost its connection: %s", shown(self._url), error)
                await asyncio.sleep(AGAIN_SECONDS)

    async def _listen(self, heard: Callable[[], None]) -> None:
        """Listen until the connection is lost. Raises _Deaf if not even a word to oneself is ever heard."""
        echo, ended = asyncio.Event(), asyncio.Event()

        def hear(connection: Any, process: int, channel: str, word: str) -> None:
            if word == f"{self._me}?":
                self._hears = True
                echo.set()
            elif word != self._me:
                heard()

        listener = await asyncpg.connect(self._url, timeout=CONNECT_SECONDS, statement_cache_size=0)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await listener.add_listener(CHANNEL, hear)
            listener.add_termination_listener(lambda connection: ended.set())
            await self._hear_oneself(echo)
            while True:
                heard()  # what was said while nobody listened
                with suppress(TimeoutError):
                    async with asyncio.timeout(WORD_SECONDS):
                        await ended.wait()
                if ended.is_set():
                    raise ConnectionError("the server has ended it")
                await self._hear_oneself(echo)
        finally:
            listener.terminate()

    async def _hear_oneself(self, echo: asyncio.Event) -> None:
        echo.clear()
        await self._notify(f"{self._me}?")
        try:
            async with asyncio.timeout(ECHO_SECONDS):
                await echo.wait()
        except TimeoutError:
            if self._hears:
                raise
            raise _Deaf from None

    async def close(self) -> None:
        """Say nothing more."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        self._drop()
