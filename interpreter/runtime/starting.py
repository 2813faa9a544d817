"""A start that may have been made before: the one rule of every door (api, section 7)."""

from __future__ import annotations

from typing import NamedTuple

from ..core.execution import RUNNING
from ..core.values import Payload
from ..store.base import ExecutionRecord, NotFound
from .catalogue_entries import Origin
from .engine import Engine
from .errors import ExecutionExists, KeyReused
from .progress import Progress
from .recall import recall


class StartedAs(NamedTuple):
    """What was started, now or before, and how far it has come."""

    record: ExecutionRecord
    progress: Progress


async def start_or_existing(
    engine: Engine,
    record: ExecutionRecord,
    input: Payload,
    *,
    role: str = "",
    spelling: Payload | None = None,
) -> StartedAs:
    """Start an execution, or find the one of that name that the same start has made; durable when this returns.

    The same start has the same input, and its execution runs, or was started under the same idempotency key. Raises
    ExecutionExists for any other execution of that name, KeyReused if that key came with another input, and what
    :meth:`.engine.Engine.start` raises.
    """
    while True:
        try:
            return StartedAs(record, await engine.start(record, input, role=role, spelling=spelling))
        except ExecutionExists:
            try:
                known, state = await recall(engine.store, record.id)
            except NotFound:
                continue  # it was forgotten meanwhile
            same_input = state.input is not None and state.input.text == input.text
            if _same_key(known, record):
                if not same_input:
                    raise KeyReused(
                        "this idempotency key was used with another request: choose another one"
                    ) from None
                return StartedAs(known, Progress.of(state))
            if same_input and state.status == RUNNING:
                return StartedAs(known, Progress.of(state))
            raise


def _same_key(known: ExecutionRecord, wanted: ExecutionRecord) -> bool:
    theirs, ours = Origin.read(known.origin), Origin.read(wanted.origin)
    return theirs is not None and ours is not None and ours.key is not None and ours.key == theirs.key
