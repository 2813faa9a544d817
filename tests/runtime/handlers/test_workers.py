"""Work away from the engine's loop: whatever becomes of it, who awaits it hears of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from detent.core.values import JSON
from detent.runtime.handlers.workers import Workers


class Broken(Exception):
    """What no work should raise."""


@dataclass
class Breaking:
    """Work that breaks its promise to end in a value or a TaskError."""

    is_async: bool

    def run(self) -> JSON:
        raise Broken

    async def run_async(self) -> JSON:
        raise Broken

    def cancel(self) -> None:
        pass


@pytest.mark.parametrize("is_async", [False, True])
def test_work_that_breaks_in_an_unforeseen_way_is_answered_and_its_thread_goes_on(is_async: bool) -> None:
    async def scenario() -> None:
        workers = Workers(threads=1)
        try:
            for _ in range(2):
                with pytest.raises(Broken):
                    await workers.run(Breaking(is_async))
        finally:
            await workers.close()

    asyncio.run(scenario())
