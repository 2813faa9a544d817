"""The memory store as several engines share it: none of them ends the leases of the others by opening it."""

from __future__ import annotations

from collections.abc import Callable

from detent.store.memory import MemoryStore


class SharedMemory(MemoryStore):
    """Hints come through at once, to everybody."""

    def __init__(self) -> None:
        super().__init__()
        self._users = 0
        self.ears: list[Callable[[], None]] = []

    async def open(self, *, engine: bool) -> None:
        if not self._users:
            await super().open(engine=engine)
        self._users += 1

    async def close(self) -> None:
        self._users -= 1
        if not self._users:
            await super().close()

    async def watch(self, heard: Callable[[], None]) -> None:
        self.ears.append(heard)

    def tell(self) -> None:
        for heard in self.ears:
            heard()
