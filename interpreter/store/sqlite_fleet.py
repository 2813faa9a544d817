"""Who works on what in a SQLite store: leases, claims, what is handed over, what is offered to anybody.

One engine has the file at a time, so most of this is about one owner; guests see what it says of itself.
Instants are the caller's: there is one machine, and one clock.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Concatenate, ParamSpec, TypeVar

from .base import SUSPECT_CLAIMS, Beat, Claim, Letter, Outcome
from .fairness import Turns, share, shared
from .fleet import HandOver, Holdings, Offer, Want, Worker
from .migrate import queries

P = ParamSpec("P")
T = TypeVar("T")

_SQL = queries("sqlite")

Row = tuple[Any, ...]


class SqliteFleet(ABC):
    """The half of the store that is about engines rather than executions."""

    _turns: Turns

    @abstractmethod
    async def _read(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T: ...

    @abstractmethod
    async def _write(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T: ...

    @abstractmethod
    async def _run_executions(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
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
        def wanting(connection: sqlite3.Connection) -> list[Row]:
            if only is not None:
                return _taken(connection, owner, _unheld(connection, only, limit))
            return _attended(connection, owner, now, limit, machines, wanted, suspects, self._turns)

        return await self._run_executions(_claim, owner, now, lease, wanting)

    async def renew(self, owner: str, *, now: int, lease: int) -> bool:
        return await self._run_executions(_renew, owner, now, lease)

    async def release(self, claims: Sequence[Claim]) -> None:
        await self._run_executions(_release, claims)

    async def beat(self, beats: Sequence[Beat]) -> list[Outcome]:
        return await self._write(_beat, beats)

    async def now(self) -> int | None:
        return None

    async def enrol(self, owner: str, info: bytes) -> bool:
        return await self._run_executions(_enrol, owner, info)

    async def workers(self, *, now: int) -> list[Worker]:
        return await self._read(_workers, now)

    async def hand_over(self, given: Sequence[HandOver], *, now: int) -> None:
        await self._run_executions(_hand_over, given, now)

    async def wanted(self) -> list[Want]:
        return await self._read(_wanted)

    async def take(self, owner: str, resource: str, *, now: int) -> Offer | None:
        return await self._run_executions(_take, owner, resource, now)

    async def hand_out(self, offer: Offer, letter: Letter) -> None:
        await self._run_executions(_hand_out, offer, letter)

    async def put_back(self, owner: str, offer: Offer) -> None:
        await self._run_executions(_put_back, owner, offer)

    async def take_slot(self, owner: str, resource: str, limit: int, *, now: int) -> int | None:
        return await self._run_executions(_take_slot, owner, resource, limit, now)

    async def free_slots(self, owner: str, slots: Sequence[tuple[str, int]]) -> None:
        await self._run_executions(_free_slots, owner, slots)

    async def held(self, owner: str) -> Holdings:
        return await self._read(_held, owner)

    async def watch(self, heard: Callable[[], None]) -> None:
        return

    def tell(self) -> None:
        return


def _claim(
    connection: sqlite3.Connection,
    owner: str,
    now: int,
    lease: int,
    wanting: Callable[[sqlite3.Connection], list[Row]],
) -> list[Claim]:
    for (other,) in connection.execute(_SQL["expired"], (now,)).fetchall():
        end_lease(connection, other)
    if connection.execute(_SQL["lease_until"], (owner,)).fetchone() is None:
        connection.execute(_SQL["put_lease"], (owner, now + lease))
    rows = wanting(connection)
    return [Claim(id, fence + 1, claims + 1) for _, id, fence, claims, *_ in rows]


def _attended(
    connection: sqlite3.Connection,
    owner: str,
    now: int,
    limit: int,
    machines: Sequence[str] | None,
    wanted: Sequence[str],
    suspects: bool,
    turns: Turns,
) -> list[Row]:
    """Claim what needs attention, at most one suspect among it."""
    among = "TRUE" if machines is None else f"machine IN ({_marks(machines)})"
    named = [] if machines is None else list(machines)
    rows: list[Row] = []

    def take(name: str, *arguments: Any, room: int = limit, marks: str = "") -> None:
        room = min(room, limit - len(rows))
        if room > 0:
            statement = _SQL[name].replace("/* machines */", among).replace("/* resources */", marks)
            found = connection.execute(statement, (*arguments, *named, room)).fetchall()
            rows.extend(_taken(connection, owner, found))

    room = shared(limit)
    take("due", now, SUSPECT_CLAIMS, room=limit - room)
    if room and len(rows) == limit - room:
        rows += _taken(connection, owner, _shared_out(connection, now, room, machines, turns))
        take("due", now, SUSPECT_CLAIMS)
    if suspects:
        take("suspect", SUSPECT_CLAIMS, room=1)
    take("addressed", SUSPECT_CLAIMS)
    if wanted:
        take("wanting", *wanted, marks=_marks(wanted))
    return rows


def _taken(connection: sqlite3.Connection, owner: str, rows: list[Row]) -> list[Row]:
    """Those rows, whose executions have got an owner and a new fence."""
    keys = [(row[0],) for row in rows]
    connection.executemany(_SQL["make_ready"], keys)
    connection.executemany(_SQL["delete_wants"], keys)
    connection.executemany(_SQL["claim"], [(owner, key) for (key,) in keys])
    return rows


def _shared_out(
    connection: sqlite3.Connection, now: int, room: int, machines: Sequence[str] | None, turns: Turns
) -> list[Row]:
    """What is due of the machines whose turn it is, the same number of each at most."""

    def due(machine: str, count: int) -> list[Row]:
        asked = (machine, now, SUSPECT_CLAIMS, count)
        return connection.execute(_SQL["due_in_queue"], asked).fetchall()

    later = list(islice(_queues(connection, turns.last, machines), room))
    earlier = islice(_queues(connection, "", machines), room - len(later))
    queues = [machine for machine in turns.taken(later, list(earlier), str) if due(machine, 1)]
    if not queues:
        return []
    each = share(room, len(queues))
    found = [row for machine in queues for row in due(machine, each)]
    return sorted(found, key=lambda row: (row[4], row[0]))[:room]


def _queues(connection: sqlite3.Connection, machine: str, among: Sequence[str] | None) -> Iterator[str]:
    """The machines of which something waits, by their names, those after one."""
    while (machine := connection.execute(_SQL["next_queue"], (machine,)).fetchone()[0]) is not None:
        if among is None or machine in among:
            yield machine


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _unheld(connection: sqlite3.Connection, ids: Sequence[str], limit: int) -> list[Row]:
    found = (connection.execute(_SQL["unheld"], (id,)).fetchone() for id in ids)
    return [row for row in found if row is not None][:limit]


def _renew(connection: sqlite3.Connection, owner: str, now: int, lease: int) -> bool:
    row = connection.execute(_SQL["lease_until"], (owner,)).fetchone()
    alive = row is not None and row[0] > now
    if not alive:
        end_lease(connection, owner)
    connection.execute(_SQL["put_lease"], (owner, now + lease))
    return alive


def end_lease(connection: sqlite3.Connection, owner: str) -> None:
    """Whatever an owner held is nobody's."""
    connection.execute(_SQL["give_back_all"], (owner,))
    connection.execute(_SQL["end_lease"], (owner,))


def _release(connection: sqlite3.Connection, claims: Sequence[Claim]) -> None:
    connection.executemany(_SQL["release"], [(claim.execution, claim.fence) for claim in claims])


def _beat(connection: sqlite3.Connection, beats: Sequence[Beat]) -> list[Outcome]:
    return [_beat_one(connection, beat) for beat in beats]


def _beat_one(connection: sqlite3.Connection, beat: Beat) -> Outcome:
    row = connection.execute(_SQL["fence"], (beat.execution,)).fetchone()
    if row is None:
        return Outcome.MISSING
    key, fence = row
    if beat.fence is not None and beat.fence != fence:
        return Outcome.CONFLICT
    connection.execute(_SQL["beat"], (key, beat.pending, beat.due))
    return Outcome.DONE


def send(connection: sqlite3.Connection, letters: Sequence[Letter]) -> list[Outcome]:
    """See :meth:`~detent.store.base.Store.send`."""
    return [_send_one(connection, letter) for letter in letters]


def _send_one(connection: sqlite3.Connection, letter: Letter) -> Outcome:
    sent = connection.execute(_SQL["send"], (letter.dedupe, letter.body, letter.execution))
    if sent.rowcount:
        return Outcome.DONE
    known = connection.execute(_SQL["key"], (letter.execution,)).fetchone()
    return Outcome.EXISTS if known else Outcome.MISSING


def _enrol(connection: sqlite3.Connection, owner: str, info: bytes) -> bool:
    return connection.execute(_SQL["enrol"], (info, owner)).rowcount > 0


def _workers(connection: sqlite3.Connection, now: int) -> list[Worker]:
    return [Worker(*row) for row in connection.execute(_SQL["workers"], (now,))]


def _hand_over(connection: sqlite3.Connection, given: Sequence[HandOver], now: int) -> None:
    for one in given:
        if connection.execute(_SQL["hand_over"], (one.execution, one.fence)).rowcount:
            key = connection.execute(_SQL["key"], (one.execution,)).fetchone()[0]
            connection.executemany(_SQL["want"], [(key, resource, now) for resource in one.wants])


def _wanted(connection: sqlite3.Connection) -> list[Want]:
    return [Want(*row) for row in connection.execute(_SQL["wanted"])]


def _take(connection: sqlite3.Connection, owner: str, resource: str, now: int) -> Offer | None:
    row = connection.execute(_SQL["first_offer"], (resource, now)).fetchone()
    if row is None:
        return None
    number, execution, pending = row
    connection.execute(_SQL["take"], (owner, number))
    return Offer(execution, pending)


def _hand_out(connection: sqlite3.Connection, offer: Offer, letter: Letter) -> None:
    connection.execute(_SQL["hand_out"], (offer.execution, offer.pending))
    send(connection, [letter])


def _put_back(connection: sqlite3.Connection, owner: str, offer: Offer) -> None:
    connection.execute(_SQL["put_back"], (offer.execution, offer.pending, owner))


def _take_slot(connection: sqlite3.Connection, owner: str, resource: str, limit: int, now: int) -> int | None:
    connection.execute(_SQL["free_dead_slots"], (resource, now))
    taken = {number for (number,) in connection.execute(_SQL["slots"], (resource,))}
    free = next((number for number in range(1, limit + 1) if number not in taken), None)
    if free is not None:
        connection.execute(_SQL["take_slot"], (resource, free, owner))
    return free


def _free_slots(connection: sqlite3.Connection, owner: str, slots: Sequence[tuple[str, int]]) -> None:
    connection.executemany(_SQL["free_slot"], [(*slot, owner) for slot in slots])


def _held(connection: sqlite3.Connection, owner: str) -> Holdings:
    claims = [Claim(*row) for row in connection.execute(_SQL["held"], (owner,))]
    offers = [Offer(*row) for row in connection.execute(_SQL["held_offers"], (owner,))]
    return Holdings(claims, offers, connection.execute(_SQL["held_slots"], (owner,)).fetchall())
