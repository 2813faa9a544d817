"""One SQLite file: opening it safely, one thread per connection, errors in our own words.

Owns everything that is about SQLite rather than about executions: the engine lock, the pragmas that make
a commit survive the loss of power, the migrations, and the only place that reaches into aiosqlite. What is
in the tables is the business of :mod:`detent.store.sqlite`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

import aiosqlite

from .base import PROTOCOL_VERSION, StoreCorrupt, StoreError, StoreInUse, StoreTooNew, StoreUnavailable
from .migrate import migrations
from .settled import settled

P = ParamSpec("P")
T = TypeVar("T")

Synchronous = Literal["FULL", "NORMAL"]

#: Marks a file as ours ("dtnt"), so that another program's database is never written to.
APPLICATION_ID = 0x64746E74

#: How long a call waits for another process that writes, in milliseconds.
BUSY_TIMEOUT = 5_000

#: How long an engine waits for the engine lock, in seconds: somebody may just be looking who has it.
LOCK_TIMEOUT = 0.2

#: The write-ahead log is cut back to this size after a checkpoint, in bytes.
WAL_LIMIT = 64 * 1024 * 1024

#: Pages in the write-ahead log before a commit moves them into the file: fewer, larger fsyncs.
CHECKPOINT_PAGES = 2_000

#: Size of a page of a new file, in bytes: five segments of 1.5 KB fit well, of 4,096 bytes two fit badly.
PAGE_SIZE = 8_192

#: Memory for pages of the connection that writes, and of the one that reads, in KiB: the system has them as well, and
#: more is not quicker.
CACHE_SIZE = 8_192

_CORRUPT = {"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT"}

_HINTS = {
    "SQLITE_BUSY": "another process is writing to it; try again",
    "SQLITE_CANTOPEN": "check that the folder exists and may be written to",
    "SQLITE_FULL": "free some space on the disk; nothing needs to be restarted",
    "SQLITE_IOERR": "check the disk and its free space; nothing needs to be restarted",
    "SQLITE_LOCKED": "another process is writing to it; try again",
    "SQLITE_PERM": "check the permissions of the file and its folder",
    "SQLITE_READONLY": "the file, its folder or the disk is read-only; make it writable",
}


class Connection:
    """A SQLite connection in a thread of its own. Each call is one function there, run as one transaction."""

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        self._path = path
        self._connect = connect
        self._failure: BaseException | None = None
        self._thread = aiosqlite.Connection(self._connected, iter_chunk_size=64)

    async def open(self) -> None:
        """Connect. Raises StoreError."""
        await settled(self._start())
        if self._failure is not None:
            await self.close()
            with errors_named(self._path):
                raise self._failure

    async def _start(self) -> None:
        await self._thread

    def _connected(self) -> sqlite3.Connection:
        # If a connector raises, aiosqlite leaves a thread that outlives the event loop and complains of it.
        try:
            return self._connect()
        except BaseException as error:
            self._failure = error
            return sqlite3.connect(":memory:", check_same_thread=False)

    async def run(
        self,
        begin: str,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """What ``work(connection, ...)`` returns, once it is committed. Raises StoreError: then nothing was written.

        A transaction that has begun is not abandoned: a cancelled caller gets the cancellation when it has ended.
        """
        return await settled(self._hand_over(begin, work, *args, **kwargs))

    async def _hand_over(
        self,
        begin: str,
        work: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        with errors_named(self._path):
            try:
                # aiosqlite has no public way to run a function of ours in its thread; going through its
                # methods would be a hand-over per statement. These two names are the same in every
                # supported version (a test holds them).
                thread: Any = self._thread
                result: T = await thread._execute(_transact, thread._connection, begin, work, *args, **kwargs)
            except ValueError as error:
                if str(error) in ("Connection closed", "no active connection"):
                    raise StoreUnavailable(f"the store {self._path} is not open") from None
                raise
        return result

    async def close(self) -> None:
        """Finish what was handed over, then close. Safe to call twice."""
        with errors_named(self._path):
            await settled(self._thread.close())


def _transact(
    connection: sqlite3.Connection,
    begin: str,
    work: Callable[Concatenate[sqlite3.Connection, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    if connection.in_transaction:  # A rollback failed before, with the disk; it may work now.
        connection.execute("ROLLBACK")
    connection.execute(begin)
    try:
        result = work(connection, *args, **kwargs)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise
    return result


class EngineLock:
    """The right to be the one engine of a file. It ends with the process, however that ends.

    It is a second SQLite file held in an exclusive transaction: a lock that works wherever SQLite does,
    is not inherited by child processes and leaves nothing to clean up after a crash.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: sqlite3.Connection | None = None

    def take(self) -> None:
        """Raises StoreInUse, naming the process that has it."""
        lock = sqlite3.connect(
            f"{self._path}.engine", isolation_level=None, timeout=LOCK_TIMEOUT, check_same_thread=False
        )
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            lock.close()
            if error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise StoreInUse(
                    f"{_holder(self._path)} runs the executions of {self._path}, and only one process can"
                ) from None
            raise
        self._held = lock

    def give_back(self) -> None:
        """Safe to call twice."""
        if self._held is not None:
            self._held.close()
            self._held = None


def is_locked(path: Path) -> bool:
    """Whether an engine process has the right to run executions of a file; looking takes nothing from anybody."""
    try:
        lock = sqlite3.connect(f"{Path(f'{path}.engine').absolute().as_uri()}?mode=ro", uri=True, timeout=0)
    except sqlite3.Error:
        return False
    try:
        lock.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return error.sqlite_errorname.startswith("SQLITE_BUSY")
    finally:
        lock.close()
    return False


def _holder(path: Path) -> str:
    """The process noted in the file as its engine, as well as it can be read while that one works."""
    try:
        connection = sqlite3.connect(path.absolute().as_uri() + "?mode=ro", uri=True, timeout=0)
        try:
            row = connection.execute("SELECT value FROM meta WHERE name = 'engine'").fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        row = None
    return f"process {row[0]}" if row else "another process"


def connect_writer(path: Path, synchronous: Synchronous, lock: EngineLock | None) -> sqlite3.Connection:
    """A connection that may write, to a file whose layout is up to date; under the lock if one is given."""
    _make_folder(path)
    with ExitStack() as on_failure:
        if lock is not None:
            on_failure.callback(lock.give_back)
            lock.take()
        connection = on_failure.enter_context(closing(_connect(path)))
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        _prepare(connection, path, engine=lock is not None)
        _bound_cache(connection)
        on_failure.pop_all()
    return connection


def _bound_cache(connection: sqlite3.Connection) -> None:
    """SQLite counts in pages. Before it has read how large those of the file are it would take them for smaller."""
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    connection.execute(f"PRAGMA cache_size = -{CACHE_SIZE}")


def _make_folder(path: Path) -> None:
    try:
        if path.is_dir():
            raise StoreUnavailable(f"{path} is a directory; name a file in it, such as {path / 'detent.db'}")
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"cannot create the folder of {path}: {error.strerror}") from None


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, and so never waits for the writer's fsync."""
    with ExitStack() as on_failure:
        connection = on_failure.enter_context(closing(_connect(path)))
        _bound_cache(connection)
        connection.execute("PRAGMA query_only = ON")
        on_failure.pop_all()
    return connection


def may_write(path: Path) -> bool:
    """Whether this process may write to a file and beside it, or to one that is still to be made."""
    return not path.is_file() or (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def connect_guest(path: Path) -> sqlite3.Connection:
    """A connection to a file that this process may only read: of another user, on a disk that is read-only."""
    try:
        connection = _connect_read_only(path, "mode=ro")
    except sqlite3.OperationalError:
        log = Path(f"{path}-wal")
        if log.exists() and log.stat().st_size:
            raise StoreUnavailable(
                f"{path} may only be read, and its last changes stand in {log.name}, which SQLite cannot read "
                "without writing beside it; copy both files to a folder of your own"
            ) from None
        # Nobody has written since the last engine ended, and nobody who does is seen.
        connection = _connect_read_only(path, "immutable=1")
    with ExitStack() as on_failure:
        on_failure.callback(connection.close)
        version = layout_version(connection, path)
        if version < migrations("sqlite")[-1].number:
            raise StoreUnavailable(
                f"{path} has the layout of an earlier release, and may only be read; copy it"
            )
        on_failure.pop_all()
    return connection


def _connect_read_only(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_TIMEOUT / 1000,
        check_same_thread=False,
    )
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        path,
        isolation_level=None,
        timeout=BUSY_TIMEOUT / 1000,
        cached_statements=256,
        check_same_thread=False,
    )


def _prepare(connection: sqlite3.Connection, path: Path, *, engine: bool) -> None:
    """Make sure that the file is ours, in WAL mode and of the latest layout."""
    latest = migrations("sqlite")[-1].number
    version = layout_version(connection, path)
    if version == 0:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreUnavailable(f"{path} is on a file system without shared memory; use a local disk")
    if version < latest:
        # An engine of an older release may be at work on an older layout: only its successor changes it.
        lock = None if engine or version == 0 else EngineLock(path)
        if lock is not None:
            lock.take()
        try:
            _migrate(connection, path)
        finally:
            if lock is not None:
                lock.give_back()
    row = connection.execute("SELECT value FROM meta WHERE name = 'protocol'").fetchone()
    if row is None or int(row[0]) > PROTOCOL_VERSION:
        raise StoreTooNew(f"{path} was written by a later release; use that one")


def layout_version(connection: sqlite3.Connection, path: Path) -> int:
    """The number of the last migration that was applied; 0 for a new file. Raises StoreCorrupt, StoreTooNew."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables == 0 and version == 0:
        return 0
    if application != APPLICATION_ID:
        raise StoreCorrupt(f"{path} is a database of another program; give --store another file")
    latest = migrations("sqlite")[-1].number
    if version > latest:
        raise StoreTooNew(
            f"{path} has layout {version}, this release reads up to {latest}; use the release that wrote it"
        )
    return int(version)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Apply what is missing, all of it or nothing. Another process may have been quicker."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = layout_version(connection, path)
        for migration in migrations("sqlite"):
            if migration.number > version:
                for statement in _statements(migration.sql):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {migration.number}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, which sqlite3 cannot run as a whole inside a transaction of ours."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def errors_named(path: Path) -> Iterator[None]:
    """Turn what sqlite3 raises into errors of ours that name the file and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _named(path, error) from error
    except MemoryError as error:
        raise StoreUnavailable(f"{path}: out of memory") from error
    except (UnicodeEncodeError, OverflowError) as error:
        raise StoreError(f"{path} cannot hold this value: {error}") from error


def _named(path: Path, error: sqlite3.Error) -> StoreError:
    name = getattr(error, "sqlite_errorname", None) or ""
    primary = "_".join(name.split("_")[:2])
    if primary in _CORRUPT:
        return StoreCorrupt(
            f"{path} is no store, or is damaged ({error}); restore a backup, or give --store another file"
        )
    if isinstance(error, sqlite3.IntegrityError):
        return StoreCorrupt(f"{path} contradicts itself ({error}); restore a backup")
    if isinstance(error, (sqlite3.OperationalError, sqlite3.ProgrammingError)) and primary in _HINTS:
        return StoreUnavailable(f"{path}: {error}; {_HINTS[primary]}")
    if isinstance(error, sqlite3.OperationalError):
        return StoreUnavailable(f"{path}: {error}")
    return StoreError(f"{path}: {error}")
