"""The store in one SQLite file: each protocol call is one function in a connection's thread, one transaction.

One connection writes, another reads, so that a read never waits for an fsync. What one batch costs is what
the disk allows: a group of new executions is one insert each into ``execution`` and ``segment``, appended by
prepared statements. How a file is opened, locked and migrated is in :mod:`detent.store.sqlite_file`.

``synchronous="FULL"`` (the default) keeps every acknowledged write through the loss of power. ``"NORMAL"``
is faster for single commits and keeps them through the death of the process only.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, repeat
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..core.execution import RUNNING
from .base import (
    Batch,
    Document,
    Edit,
    ExecutionRecord,
    Found,
    Head,
    Letter,
    Log,
    MachineRecord,
    Match,
    Message,
    NotFound,
    Outcome,
    Query,
    Segment,
    StoreError,
    StoreUnavailable,
    by_selectivity,
    cursor_number,
)
from .fairness import Turns
from .fleet import Reservation
from .migrate import queries
from .sqlite_file import (
    Connection,
    EngineLock,
    Synchronous,
    connect_guest,
    connect_reader,
    connect_writer,
    is_locked,
    may_write,
)
from .sqlite_fleet import Row, SqliteFleet, end_lease, send
from .sqlite_group import Group
from .standing import Standing, begin, judge

P = ParamSpec("P")
T = TypeVar("T")

_SQL = queries("sqlite")

#: Beyond every key.
KEY_MAX = 2**63 - 1


class SqliteStore(SqliteFleet):
    """A :class:`~detent.store.base.Store` in a SQLite file, created with its folder when it is missing."""

    def __init__(self, path: str | Path, *, synchronous: Synchronous = "FULL") -> None:
        self._path = Path(path)
        self._synchronous = synchronous
        self._lock: EngineLock | None = None
        self._writer: Connection | None = None
        self._reader: Connection | None = None
        #: The keys of executions that have an owner, by id. Belongs to the writer's thread.
        self._keys: dict[str, int] = {}
        #: What is written beside the logs, often by many at the same time.
        self._small = Group(self._write)
        self._turns = Turns()

    async def open(self, *, engine: bool) -> None:
        if self._reader is not None:
            raise StoreError(f"the store {self._path} is already open")
        if not engine and not may_write(self._path):
            reader = Connection(self._path, partial(connect_guest, self._path))
            await reader.open()
            self._reader = reader
            return
        lock = EngineLock(self._path) if engine else None
        writer = Connection(self._path, partial(connect_writer, self._path, self._synchronous, lock))
        reader = Connection(self._path, partial(connect_reader, self._path))
        try:
            await writer.open()
            await reader.open()
            if engine:
                await writer.run("BEGIN IMMEDIATE", _take_over)
        except BaseException:
            await reader.close()
            await writer.close()
            if lock is not None:
                lock.give_back()
            raise
        self._lock, self._writer, self._reader = lock, writer, reader

    async def close(self) -> None:
        reader, writer, lock = self._reader, self._writer, self._lock
        self._reader = self._writer = self._lock = None
        try:
            for connection in (reader, writer):
                if connection is not None:
                    await connection.close()
        finally:
            if lock is not None:
                lock.give_back()

    async def publish(self, machine: MachineRecord) -> None:
        await self._write(_publish, machine)

    async def machine(self, digest: str) -> MachineRecord:
        return await self._read(_machine, digest)

    async def machine_named(self, name: str) -> MachineRecord:
        return await self._read(_machine_named, name)

    async def append(self, batches: Sequence[Batch]) -> list[Outcome]:
        group = [*batches]
        try:
            return await self._run_executions(_append, self._keys, group)
        finally:
            group.clear()  # the writer's thread holds on to what it did last, until it has something else to do

    async def load(self, execution: str, *, after: int = 0, limit: int | None = None) -> Log:
        return await self._read(_load, execution, after, limit)

    async def payloads(self, execution: str, segments: Iterable[int]) -> Mapping[int, bytes]:
        return await self._read(_values, "payloads", execution, list(segments))

    async def blobs(self, execution: str, digests: Iterable[str]) -> Mapping[str, bytes]:
        return await self._read(_values, "blob", execution, list(digests))

    async def find(self, query: Query) -> list[Found]:
        return await self._read(_find, query)

    async def delete(self, executions: Sequence[str], *, ended: bool = False) -> int:
        return await self._write(_delete, executions, ended)

    async def send(self, letters: Sequence[Letter]) -> list[Outcome]:
        return await self._small.do(partial(send, letters=letters))

    async def inbox(self, owner: str, *, after: int = 0, limit: int) -> list[Message]:
        return await self._read(_inbox, owner, after, limit)

    async def reserve(
        self, key: str, request: str, holder: str, *, now: int, until: int, instead_of: str | None = None
    ) -> Reservation:
        row = key, request, until, holder, now, instead_of
        return await self._small.do(partial(_reserve, row=row))

    async def forget_reservations(self, *, now: int, limit: int) -> int:
        return await self._write(_forget_reservations, now, limit)

    async def settle(self, key: str, holder: str, answer: bytes | None) -> None:
        await self._small.do(partial(_settle, key=key, holder=holder, answer=answer))

    async def unread(self, execution: str) -> int:
        return await self._read(_unread, execution)

    async def owners(self) -> Collection[str]:
        if self._lock is None and not await asyncio.to_thread(is_locked, self._path):
            return ()
        return await self._read(_owners)

    async def prune(self, machine: str, *, ended_before: int | None, keep: int | None, limit: int) -> int:
        return await self._write(_prune, machine, ended_before, keep, limit)

    async def tally(self) -> Mapping[str, int]:
        return await self._read(_tally)

    async def size(self) -> int | None:
        return await self._read(_size)

    async def machine_names(self) -> list[str]:
        return await self._read(_machine_names)

    async def document(self, collection: str, id: str) -> Document | None:
        return await self._read(_document, collection, id)

    async def documents(self, collection: str, *, after: int = 0, limit: int) -> list[Document]:
        return await self._read(_documents, collection, after, limit)

    async def edit(self, edits: Sequence[Edit]) -> bool:
        return await self._write(_edit, edits)

    async def _read(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if self._reader is None:
            raise StoreUnavailable(f"the store {self._path} is not open")
        return await self._reader.run("BEGIN", work, *args, **kwargs)

    async def _write(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if self._writer is None:
            why = (
                "is not open" if self._reader is None else "may only be read: make it and its folder writable"
            )
            raise StoreUnavailable(f"the store {self._path} {why}")
        return await self._writer.run("BEGIN IMMEDIATE", work, *args, **kwargs)

    async def _run_executions(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """A write that only the engine process may make."""
        if self._writer is not None and self._lock is None:
            raise StoreError("the store was opened without the right to run executions (engine=True)")
        return await self._write(work, *args, **kwargs)


def _take_over(connection: sqlite3.Connection) -> None:
    """The lock says that no other engine lives: whatever earlier ones held is free at once."""
    for (owner,) in connection.execute(_SQL["owners"]).fetchall():
        end_lease(connection, owner)
    connection.execute(_SQL["put_meta"], ("engine", str(os.getpid())))


def _publish(connection: sqlite3.Connection, machine: MachineRecord) -> None:
    connection.execute(
        _SQL["publish"], (machine.digest, machine.name, machine.definition, machine.published_at)
    )


def _machine(connection: sqlite3.Connection, digest: str) -> MachineRecord:
    row = connection.execute(_SQL["machine"], (digest,)).fetchone()
    if row is None:
        raise NotFound(f"no machine with digest {digest} is published here")
    return MachineRecord(*row)


def _machine_named(connection: sqlite3.Connection, name: str) -> MachineRecord:
    row = connection.execute(_SQL["machine_named"], (name,)).fetchone()
    if row is None:
        raise NotFound(f"no machine named {name} is published here")
    return MachineRecord(*row)


class _Row:
    """An execution as a running transaction sees it."""

    __slots__ = ("key", "record", "standing")

    def __init__(self, key: int, record: ExecutionRecord | None, standing: Standing) -> None:
        self.key = key
        #: Given if this transaction creates it.
        self.record = record
        self.standing = standing


class _Moved(Exception):
    """An execution does not stand where the batch that was to move it unread had left it."""


class _Changes:
    """What a group of batches amounts to, gathered first and then written by few statements.

    Most batches come from the owner of an execution whose key is known. Where such an execution stands is not
    read before: its row is changed if it stands where the batch begins. If one does not, :meth:`write`
    raises _Moved, and all are read.
    """

    def __init__(
        self, connection: sqlite3.Connection, batches: Sequence[Batch], keys: dict[str, int]
    ) -> None:
        self.connection = connection
        self.owners = {name for (name,) in connection.execute(_SQL["owners"])}
        self.keys = keys
        self.read = {batch.execution for batch in batches if not self._is_plain(batch)}
        self.rows = _standing(connection, self.read)
        self.touched: dict[int, _Row] = {}
        self.next_key = 0
        if any(batch.create is not None for batch in batches):
            (self.next_key,) = connection.execute(_SQL["next_key"]).fetchone()
        self.advanced: list[tuple[Any, ...]] = []
        self.finished: list[tuple[Any, ...]] = []
        self.segments: list[tuple[int, int, int, bytes, bytes]] = []
        self.blobs: list[tuple[int, str, bytes]] = []
        self.drained: list[tuple[int, int]] = []
        self.closed: list[tuple[int, Sequence[int]]] = []
        self.letters: list[tuple[str, bytes, str]] = []
        self.withdrawn: list[tuple[int, int]] = []
        self.offers: list[tuple[int, int, str]] = []
        self.attributes: list[tuple[int, str, bytes]] = []

    def _is_plain(self, batch: Batch) -> bool:
        """Whether it moves a known execution of an owner who keeps it, or ends it."""
        return (
            batch.fence is not None
            and batch.hold in self.owners
            and batch.create is None
            and batch.execution in self.keys
        )

    def add(self, batch: Batch) -> Outcome:
        """Judge one batch and note what it changes."""
        if batch.execution not in self.read:
            self._note(batch, self._move(batch))
            return Outcome.DONE
        row = self.rows.get(batch.execution)
        outcome = judge(batch, row.standing if row else None)
        if outcome is not Outcome.DONE:
            return outcome
        if row is None:
            row = _Row(self.next_key, batch.create, begin(batch, self.owners))
            self.rows[batch.execution] = row
            self.next_key += 1
        else:
            row.standing.accept(batch, self.owners)
        self.touched[row.key] = row
        self._note(batch, row.key)
        return outcome

    def _move(self, batch: Batch) -> int:
        """Note where a plain batch moves its execution, and what must hold; the execution's key."""
        key, head = self.keys[batch.execution], batch.head
        guard = key, batch.execution, batch.after, batch.fence, batch.hold
        if head.ended_at is None:
            fresh = bool(batch.closed)
            self.advanced.append((head.due, head.ready, head.paused, batch.last, fresh, *guard))
        else:
            self.finished.append((head.status, head.due, head.ready, head.ended_at, batch.last, *guard))
        return key

    def _note(self, batch: Batch, key: int) -> None:
        if batch.last > batch.after:
            self.segments.append((key, batch.after, batch.last, batch.control, batch.payloads))
        if batch.blobs:
            self.blobs.extend((key, digest, value) for digest, value in batch.blobs.items())
        if batch.drained:
            self.drained.extend((number, key) for number in batch.drained)
        if batch.closed:
            self.closed.append((key, batch.closed))
        if batch.withdrawn:
            self.withdrawn.extend((key, pending) for pending in batch.withdrawn)
        if batch.offers:
            self.offers.extend((key, pending, resource) for pending, resource in batch.offers)
        if batch.attributes:
            self.attributes.extend((key, name, value) for name, value in batch.attributes.items())
        if batch.letters:
            self.letters.extend((letter.dedupe, letter.body, letter.execution) for letter in batch.letters)

    def write(self) -> None:
        """Write what was noted, one statement per kind. Raises _Moved."""
        for name, moves in (("advance", self.advanced), ("finish", self.finished)):
            if moves and self.connection.executemany(_SQL[name], moves).rowcount != len(moves):
                raise _Moved
        new = [_created(row.key, row.record, row.standing) for row in self.touched.values() if row.record]
        old = [(*_stands(row.standing), row.key) for row in self.touched.values() if not row.record]
        for name, rows in (
            ("create", new),
            ("move", old),
            ("append", self.segments),
            ("put_blob", self.blobs),
            ("drain", self.drained),
            ("close_beat", self._closed()),
            ("withdraw", self.withdrawn),
            ("offer", self.offers),
            ("put_attribute", self.attributes),
            ("send", self.letters),
        ):
            if rows:
                self.connection.executemany(_SQL[name], rows)
        self._learn()

    def _closed(self) -> list[tuple[int, int]]:
        """What no longer waits, if there is any heartbeat to forget."""
        (beats,) = self.connection.execute(_SQL["has_beats"]).fetchone() if self.closed else (0,)
        return [(key, pending) for key, closed in self.closed for pending in closed] if beats else []

    def _learn(self) -> None:
        """Know the keys of what has an owner. One that is wrong, after a rollback, is found out by its id."""
        for ended in self.finished:
            self.keys.pop(ended[6], None)
        for id, row in self.rows.items():
            if row.standing.owner is not None:
                self.keys[id] = row.key
            else:
                self.keys.pop(id, None)


def _standing(connection: sqlite3.Connection, ids: Collection[str]) -> dict[str, _Row]:
    """Those executions that exist, found by a statement per 64: six times faster than one by one."""
    rows = {}
    for some in _padded(ids, 64 if len(ids) > 1 else 1):
        statement = _SQL["standing"].replace("/* ids */", ",".join("?" * len(some)))
        for id, key, status, due, ready, ended_at, paused, *rest in connection.execute(statement, some):
            rows[id] = _Row(
                key, None, Standing(Head(status, due, bool(ready), ended_at, bool(paused)), *rest)
            )
    return rows


def _padded(ids: Collection[str], size: int) -> Iterator[list[str | None]]:
    """Groups of the same size, so that there is one statement to prepare. NULL matches nothing."""
    every = iter(ids)
    while some := [*islice(every, size)]:
        yield [*some, *repeat(None, size - len(some))]


def _append(connection: sqlite3.Connection, keys: dict[str, int], batches: Sequence[Batch]) -> list[Outcome]:
    try:
        return _append_all(connection, keys, batches)
    except _Moved:
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        keys.clear()
        return _append_all(connection, keys, batches)


def _append_all(
    connection: sqlite3.Connection, keys: dict[str, int], batches: Sequence[Batch]
) -> list[Outcome]:
    changes = _Changes(connection, batches, keys)
    outcomes = [changes.add(batch) for batch in batches]
    changes.write()
    return outcomes


def _stands(standing: Standing) -> tuple[Any, ...]:
    head = standing.head
    return (
        head.status,
        head.due,
        head.ready,
        head.ended_at,
        head.paused,
        standing.last,
        standing.fence,
        standing.claims,
        standing.owner,
    )


def _created(key: int, record: ExecutionRecord, standing: Standing) -> tuple[Any, ...]:
    return (
        key,
        *_stands(standing),
        record.id,
        record.name,
        record.machine,
        record.digest,
        record.profile,
        record.started_at,
        record.parent,
        record.version,
        record.alias,
        record.origin,
    )


def _load(connection: sqlite3.Connection, execution: str, after: int, limit: int | None) -> Log:
    row = connection.execute(_SQL["load"], (execution,)).fetchone()
    if row is None:
        raise _unknown(execution)
    key, last, owner, fence, *rest = row
    head, record = _described(rest)
    rows = connection.execute(_SQL["segments"], (key, after, -1 if limit is None else limit))
    segments = [Segment(*segment) for segment in rows]
    beats = connection.execute(_SQL["beats"], (key,)).fetchall()
    return Log(record, head, last, owner, fence, segments, dict(beats))


def _described(row: Sequence[Any]) -> tuple[Head, ExecutionRecord]:
    status, due, ready, ended_at, paused, *record = row
    return Head(status, due, bool(ready), ended_at, bool(paused)), ExecutionRecord(*record)


def _values(
    connection: sqlite3.Connection, name: str, execution: str, wanted: Iterable[Any]
) -> dict[Any, bytes]:
    """Payloads by the event id their segment begins after, or blobs by digest."""
    key = _key(connection, execution)
    rows = ((item, connection.execute(_SQL[name], (key, item)).fetchone()) for item in wanted)
    return {item: row[0] for item, row in rows if row is not None}


def find_statement(query: Query) -> tuple[str, tuple[Any, ...]]:
    """The statement that answers a query, and its values."""
    # Few executions are running, and any number of a machine's have ended: which index is better, SQLite cannot know.
    machine = "+machine = ?" if query.status == RUNNING else "machine = ?"
    status = "status = ?" if query.machine is None or query.status == RUNNING else "+status = ?"
    conditions = {
        status: query.status,
        machine: query.machine,
        "name = ?": query.name,
        "parent = ?": query.parent,
        "(instr(machine, '/') > 0) = ?": query.labelled,
        "version = ?": query.version,
        "alias = ?": query.alias,
        "started_at >= ?": query.started_from,
        "started_at < ?": query.started_before,
        "ended_at < ?": query.ended_before,
        "execution < ?" if query.attributes else "key < ?": cursor_number(query),
    }
    given = {text: value for text, value in conditions.items() if value is not None}
    texts = list(given)
    values: list[Any] = list(given.values())
    for place, match in enumerate(by_selectivity(query.attributes)):
        texts.append(
            _has("search_attribute", match) if place == 0 else _HAS_BESIDES.format(_has("other", match))
        )
        values += [match.name, *(match.among or (match.low, match.below))]
    statement = _SQL["find_by_attribute" if query.attributes else "find"]
    return statement.replace("/* conditions */", " AND ".join(texts) or "TRUE"), (*values, query.limit)


#: Another attribute than the one by which executions are looked up.
_HAS_BESIDES = "EXISTS (SELECT 1 FROM search_attribute AS other WHERE other.execution = key AND {})"


def _has(table: str, match: Match) -> str:
    """That a row of the attributes fits."""
    places = ",".join("?" * len(match.among))
    fits = f"{table}.value IN ({places})" if places else f"{table}.value >= ? AND {table}.value < ?"
    return f"{table}.attribute = ? AND {fits}"


def _find(connection: sqlite3.Connection, query: Query) -> list[Found]:
    found = []
    for key, owner, *rest in connection.execute(*find_statement(query)):
        head, record = _described(rest)
        found.append(Found(record, head, owner, str(key)))
    return found


def _delete(connection: sqlite3.Connection, executions: Sequence[str], ended: bool) -> int:
    find = _SQL["key_of_ended" if ended else "key"]
    rows = (connection.execute(find, (execution,)).fetchone() for execution in set(executions))
    keys = [row for row in rows if row is not None]
    return _delete_keys(connection, keys)


def _delete_keys(connection: sqlite3.Connection, keys: Sequence[tuple[int]]) -> int:
    for part in ("segments", "blobs", "inbox", "beats", "wants", "offers", "attributes", "execution"):
        connection.executemany(_SQL[f"delete_{part}"], keys)
    return len(keys)


def _prune(
    connection: sqlite3.Connection, machine: str, ended_before: int | None, keep: int | None, limit: int
) -> int:
    bounds = [] if ended_before is None else [(ended_before - 1, KEY_MAX)]
    if keep is not None:
        newest = connection.execute(_SQL["newest_pruned"], (machine, keep)).fetchone()
        bounds += [] if newest is None else [newest]
    if not bounds:
        return 0
    keys = connection.execute(_SQL["pruned"], (machine, *max(bounds), limit)).fetchall()
    return _delete_keys(connection, keys)


def _tally(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute(_SQL["tally"]).fetchall())


def _size(connection: sqlite3.Connection) -> int:
    (size,) = connection.execute(_SQL["size"]).fetchone()
    return int(size)


def _machine_names(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute(_SQL["machine_names"])]


def _reserve(connection: sqlite3.Connection, *, row: Row) -> Reservation:
    new = connection.execute(_SQL["reserve"], row).rowcount > 0
    kept, at_work, answer = connection.execute(_SQL["reservation"], row[:1]).fetchone()
    return Reservation(kept, at_work, answer if at_work is None else None, new)


def _forget_reservations(connection: sqlite3.Connection, now: int, limit: int) -> int:
    return connection.execute(_SQL["forget_reservations"], (now, limit)).rowcount


def _settle(connection: sqlite3.Connection, *, key: str, holder: str, answer: bytes | None) -> None:
    if answer is None:
        connection.execute(_SQL["unreserve"], (key, holder))
    else:
        connection.execute(_SQL["settle"], (answer, key, holder))


def _inbox(connection: sqlite3.Connection, owner: str, after: int, limit: int) -> list[Message]:
    return [Message(*row) for row in connection.execute(_SQL["inbox"], (after, owner, limit))]


def _unread(connection: sqlite3.Connection, execution: str) -> int:
    number: int = connection.execute(_SQL["unread"], (execution,)).fetchone()[0]
    return number


def _owners(connection: sqlite3.Connection) -> Collection[str]:
    return [name for (name,) in connection.execute(_SQL["owners"])]


def _document(connection: sqlite3.Connection, collection: str, id: str) -> Document | None:
    row = connection.execute(_SQL["document"], (collection, id)).fetchone()
    return None if row is None else Document(*row)


def _documents(connection: sqlite3.Connection, collection: str, after: int, limit: int) -> list[Document]:
    return [Document(*row) for row in connection.execute(_SQL["documents"], (collection, after, limit))]


def _edit(connection: sqlite3.Connection, edits: Sequence[Edit]) -> bool:
    if any(_document(connection, edit.collection, edit.id) != edit.replaces for edit in edits):
        return False
    for edit in edits:
        old = edit.replaces
        if edit.body is None:
            connection.execute(_SQL["delete_document"], (edit.collection, edit.id))
        elif old is not None:
            connection.execute(_SQL["change_document"], (edit.body, old.revision + 1, old.number))
        else:
            connection.execute(_SQL["create_document"], (edit.collection, edit.id, edit.body))
    return True


def _key(connection: sqlite3.Connection, execution: str) -> int:
    row = connection.execute(_SQL["key"], (execution,)).fetchone()
    if row is None:
        raise _unknown(execution)
    return int(row[0])


def _unknown(execution: str) -> NotFound:
    return NotFound(f"there is no execution {execution}")
