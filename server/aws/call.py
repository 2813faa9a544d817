"""One call of an operation: what was asked, by whom, and what it is asked of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from detent.core.values import JSON
from detent.runtime.catalogue import Catalogue
from detent.runtime.engine import Engine
from detent.store.base import Store

from ..service import Service
from .pages import Pages

#: An instant in the milliseconds that detent counts in, as the protocol has it.
MILLISECOND = 1000


@dataclass(frozen=True, slots=True)
class Call:
    """``params`` have been checked. ``prefix`` begins the ARNs of what is made: partition, region and account.

    ``is_wanted`` says whether the client still waits for the answer.
    """

    operation: str
    params: Mapping[str, Any]
    service: Service
    pages: Pages
    prefix: str
    is_wanted: Callable[[], bool]

    @property
    def engine(self) -> Engine:
        return self.service.engine

    @property
    def catalogue(self) -> Catalogue:
        return self.service.engine.catalogue

    @property
    def store(self) -> Store:
        return self.service.engine.store

    @property
    def now(self) -> int:
        """The time in milliseconds."""
        return self.service.clock.now()

    async def cursor(self) -> Any:
        """Where the page begins that is asked for; None for the first. Raises ServiceError InvalidToken."""
        return await self.pages.cursor(self.operation, self.params, self.now)

    async def page(self, name: str, items: list[JSON], after: str | int | None) -> dict[str, JSON]:
        """An answer that lists, with the token of the next page if there is one."""
        answer: dict[str, JSON] = {name: items}
        if after is not None:
            answer["nextToken"] = await self.pages.token(self.operation, self.params, after, self.now)
        return answer


@dataclass(frozen=True, slots=True)
class Delivery:
    """An answer that changes something once it has reached the client, or else does not."""

    answer: JSON
    written: Callable[[], Awaitable[None]]
    lost: Callable[[], Awaitable[None]]


def seconds(milliseconds: int) -> float:
    """An instant as the protocol has it: seconds since the epoch, with a fraction."""
    return milliseconds / MILLISECOND
