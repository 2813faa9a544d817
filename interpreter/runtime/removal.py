"""Deleting state machines: their executions are ended and forgotten, then the machine is.

What is being deleted stands in a collection of the store, so whoever serves it next finishes what is left.
"""

from __future__ import annotations

from collections.abc import Callable

from ..core.codec import encode_signal
from ..core.execution import RUNNING
from ..core.signals import Stopped
from ..core.values import encode
from ..store.base import Edit, Found, Letter, Query, Store
from .catalogue import DELETED, DELETING, Catalogue
from .catalogue_entries import place, read_machine, revisions_of
from .clock import Clock
from .map_runs import forget_started

#: Executions, revisions or machines that are looked at at once.
PAGE = 200


class Removal:
    """``written`` is told when executions have got mail."""

    def __init__(self, store: Store, catalogue: Catalogue, clock: Clock, written: Callable[[], None]) -> None:
        self._store = store
        self._catalogue = catalogue
        self._clock = clock
        self._written = written

    async def proceed(self) -> int:
        """Go on with everything that is being deleted; how much is left. Raises StoreError."""
        doomed = await self._store.documents(DELETING, limit=PAGE)
        return sum([not await self.finish(document.id) for document in doomed])

    async def finish(self, arn: str) -> bool:
        """End the executions of a machine that is being deleted and, once none runs, forget it; whether it is gone.

        Raises StoreError.
        """
        if await self._stop(arn):
            return False
        has_runs = await self._has_map_runs(arn)
        while found := await self._store.find(Query(machine=arn, limit=PAGE)):
            if not await self._delete(found, has_runs):
                return False
        await self._forget(arn)
        return True

    async def _delete(self, found: list[Found], has_runs: bool) -> bool:
        """Forget executions, after those that Map Runs of theirs have started; False while something runs."""
        if any(one.head.ended_at is None for one in found):
            return False  # it was started just before the machine was marked, or has not heard of it yet
        for one in found if has_runs else ():
            if not await forget_started(self._store, one.record.id):
                return False
        # One may have been redriven just now, and is looked at again.
        ids = [one.record.id for one in found]
        return await self._store.delete(ids, ended=True) == len(ids)

    async def _has_map_runs(self, arn: str) -> bool:
        """Whether a machine has, or has had, a distributed Map: then its executions are looked through for more."""
        entry = await self._store.document(*place(arn))
        if entry is None:
            return False
        collection, after = revisions_of(read_machine(entry.body)), 0
        while found := await self._store.documents(collection, after=after, limit=PAGE):
            if any(b"DISTRIBUTED" in one.body for one in found):
                return True
            after = found[-1].number
        return False

    async def _stop(self, arn: str) -> int:
        """Ask the running executions to end; how many there are."""
        running = await self._store.find(Query(machine=arn, status=RUNNING, limit=PAGE))
        if running:
            stop = encode_signal(Stopped())
            await self._store.send([Letter(one.record.id, "machine-deleted", stop) for one in running])
            self._written()
        return len(running)

    async def _forget(self, arn: str) -> None:
        entry = await self._store.document(*place(arn))
        mark = await self._store.document(DELETING, arn)
        stone = await self._store.document(DELETED, arn)
        self._catalogue.forget(arn)
        if entry is None or mark is None:
            return  # another process was quicker
        at = encode({"at": self._clock.now()})
        gone = [
            Edit(*place(arn), None, entry),
            Edit(DELETING, arn, None, mark),
            Edit(DELETED, arn, at, stone),
        ]
        revisions = revisions_of(read_machine(entry.body))
        while found := await self._store.documents(revisions, limit=PAGE):
            await self._store.edit([Edit(revisions, one.id, None, one) for one in found])
        await self._store.edit(gone)
