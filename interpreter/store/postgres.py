"""The store in a Postgres database, for a fleet: each protocol call is one transaction of few statements.

Any number of engines share it. A group goes in as arrays, so that its size does not change the number of round
trips: one to begin, one to create or to move, one to append, one to commit, and one more for each other kind
of change that the group holds. The compare-and-set is in the statement that moves; nothing is read before it.

Leases are measured by the clock of the database, whatever the clocks of the machines say. What is *due* is
compared with the caller's ``now``: the engine that takes it over decides by that clock when it fires.

Rows are locked in one order where that can be had, leases before executions; where two transactions still
block each other the server undoes one, and it is done again. Texts are kept as they are, except that a
character Postgres has no room for, U+0000, is written as ``\\0`` and a backslash as two.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

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
from .postgres_fleet import PostgresFleet
from .postgres_hints import Hints
from .postgres_layout import PostgresLayout
from .postgres_letters import columns, inbox, send, unread
from .postgres_letters import known as known_executions
from .postgres_pool import Begin, Pool, Transaction, shown
from .postgres_text import optional, optional_plain, plain, text
from .standing import begin, changes_hands, counts_afresh, heir

P = ParamSpec("P")
T = TypeVar("T")

_SQL = queries("postgres")

#: Beyond every key.
KEY_MAX = 2**63 - 1


class PostgresStore(PostgresFleet):
    """A :class:`~detent.store.base.Store` in the schema ``detent`` of a Postgres database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: Pool | None = None
        self._engine = False
        self._hints = Hints(url)
        self._turns = Turns()

    async def open(self, *, engine: bool) -> None:
        if self._pool is not None:
            raise StoreError(f"the store {shown(self._url)} is already open")
        layout = PostgresLayout(self._url)
        try:
            await layout.migrate(deployed=False)
        finally:
            await layout.close()
        self._pool, self._engine = Pool(self._url), engine

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await self._hints.close()
            await pool.close()

    async def watch(self, heard: Callable[[], None]) -> None:
        await self._hints.watch(heard)

    def tell(self) -> None:
        self._hints.tell()

    async def publish(self, machine: MachineRecord) -> None:
        await self._run("WRITE", _publish, machine)

    async def machine(self, digest: str) -> MachineRecord:
        return await self._run("READ", _machine, "machine", digest)

    async def machine_named(self, name: str) -> MachineRecord:
        return await self._run("READ", _machine, "machine_named", name)

    async def append(self, batches: Sequence[Batch]) -> list[Outcome]:
        return await self._run_executions(_append, batches)

    async def load(self, execution: str, *, after: int = 0, limit: int | None = None) -> Log:
        return await self._run("READ", _load, execution, after, limit)

    async def payloads(self, execution: str, segments: Iterable[int]) -> Mapping[int, bytes]:
        return await self._run("READ", _values, "payloads", execution, list(segments))

    async def blobs(self, execution: str, digests: Iterable[str]) -> Mapping[str, bytes]:
        return await self._run("READ", _values, "blobs", execution, list(digests))

    async def find(self, query: Query) -> list[Found]:
        return await self._run("READ", _find, query)

    async def delete(self, executions: Sequence[str], *, ended: bool = False) -> int:
        return await self._run("WRITE", _delete, executions, ended)

    async def send(self, letters: Sequence[Letter]) -> list[Outcome]:
        return await self._run("WRITE", send, letters)

    async def inbox(self, owner: str, *, after: int = 0, limit: int) -> list[Message]:
        return await self._run("READ", inbox, owner, after, limit)

    async def reserve(
        self, key: str, request: str, holder: str, *, now: int, until: int, instead_of: str | None = None
    ) -> Reservation:
        return await self._run("WRITE", _reserve, key, request, holder, now, until, instead_of)

    async def forget_reservations(self, *, now: int, limit: int) -> int:
        return await self._run("WRITE", _forget_reservations, now, limit)

    async def settle(self, key: str, holder: str, answer: bytes | None) -> None:
        await self._run("WRITE", _settle, key, holder, answer)

    async def unread(self, execution: str) -> int:
        return await self._run("READ", unread, execution)

    async def owners(self) -> Collection[str]:
        return await self._run("READ", _owners)

    async def prune(self, machine: str, *, ended_before: int | None, keep: int | None, limit: int) -> int:
        return await self._run("WRITE", _prune, machine, ended_before, keep, limit)

    async def tally(self) -> Mapping[str, int]:
        return await self._run("READ", _tally)

    async def size(self) -> int | None:
        return await self._run("READ", _size)

    async def machine_names(self) -> list[str]:
        return await self._run("READ", _machine_names)

    async def document(self, collection: str, id: str) -> Document | None:
        return await self._run("READ", _document, collection, id)

    async def documents(self, collection: str, *, after: int = 0, limit: int) -> list[Document]:
        return await self._run("READ", _documents, collection, after, limit)

    async def edit(self, edits: Sequence[Edit]) -> bool:
        try:
            await self._run("WRITE", _edit, edits)
        except _DoesNotHold:
            return False
        return True

    async def _run(
        self,
        begin: Begin,
        work: Callable[Concatenate[Transaction, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        if self._pool is None:
            raise StoreUnavailable(f"the store {shown(self._url)} is not open")
        return await self._pool.run(begin, work, *args, **kwargs)

    async def _run_executions(
        self, work: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """A write that only an engine may make."""
        if self._pool is not None and not self._engine:
            raise StoreError("the store was opened without the right to run executions (engine=True)")
        return await self._run("WRITE", work, *args, **kwargs)


async def _publish(transaction: Transaction, machine: MachineRecord) -> None:
    row = (machine.digest, text(machine.name), machine.definition, machine.published_at)
    await transaction.rows(_SQL["publish"], *row)


async def _machine(transaction: Transaction, query: str, wanted: str) -> MachineRecord:
    row = await transaction.row(_SQL[query], text(wanted))
    if row is None:
        what = f"with digest {wanted}" if query == "machine" else f"named {wanted}"
        raise NotFound(f"no machine {what} is published here")
    digest, name, definition, published_at = row
    return MachineRecord(digest, plain(name), definition, published_at)


async def _append(transaction: Transaction, batches: Sequence[Batch]) -> list[Outcome]:
    outcomes = [Outcome.CONFLICT] * len(batches)
    written: list[tuple[int, Batch]] = []
    for round in _rounds(batches):
        keys = await _moved(transaction, [batch for _, batch in round])
        refused = [batch.execution for _, batch in round if batch.execution not in keys and not batch.create]
        known = await known_executions(transaction, refused)
        for place, batch in round:
            key = keys.get(batch.execution)
            if key is not None:
                outcomes[place] = Outcome.DONE
                written.append((key, batch))
            elif batch.create is not None:
                outcomes[place] = Outcome.EXISTS
            elif batch.execution not in known:
                outcomes[place] = Outcome.MISSING
    await _write(transaction, written)
    return outcomes


def _rounds(batches: Sequence[Batch]) -> Iterator[list[tuple[int, Batch]]]:
    """The batches with their places, in rounds of at most one batch per execution: nearly always one round."""
    rounds: list[list[tuple[int, Batch]]] = []
    seen: dict[str, int] = {}
    for place, batch in enumerate(batches):
        number = seen[batch.execution] = seen.get(batch.execution, -1) + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append((place, batch))
    yield from rounds


async def _moved(transaction: Transaction, batches: Sequence[Batch]) -> dict[str, int]:
    """Create and move the executions whose batches may be written; their keys by id."""
    rows: list[Any] = []
    new = [_created(batch, batch.create) for batch in batches if batch.create is not None]
    if new:
        rows += await transaction.rows(_SQL["create"], *columns(new))
    # In the order of their ids: two groups with the same executions wait for each other, not crosswise.
    old = sorted(_step(batch) for batch in batches if batch.create is None)
    if old:
        rows += await transaction.rows(_SQL["move"], *columns(old))
    return {plain(id): key for id, key in rows}


def _created(batch: Batch, record: ExecutionRecord) -> tuple[Any, ...]:
    standing, head = begin(batch, ()), batch.head
    return (
        head.status,
        head.due,
        head.ready,
        head.ended_at,
        head.paused,
        standing.last,
        standing.fence,
        optional(heir(batch)),
        standing.claims,
        text(record.id),
        text(record.name),
        text(record.machine),
        record.digest,
        record.profile,
        record.started_at,
        optional(record.parent),
        optional(record.version),
        optional(record.alias),
        optional(record.origin),
    )


def _step(batch: Batch) -> tuple[Any, ...]:
    head = batch.head
    return (
        text(batch.execution),
        batch.after,
        batch.fence,
        head.status,
        head.due,
        head.ready,
        head.ended_at,
        head.paused,
        batch.last,
        changes_hands(batch),
        optional(heir(batch)),
        counts_afresh(batch),
    )


async def _write(transaction: Transaction, written: Sequence[tuple[int, Batch]]) -> None:
    """What follows from batches that were accepted, one statement per kind; letters once everything stands."""
    for name, rows in (
        ("append", [(key, b.after, b.last, b.control, b.payloads) for key, b in written if b.last > b.after]),
        ("put_blob", [(key, *item) for key, b in written if b.blobs for item in sorted(b.blobs.items())]),
        ("drain", [(key, number) for key, b in written if b.drained for number in b.drained]),
        ("close_beat", [(key, pending) for key, b in written if b.closed for pending in b.closed]),
        ("withdraw", [(key, pending) for key, b in written if b.withdrawn for pending in b.withdrawn]),
        ("offer", [(key, id, text(resource)) for key, b in written if b.offers for id, resource in b.offers]),
        (
            "put_attribute",
            [(key, *item) for key, b in written if b.attributes for item in b.attributes.items()],
        ),
    ):
        if rows:
            await transaction.rows(_SQL[name], *columns(rows))
    letters = [letter for _, batch in written if batch.letters for letter in batch.letters]
    if letters:
        await send(transaction, letters)


async def _load(transaction: Transaction, execution: str, after: int, limit: int | None) -> Log:
    row = await transaction.row(_SQL["load"], text(execution))
    if row is None:
        raise _unknown(execution)
    key, last, owner, fence, *rest = row
    head, record = _described(rest)
    segments = await transaction.rows(_SQL["segments"], key, after, limit)
    beats = await transaction.rows(_SQL["beats"], key)
    parts = [Segment(*segment) for segment in segments]
    return Log(record, head, last, optional_plain(owner), fence, parts, dict(beats))


def _described(row: Sequence[Any]) -> tuple[Head, ExecutionRecord]:
    status, due, ready, ended_at, paused, id, name, machine, digest, profile, started_at, *texts = row
    record = ExecutionRecord(
        plain(id),
        plain(name),
        plain(machine),
        digest,
        profile,
        started_at,
        *map(optional_plain, texts),
    )
    return Head(status, due, ready, ended_at, paused), record


async def _values(
    transaction: Transaction, name: str, execution: str, wanted: Sequence[Any]
) -> dict[Any, bytes]:
    """Payloads by the event id their segment begins after, or blobs by digest."""
    row = await transaction.row(_SQL["key"], text(execution))
    if row is None:
        raise _unknown(execution)
    return dict(await transaction.rows(_SQL[name], row[0], wanted))


def find_statement(query: Query) -> tuple[str, list[Any]]:
    """The statement that answers a query, and its values."""
    conditions = {
        "status =": query.status,
        "machine =": optional(query.machine),
        "name =": optional(query.name),
        "parent =": optional(query.parent),
        "(strpos(machine, '/') > 0) =": query.labelled,
        "version =": optional(query.version),
        "alias =": optional(query.alias),
        "started_at >=": query.started_from,
        "started_at <": query.started_before,
        "ended_at <": query.ended_before,
        "search_attribute.execution <" if query.attributes else "key <": cursor_number(query),
    }
    given = {text: value for text, value in conditions.items() if value is not None}
    texts = [f"{text} ${place}" for place, text in enumerate(given, 2)]
    values: list[Any] = [query.limit, *given.values()]
    for place, match in enumerate(by_selectivity(query.attributes)):
        has = _has("search_attribute" if place == 0 else "other", match, len(values) + 1)
        texts.append(has if place == 0 else _HAS_BESIDES.format(has))
        values += [match.name, *(match.among or (match.low, match.below))]
    statement = _SQL["find_by_attribute" if query.attributes else "find"]
    return statement.replace("/* conditions */", " AND ".join(texts) or "TRUE"), values


#: Another attribute than the one by which executions are looked up.
_HAS_BESIDES = "EXISTS (SELECT 1 FROM search_attribute AS other WHERE other.execution = key AND {})"


def _has(table: str, match: Match, place: int) -> str:
    """That a row of the attributes fits; the values begin at a place."""
    value = f"{table}.attribute = ${place} AND {table}.value"
    if len(match.among) == 1:
        return f"{value} = ${place + 1}"
    if match.among:
        return f"{value} IN ({', '.join(f'${place + 1 + n}' for n in range(len(match.among)))})"
    return f"{value} >= ${place + 1} AND {table}.value < ${place + 2}"


async def _find(transaction: Transaction, query: Query) -> list[Found]:
    found = []
    statement, values = find_statement(query)
    for key, owner, *rest in await transaction.rows(statement, *values):
        head, record = _described(rest)
        found.append(Found(record, head, optional_plain(owner), str(key)))
    return found


async def _delete(transaction: Transaction, executions: Sequence[str], ended: bool) -> int:
    ids = [text(execution) for execution in executions]
    rows = await transaction.rows(_SQL["delete_executions"], ids, ended)
    return await _delete_parts(transaction, [row[0] for row in rows])


async def _delete_parts(transaction: Transaction, keys: Sequence[int]) -> int:
    if keys:
        for part in ("segments", "blobs", "inbox", "beats", "wants", "offers", "attributes"):
            await transaction.rows(_SQL[f"delete_{part}"], keys)
    return len(keys)


async def _prune(
    transaction: Transaction, machine: str, ended_before: int | None, keep: int | None, limit: int
) -> int:
    bounds = [] if ended_before is None else [(ended_before - 1, KEY_MAX)]
    if keep is not None:
        newest = await transaction.row(_SQL["newest_pruned"], text(machine), keep)
        bounds += [] if newest is None else [tuple(newest)]
    if not bounds:
        return 0
    rows = await transaction.rows(_SQL["prune"], text(machine), *max(bounds), limit)
    return await _delete_parts(transaction, [row[0] for row in rows])


async def _tally(transaction: Transaction) -> dict[str, int]:
    return {status: int(number) for status, number in await transaction.rows(_SQL["tally"])}


async def _size(transaction: Transaction) -> int:
    ((size,),) = await transaction.rows(_SQL["size"])
    return int(size)


async def _machine_names(transaction: Transaction) -> list[str]:
    return sorted(plain(name) for (name,) in await transaction.rows(_SQL["machine_names"]))


async def _owners(transaction: Transaction) -> list[str]:
    return [plain(name) for (name,) in await transaction.rows(_SQL["owners"])]


async def _reserve(
    transaction: Transaction,
    key: str,
    request: str,
    holder: str,
    now: int,
    until: int,
    instead_of: str | None,
) -> Reservation:
    wanted = text(key), text(request), until, text(holder), now, optional(instead_of)
    while True:
        new = await transaction.rows(_SQL["reserve"], *wanted)
        row = await transaction.row(_SQL["reservation"], text(key))
        if row is not None:  # else its holder has given it up between the two
            kept, at_work, answer = row
            return Reservation(
                plain(kept),
                optional_plain(at_work),
                answer if at_work is None else None,
                bool(new),
            )


async def _forget_reservations(transaction: Transaction, now: int, limit: int) -> int:
    return len(await transaction.rows(_SQL["forget_reservations"], now, limit))


async def _settle(transaction: Transaction, key: str, holder: str, answer: bytes | None) -> None:
    if answer is None:
        await transaction.rows(_SQL["unreserve"], text(key), text(holder))
    else:
        await transaction.rows(_SQL["settle"], text(key), text(holder), answer)


async def _document(transaction: Transaction, collection: str, id: str) -> Document | None:
    row = await transaction.row(_SQL["document"], text(collection), text(id))
    return None if row is None else _read_document(row)


async def _documents(transaction: Transaction, collection: str, after: int, limit: int) -> list[Document]:
    rows = await transaction.rows(_SQL["documents"], text(collection), after, limit)
    return [_read_document(row) for row in rows]


def _read_document(row: Sequence[Any]) -> Document:
    collection, id, *rest = row
    return Document(plain(collection), plain(id), *rest)


class _DoesNotHold(StoreError):
    """An edit does not hold: the transaction is undone."""


async def _edit(transaction: Transaction, edits: Sequence[Edit]) -> None:
    # In one order: two groups with the same documents wait for each other, not crosswise.
    for edit in sorted(edits, key=lambda edit: (edit.collection, edit.id)):
        if not await _holds(transaction, edit):
            raise _DoesNotHold(f"the document {edit.id} of {edit.collection} is not what was read")


async def _holds(transaction: Transaction, edit: Edit) -> bool:
    """Make one change; whether it could be made."""
    collection, id, old = text(edit.collection), text(edit.id), edit.replaces
    if old is None and edit.body is None:
        return not await transaction.rows(_SQL["document"], collection, id)
    if old is None:
        return bool(await transaction.rows(_SQL["create_document"], collection, id, edit.body))
    if edit.body is None:
        return bool(await transaction.rows(_SQL["delete_document"], old.number, old.revision))
    return bool(await transaction.rows(_SQL["change_document"], old.number, old.revision, edit.body))


def _unknown(execution: str) -> NotFound:
    return NotFound(f"there is no execution {execution}")
