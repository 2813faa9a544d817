"""What the memory store knows of engines beside their executions: workers, wants, offers, slots, reservations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .fleet import Offer, Reservation, Worker


class Ledger:
    """Plain tables. Nothing here knows an execution by more than its id."""

    def __init__(self) -> None:
        self.infos: dict[str, bytes] = {}
        #: By execution: the resources it waits for, and since when.
        self.wants: dict[str, dict[str, int]] = {}
        #: Tasks that anybody may take, their resources and who holds them, in the order they were offered.
        self.offers: dict[tuple[str, int], tuple[str, str | None]] = {}
        self.slots: dict[tuple[str, int], str] = {}
        #: By key: what it stands for, and until when.
        self.reservations: dict[str, tuple[Reservation, int]] = {}

    def forget(self, executions: Iterable[str]) -> None:
        """Nothing is left of these."""
        gone = set(executions)
        self.offers = {place: offer for place, offer in self.offers.items() if place[0] not in gone}
        for execution in gone:
            self.wants.pop(execution, None)

    def take(self, owner: str, resource: str, living: Iterable[str]) -> Offer | None:
        """The first offer of a resource that nobody alive holds."""
        alive = set(living)
        for place, (name, holder) in self.offers.items():
            if name == resource and holder not in alive:
                self.offers[place] = name, owner
                return Offer(*place)
        return None

    def taken(self, owner: str) -> list[Offer]:
        """The offers that an owner holds."""
        return [Offer(*place) for place, (_, holder) in self.offers.items() if holder == owner]

    def put_back(self, owner: str, offer: Offer) -> None:
        """What the owner holds is anybody's."""
        place = offer.execution, offer.pending
        if place in self.offers and self.offers[place][1] == owner:
            self.offers[place] = self.offers[place][0], None

    def take_slot(self, owner: str, resource: str, limit: int, living: Iterable[str]) -> int | None:
        """The first free number."""
        alive = set(living)
        self.slots = {place: name for place, name in self.slots.items() if name in alive}
        for number in range(1, limit + 1):
            if (resource, number) not in self.slots:
                self.slots[resource, number] = owner
                return number
        return None

    def slots_of(self, owner: str) -> list[tuple[str, int]]:
        """The numbers that an owner has."""
        return [place for place, name in self.slots.items() if name == owner]

    def free_slots(self, owner: str, slots: Sequence[tuple[str, int]]) -> None:
        """Those of them that are the owner's."""
        for place in slots:
            if self.slots.get(place) == owner:
                del self.slots[place]

    def reserve(
        self, key: str, request: str, holder: str, now: int, until: int, instead_of: str | None
    ) -> Reservation:
        """What the key stands for from now on."""
        known, kept_until = self.reservations.get(key, (None, now))
        if known is not None and kept_until > now:
            if known.holder is None or known.holder != instead_of:
                return known
            request = known.request
        self.reservations[key] = Reservation(request, holder, None, new=False), until
        return Reservation(request, holder, None, new=True)

    def forget_reservations(self, now: int, limit: int) -> int:
        """Those whose time is over."""
        over = [key for key, (_, until) in self.reservations.items() if until <= now][:limit]
        for key in over:
            del self.reservations[key]
        return len(over)

    def settle(self, key: str, holder: str, answer: bytes | None) -> None:
        """The answer, or nothing, for a key that is the holder's."""
        known, until = self.reservations.get(key, (None, 0))
        if known is None or known.holder != holder:
            return
        if answer is None:
            del self.reservations[key]
        else:
            self.reservations[key] = Reservation(known.request, None, answer, new=False), until

    def workers(self, leases: Iterable[tuple[str, int]]) -> list[Worker]:
        """Those owners of the given leases who have enrolled."""
        return sorted(
            (Worker(name, until, self.infos[name]) for name, until in leases if name in self.infos),
            key=lambda worker: worker.owner,
        )
