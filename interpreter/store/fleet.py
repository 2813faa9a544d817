"""The part of the store protocol by which many engines share one store: who does what, and what waits for whom.

A store that allows one engine keeps it as well, so that engines need not know which one they have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .base import Claim, Letter


@dataclass(frozen=True, slots=True)
class HandOver:
    """A claim that is given back because work is open that its owner does not do: of these resources."""

    execution: str
    fence: int
    wants: Sequence[str]


@dataclass(frozen=True, slots=True)
class Want:
    """Executions that nobody holds and that wait for somebody who does a resource; ``since`` when."""

    resource: str
    executions: int
    since: int


@dataclass(frozen=True, slots=True)
class Worker:
    """An owner with a lease, and what it says of itself."""

    owner: str
    lease_until: int
    info: bytes


@dataclass(frozen=True, slots=True)
class Offer:
    """A task that was taken from those which anybody may take, by what its execution waits for."""

    execution: str
    pending: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that an owner holds: executions with their claims, tasks it has taken, slots as resource and number."""

    claims: Sequence[Claim]
    offers: Sequence[Offer]
    slots: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a key stands for: the request it was first used with, who is at work on that, and the answer to it; one of
    the two is there. ``new``: it was reserved by this very call."""

    request: str
    holder: str | None
    answer: bytes | None
    new: bool


class Fleet(Protocol):
    """Every method may raise :class:`~detent.store.base.StoreError`; each is one transaction."""

    async def now(self) -> int | None:
        """The instant by the store's own clock; None if it has none but that of the machine."""

    async def enrol(self, owner: str, info: bytes) -> bool:
        """Let others know what an owner says of itself, as long as its lease lives. False if it has none."""

    async def workers(self, *, now: int) -> list[Worker]:
        """The owners whose leases live and who have enrolled, by name."""

    async def hand_over(self, given: Sequence[HandOver], *, now: int) -> None:
        """Give executions back for somebody who does what they want, unless they have been claimed again since.
        Their timers, and messages to them, are anybody's business as before."""

    async def held(self, owner: str) -> Holdings:
        """What an owner holds, as the store has it: the answer to a call that took something may have been lost."""

    async def wanted(self) -> list[Want]:
        """What executions that nobody holds wait for, by resource."""

    async def take(self, owner: str, resource: str, *, now: int) -> Offer | None:
        """Hold the task of a resource that was offered first and that no living owner holds. None if there is none.
        It is the owner's to hand out or to put back, until its lease ends."""

    async def hand_out(self, offer: Offer, letter: Letter) -> None:
        """Offer a task no longer, for somebody does it, and send a letter about that, in one transaction."""

    async def put_back(self, owner: str, offer: Offer) -> None:
        """Let anybody take what an owner holds and has not handed out."""

    async def take_slot(self, owner: str, resource: str, limit: int, *, now: int) -> int | None:
        """One of ``limit`` numbers, from 1, that at most one living owner has for a resource; None if all are
        had. It is free again when it is given back or its owner's lease ends."""

    async def free_slots(self, owner: str, slots: Sequence[tuple[str, int]]) -> None:
        """Give slots back, as resource and number."""

    async def reserve(
        self, key: str, request: str, holder: str, *, now: int, until: int, instead_of: str | None = None
    ) -> Reservation:
        """What a key stands for. It is ``request``, which ``holder`` has to do, if the key stands for nothing yet or
        what it stood for was kept ``until`` an instant that is over; or if ``instead_of`` has it to do."""

    async def forget_reservations(self, *, now: int, limit: int) -> int:
        """Keep no longer what keys stood for until an instant that is over, with the answers: of so many keys at
        most. Of how many it was."""

    async def settle(self, key: str, holder: str, answer: bytes | None) -> None:
        """Keep the answer to the request of a key that ``holder`` had to do; None: it came to nothing, and the key
        stands for nothing. Nothing happens if it is not the holder's to do any more."""

    async def watch(self, heard: Callable[[], None]) -> None:
        """Call ``heard`` whenever something may have come from elsewhere, for as long as it is awaited. A hint
        may be lost, doubled, or about nothing; where there are none this returns at once."""

    def tell(self) -> None:
        """Give others a hint that something may have come for them; lost where they cannot hear it. Never waits."""
