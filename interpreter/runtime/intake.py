"""What reaches an engine through its store: executions that need attention, messages, starts left in doubt.

Everything here is asked for again and again: the poll is the truth, and nothing hangs on one answer. Owns
the claims. It knows no state of an execution: the engine makes executions live and delivers signals.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from ..core.codec import LogError, decode_signal
from ..core.errors import DetentError
from ..core.signals import Redriven, Signal
from ..store.base import Batch, Beat, Claim, Message, NotFound, Store, StoreUnavailable
from .clock import Clock
from .jumps import Jumps
from .leases import Lease
from .log_facts import about
from .offers import Offers

log = logging.getLogger(__name__)

#: How often the store is asked, in seconds.
POLL_SECONDS = 1.0
#: Claims or messages that are asked for at once.
PAGE = 256
#: Executions that are read at once: the store answers many quicker than one after the other.
ADOPTED_AT_ONCE = 32
#: Claims that a member of a fleet asks for at once, so that others have something to do as well, and executions
#: that it has live before it asks for no more.
SHARE = 64
LIVE_MAX = 1024
#: Executions that it has live before it waits for the next poll to ask for more: so many share a commit.
LIVE_ENOUGH = 256
#: How soon after a hint the store is asked, in seconds: more of them may follow.
HINTED_SECONDS = 0.02

#: Signals from an inbox, each with the number of its message.
Mail = Sequence[tuple[Signal, int]]

#: Makes a stored execution live under a claim, with the mail that it has; whether it has work to do that may be what
#: killed its workers before. Raises NotFound, LogError, StoreUnavailable, CompileError.
Adopt = Callable[[Claim, Mail], Awaitable[bool]]

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
        lease: Lease,
        offers: Offers | None = None,
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
        #: The answer to a claim was lost: the store may have us hold what nobody works on here.
        self._unsure = False
        self._doubtful: dict[str, None] = {}
        self._beats: dict[tuple[str, int], Beat] = {}
        self._lease = lease
        self._offers = offers
        #: Executions at work here that have been claimed again and again: at most one that was taken over.
        self._suspects: set[str] = set()
        #: There was more to take over than was taken, or there may be something new.
        self._more = False
        self._soon = False
        self._hinted: asyncio.TimerHandle | None = None
        self._followed: dict[str, None] = {}
        self._written = asyncio.Event()
        #: The highest number of a message that was delivered.
        self._seen = 0

    async def open(self) -> None:
        """Begin a lease."""
        await self._lease.open()

    async def close(self) -> None:
        """Store the last signs of life and give back what was claimed."""
        if self._hinted is not None:
            self._hinted.cancel()
        await self._lease.close()
        await self._write_beats()
        await self._store.release(list(self._claims.values()))
        await self._store.renew(self._owner, now=self._clock.now(), lease=0)
        self._store.tell()

    async def claim(self, execution: str) -> None:
        """Make one execution live, unless somebody else works on it. Raises what ``adopt`` raises."""
        if execution not in self._claims:
            await self._ask(limit=1, only=[execution])
        claim = self._claims.get(execution)
        if claim is not None:
            mail = await self._mail({execution})
            if self._claims.get(execution) is claim:
                # Whoever asks for it by name takes the risk: it is not suspected.
                await self._adopt(replace(claim, claims=0), mail.get(execution, ()))

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
        self.progressed(execution)
        if self._more and len(self._live) < LIVE_ENOUGH // 2:
            self.look()

    def progressed(self, execution: str) -> None:
        """It came further: whoever died while working on it did not die of it."""
        if execution in self._suspects:
            self._suspects.discard(execution)
            self.look()

    def take_no_more(self) -> None:
        """What others could take over is left to them."""
        self._takes_over = False

    async def give_back(self, executions: Iterable[str]) -> None:
        """These are anybody's. Raises StoreError."""
        claims = [self._claims.pop(id) for id in list(executions) if id in self._claims]
        await self._store.release(claims)
        self._store.tell()

    async def reclaim(self, fences: Mapping[str, int]) -> dict[str, int]:
        """Claim what was lost with a lease, by id and fence; the new fences of what is still ours.

        Raises StoreError.
        """
        for id in fences:
            self._claims.pop(id, None)
        await self._ask(limit=len(fences), only=list(fences))
        # Not what the claims answered alone: an answer may have been lost, and some was not lost with the lease.
        held = await self._store.held(self._owner)
        kept = {claim.execution: claim for claim in held.claims if claim.execution in fences}
        self._claims.update(kept)
        return {id: claim.fence for id, claim in kept.items()}

    def follow(self, executions: Iterable[str]) -> None:
        """Somebody here waits for the ends of these: they are made live with the next poll."""
        self._followed.update(dict.fromkeys(executions))

    def doubt(self, execution: str) -> None:
        """Its start was refused because the store could not answer; it may have been written all the same."""
        self._doubtful[execution] = None

    def note(self, beat: Beat) -> None:
        """A sign of life, to be stored with the next poll."""
        self._beats[beat.execution, beat.pending] = beat

    async def poll(self) -> None:
        """Store signs of life, take what needs attention, and deliver messages. Raises StoreError."""
        self._soon = False
        await self._lease.keep()
        await self._write_beats()
        await self._settle_doubts()
        for id in [id for id in self._followed if id not in self._live]:
            await self.claim(id)
            self._followed.pop(id, None)
        if self._takes_over:
            await self._take_over()
        await self._deliver_messages()

    def written(self) -> None:
        """There is mail, for executions here or elsewhere: it is not left until the next poll."""
        self._written.set()
        self._store.tell()

    def look(self) -> None:
        """The store is asked for everything at once, not at the next poll."""
        self._soon = True
        self._hinted = None
        self._written.set()

    def hear(self) -> None:
        """Somebody else gave a hint that there may be something."""
        if self._hinted is None:
            self._hinted = asyncio.get_running_loop().call_later(HINTED_SECONDS, self.look)

    async def pause(self) -> None:
        """Let the time between two polls pass, delivering at once what is announced meanwhile. Raises StoreError."""
        loop = asyncio.get_running_loop()
        end = loop.time() + POLL_SECONDS
        while not self._soon:
            try:
                async with asyncio.timeout_at(end):
                    await self._written.wait()
            except TimeoutError:
                return
            # Not under the timeout: the answer to a claim must not be lost.
            self._written.clear()
            if not self._soon:
                await self._deliver_messages(after=self._seen)
                if self._takes_over:
                    await self._take_over()  # also for what only waits, and is nobody's

    async def catch_up(self, execution: str) -> Mapping[int, int]:
        """Deliver what has arrived; the heartbeat deadlines that are stored for an execution. Raises StoreError."""
        await self._deliver_messages()
        return (await self._store.load(execution, limit=0)).beats

    async def _ask(
        self,
        *,
        limit: int,
        only: list[str] | None = None,
        wanted: Sequence[str] = (),
    ) -> int:
        """Claim, and note the claims before anything is read: what cannot be read now is taken later."""
        if self._unsure:
            await self._note_held()
        soon = self._clock.now() + self._jumps.back + round(2000 * POLL_SECONDS)
        try:
            claims = await self._store.claim(
                self._owner,
                now=soon,
                lease=self._lease.milliseconds,
                limit=limit,
                only=only,
                machines=None if self._offers is None else self._offers.machines,
                wanted=wanted,
                suspects=not self._suspects,
            )
        except BaseException:  # the claims may stand all the same, also if it was the caller who went away
            self._unsure = True
            raise
        self._claims.update((claim.execution, claim) for claim in claims)
        return len(claims)

    async def _note_held(self) -> None:
        """Note the claims whose answer was lost: what is held and not at work here."""
        here = set(
            self._live
        )  # what ends while the store answers is at work no more, and not to be taken up again
        held = await self._store.held(self._owner)
        self._unsure = False
        lost = [claim for claim in held.claims if claim.execution not in here]
        self._claims.update((claim.execution, claim) for claim in lost if claim.execution not in self._live)

    async def _take_over(self) -> None:
        """Alone, everything that needs attention; in a fleet a share of it, and what wants somebody like this."""
        wanted: list[str] = []
        if self._offers is not None:
            wanted = [
                want.resource for want in await self._store.wanted() if self._offers.covers(want.resource)
            ]
        page = PAGE if self._offers is None else SHARE
        found = page
        until = self._clock.monotonic() + POLL_SECONDS
        while found == page and (self._offers is None or len(self._live) < LIVE_MAX):
            found = await self._ask(limit=page, wanted=wanted)
            await self._adopt_claimed()
            if self._offers is not None:
                if found == page and len(self._live) < LIVE_ENOUGH:
                    self.look()  # there is more, once others have had their turn
                break
            if found == page and self._clock.monotonic() > until:
                self.look()  # there is more, after signs of life and whatever else is due
                break
        self._more = found == page

    async def _adopt_claimed(self) -> None:
        claims = [claim for id, claim in self._claims.items() if id not in self._live]
        mail = await self._mail({claim.execution for claim in claims}) if claims else {}
        for at in range(0, len(claims), ADOPTED_AT_ONCE):
            share = claims[at : at + ADOPTED_AT_ONCE]
            await asyncio.gather(*(self._take(claim, mail.get(claim.execution, ())) for claim in share))

    async def _mail(self, executions: Collection[str]) -> Mapping[str, Mail]:
        """What lies in the inboxes of executions that have just been claimed, perhaps because of it.

        They get it before they do anything: one that is given away at once would never get it.
        """
        found: dict[str, list[tuple[Signal, int]]] = {}
        after = 0
        while messages := await self._store.inbox(self._owner, after=after, limit=PAGE):
            for message in messages:
                if message.execution in executions and (signal := _read(message)) is not None:
                    found.setdefault(message.execution, []).append((signal, message.number))
            after = messages[-1].number
        return found

    async def _take(self, claim: Claim, mail: Mail) -> None:
        if self._claims.get(claim.execution) is not claim:
            return  # it came to its end, or went to somebody else, meanwhile
        try:
            if await self._adopt(claim, mail):
                self._suspects.add(claim.execution)
        except StoreUnavailable:
            raise
        except DetentError as error:
            self.forget(claim.execution)
            facts = about(claim.execution)
            log.error("the execution %s cannot be resumed: %s", claim.execution, error, extra=facts)

    async def _settle_doubts(self) -> None:
        """A start that was refused and written all the same runs like any other."""
        for id in [id for id in self._doubtful if id not in self._live]:
            with suppress(NotFound):
                await self._adopt(Claim(id, 1, 1), ())
            self._doubtful.pop(id, None)

    async def _deliver_messages(self, after: int = 0) -> None:
        late: dict[str, list[int]] = {}
        while messages := await self._store.inbox(self._owner, after=after, limit=PAGE):
            for message in messages:
                if message.execution in self._live:
                    if (signal := _read(message)) is not None:
                        self._deliver(message.execution, signal, message=message.number)
                elif not await self._redrives(message):
                    late.setdefault(message.execution, []).append(message.number)
            after = messages[-1].number
            self._seen = max(self._seen, after)
        for execution, numbers in late.items():
            await self._drain(execution, numbers)

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
            facts = about(message.execution)
            log.error("a message to %s changes nothing: %s", message.execution, error, extra=facts)
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


def _read(message: Message) -> Signal | None:
    """The signal in a message; None, and a word in the log, if it cannot be read."""
    try:
        return decode_signal(message.body)
    except LogError as error:
        facts = about(message.execution)
        log.error("a message to %s is left alone: %s", message.execution, error, extra=facts)
        return None
