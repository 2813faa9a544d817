"""Stopping an execution from outside, whoever runs it.

The wish goes into the inbox, and counts from then on. Whoever runs the execution ends it; the answer waits for that
only where it can be soon: nobody can tell whether another process that holds it is alive.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from ..core.codec import encode_signal
from ..core.execution import RUNNING
from ..core.signals import Stopped
from ..store.base import Letter, NotFound
from .engine import Engine
from .errors import EngineError

#: How long is waited for the end: of what runs in this process, and of what another one holds. In seconds.
HERE_SECONDS = 5.0
ELSEWHERE_SECONDS = 0.5
#: How often is looked at an execution that another process runs, in seconds.
LOOK_SECONDS = 0.1


async def stop(engine: Engine, execution: str, error: str | None, cause: str | None, *, key: str) -> None:
    """Have an execution end as ABORTED, unless it has ended; durable when this returns. ``key`` makes it count once.

    It has ended by then, or another process will end it. Raises NotFound, StoreError.
    """
    known = await engine.store.load(execution, limit=0)
    if known.head.ended_at is not None:
        return
    await engine.store.send([Letter(execution, f"stop-{key}", encode_signal(Stopped(error, cause)))])
    engine.answers_arrived()
    is_elsewhere = known.owner not in (None, engine.owner)
    with suppress(TimeoutError):
        async with asyncio.timeout(ELSEWHERE_SECONDS if is_elsewhere else HERE_SECONDS):
            await _ended(engine, execution)


async def _ended(engine: Engine, execution: str) -> None:
    while (await engine.store.load(execution, limit=0)).head.ended_at is None:
        with suppress(EngineError, NotFound):
            if (await engine.result(execution)).status == RUNNING:
                await asyncio.sleep(LOOK_SECONDS)  # it runs elsewhere, or is just being made live
