"""How an engine takes part in what a fleet does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..core.values import JSON
from ..store.base import Store
from .keeping import KEEP_ALL, Retention
from .leases import LEASE_SECONDS
from .offers import Offers

#: How often an execution may be claimed without coming further, the first time included.
CLAIMS_MAX = 5


@dataclass(frozen=True, slots=True)
class Member:
    """``offers`` is what this engine does; a task of another resource waits for somebody who does it. With None it is
    alone: what it does not do fails.

    ``limits`` gives, by resource, how many tasks run at once in the whole fleet; every member must be told the
    same. What was claimed ``claims_max`` times without coming further is quarantined. ``retention`` is what it
    keeps of executions that have ended. ``beside`` opens the store once more, for the thread that keeps the lease.
    ``about`` is what others are told beside the offers.
    """

    offers: Offers | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    lease_seconds: float = LEASE_SECONDS
    claims_max: int = CLAIMS_MAX
    retention: Retention = KEEP_ALL
    beside: Callable[[], Store] | None = None
    about: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def info(self) -> bytes | None:
        """What is published of it."""
        return None if self.offers is None else self.offers.info(**self.about)
