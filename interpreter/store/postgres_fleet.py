"""Who works on what in a Postgres store: leases, claims, what is handed over, what is offered to anybody.

Leases are measured by the clock of the database, whatever the clocks of the machines say. What is *due* is
compared with the caller's ``now``: the engine that takes it over decides by that clock when it fires.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from .base import SUSPECT_CLAIMS, Beat, Claim, Letter, Outcome
from .fairness import Turns, share, shared
from .fleet import HandOver, Holdings, Offer, Want, Worker
from .migrate import queries
from .postgres_letters import columns, known, send
from .postgres_pool import Begin, Transaction
from .postgres_text import plain, text

P = ParamSpec("P")
T = TypeVar("T")

_SQL = queries("postgres")


class PostgresFleet(ABC):
    """The half of the store that is about engines rather than executions."""

    _turns: Turns

    @abstractmethod
    async def _run(
        self,
        begin: Begin,
        work: Callable[Concatenate[Transaction, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T: ...

    @abstractmethod
    async def _run_executions(
        self, work: Callable[Concatenate[Transaction, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T: ...

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
        owner = text(owner)
        if only is not None:
            return await self._run_executions(_claim_named, owner, lease, limit, [text(id) for id in only])
        of = None if machines is None else [text(machine) for machine in machines]
        resources = [text(resource) for resource in wanted]
        return await self._run_executions(
            _claim, owner, now, lease, limit, of, resources, suspects, self._turns
        )

    async def renew(self, owner: str, *, now: int, lease: int) -> bool:
        return await self._run_executions(_renew, owner, lease)

    async def release(self, claims: Sequence[Claim]) -> None:
        await self._run_executions(_release, claims)

    async def beat(self, beats: Sequence[Beat]) -> list[Outcome]:
        return await self._run("WRITE", _beat, beats)

    async def now(self) -> int | None:
        return await self._run("READ", _now)

    async def enrol(self, owner: str, info: bytes) -> bool:
        return await self._run_executions(_enrol, owner, info)

    async def workers(self, *, now: int) -> list[Worker]:
        return await self._run("READ", _workers)

    async def hand_over(self, given: Sequence[HandOver], *, now: int) -> None:
        await self._run_executions(_hand_over, given, now)

    async def wanted(self) -> list[Want]:
        return await self._run("READ", _wanted)

    async def take(self, owner: str, resource: str, *, now: int) -> Offer | None:
        return await self._run_executions(_take, owner, resource)

    async def hand_out(self, offer: Offer, letter: Letter) -> None:
        await self._run_executions(_hand_out, offer, letter)

    async def put_back(self, owner: str, offer: Offer) -> None:
        await self._run_executions(_put_back, owner, offer)

    async def take_slot(self, owner: str, resource: str, limit: int, *, now: int) -> int | None:
        return await self._run_executions(_take_slot, owner, resource, limit)

    async def free_slots(self, owner: str, slots: Sequence[tuple[str, int]]) -> None:
        await self._run_executions(_free_slots, owner, slots)

    async def held(self, owner: str) -> Holdings:
        return await self._run("READ", _held, owner)


async def _begun(transaction: Transaction, owner: str, lease: int) -> bool:
    """Whether an owner has a lease to claim under; those that have run out end."""
    expired = [name for (name,) in await transaction.rows(_SQL["end_expired"])]
    if expired:
        await transaction.rows(_SQL["give_back_all"], expired)
    await transaction.rows(_SQL["begin_lease"], owner, lease)
    # If somebody is just ending it there is nothing to claim under.
    return bool(await transaction.rows(_SQL["keep_lease"], owner))


async def _claim_named(
    transaction: Transaction, owner: str, lease: int, limit: int, ids: Sequence[str]
) -> list[Claim]:
    if not await _begun(transaction, owner, lease):
        return []
    return await _settled(transaction, await _claimed(transaction, "claim_named", owner, ids, limit))


async def _claim(
    transaction: Transaction,
    owner: str,
    now: int,
    lease: int,
    limit: int,
    machines: Sequence[str] | None,
    resources: Sequence[str],
    suspects: bool,
    turns: Turns,
) -> list[Claim]:
    if not await _begun(transaction, owner, lease):
        return []
    rows = await _claimed_due(transaction, owner, now, limit, machines, turns)
    if suspects and len(rows) < limit:
        rows += await _claimed(transaction, "claim_suspect", owner, machines, SUSPECT_CLAIMS)
    if len(rows) < limit:
        left = limit - len(rows)
        rows += await _claimed(transaction, "claim_addressed", owner, left, machines, SUSPECT_CLAIMS)
    if resources and len(rows) < limit:
        rows += await _claimed(transaction, "claim_wanted", owner, limit - len(rows), resources, machines)
    return await _settled(transaction, rows)


async def _claimed_due(
    transaction: Transaction,
    owner: str,
    now: int,
    limit: int,
    machines: Sequence[str] | None,
    turns: Turns,
) -> list[tuple[Any, ...]]:
    room = shared(limit)
    rows = await _claimed(transaction, "claim_due", owner, now, limit - room, machines, SUSPECT_CLAIMS)
    if not room or len(rows) < limit - room:
        return rows
    queues = await _queues(transaction, now, room, machines, turns)
    if queues:
        each = share(room, len(queues))
        rows += await _claimed(transaction, "claim_queues", owner, now, room, queues, SUSPECT_CLAIMS, each)
    if len(rows) < limit:
        rest = limit - len(rows)
        rows += await _claimed(transaction, "claim_due", owner, now, rest, machines, SUSPECT_CLAIMS)
    return rows


async def _queues(
    transaction: Transaction, now: int, room: int, machines: Sequence[str] | None, turns: Turns
) -> list[str]:
    """The machines whose turn it is, as far as something is due of them."""

    async def after(name: str, count: int) -> list[tuple[str, bool]]:
        if not count:
            return []
        asked = (now, machines, SUSPECT_CLAIMS, name, count)
        return [tuple(row) for row in await transaction.rows(_SQL["queues"], *asked)]

    later = await after(turns.last, room)
    earlier = await after("", room - len(later)) if turns.last else []
    return [name for name, is_due in turns.taken(later, earlier, lambda queue: queue[0]) if is_due]


async def _claimed(transaction: Transaction, name: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """What a statement claims, in the order that its last columns give."""
    rows = [tuple(row) for row in await transaction.rows(_SQL[name], *arguments)]
    return sorted(rows, key=lambda row: row[4:])


async def _settled(transaction: Transaction, rows: Sequence[tuple[Any, ...]]) -> list[Claim]:
    """The claims; of executions that were handed over what they wanted is their new owner's to see."""
    if rows:
        unwanted = {key for (key,) in await transaction.rows(_SQL["unwant"], [row[3] for row in rows])}
        if unwanted:
            await transaction.rows(_SQL["make_ready"], list(unwanted))
    return [Claim(plain(id), fence, claims) for id, fence, claims, *_ in rows]


async def _renew(transaction: Transaction, owner: str, lease: int) -> bool:
    owner = text(owner)
    if await transaction.rows(_SQL["extend_lease"], owner, lease):
        return True
    await transaction.rows(_SQL["end_lease"], owner)
    await transaction.rows(_SQL["give_back_all"], [owner])
    await transaction.rows(_SQL["begin_lease"], owner, lease)
    return False


async def _release(transaction: Transaction, claims: Sequence[Claim]) -> None:
    rows = sorted((text(claim.execution), claim.fence) for claim in claims)
    if rows:
        await transaction.rows(_SQL["release"], *columns(rows))


async def _beat(transaction: Transaction, beats: Sequence[Beat]) -> list[Outcome]:
    there = await known(transaction, (beat.execution for beat in beats))
    outcomes = [_judged(beat, there) for beat in beats]
    rows = [
        (there[beat.execution][0], beat.pending, beat.due)
        for beat, outcome in zip(beats, outcomes, strict=True)
        if outcome is Outcome.DONE
    ]
    if rows:
        await transaction.rows(_SQL["beat"], *columns(rows))
    return outcomes


def _judged(beat: Beat, there: Mapping[str, tuple[int, int]]) -> Outcome:
    if beat.execution not in there:
        return Outcome.MISSING
    _, fence = there[beat.execution]
    return Outcome.CONFLICT if beat.fence not in (None, fence) else Outcome.DONE


async def _now(transaction: Transaction) -> int:
    ((now,),) = await transaction.rows(_SQL["now"])
    return int(now)


async def _enrol(transaction: Transaction, owner: str, info: bytes) -> bool:
    return bool(await transaction.rows(_SQL["enrol"], text(owner), info))


async def _workers(transaction: Transaction) -> list[Worker]:
    rows = await transaction.rows(_SQL["workers"])
    return [Worker(plain(name), until, info) for name, until, info in rows]


async def _hand_over(transaction: Transaction, given: Sequence[HandOver], now: int) -> None:
    rows = sorted((text(one.execution), one.fence) for one in given)
    if not rows:
        return
    moved = await transaction.rows(_SQL["hand_over"], *columns(rows))
    keys = {plain(id): key for id, key in moved}
    wants = sorted(
        (keys[one.execution], text(resource), now)
        for one in given
        if one.execution in keys
        for resource in set(one.wants)
    )
    if wants:
        await transaction.rows(_SQL["want"], *columns(wants))


async def _wanted(transaction: Transaction) -> list[Want]:
    rows = await transaction.rows(_SQL["wanted"])
    return [Want(plain(resource), executions, since) for resource, executions, since in rows]


async def _take(transaction: Transaction, owner: str, resource: str) -> Offer | None:
    row = await transaction.row(_SQL["take"], text(resource), text(owner))
    return None if row is None else Offer(plain(row[0]), row[1])


async def _hand_out(transaction: Transaction, offer: Offer, letter: Letter) -> None:
    await transaction.rows(_SQL["hand_out"], text(offer.execution), offer.pending)
    await send(transaction, [letter])


async def _put_back(transaction: Transaction, owner: str, offer: Offer) -> None:
    await transaction.rows(_SQL["put_back"], text(offer.execution), offer.pending, text(owner))


async def _take_slot(transaction: Transaction, owner: str, resource: str, limit: int) -> int | None:
    await transaction.rows(_SQL["free_dead_slots"], text(resource))
    row = await transaction.row(_SQL["take_slot"], text(resource), text(owner), limit)
    return None if row is None else int(row[0])


async def _free_slots(transaction: Transaction, owner: str, slots: Sequence[tuple[str, int]]) -> None:
    if slots:
        rows = [(text(resource), number) for resource, number in slots]
        await transaction.rows(_SQL["free_slots"], text(owner), *columns(rows))


async def _held(transaction: Transaction, owner: str) -> Holdings:
    owner = text(owner)
    claims = [Claim(plain(id), *rest) for id, *rest in await transaction.rows(_SQL["held"], owner)]
    offers = [Offer(plain(id), pending) for id, pending in await transaction.rows(_SQL["held_offers"], owner)]
    slots = [
        (plain(resource), number) for resource, number in await transaction.rows(_SQL["held_slots"], owner)
    ]
    return Holdings(claims, offers, slots)
