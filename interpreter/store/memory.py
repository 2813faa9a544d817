"""The store that forgets: the same promises as the others except durability.

It serves ``memory:`` runs and is the ground the simulation tests stand on, so it is deterministic: no
clock, no threads, no waiting. Every method ends without yielding to the event loop, which is what makes
it one transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice

from ..core.rows import replaced
from .base import (
    SUSPECT_CLAIMS,
    Batch,
    Beat,
    Claim,
    Document,
    Edit,
    ExecutionRecord,
    Found,
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
    cursor_number,
)
from .fairness import Turns, fair, shared
from .fleet import HandOver, Holdings, Offer, Reservation, Want, Worker
from .memory_fleet import Ledger
from .standing import Standing, begin, judge


class _Execution:
    """All that is kept of one execution."""

    __slots__ = (
        "attributes",
        "beats",
        "blobs",
        "dedupes",
        "number",
        "payloads",
        "record",
        "segments",
        "standing",
    )

    def __init__(self, number: int, record: ExecutionRecord, standing: Standing) -> None:
        self.number = number
        self.record = record
        self.standing = standing
        self.segments: list[Segment] = []
        self.payloads: dict[int, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.beats: dict[int, int] = {}
        self.dedupes: set[str] = set()
        self.attributes: dict[str, bytes] = {}


class MemoryStore:
    """A :class:`~detent.store.base.Store` in the memory of this process. Closing keeps what is in it."""

    def __init__(self) -> None:
        self._mode: str | None = None
        self._machines: dict[tuple[str, str], MachineRecord] = {}
        self._executions: dict[str, _Execution] = {}
        self._unfinished: dict[str, _Execution] = {}
        self._messages: dict[int, Message] = {}
        self._leases: dict[str, int] = {}
        self._documents: dict[tuple[str, str], Document] = {}
        self._ledger = Ledger()
        self._turns = Turns()
        self._created = 0
        self._sent = 0
        self._documented = 0

    async def open(self, *, engine: bool) -> None:
        self._mode = "engine" if engine else "guest"
        if engine:
            for owner in list(self._leases):
                self._end_lease(owner)

    async def close(self) -> None:
        self._mode = None

    async def publish(self, machine: MachineRecord) -> None:
        self._check_open()
        known = self._machines.get((machine.digest, machine.name), machine)
        self._machines[machine.digest, machine.name] = replace(known, published_at=machine.published_at)

    async def machine(self, digest: str) -> MachineRecord:
        self._check_open()
        for (known, _), machine in self._machines.items():
            if known == digest:
                return machine
        raise NotFound(f"no machine with digest {digest} is published here")

    async def machine_named(self, name: str) -> MachineRecord:
        self._check_open()
        found = [machine for machine in self._machines.values() if machine.name == name]
        if not found:
            raise NotFound(f"no machine named {name} is published here")
        return max(found, key=lambda machine: machine.published_at)

    async def append(self, batches: Sequence[Batch]) -> list[Outcome]:
        self._check_open(engine=True)
        outcomes = [self._append(batch) for batch in batches]
        for batch, outcome in zip(batches, outcomes, strict=True):
            if outcome is Outcome.DONE:
                for letter in batch.letters:
                    self._send(letter)
        return outcomes

    def _append(self, batch: Batch) -> Outcome:
        execution = self._executions.get(batch.execution)
        outcome = judge(batch, execution.standing if execution else None)
        if outcome is not Outcome.DONE:
            return outcome
        if execution is None:
            assert batch.create is not None
            self._created += 1
            execution = _Execution(self._created, batch.create, begin(batch, self._leases))
            self._executions[batch.execution] = execution
        else:
            execution.standing.accept(batch, self._leases)
        if batch.last > batch.after:
            execution.segments.append(Segment(batch.after, batch.last, batch.control))
            execution.payloads[batch.after] = batch.payloads
        for digest, value in batch.blobs.items():
            execution.blobs.setdefault(digest, value)
        for name, attribute in batch.attributes.items():
            execution.attributes.setdefault(name, attribute)
        for pending in batch.closed:
            execution.beats.pop(pending, None)
        for pending in batch.withdrawn:
            self._ledger.offers.pop((batch.execution, pending), None)
        for pending, resource in batch.offers:
            self._ledger.offers.setdefault((batch.execution, pending), (resource, None))
        for number in batch.drained:
            message = self._messages.get(number)
            if message is not None and message.execution == batch.execution:
                del self._messages[number]
        if batch.head.ended_at is None:
            self._unfinished[batch.execution] = execution
        else:
            self._unfinished.pop(batch.execution, None)
        return outcome

    async def load(self, execution: str, *, after: int = 0, limit: int | None = None) -> Log:
        found = self._find(execution)
        segments = (segment for segment in found.segments if segment.after >= after)
        standing = found.standing
        return Log(
            found.record,
            standing.head,
            standing.last,
            standing.owner,
            standing.fence,
            list(islice(segments, limit)),
            dict(found.beats),
        )

    async def payloads(self, execution: str, segments: Iterable[int]) -> Mapping[int, bytes]:
        kept = self._find(execution).payloads
        return {after: kept[after] for after in segments if after in kept}

    async def blobs(self, execution: str, digests: Iterable[str]) -> Mapping[str, bytes]:
        kept = self._find(execution).blobs
        return {digest: kept[digest] for digest in digests if digest in kept}

    async def find(self, query: Query) -> list[Found]:
        self._check_open()
        before = cursor_number(query)
        newest_first = reversed(self._executions.values())
        matching = (
            execution
            for execution in newest_first
            if (before is None or execution.number < before) and _matches(query, execution)
        )
        return [
            Found(
                execution.record,
                execution.standing.head,
                execution.standing.owner,
                str(execution.number),
            )
            for execution in islice(matching, query.limit)
        ]

    async def delete(self, executions: Sequence[str], *, ended: bool = False) -> int:
        self._check_open()
        doomed = {
            id for id in executions if id in self._executions and not (ended and id in self._unfinished)
        }
        for id in doomed:
            del self._executions[id]
            self._unfinished.pop(id, None)
        self._messages = {
            n: message for n, message in self._messages.items() if message.execution not in doomed
        }
        self._ledger.forget(doomed)
        return len(doomed)

    async def prune(self, machine: str, *, ended_before: int | None, keep: int | None, limit: int) -> int:
        self._check_open()
        ended = sorted(
            (at, execution.number, execution.record.id)
            for execution in self._executions.values()
            if execution.record.machine == machine and (at := execution.standing.head.ended_at) is not None
        )
        beyond = 0 if keep is None else max(0, len(ended) - keep)
        old = [
            id
            for place, (at, _, id) in enumerate(ended)
            if (place < beyond or (ended_before is not None and at < ended_before))
            and not self._is_awaited(self._executions[id])
        ]
        return await self.delete(old[:limit])

    def _is_awaited(self, child: _Execution) -> bool:
        parent = self._executions.get((child.record.parent or "").partition("#")[0])
        return parent is not None and parent.standing.head.ended_at is None

    async def tally(self) -> Mapping[str, int]:
        self._check_open()
        return Counter(execution.standing.head.status for execution in self._executions.values())

    async def size(self) -> int | None:
        self._check_open()
        return None

    async def machine_names(self) -> list[str]:
        self._check_open()
        return sorted({name for _, name in self._machines})

    async def send(self, letters: Sequence[Letter]) -> list[Outcome]:
        self._check_open()
        return [self._send(letter) for letter in letters]

    def _send(self, letter: Letter) -> Outcome:
        execution = self._executions.get(letter.execution)
        if execution is None:
            return Outcome.MISSING
        if letter.dedupe in execution.dedupes:
            return Outcome.EXISTS
        execution.dedupes.add(letter.dedupe)
        self._sent += 1
        self._messages[self._sent] = Message(self._sent, letter.execution, letter.body)
        return Outcome.DONE

    async def inbox(self, owner: str, *, after: int = 0, limit: int) -> list[Message]:
        self._check_open()
        held = (
            message
            for message in self._messages.values()
            if message.number > after and self._executions[message.execution].standing.owner == owner
        )
        return list(islice(held, limit))

    async def unread(self, execution: str) -> int:
        self._check_open()
        return sum(message.execution == execution for message in self._messages.values())

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
        self._check_open(engine=True)
        for other in [name for name, until in self._leases.items() if until <= now]:
            self._end_lease(other)
        self._leases.setdefault(owner, now + lease)
        claims: list[Claim] = []
        found = (
            self._unheld(only) if only is not None else self._attended(now, limit, machines, wanted, suspects)
        )
        for execution in list(islice(found, limit)):
            standing = execution.standing
            standing.owner = owner
            standing.fence += 1
            standing.claims += 1
            if self._ledger.wants.pop(execution.record.id, None):
                standing.head = replaced(standing.head, ready=True)
            claims.append(Claim(execution.record.id, standing.fence, standing.claims))
        return claims

    def _attended(
        self, now: int, limit: int, machines: Sequence[str] | None, wanted: Sequence[str], suspects: bool
    ) -> Iterator[_Execution]:
        """What may be claimed, at most one suspect among it."""

        def may_be_taken(execution: _Execution) -> bool:
            return machines is None or execution.record.machine in machines

        due = list(filter(may_be_taken, self._due(now)))
        sound = [execution for execution in due if not _is_suspect(execution)]
        suspected = [execution for execution in due if _is_suspect(execution)]
        least = min(suspected, key=lambda one: (one.standing.claims, one.number), default=None)
        first = {execution.number for execution in sound[: limit - shared(limit)]}
        waiting = {
            _machine(one)
            for one in self._unfinished.values()
            if one.standing.owner is None
            and _wake(one) is not None
            and may_be_taken(one)
            and one.number not in first
        }
        seen: set[int] = set()
        for execution in chain(
            fair(sound, limit, _machine, waiting, self._turns),
            [least] if suspects and least is not None else [],
            (one for one in self._addressed() if not _is_suspect(one) and may_be_taken(one)),
            filter(may_be_taken, self._wanting(wanted)),
        ):
            if execution.number not in seen:
                seen.add(execution.number)
                yield execution

    def _unheld(self, ids: Iterable[str]) -> Iterator[_Execution]:
        for id in ids:
            execution = self._executions.get(id)
            if execution is not None:
                standing = execution.standing
                if standing.owner is None and standing.head.ended_at is None:
                    yield execution

    def _due(self, now: int) -> Iterator[_Execution]:
        """What nobody holds and needs attention by itself, the longest overdue first."""
        waking = [
            (wake, execution.number, execution)
            for execution in self._unfinished.values()
            if execution.standing.owner is None and (wake := _wake(execution)) is not None and wake <= now
        ]
        return (execution for *_, execution in sorted(waking, key=lambda entry: entry[:2]))

    def _addressed(self) -> Iterator[_Execution]:
        """What nobody holds and has a message, by the number of the first."""
        with_message = (self._executions[message.execution] for message in self._messages.values())
        return (execution for execution in with_message if execution.standing.owner is None)

    def _wanting(self, resources: Sequence[str]) -> Iterator[_Execution]:
        """What nobody holds and waits for somebody who does one of these resources, the longest waiting first."""
        waiting = [
            (min(since.values()), self._executions[id].number, self._executions[id])
            for id, since in self._ledger.wants.items()
            if self._executions[id].standing.owner is None and not since.keys().isdisjoint(resources)
        ]
        return (execution for *_, execution in sorted(waiting, key=lambda entry: entry[:2]))

    async def owners(self) -> Collection[str]:
        self._check_open()
        return list(self._leases)

    async def renew(self, owner: str, *, now: int, lease: int) -> bool:
        self._check_open(engine=True)
        alive = self._leases.get(owner, 0) > now
        if not alive:
            self._end_lease(owner)
        self._leases[owner] = now + lease
        return alive

    def _end_lease(self, owner: str) -> None:
        self._ledger.infos.pop(owner, None)
        if self._leases.pop(owner, None) is not None:
            for execution in self._executions.values():
                if execution.standing.owner == owner:
                    execution.standing.owner = None

    async def release(self, claims: Sequence[Claim]) -> None:
        self._check_open(engine=True)
        for claim in claims:
            execution = self._executions.get(claim.execution)
            if execution is not None and execution.standing.fence == claim.fence:
                execution.standing.owner = None
                execution.standing.claims = 0

    async def beat(self, beats: Sequence[Beat]) -> list[Outcome]:
        self._check_open()
        return [self._beat(beat) for beat in beats]

    def _beat(self, beat: Beat) -> Outcome:
        execution = self._executions.get(beat.execution)
        if execution is None:
            return Outcome.MISSING
        if beat.fence is not None and beat.fence != execution.standing.fence:
            return Outcome.CONFLICT
        execution.beats[beat.pending] = max(beat.due, execution.beats.get(beat.pending, beat.due))
        return Outcome.DONE

    async def document(self, collection: str, id: str) -> Document | None:
        self._check_open()
        return self._documents.get((collection, id))

    async def documents(self, collection: str, *, after: int = 0, limit: int) -> list[Document]:
        self._check_open()
        of_collection = (
            document
            for document in self._documents.values()
            if document.collection == collection and document.number > after
        )
        return list(islice(of_collection, limit))

    async def edit(self, edits: Sequence[Edit]) -> bool:
        self._check_open()
        if any(self._documents.get((edit.collection, edit.id)) != edit.replaces for edit in edits):
            return False
        for edit in edits:
            self._edit(edit)
        return True

    def _edit(self, edit: Edit) -> None:
        key, old = (edit.collection, edit.id), edit.replaces
        if edit.body is None:
            self._documents.pop(key, None)
        elif old is not None:
            self._documents[key] = replace(old, body=edit.body, revision=old.revision + 1)
        else:
            self._documented += 1
            self._documents[key] = Document(*key, edit.body, 1, self._documented)

    # The fleet

    async def now(self) -> int | None:
        return None

    async def enrol(self, owner: str, info: bytes) -> bool:
        self._check_open(engine=True)
        if owner in self._leases:
            self._ledger.infos[owner] = info
        return owner in self._leases

    async def workers(self, *, now: int) -> list[Worker]:
        self._check_open()
        return self._ledger.workers(lease for lease in self._leases.items() if lease[1] > now)

    async def hand_over(self, given: Sequence[HandOver], *, now: int) -> None:
        self._check_open(engine=True)
        for one in given:
            execution = self._unfinished.get(one.execution)
            if execution is not None and execution.standing.fence == one.fence:
                standing = execution.standing
                standing.owner, standing.claims = None, 0
                standing.head = replaced(standing.head, ready=False)
                self._ledger.wants[one.execution] = dict.fromkeys(one.wants, now)

    async def wanted(self) -> list[Want]:
        self._check_open()
        since: dict[str, list[int]] = {}
        for wants in self._ledger.wants.values():
            for resource, at in wants.items():
                since.setdefault(resource, []).append(at)
        return [Want(resource, len(ats), min(ats)) for resource, ats in sorted(since.items())]

    async def take(self, owner: str, resource: str, *, now: int) -> Offer | None:
        self._check_open(engine=True)
        return self._ledger.take(owner, resource, self._living(now))

    async def hand_out(self, offer: Offer, letter: Letter) -> None:
        self._check_open(engine=True)
        self._ledger.offers.pop((offer.execution, offer.pending), None)
        self._send(letter)

    async def put_back(self, owner: str, offer: Offer) -> None:
        self._check_open(engine=True)
        self._ledger.put_back(owner, offer)

    async def take_slot(self, owner: str, resource: str, limit: int, *, now: int) -> int | None:
        self._check_open(engine=True)
        return self._ledger.take_slot(owner, resource, limit, self._living(now))

    def _living(self, now: int) -> list[str]:
        return [name for name, until in self._leases.items() if until > now]

    async def held(self, owner: str) -> Holdings:
        self._check_open()
        claims = [
            Claim(id, execution.standing.fence, execution.standing.claims)
            for id, execution in self._executions.items()
            if execution.standing.owner == owner
        ]
        return Holdings(claims, self._ledger.taken(owner), self._ledger.slots_of(owner))

    async def free_slots(self, owner: str, slots: Sequence[tuple[str, int]]) -> None:
        self._check_open(engine=True)
        self._ledger.free_slots(owner, slots)

    async def reserve(
        self, key: str, request: str, holder: str, *, now: int, until: int, instead_of: str | None = None
    ) -> Reservation:
        self._check_open()
        return self._ledger.reserve(key, request, holder, now, until, instead_of)

    async def forget_reservations(self, *, now: int, limit: int) -> int:
        self._check_open()
        return self._ledger.forget_reservations(now, limit)

    async def settle(self, key: str, holder: str, answer: bytes | None) -> None:
        self._check_open()
        self._ledger.settle(key, holder, answer)

    async def watch(self, heard: Callable[[], None]) -> None:
        return

    def tell(self) -> None:
        return

    def _find(self, id: str) -> _Execution:
        self._check_open()
        try:
            return self._executions[id]
        except KeyError:
            raise NotFound(f"there is no execution {id}") from None

    def _check_open(self, *, engine: bool = False) -> None:
        if self._mode is None:
            raise StoreUnavailable("the store is not open")
        if engine and self._mode != "engine":
            raise StoreError("the store was opened without the right to run executions (engine=True)")


def _machine(execution: _Execution) -> str:
    return execution.record.machine


def _is_suspect(execution: _Execution) -> bool:
    return execution.standing.head.ready and execution.standing.claims >= SUSPECT_CLAIMS


def _wake(execution: _Execution) -> int | None:
    head = execution.standing.head
    return 0 if head.ready else head.due


def _matches(query: Query, execution: _Execution) -> bool:
    record, head = execution.record, execution.standing.head
    return (
        query.status in (None, head.status)
        and query.machine in (None, record.machine)
        and query.name in (None, record.name)
        and query.parent in (None, record.parent)
        and query.labelled in (None, "/" in record.machine)
        and query.version in (None, record.version)
        and query.alias in (None, record.alias)
        and (query.started_from is None or record.started_at >= query.started_from)
        and (query.started_before is None or record.started_at < query.started_before)
        and (query.ended_before is None or (head.ended_at is not None and head.ended_at < query.ended_before))
        and all(_has(execution, match) for match in query.attributes)
    )


def _has(execution: _Execution, match: Match) -> bool:
    value = execution.attributes.get(match.name)
    return value is not None and match.fits(value)
