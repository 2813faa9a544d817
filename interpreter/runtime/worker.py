"""The duties of a worker: an engine that takes over what needs attention in a store that others use as well.

Any number share one Postgres database; servers take part in the same way. What a worker does is told by its
handlers, by ``only``, and by limits that hold for the whole fleet.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..core.errors import DetentError
from ..store.base import Store
from .handlers.registry import Registry
from .keeping import KEEP_ALL, Retention
from .leases import LEASE_SECONDS, VARIABLE
from .member import Member
from .names import Names
from .offers import Offers

MACHINE = "machine:"
#: What a lease may be long, in seconds: a shorter one ends while the store is only slow.
LEASE_SECONDS_MIN = 1.0
LEASE_SECONDS_MAX = 3600.0


class WorkerError(DetentError):
    """A worker cannot do what it was asked to do."""

    code = "WORKER"


@dataclass(frozen=True, slots=True)
class Duties:
    """``only`` are resources, or ``machine:NAME``; with none of a kind everything of it is done. ``limits`` gives by
    resource how many tasks run at once in the whole fleet."""

    only: Sequence[str] = ()
    limits: Mapping[str, int] | None = None
    lease_seconds: float = LEASE_SECONDS
    retention: Retention = KEEP_ALL

    def offers(self, registry: Registry) -> Offers:
        """What a worker with these handlers does. Raises WorkerError for a resource that it cannot do."""
        machines = [one.removeprefix(MACHINE) for one in self.only if one.startswith(MACHINE)]
        resources = [one for one in self.only if not one.startswith(MACHINE)]
        handles = tuple(registry.offers)
        for resource in resources:
            if "*" not in resource and not Offers(handles).covers(resource):
                raise WorkerError(
                    f"nobody here handles {resource!r}: name its handlers, or leave it out; "
                    f"there is {', '.join(handles)}"
                )
        return Offers(
            handles,
            tuple(resources) if resources else None,
            tuple(map(_arn, machines)) if machines else None,
        )

    def member(
        self, registry: Registry, *, kind: str, release: str, beside: Callable[[], Store] | None
    ) -> Member:
        """How an engine with these handlers takes part. Raises WorkerError."""
        return Member(
            offers=self.offers(registry),
            limits=dict(self.limits or {}),
            lease_seconds=max(LEASE_SECONDS_MIN, self.lease_seconds),
            retention=self.retention,
            beside=beside,
            about={"kind": kind, "host": platform.node(), "process": os.getpid(), "release": release},
        )


def _arn(machine: str) -> str:
    return machine if ":" in machine else Names(machine).machine_arn


def duties_of_server(
    environment: Mapping[str, str] = os.environ, *, retention: Retention = KEEP_ALL
) -> Duties:
    """A server does all that its handlers cover. Raises WorkerError for a lease of no length."""
    text = environment.get(VARIABLE, str(LEASE_SECONDS))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not LEASE_SECONDS_MIN <= seconds <= LEASE_SECONDS_MAX:
        raise WorkerError(
            f"{VARIABLE} is {text!r}: write seconds, from {LEASE_SECONDS_MIN:g} to {LEASE_SECONDS_MAX:g}"
        )
    return Duties(lease_seconds=seconds, retention=retention)


def read_limits(texts: Iterable[str]) -> dict[str, int]:
    """``RESOURCE=NUMBER``, each. Raises WorkerError."""
    limits = {}
    for text in texts:
        resource, _, number = text.rpartition("=")
        if not resource or not (number.isascii() and number.isdigit() and 0 < int(number) <= 100_000):
            raise WorkerError(f"{text!r} is no limit: write RESOURCE=NUMBER, such as task:gpu=2")
        limits[resource] = int(number)
    return limits
