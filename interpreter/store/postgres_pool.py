"""Connections to one Postgres database: transactions with deadlines, errors in our own words.

Owns everything that is about the server rather than about executions: connecting, connecting again, what a
transaction is told before its first statement, prepared statements, and what each of the server's complaints
means. What is in the tables is the business of :mod:`detent.store.postgres`, the layout that of
:mod:`detent.store.postgres_layout`.

Nothing is kept in a session but prepared statements, so a transaction pooler may stand between: settings are
local to each transaction, and a statement's name is the digest of its text, so that a name left by another
client cannot mean something else. Where the pooler does not carry prepared statements they are done without.

A connection is used by one call at a time. Any failure ends it: what the server makes of the rest is then
certain, a rollback. A worker that freezes in the middle of a transaction loses it, and the locks in it, after
:data:`IDLE_TIMEOUT`, well before its lease.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar
from urllib.parse import urlsplit

import asyncpg

from ..core.errors import DetentError
from .base import StoreCorrupt, StoreError, StoreUnavailable
from .postgres_pulse import PROBE_SECONDS, Pulse
from .settled import settled

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("detent.store")

#: Connections of one process. An engine writes with one at a time and reads with the others.
POOL_SIZE = 4

#: How long connecting may take, and a whole call with its waiting for a connection, in seconds.
CONNECT_SECONDS = 5
CALL_SECONDS = 30

#: How long the server works at one statement, waits for a row that another transaction holds, and keeps a
#: transaction in which nothing happens, in milliseconds.
STATEMENT_TIMEOUT = 20_000
LOCK_TIMEOUT = 5_000
IDLE_TIMEOUT = 5_000

#: Transactions that the server has undone for a reason that may be gone at once are tried so often.
ATTEMPTS = 5

#: The schema that everything of ours is in, so that a database can be shared with other programs.
SCHEMA = "detent"

Begin = Literal["READ", "WRITE"]

# Plans are made once, often while the tables are empty, and must still be right when they are large: without
# these a plan that reads a whole table would be kept.
_SETTINGS = f"""
SET LOCAL search_path = {SCHEMA}; SET LOCAL statement_timeout = {STATEMENT_TIMEOUT};
SET LOCAL lock_timeout = {LOCK_TIMEOUT}; SET LOCAL idle_in_transaction_session_timeout = {IDLE_TIMEOUT};
SET LOCAL enable_seqscan = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_hashjoin = off;
SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off;
SET LOCAL plan_cache_mode = force_generic_plan;
"""

#: How a transaction begins, in one round trip. A reading one sees the store at one moment.
BEGIN: dict[Begin, str] = {
    "READ": f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {_SETTINGS}",
    "WRITE": f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {_SETTINGS}",
}

#: What a connection that is no more may raise.
_LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_UNDONE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_NOT_CARRIED = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)

#: What to do, by the server's code or its class.
_UNAVAILABLE = {
    "08": "check the server and the network",
    "25006": "the server only reads; name the one that writes",
    "25P03": "the transaction stood still for too long; try again",
    "28": "check the user and the password",
    "3D": "create the database first: createdb NAME",
    "40": "try again",
    "42501": "grant the user the rights of the tables' owner",
    "53100": "free some space on the server's disk; nothing needs to be restarted",
    "53300": "the server allows no more connections; raise max_connections, or put a pooler before it",
    "53": "the server is short of resources; nothing needs to be restarted",
    "55P03": "another transaction holds the row; try again",
    "57": "the server is ending, starting or busy; try again",
    "58": "check the server's disk",
}


class Transaction:
    """What a call does its work with: one transaction on one connection."""

    __slots__ = ("_connection", "_prepared")

    def __init__(self, connection: Any, prepared: dict[str, Any] | None) -> None:
        self._connection = connection
        self._prepared = prepared

    async def rows(self, statement: str, *arguments: Any) -> list[Any]:
        """What a statement returns."""
        if self._prepared is None:
            rows: list[Any] = await self._connection.fetch(statement, *arguments)
            return rows
        prepared = self._prepared.get(statement)
        if prepared is None:
            name = "detent_" + sha256(statement.encode()).hexdigest()[:32]
            prepared = await self._connection.prepare(statement, name=name)
            self._prepared[statement] = prepared
        rows = await prepared.fetch(*arguments)
        return rows

    async def row(self, statement: str, *arguments: Any) -> Any | None:
        """The first row that a statement returns, None if there is none."""
        rows = await self.rows(statement, *arguments)
        return rows[0] if rows else None

    async def script(self, script: str) -> None:
        """Run several statements without arguments in one round trip."""
        await self._connection.execute(script)


class Link:
    """A connection and the statements prepared on it."""

    __slots__ = ("_connection", "prepared")

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.prepared: dict[str, Any] = {}

    @property
    def lives(self) -> bool:
        """Whether it can still be used, as far as this side knows."""
        return not self._connection.is_closed()

    async def begin(self, begin: Begin) -> None:
        """Begin a transaction."""
        await self._connection.execute(BEGIN[begin])

    async def run(
        self,
        prepares: bool,
        work: Callable[Concatenate[Transaction, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do the work of a transaction that has begun, and commit it."""
        transaction = Transaction(self._connection, self.prepared if prepares else None)
        try:
            result = await work(transaction, *args, **kwargs)
        except DetentError:  # An answer such as NotFound: the connection is sound.
            await self._connection.execute("ROLLBACK")
            raise
        await self._connection.execute("COMMIT")
        return result

    def drop(self) -> None:
        """End it at once, and with it whatever it was in the middle of."""
        self._connection.terminate()

    async def close(self) -> None:
        """End it politely, or at once if that takes long."""
        try:
            await self._connection.close(timeout=CONNECT_SECONDS)
        except _LOST:
            self.drop()


class Pool:
    """A few connections to one database, made when they are needed and made again when they are lost."""

    def __init__(self, url: str, size: int = POOL_SIZE, *, seconds: float = CALL_SECONDS) -> None:
        self.name = shown(url)
        self._url = url
        self._seconds = seconds
        self._size = size
        #: What no call uses: connections, the one used last on top, and places for new ones.
        self._free: asyncio.LifoQueue[Link | None] = asyncio.LifoQueue()
        for _ in range(size):
            self._free.put_nowait(None)
        self._closed = False
        self._prepares = True
        self._pulse = Pulse(self.name, self._probe)

    async def run(
        self,
        begin: Begin,
        work: Callable[Concatenate[Transaction, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """What ``work(transaction, ...)`` returns, once it is committed.

        Raises StoreError: then nothing was written, unless the connection was lost while the server
        committed; whoever appends again is told CONFLICT or EXISTS in that case. A transaction that has
        begun is not abandoned: a cancelled caller gets the cancellation when it has ended. The work may be
        done more than once before it is committed.
        """
        return await settled(self._run(begin, work, *args, **kwargs))

    async def _run(
        self,
        begin: Begin,
        work: Callable[Concatenate[Transaction, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        with errors_named(self.name):
            async with asyncio.timeout(self._seconds) as limit:
                with self._pulse.felt(limit):
                    return await self._tried(begin, work, *args, **kwargs)

    async def _tried(
        self,
        begin: Begin,
        work: Callable[Concatenate[Transaction, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._transact(begin, work, *args, **kwargs)
            except _UNDONE as error:
                log.debug("%s: tried again: %s", self.name, error)
            except _NOT_CARRIED:
                log.info("%s: prepared statements are not carried; going on without", self.name)
                self._prepares = False
        return await self._transact(begin, work, *args, **kwargs)

    async def _transact(
        self,
        begin: Begin,
        work: Callable[Concatenate[Transaction, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        link = await self._free.get()
        try:
            link = await self._begun(link, begin)
            return await link.run(self._prepares, work, *args, **kwargs)
        except DetentError:
            raise
        except BaseException:
            if link is not None:
                link.drop()
            link = None
            raise
        finally:
            self._free.put_nowait(link)

    async def _begun(self, link: Link | None, begin: Begin) -> Link:
        """A connection with a transaction begun: the one given if it still lives, or a new one."""
        if link is not None and link.lives:
            try:
                await link.begin(begin)
            except _LOST:
                link.drop()  # It died while nobody used it, as with a server that was restarted.
            else:
                return link
        if self._closed:
            raise StoreUnavailable(f"the store {self.name} is not open")
        link = Link(await asyncpg.connect(self._url, timeout=CONNECT_SECONDS, statement_cache_size=0))
        try:
            await link.begin(begin)
        except BaseException:
            link.drop()
            raise
        return link

    async def _probe(self) -> None:
        """Ask the server whether it is there. That it says no is an answer as well."""
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            link = await asyncpg.connect(self._url, timeout=PROBE_SECONDS, statement_cache_size=0)
            try:
                await link.execute("SELECT 1")
            finally:
                link.terminate()

    async def close(self) -> None:
        """Finish the calls at work, then close every connection. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        links = [await self._free.get() for _ in range(self._size)]
        await asyncio.gather(*(link.close() for link in links if link is not None))
        for _ in links:
            self._free.put_nowait(None)


def shown(url: str) -> str:
    """A URL as it may be printed: where it leads, without user and password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"postgresql://{host}{parts.path}"


@contextmanager
def errors_named(name: str) -> Iterator[None]:
    """Turn what asyncpg raises into errors of ours that name the store and what to do."""
    try:
        yield
    except asyncpg.PostgresError as error:
        raise _named(name, error) from error
    except asyncpg.ClientConfigurationError as error:
        raise StoreError(f"{name} cannot be connected to: {error}") from error
    except TimeoutError as error:
        raise StoreUnavailable(f"{name} does not answer; check the server and the network") from error
    except asyncpg.InterfaceError as error:
        if isinstance(
            error, ValueError
        ):  # The cause says why; the error itself repeats the value, whatever is in it.
            raise StoreError(f"{name} cannot hold this value: {error.__cause__}") from error
        raise StoreUnavailable(f"{name}: {error}; check the server and the network") from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error
        raise StoreUnavailable(f"{name}: {reason}; check the server and the network") from error
    except asyncpg.InternalClientError as error:
        raise StoreUnavailable(f"{name}: {error}; check the server and the network") from error
    except MemoryError as error:
        raise StoreUnavailable(f"{name}: out of memory") from error


def _named(name: str, error: asyncpg.PostgresError) -> StoreError:
    code = getattr(error, "sqlstate", None) or ""
    text = error.args[0] if error.args else type(error).__name__  # Without details: they may repeat values.
    for known in (code, code[:2]):
        if known in _UNAVAILABLE:
            return StoreUnavailable(f"{name}: {text}; {_UNAVAILABLE[known]}")
    if code.startswith("XX"):
        return StoreCorrupt(f"{name} is damaged ({text}); restore a backup")
    if code.startswith("23"):
        return StoreCorrupt(f"{name} contradicts itself ({text}); restore a backup")
    if code.startswith("22"):
        return StoreError(f"{name} cannot hold this value: {text}")
    return StoreError(f"{name}: {text}")
