"""What an engine does for its Map Runs: one handler for what is read, one for what is gathered."""

from __future__ import annotations

from ...core.execution import Execution
from ...core.runs import GATHERING, READING
from ...store.base import Store
from ..dispatch import Resolve
from ..handlers.base import Handler
from ..patience import Patience
from ..recall import recall
from .reader import Reader
from .results import Results
from .storages import Storages


class Items:
    """The work of distributed Maps that is not their children's."""

    def __init__(self, store: Store, patience: Patience, storages: Storages) -> None:
        self._store = store
        self._patience = patience
        self._storages = storages
        self._reader = Reader(storages)
        self._results = Results(self._read, storages)

    def beside(self, resolve: Resolve) -> Resolve:
        """Find handlers as before, and these for the work of Map Runs."""
        own: dict[str, Handler] = {READING: self._reader, GATHERING: self._results}

        def find(resource: str) -> Handler | None:
            return own.get(resource) or resolve(resource)

        return find

    async def _read(self, execution: str) -> Execution:
        return (await self._patience.insist(lambda: recall(self._store, execution)))[1]

    async def close(self) -> None:
        """Close what was opened."""
        await self._reader.close()
        await self._storages.close()
