"""Who works on a store now, and what waits that nobody there does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..core.values import JSON
from ..store.base import Store
from ..store.fleet import Worker
from .clock import Clock
from .offers import Offers, read_info


@dataclass(frozen=True, slots=True)
class Member:
    """An engine that is at work on the store: a worker, or a server."""

    owner: str
    kind: str
    host: str
    process: int
    release: str
    offers: Offers

    @property
    def duties(self) -> str:
        """What it does, for people."""
        does = ", ".join(self.offers.only or self.offers.handles) or "no tasks"
        of = "" if self.offers.machines is None else f"; executions of {', '.join(self.offers.machines)}"
        return does + of


@dataclass(frozen=True, slots=True)
class Waiting:
    """Executions that wait for somebody who does a resource, ``since`` when; ``offered``: somebody here does it."""

    resource: str
    executions: int
    since: int
    offered: bool


@dataclass(frozen=True, slots=True)
class Muster:
    """The fleet at an instant."""

    now: int
    workers: tuple[Member, ...]
    waiting: tuple[Waiting, ...]

    def document(self) -> JSON:
        """For programs."""
        return {
            "workers": [
                {
                    "worker": one.owner,
                    "kind": one.kind,
                    "host": one.host,
                    "process": one.process,
                    "release": one.release,
                    "handles": list(one.offers.handles),
                    "only": None if one.offers.only is None else list(one.offers.only),
                    "machines": None if one.offers.machines is None else list(one.offers.machines),
                }
                for one in self.workers
            ],
            "waiting": [
                {
                    "resource": want.resource,
                    "executions": want.executions,
                    "since": want.since,
                    "offered": want.offered,
                }
                for want in self.waiting
            ],
        }


async def muster(store: Store, clock: Clock) -> Muster:
    """Who is there, and what waits for whom. Raises StoreError."""
    now = await store.now() or clock.now()
    members = tuple(map(_member, await store.workers(now=now)))
    return Muster(
        now,
        members,
        tuple(
            Waiting(want.resource, want.executions, want.since, _covered(want.resource, members))
            for want in await store.wanted()
        ),
    )


def _member(worker: Worker) -> Member:
    offers, about = read_info(worker.info)
    process = about.get("process")
    return Member(
        worker.owner,
        str(about.get("kind", "worker")),
        str(about.get("host", "?")),
        process if isinstance(process, int) else 0,
        str(about.get("release", "?")),
        offers,
    )


def _covered(resource: str, members: Iterable[Member]) -> bool:
    return any(member.offers.covers(resource) for member in members)
