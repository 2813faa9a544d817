"""The store protocol: what durable memory means to the engine, cut by intent.

A store keeps machines, the logs of executions, an inbox for signals that arrive from elsewhere, and who
works on what. It understands nothing of the States Language: a log is a row of segments whose control
part and payloads are texts to it. What makes it correct is one rule: :meth:`Store.append` writes a batch
only if the execution's log still ends where the batch says it does.

The protocol and the layout behind it carry a version (:data:`PROTOCOL_VERSION`). Instants are whole
milliseconds since the epoch, sizes are bytes, texts of JSON are UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from ..core.errors import DetentError

#: Version of this protocol and of the rows behind it; a store written by a later one is refused.
PROTOCOL_VERSION = 1


class StoreError(DetentError):
    """Root of everything a store raises; no driver's exception crosses this border."""

    code = "STORE"


class StoreUnavailable(StoreError):
    """The store cannot answer now (locked, disk full, connection lost). Nothing was written; try again."""

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
    """What became of one batch of an append."""

    DONE = "done"
    #: The log no longer ends where the batch begins, or the fence is stale: nothing of it was written.
    CONFLICT = "conflict"
    #: The batch would create an execution whose id is taken: nothing of it was written.
    EXISTS = "exists"


@dataclass(frozen=True, slots=True)
class MachineRecord:
    """A published definition. ``digest`` identifies its content; ``name`` is the machine's ARN."""

    digest: str
    name: str
    definition: bytes
    published_at: int


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """What never changes about an execution, known when it is created."""

    id: str
    name: str
    machine: str
    digest: str
    profile: str
    started_at: int


@dataclass(frozen=True, slots=True)
class Head:
    """What changes about an execution and must be found without reading its log.

    ``due`` is the earliest instant at which it needs attention by itself (a timer, a retry, a deadline),
    None if only an answer can move it. ``ready`` says that work is open that nobody else will wake it
    for: tasks to run, a pure step to continue.
    """

    status: str
    due: int | None
    ready: bool
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction of one execution: a segment of its log and what follows from it.

    ``after`` is the id of the last event before the segment (0 for the first) and the compare-and-set of
    :meth:`Store.append`; ``last`` the id of the segment's last event. ``control`` is the segment's
    control part, ``payloads`` its values (a JSON array), ``blobs`` the values too large for it, by digest,
    stored once per execution. ``create`` is given with the first batch only. ``drained`` names inbox
    messages that this batch consumed, ``closed`` the pendings that no longer wait. ``fence`` is the
    fencing number of the claim under which the batch was decided; None where no claim is needed.
    """

    execution: str
    after: int
    last: int
    control: bytes
    payloads: bytes
    head: Head
    create: ExecutionRecord | None = None
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    drained: Sequence[int] = ()
    closed: Sequence[int] = ()
    fence: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A batch as it stands in the log, without its payloads."""

    after: int
    last: int
    control: bytes


@dataclass(frozen=True, slots=True)
class Log:
    """All of an execution that a fold needs first: the payloads of live frames are read afterwards."""

    record: ExecutionRecord
    head: Head
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
    """The right to work on an execution until the lease ends; ``fence`` grows with every claim of it."""

    execution: str
    fence: int
    #: How often it was claimed without a release: what kills its worker is seen here.
    claims: int


@dataclass(frozen=True, slots=True)
class Found:
    """One row of a search."""

    record: ExecutionRecord
    head: Head
    #: Where to go on after this row (opaque).
    cursor: str


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; None means anything. Newest first, ``limit`` rows after ``cursor``."""

    status: str | None = None
    machine: str | None = None
    name: str | None = None
    started_from: int | None = None
    started_before: int | None = None
    cursor: str | None = None
    limit: int = 100


class Store(Protocol):
    """Durable memory. Every method may raise :class:`StoreError`; each is one hand-over and one transaction."""

    async def open(self, *, engine: bool) -> None:
        """Connect and bring the schema up to date. ``engine`` asks for the right to run executions:
        raises StoreInUse if another process has it. Without it the store can be read and written to
        through the inbox."""

    async def close(self) -> None:
        """Give everything back. Safe to call twice."""

    async def publish(self, machine: MachineRecord) -> None:
        """Keep a definition; the same digest again changes nothing."""

    async def machine(self, digest: str) -> MachineRecord:
        """A definition by digest. Raises NotFound."""

    async def append(self, batches: Sequence[Batch]) -> list[Outcome]:
        """Write all batches in one durable transaction, each on its own condition; one outcome each,
        in order. When it returns, what is DONE survives the loss of power."""

    async def load(self, execution: str) -> Log:
        """The log of an execution. Raises NotFound."""

    async def payloads(self, execution: str, segments: Iterable[int]) -> Mapping[int, bytes]:
        """The payloads of the segments that begin after the given event ids."""

    async def blobs(self, execution: str, digests: Iterable[str]) -> Mapping[str, bytes]:
        """Large values by digest."""

    async def find(self, query: Query) -> list[Found]:
        """Executions, newest first."""

    async def delete(self, execution: str) -> None:
        """Forget an execution and everything stored for it. Raises NotFound."""

    async def send(self, execution: str, dedupe: str, body: bytes) -> bool:
        """Put a signal into the inbox; False if one with that dedupe id is already there or was.
        Raises NotFound for an unknown execution."""

    async def inbox(self, limit: int) -> list[Message]:
        """The oldest messages that no batch has drained yet."""

    async def claim(self, owner: str, *, now: int, lease: int, limit: int) -> list[Claim]:
        """Take unfinished executions that need attention (ready, due by ``now``, or with a message in the
        inbox) and that nobody holds a living lease on, the longest overdue first. ``lease`` is in
        milliseconds."""

    async def renew(self, owner: str, *, now: int, lease: int) -> list[str]:
        """Extend every lease of this owner that is still alive; the executions it still holds."""

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give executions back, unless someone else has claimed them since."""

    async def beat(self, execution: str, pending: int, due: int) -> None:
        """Move the heartbeat deadline of a running task. Liveness is not history."""
