"""The store protocol: what durable memory means to the engine, cut by intent.

A store keeps machines, the logs of executions, an inbox for signals that arrive from elsewhere, who works on
what, and documents: small things beside the executions. It understands nothing of the States Language: a log is
a row of segments whose control part and payloads are texts to it. What makes it correct is one rule:
:meth:`Store.append` writes a batch only if the execution's log still ends where the batch says it does.

The protocol and the layout behind it carry a version (:data:`PROTOCOL_VERSION`). Instants are whole
milliseconds since the epoch, sizes are bytes, texts of JSON are UTF-8.

Who works on what: an *owner* (one engine process) holds one lease, and under it any number of executions.
Keeping 100,000 executions alive is therefore one small write, and a lost lease loses them all at once.
Each claim of an execution raises its *fence*; writes that carry an older fence are refused. Instants come
from the caller. A store that several machines share measures leases by its own clock instead.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Protocol

from ..core.errors import DetentError
from ..core.rows import Record
from .fleet import Fleet

#: How often an execution is claimed without coming further before it is suspected of killing its workers.
SUSPECT_CLAIMS = 2

#: Version of this protocol and of the rows behind it; a store written by a later one is refused.
PROTOCOL_VERSION = 1

_NONE: Mapping[str, bytes] = MappingProxyType({})


class StoreError(DetentError):
    """Root of everything a store raises; no driver's exception crosses this border."""

    code = "STORE"


class StoreUnavailable(StoreError):
    """The store cannot answer now (locked, disk full, connection lost). Nothing was written; try again.

    One case stays in doubt: a connection lost while the other side commits. Appending again tells: CONFLICT or
    EXISTS if it was written.
    """

    code = "STORE_UNAVAILABLE"


class StoreInUse(StoreError):
    """Another engine process owns this store. The message names it."""

    code = "STORE_IN_USE"


class StoreTooNew(StoreError):
    """The store was written by a later release than this one can read."""

    code = "STORE_TOO_NEW"


class StoreCorrupt(StoreError):
    """The file is no store, or what is in it contradicts itself."""

    code = "STORE_CORRUPT"


class NotFound(StoreError):
    """There is no such execution or machine."""

    code = "NOT_FOUND"


class Outcome(Enum):
    """What became of one batch of an append, or one letter sent."""

    DONE = "done"
    #: The log no longer ends where the batch begins, or the fence is stale: nothing of it was written.
    CONFLICT = "conflict"
    #: The execution's id, or the letter's dedupe id, is taken: nothing of it was written.
    EXISTS = "exists"
    #: There is no such execution (any more): nothing of it was written.
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class MachineRecord:
    """A published definition. ``digest`` identifies its content; ``name`` is the machine's ARN."""

    digest: str
    name: str
    definition: bytes
    published_at: int


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """What never changes about an execution, known when it is created.

    ``parent`` names what started it, None for a start from outside. For a task of another execution it is
    ``EXECUTION#PENDING``, with ``:detached`` behind it where the task does not wait for the end.

    ``version`` and ``alias`` are the ARNs it was started through, ``origin`` what else its starter wants to find
    again: a text that no store looks into.
    """

    id: str
    name: str
    machine: str
    digest: str
    profile: str
    started_at: int
    parent: str | None = None
    version: str | None = None
    alias: str | None = None
    origin: str | None = None

    def __post_init__(self) -> None:
        # Of a hundred thousand executions these are the same: they are held once.
        for name in ("machine", "digest"):
            object.__setattr__(self, name, sys.intern(getattr(self, name)))


class Head(Record):
    """What changes about an execution and must be found without reading its log.

    ``due`` is the earliest instant at which it needs attention by itself (a timer, a retry, a deadline),
    None if only an answer can move it. ``ready`` says that work is open that nobody else will wake it
    for: tasks to run, a pure step to continue. An execution is finished if and only if ``ended_at`` is
    set; a redrive clears it again. While it is ``paused`` its status stays what it was.
    """

    status: str
    due: int | None
    ready: bool
    ended_at: int | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A signal on its way to an execution's inbox. The same ``dedupe`` is accepted once per execution."""

    execution: str
    dedupe: str
    body: bytes


class Batch(Record):
    """One transaction of one execution: a segment of its log and what follows from it.

    ``after`` is the id of the last event before the segment (0 for the first) and the compare-and-set of
    :meth:`Store.append`; ``last`` the id of the segment's last event. If they are equal the batch has no
    segment: it only drains, moves the head, or changes hands. ``control`` is the segment's control part,
    ``payloads`` its values (a JSON array), ``blobs`` the values too large for it, by digest, stored once per
    execution. ``create`` is given with the first batch only. ``drained`` names inbox messages that this
    batch consumed, ``closed`` the pendings that no longer wait. ``letters`` are delivered in the same
    transaction: how the end of a child reaches its parent; a letter to nobody is dropped.

    ``offers`` are tasks that anybody may take (:meth:`Store.take`), as pending and resource; ``withdrawn`` are
    pendings that were offered and wait no longer.

    ``attributes`` are what the execution is found by (:class:`Match`): texts of bytes by name, which stores
    compare and do not understand. An attribute keeps the value that it got first.

    ``fence`` is the fencing number of the claim under which the batch was decided; None where no claim is
    needed, and then nothing changes hands. ``hold`` is the owner that goes on working on the execution
    after this batch; None, or an owner that has no lease (any more), gives it back. A creating batch with
    an owner begins under fence 1. A finished execution is nobody's.
    """

    execution: str
    after: int
    last: int
    control: bytes
    payloads: bytes
    head: Head
    create: ExecutionRecord | None = None
    blobs: Mapping[str, bytes] = _NONE
    drained: Sequence[int] = ()
    closed: Sequence[int] = ()
    letters: Sequence[Letter] = ()
    offers: Sequence[tuple[int, str]] = ()
    withdrawn: Sequence[int] = ()
    fence: int | None = None
    hold: str | None = None
    attributes: Mapping[str, bytes] = _NONE


@dataclass(frozen=True, slots=True)
class Segment:
    """A batch as it stands in the log, without its payloads."""

    after: int
    last: int
    control: bytes


@dataclass(frozen=True, slots=True)
class Log:
    """What a fold needs first, read at one moment: the payloads of live frames are read afterwards."""

    record: ExecutionRecord
    head: Head
    #: The id of the last event written, whether its segment was asked for or not.
    last: int
    #: Who holds the execution, if anybody, and under which fence it was claimed last.
    owner: str | None
    fence: int
    segments: Sequence[Segment]
    #: Heartbeat deadlines of running tasks, by pending id: moved by :meth:`Store.beat`, not part of the log.
    beats: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Message:
    """A signal that arrived from elsewhere, waiting in the inbox."""

    number: int
    execution: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on an execution while the owner's lease lives; ``fence`` grows with every claim."""

    execution: str
    fence: int
    #: How often it was claimed, this time included, since it was last given back or a pending of it
    #: closed: what kills its worker is seen here.
    claims: int


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life of a running task: its heartbeat deadline moves to ``due``, never backwards.

    ``fence`` is that of the claim the task runs under; None for a caller who only has the task's token.
    """

    execution: str
    pending: int
    due: int
    fence: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One row of a search."""

    record: ExecutionRecord
    head: Head
    #: Who holds the execution, if anybody; see :meth:`Store.owners` for whether that one lives.
    owner: str | None
    #: Where to go on after this row (opaque).
    cursor: str


@dataclass(frozen=True, slots=True)
class Match:
    """What an attribute of an execution must be: one of some values, or from ``low`` on and less than ``below``.

    Values are compared byte by byte, as unsigned numbers; a beginning comes before what is longer.
    """

    name: str
    among: tuple[bytes, ...] = ()
    low: bytes = b""
    below: bytes = b""

    def fits(self, value: bytes) -> bool:
        return value in self.among if self.among else self.low <= value < self.below


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; None means anything. ``limit`` rows after ``cursor``.

    The ``from`` instants are included, the ``before`` instants are not. ``ended_before`` finds finished
    executions only. An execution has all of ``attributes``.
    """

    status: str | None = None
    machine: str | None = None
    name: str | None = None
    parent: str | None = None
    #: Whether the executions are of a machine with a label: those of distributed Maps.
    labelled: bool | None = None
    version: str | None = None
    alias: str | None = None
    started_from: int | None = None
    started_before: int | None = None
    ended_before: int | None = None
    attributes: tuple[Match, ...] = ()
    cursor: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Document:
    """A small thing kept beside the executions, such as a state machine with its versions and aliases.

    ``collection`` and ``id`` name it. ``revision`` counts its changes from 1, ``number`` grows with every
    document that is created and is never used again.
    """

    collection: str
    id: str
    body: bytes
    revision: int
    number: int


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a document: ``body`` takes the place of ``replaces``.

    Without ``replaces`` it creates the document, without ``body`` it deletes it. It holds only if the document
    is still what was read (or still absent): the compare-and-set of :meth:`Store.edit`.
    """

    collection: str
    id: str
    body: bytes | None
    replaces: Document | None = None


def by_selectivity(matches: Iterable[Match]) -> list[Match]:
    """Attributes in the order in which it is best looked for them: one value, several values, ranges."""
    return sorted(matches, key=lambda match: len(match.among) or sys.maxsize)


def cursor_number(query: Query) -> int | None:
    """The row a query continues after, for stores that number executions. Raises StoreError."""
    if query.cursor is None:
        return None
    if not (query.cursor.isascii() and query.cursor.isdigit() and len(query.cursor) < 19):
        raise StoreError(f"{query.cursor[:40]!r} is no cursor that this store gave out; begin without one")
    return int(query.cursor)


class Store(Fleet, Protocol):
    """Durable memory. Every method may raise :class:`StoreError`; each is one hand-over and one transaction."""

    async def open(self, *, engine: bool) -> None:
        """Connect and bring the layout up to date. ``engine`` asks for the right to run executions. A store
        that allows one engine only raises StoreInUse if another process has it, and ends the leases of
        engines before; in a store that a fleet shares they end when they run out. Without the right the
        store can be read and written to through the inbox."""

    async def close(self) -> None:
        """Give everything back. Safe to call twice."""

    async def publish(self, machine: MachineRecord) -> None:
        """Keep a definition; the same digest under the same name again only makes it the latest of the name."""

    async def machine(self, digest: str) -> MachineRecord:
        """A definition by digest. Raises NotFound."""

    async def machine_named(self, name: str) -> MachineRecord:
        """The definition that was published last under a name. Raises NotFound."""

    async def append(self, batches: Sequence[Batch]) -> list[Outcome]:
        """Write all batches in one durable transaction, in order, each on its own condition; one outcome
        each. Several batches of one execution may follow each other. When it returns, what is DONE
        survives the loss of power. A caller who is cancelled gets the cancellation once the transaction
        has ended, one way or the other."""

    async def load(self, execution: str, *, after: int = 0, limit: int | None = None) -> Log:
        """The log of an execution from event id ``after`` on, at most ``limit`` segments. Raises NotFound."""

    async def payloads(self, execution: str, segments: Iterable[int]) -> Mapping[int, bytes]:
        """The payloads of the segments that begin after the given event ids."""

    async def blobs(self, execution: str, digests: Iterable[str]) -> Mapping[str, bytes]:
        """Large values by digest."""

    async def find(self, query: Query) -> list[Found]:
        """Executions, newest first: the latest created here leads."""

    async def delete(self, executions: Sequence[str], *, ended: bool = False) -> int:
        """Forget executions and everything stored for them; how many there were. With ``ended`` those are left
        that have not ended at this moment: what had, when somebody looked, may have been redriven since."""

    async def send(self, letters: Sequence[Letter]) -> list[Outcome]:
        """Put signals into the inbox in one durable transaction: DONE, EXISTS if one with that dedupe id is
        there or was, MISSING for an unknown execution."""

    async def inbox(self, owner: str, *, after: int = 0, limit: int) -> list[Message]:
        """Messages to the executions this owner holds that no batch has drained yet, by number, beginning
        after a number. In a fleet a lower number may show up later: begin each round at 0."""

    async def unread(self, execution: str) -> int:
        """How many letters to an execution no batch has drained yet; 0 for an unknown one."""

    async def claim(
        self,
        owner: str,
        *,
        now: int,
        lease: int,
        limit: int,
        only: Sequence[str] | None = None,
        machines: Sequence[str] | None = None,
        wanted: Sequence[str] = (),
        suspects: bool = True,
    ) -> list[Claim]:
        """Take executions that need attention and that no living owner holds: unfinished ones that are
        ready or due by ``now``, the longest overdue first, then those with a message in the inbox, then
        those that wait for somebody who does a resource in ``wanted``.

        Where more is due than is asked for, half of what is taken is shared evenly among the machines (see
        :mod:`detent.store.fairness`): the executions of one do not keep those of the others waiting.

        Of those that are ready and have been claimed :data:`SUSPECT_CLAIMS` times without coming further at
        most one is taken, the one that was claimed least often, and none without ``suspects``: if it kills who
        works on it, nothing else that is suspected dies with it. ``machines`` are the machines to take executions
        of, None for all. ``only`` names executions to take whether or not they need attention, and no others.
        ``lease`` is in milliseconds and begins now if the owner has none; it is not extended."""

    async def owners(self) -> Collection[str]:
        """Who is at work here: the owners whose lease lives. In a store that allows one engine only nobody is
        once its process has ended, however it ended."""

    async def renew(self, owner: str, *, now: int, lease: int) -> bool:
        """Extend the owner's lease. False if it had run out, or there was none: whatever the owner held is
        given back, and a new lease begins with nothing. A lease of no length is over at once."""

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give executions back, unless they have been claimed again since."""

    async def beat(self, beats: Sequence[Beat]) -> list[Outcome]:
        """Move heartbeat deadlines: DONE, CONFLICT if the fence is stale, MISSING without the execution."""

    async def document(self, collection: str, id: str) -> Document | None:
        """One document; None if there is none."""

    async def documents(self, collection: str, *, after: int = 0, limit: int) -> list[Document]:
        """The documents of a collection in the order of their creation, beginning after a number."""

    async def edit(self, edits: Sequence[Edit]) -> bool:
        """Make all changes in one durable transaction; False, and none of them made, if one does not hold.
        Each names another document."""

    async def prune(self, machine: str, *, ended_before: int | None, keep: int | None, limit: int) -> int:
        """Forget executions of a machine that ended before an instant, and those beyond the ``keep`` that ended
        last; the oldest first, at most ``limit``, and none that a running execution has started. How many."""

    async def tally(self) -> Mapping[str, int]:
        """How many executions there are of each status that any has."""

    async def size(self) -> int | None:
        """How many bytes everything takes; None for a store that is not kept anywhere."""

    async def machine_names(self) -> list[str]:
        """The names under which anything was ever published, sorted."""
