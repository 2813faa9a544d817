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

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from .base import (
    Batch,
    Beat,
    Claim,
    Document,
    Edit,
    ExecutionRecord,
    Found,
    Head,
    Letter,
    Log,
    MachineRecord,
    Message,
    NotFound,
    Outcome,
    Query,
    Segment,
    StoreError,
    StoreUnavailable,
    cursor_number,
)
from .migrate import queries
from .postgres_layout import PostgresLayout
from .postgres_pool import Begin, Pool, Transaction, shown
from .standing import begin, changes_hands, counts_afresh, heir

P = ParamSpec("P")
T = TypeVar("T")

_SQL = queries("postgres")


class PostgresStore:
    """A :class:`~detent.store.base.Store` in the schema ``detent`` of a Postgres database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: Pool | None = None
        self._engine = False

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
            await pool.close()

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
        return await self._run("WRITE", _send, letters)

    async def inbox(self, owner: str, *, after: int = 0, limit: int) -> list[Message]:
        return await self._run("READ", _inbox, owner, after, limit)

    async def claim(
        self, owner: str, *, now: int, lease: int, limit: int, only: Sequence[str] | None = None
    ) -> list[Claim]:
        return await self._run_executions(_claim, owner, now, lease, limit, only)

    async def owners(self) -> Collection[str]:
        return await self._run("READ", _owners)

    async def renew(self, owner: str, *, now: int, lease: int) -> bool:
        return await self._run_executions(_renew, owner, lease)

    async def release(self, claims: Sequence[Claim]) -> None:
        await self._run_executions(_release, claims)

    async def beat(self, beats: Sequence[Beat]) -> list[Outcome]:
        return await self._run("WRITE", _beat, beats)

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


def _text(value: str) -> str:
    """A text as the database can hold it."""
    if "\\" in value or "\0" in value:
        return value.replace("\\", "\\\\").replace("\0", "\\0")
    return value


def _optional(value: str | None) -> str | None:
    return None if value is None else _text(value)


def _plain(value: str) -> str:
    """The text that :func:`_text` was given."""
    return (
        re.sub(r"\\(.)", lambda found: "\0" if found[1] == "0" else "\\", value) if "\\" in value else value
    )


def _optional_plain(value: str | None) -> str | None:
    return None if value is None else _plain(value)


async def _publish(transaction: Transaction, machine: MachineRecord) -> None:
    row = (machine.digest, _text(machine.name), machine.definition, machine.published_at)
    await transaction.rows(_SQL["publish"], *row)


async def _machine(transaction: Transaction, query: str, wanted: str) -> MachineRecord:
    row = await transaction.row(_SQL[query], _text(wanted))
    if row is None:
        what = f"with digest {wanted}" if query == "machine" else f"named {wanted}"
        raise NotFound(f"no machine {what} is published here")
    digest, name, definition, published_at = row
    return MachineRecord(digest, _plain(name), definition, published_at)


async def _append(transaction: Transaction, batches: Sequence[Batch]) -> list[Outcome]:
    outcomes = [Outcome.CONFLICT] * len(batches)
    written: list[tuple[int, Batch]] = []
    for round in _rounds(batches):
        keys = await _moved(transaction, [batch for _, batch in round])
        refused = [batch.execution for _, batch in round if batch.execution not in keys and not batch.create]
        known = await _known(transaction, refused)
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
        rows += await transaction.rows(_SQL["create"], *_columns(new))
    # In the order of their ids: two groups with the same executions wait for each other, not crosswise.
    old = sorted(_step(batch) for batch in batches if batch.create is None)
    if old:
        rows += await transaction.rows(_SQL["move"], *_columns(old))
    return {_plain(id): key for id, key in rows}


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
        _optional(heir(batch)),
        standing.claims,
        _text(record.id),
        _text(record.name),
        _text(record.machine),
        record.digest,
        record.profile,
        record.started_at,
        _optional(record.parent),
        _optional(record.version),
        _optional(record.alias),
        _optional(record.origin),
    )


def _step(batch: Batch) -> tuple[Any, ...]:
    head = batch.head
    return (
        _text(batch.execution),
        batch.after,
        batch.fence,
        head.status,
        head.due,
        head.ready,
        head.ended_at,
        head.paused,
        batch.last,
        changes_hands(batch),
        _optional(heir(batch)),
        counts_afresh(batch),
    )


def _columns(rows: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    return map(list, zip(*rows, strict=True))


async def _write(transaction: Transaction, written: Sequence[tuple[int, Batch]]) -> None:
    """What follows from batches that were accepted, one statement per kind; letters once everything stands."""
    for name, rows in (
        ("append", [(key, b.after, b.last, b.control, b.payloads) for key, b in written if b.last > b.after]),
        ("put_blob", [(key, *item) for key, b in written if b.blobs for item in sorted(b.blobs.items())]),
        ("drain", [(key, number) for key, b in written if b.drained for number in b.drained]),
        ("close_beat", [(key, pending) for key, b in written if b.closed for pending in b.closed]),
    ):
        if rows:
            await transaction.rows(_SQL[name], *_columns(rows))
    letters = [letter for _, batch in written if batch.letters for letter in batch.letters]
    if letters:
        await _send(transaction, letters)


async def _known(transaction: Transaction, ids: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Key and fence of those executions that exist."""
    wanted = {_text(id) for id in ids}
    if not wanted:
        return {}
    rows = await transaction.rows(_SQL["known"], list(wanted))
    return {_plain(id): (key, fence) for id, key, fence in rows}


async def _send(transaction: Transaction, letters: Sequence[Letter]) -> list[Outcome]:
    known = await _known(transaction, (letter.execution for letter in letters))
    rows = [
        (known[letter.execution][0], _text(letter.dedupe), letter.body)
        for letter in letters
        if letter.execution in known
    ]
    accepted = set()
    if rows:
        accepted = {tuple(row) for row in await transaction.rows(_SQL["send"], *_columns(rows))}
    outcomes = []
    for letter in letters:
        if letter.execution not in known:
            outcomes.append(Outcome.MISSING)
            continue
        sent = (known[letter.execution][0], _text(letter.dedupe))
        outcomes.append(Outcome.DONE if sent in accepted else Outcome.EXISTS)
        accepted.discard(sent)
    return outcomes


async def _load(transaction: Transaction, execution: str, after: int, limit: int | None) -> Log:
    row = await transaction.row(_SQL["load"], _text(execution))
    if row is None:
        raise _unknown(execution)
    key, last, owner, fence, *rest = row
    head, record = _described(rest)
    segments = await transaction.rows(_SQL["segments"], key, after, limit)
    beats = await transaction.rows(_SQL["beats"], key)
    parts = [Segment(*segment) for segment in segments]
    return Log(record, head, last, _optional_plain(owner), fence, parts, dict(beats))


def _described(row: Sequence[Any]) -> tuple[Head, ExecutionRecord]:
    status, due, ready, ended_at, paused, id, name, machine, digest, profile, started_at, *texts = row
    record = ExecutionRecord(
        _plain(id),
        _plain(name),
        _plain(machine),
        digest,
        profile,
        started_at,
        *map(_optional_plain, texts),
    )
    return Head(status, due, ready, ended_at, paused), record


async def _values(
    transaction: Transaction, name: str, execution: str, wanted: Sequence[Any]
) -> dict[Any, bytes]:
    """Payloads by the event id their segment begins after, or blobs by digest."""
    row = await transaction.row(_SQL["key"], _text(execution))
    if row is None:
        raise _unknown(execution)
    return dict(await transaction.rows(_SQL[name], row[0], wanted))


async def _find(transaction: Transaction, query: Query) -> list[Found]:
    conditions = {
        "status =": query.status,
        "machine =": _optional(query.machine),
        "name =": _optional(query.name),
        "parent =": _optional(query.parent),
        "version =": _optional(query.version),
        "alias =": _optional(query.alias),
        "started_at >=": query.started_from,
        "started_at <": query.started_before,
        "ended_at <": query.ended_before,
        "key <": cursor_number(query),
    }
    given = {text: value for text, value in conditions.items() if value is not None}
    where = " AND ".join(f"{text} ${place}" for place, text in enumerate(given, 2)) or "TRUE"
    statement = _SQL["find"].replace("/* conditions */", where)
    found = []
    for key, owner, *rest in await transaction.rows(statement, query.limit, *given.values()):
        head, record = _described(rest)
        found.append(Found(record, head, _optional_plain(owner), str(key)))
    return found


async def _delete(transaction: Transaction, executions: Sequence[str], ended: bool) -> int:
    ids = [_text(execution) for execution in executions]
    rows = await transaction.rows(_SQL["delete_executions"], ids, ended)
    keys = [row[0] for row in rows]
    if keys:
        for part in ("segments", "blobs", "inbox", "beats"):
            await transaction.rows(_SQL[f"delete_{part}"], keys)
    return len(keys)


async def _inbox(transaction: Transaction, owner: str, after: int, limit: int) -> list[Message]:
    rows = await transaction.rows(_SQL["inbox"], after, _text(owner), limit)
    return [Message(number, _plain(execution), body) for number, execution, body in rows]


async def _claim(
    transaction: Transaction, owner: str, now: int, lease: int, limit: int, only: Sequence[str] | None
) -> list[Claim]:
    owner = _text(owner)
    expired = [name for (name,) in await transaction.rows(_SQL["end_expired"])]
    if expired:
        await transaction.rows(_SQL["give_back_all"], expired)
    await transaction.rows(_SQL["begin_lease"], owner, lease)
    if not await transaction.rows(_SQL["keep_lease"], owner):
        return []  # Somebody is just ending it: there is nothing to claim under.
    if only is not None:
        return await _claimed(transaction, "claim_named", owner, [_text(id) for id in only], limit)
    due = await _claimed(transaction, "claim_due", owner, now, limit)
    addressed = await _claimed(transaction, "claim_addressed", owner, limit - len(due))
    return due + addressed


async def _claimed(transaction: Transaction, name: str, *arguments: Any) -> list[Claim]:
    """The claims that a statement makes, in the order that its last columns give."""
    rows = await transaction.rows(_SQL[name], *arguments)
    return [
        Claim(_plain(id), fence, claims)
        for id, fence, claims, *_ in sorted(rows, key=lambda row: tuple(row)[3:])
    ]


async def _owners(transaction: Transaction) -> list[str]:
    return [_plain(name) for (name,) in await transaction.rows(_SQL["owners"])]


async def _renew(transaction: Transaction, owner: str, lease: int) -> bool:
    owner = _text(owner)
    if await transaction.rows(_SQL["extend_lease"], owner, lease):
        return True
    await transaction.rows(_SQL["end_lease"], owner)
    await transaction.rows(_SQL["give_back_all"], [owner])
    await transaction.rows(_SQL["begin_lease"], owner, lease)
    return False


async def _release(transaction: Transaction, claims: Sequence[Claim]) -> None:
    rows = sorted((_text(claim.execution), claim.fence) for claim in claims)
    if rows:
        await transaction.rows(_SQL["release"], *_columns(rows))


async def _beat(transaction: Transaction, beats: Sequence[Beat]) -> list[Outcome]:
    known = await _known(transaction, (beat.execution for beat in beats))
    outcomes = [_judged(beat, known) for beat in beats]
    rows = [
        (known[beat.execution][0], beat.pending, beat.due)
        for beat, outcome in zip(beats, outcomes, strict=True)
        if outcome is Outcome.DONE
    ]
    if rows:
        await transaction.rows(_SQL["beat"], *_columns(rows))
    return outcomes


def _judged(beat: Beat, known: Mapping[str, tuple[int, int]]) -> Outcome:
    if beat.execution not in known:
        return Outcome.MISSING
    _, fence = known[beat.execution]
    return Outcome.CONFLICT if beat.fence not in (None, fence) else Outcome.DONE


async def _document(transaction: Transaction, collection: str, id: str) -> Document | None:
    row = await transaction.row(_SQL["document"], _text(collection), _text(id))
    return None if row is None else _read_document(row)


async def _documents(transaction: Transaction, collection: str, after: int, limit: int) -> list[Document]:
    rows = await transaction.rows(_SQL["documents"], _text(collection), after, limit)
    return [_read_document(row) for row in rows]


def _read_document(row: Sequence[Any]) -> Document:
    collection, id, *rest = row
    return Document(_plain(collection), _plain(id), *rest)


class _DoesNotHold(StoreError):
    """An edit does not hold: the transaction is undone."""


async def _edit(transaction: Transaction, edits: Sequence[Edit]) -> None:
    # In one order: two groups with the same documents wait for each other, not crosswise.
    for edit in sorted(edits, key=lambda edit: (edit.collection, edit.id)):
        if not await _holds(transaction, edit):
            raise _DoesNotHold(f"the document {edit.id} of {edit.collection} is not what was read")


async def _holds(transaction: Transaction, edit: Edit) -> bool:
    """Make one change; whether it could be made."""
    collection, id, old = _text(edit.collection), _text(edit.id), edit.replaces
    if old is None and edit.body is None:
        return not await transaction.rows(_SQL["document"], collection, id)
    if old is None:
        return bool(await transaction.rows(_SQL["create_document"], collection, id, edit.body))
    if edit.body is None:
        return bool(await transaction.rows(_SQL["delete_document"], old.number, old.revision))
    return bool(await transaction.rows(_SQL["change_document"], old.number, old.revision, edit.body))


def _unknown(execution: str) -> NotFound:
    return NotFound(f"there is no execution {execution}")
