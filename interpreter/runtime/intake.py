"""What reaches an engine through its store: executions that need attention, messages, starts left in doubt.

Everything here is asked for again and again: the poll is the truth, and nothing hangs on one answer. Owns
the claims. It knows no state of an execution: the engine makes executions live and delivers signals.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from ..core.codec import LogError, decode_signal
from ..core.errors import DetentError
from ..core.signals import Redriven, Signal
from ..store.base import Batch, Beat, Claim, Message, NotFound, Store, StoreUnavailable
from .clock import Clock
from .jumps import Jumps

log = logging.getLogger(__name__)

#: How often the store is asked, in seconds.
POLL_SECONDS = 1.0
#: Claims or messages that are asked for at once.
PAGE = 256
#: Executions that are read at once: the store answers many quicker than one after the other.
ADOPTED_AT_ONCE = 32
#: How long what an engine holds stays its own without a sign of life. A store that allows one engine ends
#: the leases of those before it at once.
LEASE_MILLISECONDS = 15_000
#: How often the lease is extended: three signs of life may go missing.
RENEW_MILLISECONDS = 4_000

#: Makes a stored execution live under a fence. Raises NotFound, LogError, StoreUnavailable, CompileError.
Adopt = Callable[[str, int], Awaitable[None]]

#: Has an execution that has ended decide about a redrive that the message of a number asks for; False if it runs.
#: Raises what an Adopt raises.
Redrive = Callable[[str, Redriven, int], Awaitable[bool]]


class Deliver(Protocol):
    """Hands a signal to a live execution; ``message`` is its number in the inbox."""

    def __call__(self, execution: str, signal: Signal, *, message: int) -> None: ...


class Intake:
    """``owner`` is who claims; ``live`` are the executions at work here, kept by the engine."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        jumps: Jumps,
        owner: str,
        live: Collection[str],
        adopt: Adopt,
        redrive: Redrive,
        deliver: Deliver,
        *,
        takes_over: bool,
    ) -> None:
        self._store = store
        self._clock = clock
        self._jumps = jumps
        self._owner = owner
        self._live = live
        self._adopt = adopt
        self._redrive = redrive
        self._deliver = deliver
        self._takes_over = takes_over
        self._claims: dict[str, Claim] = {}
        self._doubtful: set[str] = set()
        self._beats: dict[tuple[str, int], Beat] = {}
        self._renewed = 0.0
        self._followed: set[str] = set()
        self._written = asyncio.Event()
        #: The highest number of a message that was delivered.
        self._seen = 0

    async def open(self) -> None:
        """Begin a lease."""
        await self._renew()

    async def close(self) -> None:
        """Store the last signs of life and give back what was claimed."""
        await self._write_beats()
        await self._store.release(list(self._claims.values()))

    async def claim(self, execution: str) -> None:
        """Make one execution live, unless somebody else works on it. Raises what ``adopt`` raises."""
        if execution not in self._claims:
            await self._ask(limit=1, only=[execution])
        if execution in self._claims:
            await self._adopt(execution, self._claims[execution].fence)

    async def fence_of(self, execution: str) -> int | None:
        """The fence under which work on an execution may go on after doubt; None if that is not for us.

        It is claimed if nobody holds it.
        """
        stored = await self._store.load(execution, limit=0)
        if stored.owner == self._owner:
            return stored.fence
        self.forget(execution)
        await self._ask(limit=1, only=[execution])
        claim = self._claims.get(execution)
        return None if claim is None else claim.fence

    def forget(self, execution: str) -> None:
        """Nobody works on it here any more."""
        self._claims.pop(execution, None)

    def follow(self, executions: Iterable[str]) -> None:
        """Somebody here waits for the ends of these: they are made live with the next poll."""
        self._followed.update(executions)

    def doubt(self, execution: str) -> None:
        """Its start was refused because the store could not answer; it may have been written all the same."""
        self._doubtful.add(execution)

    def note(self, beat: Beat) -> None:
        """A sign of life, to be stored with the next poll."""
        self._beats[beat.execution, beat.pending] = beat

    async def poll(self) -> None:
        """Store signs of life, take what needs attention, and deliver messages. Raises StoreError."""
        if self._clock.monotonic() - self._renewed >= RENEW_MILLISECONDS / 1000:
            await self._renew()
        await self._write_beats()
        await self._settle_doubts()
        for id in [id for id in self._followed if id not in self._live]:
            await self.claim(id)
            self._followed.discard(id)
        if self._takes_over:
            await self._take_over()
        await self._deliver_messages()

    async def _renew(self) -> None:
        # What was lost with a lease that had run out shows as a conflict, where it is claimed anew.
        begun = self._clock.monotonic()
        await self._store.renew(self._owner, now=self._clock.now(), lease=LEASE_MILLISECONDS)
        self._renewed = begun

    def written(self) -> None:
        """There is mail: it is not left until the next poll."""
        self._written.set()

    async def pause(self) -> None:
        """Let the time between two polls pass, delivering at once what is announced meanwhile. Raises StoreError."""
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                while True:
                    await self._written.wait()
                    self._written.clear()
                    await self._deliver_messages(after=self._seen)
                    if self._takes_over:
                        await self._take_over()  # also for what only waits, and is nobody's

    async def catch_up(self, execution: str) -> Mapping[int, int]:
        """Deliver what has arrived; the heartbeat deadlines that are stored for an execution. Raises StoreError."""
        await self._deliver_messages()
        return (await self._store.load(execution, limit=0)).beats

    async def _ask(self, *, limit: int, only: list[str] | None = None) -> int:
        """Claim, and note the claims before anything is read: what cannot be read now is taken later."""
        soon = self._clock.now() + self._jumps.back + round(2000 * POLL_SECONDS)
        claims = await self._store.claim(
            self._owner, now=soon, lease=LEASE_MILLISECONDS, limit=limit, only=only
        )
        self._claims.update((claim.execution, claim) for claim in claims)
        return len(claims)

    async def _take_over(self) -> None:
        found = PAGE
        while found == PAGE:
            found = await self._ask(limit=PAGE)
            claims = [claim for id, claim in self._claims.items() if id not in self._live]
            for at in range(0, len(claims), ADOPTED_AT_ONCE):
                await asyncio.gather(*map(self._take, claims[at : at + ADOPTED_AT_ONCE]))

    async def _take(self, claim: Claim) -> None:
        try:
            await self._adopt(claim.execution, claim.fence)
        except StoreUnavailable:
            raise
        except DetentError as error:
            self.forget(claim.execution)
            log.error("the execution %s cannot be resumed: %s", claim.execution, error)

    async def _settle_doubts(self) -> None:
        """A start that was refused and written all the same runs like any other."""
        for id in [id for id in self._doubtful if id not in self._live]:
            with suppress(NotFound):
                await self._adopt(id, 1)
            self._doubtful.discard(id)

    async def _deliver_messages(self, after: int = 0) -> None:
        late: dict[str, list[int]] = {}
        while messages := await self._store.inbox(self._owner, after=after, limit=PAGE):
            for message in messages:
                if message.execution in self._live:
                    self._deliver_message(message)
                elif not await self._redrives(message):
                    late.setdefault(message.execution, []).append(message.number)
            after = messages[-1].number
            self._seen = max(self._seen, after)
        for execution, numbers in late.items():
            await self._drain(execution, numbers)

    def _deliver_message(self, message: Message) -> None:
        try:
            signal = decode_signal(message.body)
        except LogError as error:
            log.error("a message to %s is left alone: %s", message.execution, error)
        else:
            self._deliver(message.execution, signal, message=message.number)

    async def _redrives(self, message: Message) -> bool:
        """Whether a message makes an execution that has ended live again. Raises StoreUnavailable."""
        try:
            signal = decode_signal(message.body)
            return isinstance(signal, Redriven) and await self._redrive(
                message.execution, signal, message.number
            )
        except StoreUnavailable:
            raise
        except DetentError as error:
            log.error("a message to %s changes nothing: %s", message.execution, error)
            return False

    async def _drain(self, execution: str, numbers: list[int]) -> None:
        """What reaches an execution after its end changes nothing, and must not stand before other messages."""
        known = await self._store.load(execution, limit=0)
        if known.head.ended_at is not None:
            await self._store.append(
                [Batch(execution, known.last, known.last, b"", b"[]", known.head, drained=numbers)]
            )

    async def _write_beats(self) -> None:
        beats, self._beats = self._beats, {}
        if beats:
            try:
                await self._store.beat(list(beats.values()))
            except StoreUnavailable:
                self._beats = beats | self._beats
                raise
