"""What is recorded, seen and kept in order without running anything: find, read, steer, redrive, stop, delete,
bring in.

Works beside an engine in another process: reading needs no lock, and a wish goes through the execution's inbox.
Where no engine is at work, a wish takes the engine's place for as long as that one decision needs.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from difflib import get_close_matches
from typing import NamedTuple

from ..audit import verify_recording
from ..core.codec import LogError, decode_log, decode_signal, encode_signal, missing_payloads, payloads_of
from ..core.evolve import fold
from ..core.execution import ABORTED, RUNNING, Execution
from ..core.redrive import refusal
from ..core.rows import replaced
from ..core.signals import Redriven, Stopped
from ..core.values import JSON, decode, encode
from ..recording import Facts, Part, Recording, RecordingError, fingerprint
from ..store.base import (
    Batch,
    ExecutionRecord,
    Found,
    Head,
    Letter,
    MachineRecord,
    NotFound,
    Outcome,
    Query,
    Store,
    StoreInUse,
)
from .actor import Actor, head_of, offers_of
from .attributes import attributes_of, matches
from .clock import Clock, SystemClock
from .errors import ExecutionExists, NotRedrivable, StillRunning
from .find import named
from .keeping import Retention, forget_old
from .machines import Compile, Machines
from .map_runs import forget_started
from .muster import Muster, muster
from .owners import is_at_work
from .recall import recall
from .steering import Given, Steering

__all__ = ["Found", "Records"]

#: How many of the newest executions are looked through for a name like a mistyped one.
NAMES_MAX = 2_000
#: How often is looked whether another process has stopped an execution, in seconds.
LOOK_SECONDS = 0.05
#: The lease for one decision, in milliseconds: nobody else may open the store as an engine meanwhile.
LEASE_MILLISECONDS = 60_000


class Steered(NamedTuple):
    """``state`` is how an execution stands after a wish, ``arrived`` whether it has heard of it."""

    state: Execution
    arrived: bool


class Records:
    """The records of one open store.

    ``engine`` makes the same store anew, for opening it as its engine; ``compile`` makes machines of definitions;
    ``release`` is written into the log, ``arn_of`` gives the ARN of a machine's name.
    """

    def __init__(
        self,
        store: Store,
        engine: Callable[[], Store],
        compile: Compile,
        *,
        release: str,
        arn_of: Callable[[str], str],
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._engine = engine
        self._compile = compile
        self._release = release
        self._arn_of = arn_of
        self._clock = clock or SystemClock()
        self._steering = Steering(store)

    # Look

    async def search(
        self,
        *,
        status: str | None = None,
        machine: str | None = None,
        labelled: bool | None = None,
        name: str | None = None,
        started_from: int | None = None,
        started_before: int | None = None,
        where: Sequence[str] = (),
        cursor: str | None = None,
        limit: int = 100,
    ) -> list[Found]:
        """Executions, newest first; None means any. ``machine`` is a name or an ARN, instants are milliseconds.

        Machines with a label (``labelled``) are those of the executions of distributed Maps. ``where`` are conditions
        on search attributes (:func:`~detent.search.read_condition`). Raises SearchAttributeError.
        """
        if machine is not None and ":" not in machine:
            machine = self._arn_of(machine)
        machines = self._arn_of("x").rpartition(":")[0]
        return await self._store.find(
            Query(
                status=status,
                machine=machine,
                labelled=labelled,
                name=name,
                started_from=started_from,
                started_before=started_before,
                attributes=await matches(self._store, where, machines=machines, machine=machine),
                cursor=cursor,
                limit=limit,
            )
        )

    async def named(self, text: str) -> list[Found]:
        """The executions that a name, ``MACHINE:NAME`` or an ARN means.

        Raises NotFound, which names those that are spelled alike.
        """
        found = await named(self._store, text.rpartition(":")[2])
        found = [one for one in found if text == one.record.name or f":{one.record.id}".endswith(f":{text}")]
        if not found:
            raise NotFound(f"there is no execution {text!r} in this store{await self._alike(text)}")
        return found

    async def _alike(self, text: str) -> str:
        newest = await self._store.find(Query(limit=NAMES_MAX))
        names = dict.fromkeys(one.record.name for one in newest)
        close = get_close_matches(text.rpartition(":")[2], names, n=3, cutoff=0.5)
        if close:
            return f"; did you mean {' or '.join(map(repr, close))}?"
        return f"; the latest is {newest[0].record.name!r}" if newest else ", which is empty"

    async def read(self, execution: str) -> Recording:
        """Everything about one execution, as it is at this moment, sound or not. Raises NotFound."""
        return await read(self._store, execution)

    # Steer

    async def signal(
        self, execution: str, name: str, value: JSON, *, key: str | None = None, patience: float = 5.0
    ) -> Steered:
        """Send a named signal. Raises what :meth:`.steering.Steering.signal` raises."""
        wish = await self._steering.signal(execution, name, value, key=key)
        return await self._steered(execution, wish, patience)

    async def pause(self, execution: str, *, patience: float = 5.0) -> Steered:
        """Pause an execution. Raises what :meth:`.steering.Steering.pause` raises."""
        return await self._steered(execution, await self._steering.pause(execution), patience)

    async def resume(self, execution: str, given: Given | None = None, *, patience: float = 5.0) -> Steered:
        """End the pause of an execution that another process works on.

        Raises what :meth:`.steering.Steering.resume` raises.
        """
        return await self._steered(execution, await self._steering.resume(execution, given), patience)

    async def _steered(self, execution: str, key: str, patience: float) -> Steered:
        """What became of a wish that was stored: fulfilled here if nobody else is at work, or else there."""
        with suppress(StoreInUse):
            if await self._deliver(execution):
                patience = 0
        _, state = await recall(self._store, execution)
        for _ in range(round(patience / LOOK_SECONDS)):
            if key in state.keys or state.status != RUNNING:
                break
            await asyncio.sleep(LOOK_SECONDS)
            if (await self._store.load(execution, limit=0)).last != state.seq:
                _, state = await recall(self._store, execution)
        return Steered(state, key in state.keys)

    async def at_work(self, found: Sequence[Found]) -> set[str]:
        """Those executions that a living process works on, by id."""
        owners = await self._store.owners()
        return {one.record.id for one in found if is_at_work(one.owner, owners)}

    async def forget_old(self, retention: Retention, machine: str | None = None) -> dict[str, int]:
        """Forget what need not be kept, of one machine (a name or an ARN) or of all; how many of each."""
        if machine is not None and ":" not in machine:
            machine = self._arn_of(machine)
        return await forget_old(self._store, self._clock, retention, machine=machine)

    async def fleet(self) -> Muster:
        """Who works on the store, and what waits that nobody does. Raises StoreError."""
        return await muster(self._store, self._clock)

    # Redrive, stop and delete

    async def redrive(self, execution: str, *, patience: float = 5.0) -> bool:
        """Ask the process that runs this store to redrive an execution; whether it has done so.

        The wish is durable when this returns. That process gets ``patience`` seconds before this looks away.
        Raises NotFound, NotRedrivable, LogError.
        """
        _, state = await recall(self._store, execution)
        reason = refusal(state, self._clock.now())
        if reason is not None:
            raise NotRedrivable(reason)
        token = secrets.token_hex(8)
        await self._store.send([Letter(execution, f"redrive-{token}", encode_signal(Redriven(token)))])
        for _ in range(round(patience / LOOK_SECONDS)):
            if (await self._store.load(execution, limit=0)).last > state.seq:
                return True
            await asyncio.sleep(LOOK_SECONDS)
        return False

    async def stop(
        self, execution: str, error: str | None = None, cause: str | None = None, *, patience: float = 5.0
    ) -> tuple[Head, bool]:
        """Ask for the end of an execution: where it stands afterwards, and whether this has ended it.

        The wish is durable when this returns. If no other process runs executions here it is fulfilled as well;
        otherwise that process fulfils it, and gets ``patience`` seconds to do so before this looks away.
        Raises NotFound.
        """
        head = (await self._store.load(execution, limit=0)).head
        if head.ended_at is not None:
            return head, False
        letter = Letter(execution, f"stop-{secrets.token_hex(8)}", encode_signal(Stopped(error, cause)))
        await self._store.send([letter])
        with suppress(StoreInUse):
            if await self._deliver(execution):
                patience = 0
        head = await self._end_of(execution, patience)
        return head, head.status == ABORTED

    async def _deliver(self, execution: str) -> bool:
        """Decide what is in the inbox of one execution, and nothing else; False if somebody else works on it.

        Raises StoreInUse.
        """
        owner = secrets.token_hex(8)
        async with self._as_engine() as store:
            claims = await store.claim(
                owner, now=self._clock.now(), lease=LEASE_MILLISECONDS, limit=1, only=[execution]
            )
            for claim in claims:
                record, state = await recall(store, execution)
                machine = await Machines(store, self._compile).get(record.digest)
                actor = Actor(record, machine, state, claim.fence, created=True)
                for message in await store.inbox(owner, limit=NAMES_MAX):
                    signal = decode_signal(message.body)
                    actor.receive(signal, self._clock.now(), message.number)
                decided = actor.decide(owner, self._release)
                if decided is not None and decided.batch is not None:
                    await store.append([replaced(decided.batch, hold=None)])
            return bool(claims)

    @asynccontextmanager
    async def _as_engine(self) -> AsyncIterator[Store]:
        store = self._engine()
        await store.open(engine=True)
        try:
            yield store
        finally:
            await store.close()

    async def _end_of(self, execution: str, patience: float) -> Head:
        """The head of an execution once it has ended, or as it is when patience is over."""
        head = (await self._store.load(execution, limit=0)).head
        for _ in range(round(patience / LOOK_SECONDS)):
            if head.ended_at is not None:
                break
            await asyncio.sleep(LOOK_SECONDS)
            head = (await self._store.load(execution, limit=0)).head
        return head

    async def delete(self, execution: str, *, force: bool = False) -> None:
        """Forget an execution that has ended. With ``force`` one that runs is stopped first.

        Raises StillRunning without ``force``, or if the process that runs it does not stop it. Raises NotFound.
        """
        log = await self._store.load(execution, limit=0)
        head = (await self.stop(execution, cause="deleted"))[0] if force else log.head
        if head.ended_at is None:
            asked = "; it has been asked to" if force else ""
            raise StillRunning(f"the execution {log.record.name} has not ended{asked}")
        if not await forget_started(self._store, execution):
            raise StillRunning(f"what the execution {log.record.name} has started has not ended")
        # It may have been redriven since: only what has ended still is forgotten.
        if not await self._store.delete([execution], ended=True):
            raise StillRunning(f"the execution {log.record.name} has not ended: it was redriven just now")

    # Bring in

    async def put(self, recording: Recording) -> bool:
        """Store what was recorded elsewhere; False if it is here already.

        Raises ExecutionExists if another execution of that id is here, RecordingError for a log that breaks a law.
        """
        facts = recording.facts
        breaches = verify_recording(recording)
        if breaches:
            raise RecordingError(f"the log of {facts.name} is not sound: {breaches[0]}")
        here = await self._here(facts.id)
        if here is not None:
            if fingerprint(here) == fingerprint(recording):
                return False
            raise ExecutionExists(
                f"there is an execution {facts.id} in this store, and what happened in it is something else"
            )
        definition = encode(recording.definition)
        async with self._as_engine() as store:
            await store.publish(MachineRecord(facts.digest, facts.machine, definition, facts.published_at))
            outcomes = await store.append(list(_batches(recording)))
        if Outcome.EXISTS in outcomes:
            raise ExecutionExists(f"there is an execution {facts.id} in this store since just now")
        return True

    async def _here(self, execution: str) -> Recording | None:
        try:
            return await self.read(execution)
        except NotFound:
            return None


async def read(store: Store, execution: str) -> Recording:
    """Everything about one execution, as it is at this moment, sound or not. Raises NotFound."""
    log = await store.load(execution)
    machine = await store.machine(log.record.digest)
    texts = await store.payloads(execution, [segment.after for segment in log.segments])
    parts = tuple(
        Part(segment.after, segment.last, segment.control, texts.get(segment.after, b"[]"))
        for segment in log.segments
    )
    blobs: Mapping[str, bytes] = {}
    with suppress(LogError):
        steps = decode_log((part.after, part.control) for part in parts)
        digests = missing_payloads(payload for step in steps for payload in payloads_of(step))[1]
        blobs = await store.blobs(execution, digests) if digests else {}
    facts = _facts(log.record, log.head, machine.published_at)
    at_work = is_at_work(log.owner, await store.owners())
    return Recording(facts, decode(machine.definition), parts, blobs, beats=log.beats, at_work=at_work)


def _facts(record: ExecutionRecord, head: Head, published_at: int) -> Facts:
    return Facts(
        record.id,
        record.name,
        record.machine,
        record.digest,
        record.profile,
        record.started_at,
        record.parent,
        head.status,
        head.ended_at,
        published_at,
    )


def _batches(recording: Recording) -> Iterator[Batch]:
    facts = recording.facts
    record = ExecutionRecord(
        facts.id, facts.name, facts.machine, facts.digest, facts.profile, facts.started_at, facts.parent
    )
    state = fold(event for step in recording.steps() for event in step.events)
    head = head_of(state)
    for part in recording.parts:
        first = part is recording.parts[0]
        yield Batch(
            execution=facts.id,
            after=part.after,
            last=part.last,
            control=part.control,
            payloads=part.payloads,
            head=head,
            create=record if first else None,
            blobs=recording.blobs if first else {},
            attributes=attributes_of(record, state, begins=True, redriven=state.redrive_count > 0)
            if first
            else {},
            offers=offers_of(state.pending.values()) if part is recording.parts[-1] else (),
        )
