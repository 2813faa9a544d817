"""A store that fails by seed, over a memory store that keeps what was written."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from detent.core.codec import decode_signal
from detent.core.signals import Paused, Resumed
from detent.store.base import Batch, Message, Outcome, StoreUnavailable
from detent.store.memory import MemoryStore

#: What may happen to an append: the process dies, it is lost, another was quicker, the disk is slow.
FAULTS = (*("crash before", "crash after") * 2, "lost before", "lost after", "conflict", "slow")

#: Calls that are no transaction, of which there is nothing to answer.
_NO_QUESTION = {"open", "close", "watch"}


@dataclass
class Plan:
    """One fault, at one of a world's commits; the first is number 1. With number 0 there is none."""

    at: int = 0
    kind: str = ""
    commits: int = 0

    def next(self) -> str | None:
        """What happens to the next commit."""
        self.commits += 1
        return self.kind if self.commits == self.at else None


class FaultyStore:
    """The memory store as one process sees it. Once it has crashed, nothing it does has any effect.

    ``rate`` is the share of calls that something happens to, ``plan`` what happens instead of chance to commits.
    ``happened`` counts by kind of fault.
    """

    def __init__(
        self,
        memory: MemoryStore,
        random: Random,
        rate: float,
        happened: Counter[str],
        plan: Plan | None = None,
    ) -> None:
        self.memory = memory
        self.random = random
        self.rate = rate
        self.happened = happened
        self.plan = plan
        self.crashed = asyncio.Event()

    def tell(self) -> None:
        self.memory.tell()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self.memory, name)

        async def guarded(*arguments: Any, **named: Any) -> Any:
            await self._line()
            answer = await call(*arguments, **named)
            if name not in _NO_QUESTION and self.random.random() < self.rate / 4:
                self.happened["answer lost"] += 1
                raise StoreUnavailable("the line went down before the answer came")
            return answer

        return guarded

    async def append(self, batches: Sequence[Batch]) -> list[Outcome]:
        await self._stay_dead()
        fault = self._fault()
        if fault == "slow":
            await asyncio.sleep(self.random.choice((0.001, 0.1, 1.0)))
        elif fault == "crash before":
            await self._die()
        elif fault == "lost before":
            raise StoreUnavailable("the line is down")
        elif fault == "conflict":
            return await self._conflict(batches)
        answers = await self.memory.append(batches)
        if fault == "crash after":
            await self._die()
        elif fault == "lost after":
            raise StoreUnavailable("the line went down before the answer came")
        return answers

    async def inbox(self, owner: str, *, after: int = 0, limit: int) -> list[Message]:
        """Messages may come twice, and later than others that were sent after them: but not what steers, which
        one person sends, the second once the first is there."""
        await self._line()
        messages = []
        for message in await self.memory.inbox(owner, after=after, limit=limit):
            draw = self.random.random()
            if draw < self.rate / 2 and not isinstance(decode_signal(message.body), (Paused, Resumed)):
                self.happened["late message"] += 1
                continue
            messages.append(message)
            if draw > 1 - self.rate / 2:
                self.happened["repeated message"] += 1
                messages.append(message)
        return messages

    async def _conflict(self, batches: Sequence[Batch]) -> list[Outcome]:
        """One batch is refused, as if the log had moved on."""
        refused = self.random.randrange(len(batches))
        if batches[refused].create is not None:
            return await self.memory.append(batches)
        others = [batch for place, batch in enumerate(batches) if place != refused]
        answers = await self.memory.append(others)
        return [*answers[:refused], Outcome.CONFLICT, *answers[refused:]]

    async def _line(self) -> None:
        await self._stay_dead()
        if self.random.random() < self.rate / 4:
            self.happened["unreachable"] += 1
            raise StoreUnavailable("the line is down")
        if self.random.random() < self.rate:
            await asyncio.sleep(self.random.choice((0.01, 0.01, 0.01, 2.0)))

    def _fault(self) -> str | None:
        if self.plan is not None:
            fault = self.plan.next()
        else:
            fault = self.random.choice(FAULTS) if self.random.random() < self.rate else None
        if fault is not None:
            self.happened[fault] += 1
        return fault

    async def _die(self) -> None:
        self.crashed.set()
        await self._stay_dead()

    async def _stay_dead(self) -> None:
        if self.crashed.is_set():
            await asyncio.Event().wait()
