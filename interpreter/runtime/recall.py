"""Bring an execution back from the store: fold its log, then read the payloads that still matter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ..core.codec import Step, decode_log, fill_payloads, missing_payloads, payloads_of
from ..core.evolve import evolve
from ..core.execution import Execution
from ..core.values import Payload
from ..store.base import ExecutionRecord, Log, Store

#: Events that are read before others get their turn: a few milliseconds.
TURN_EVENTS = 1_000


async def recall(store: Store, execution: str) -> tuple[ExecutionRecord, Execution]:
    """The live state of an execution as its log tells it. Raises NotFound, LogError."""
    log = await store.load(execution)
    state = await _folded(log)
    await load_payloads(store, execution, list(state.payloads()))
    for id, due in log.beats.items():
        pending = state.pending.get(id)
        if pending is not None and pending.beat_due is not None:
            pending.beat_due = max(due, pending.beat_due)
    return log.record, state


async def recall_steps(store: Store, execution: str) -> tuple[ExecutionRecord, list[Step]]:
    """The whole log of an execution, payloads included."""
    log = await store.load(execution)
    steps = [step async for step in _steps(log)]
    await load_payloads(store, execution, [payload for step in steps for payload in payloads_of(step)])
    return log.record, steps


async def recall_decisions(store: Store, execution: str) -> list[Step]:
    """The log of an execution without its payloads: what happened, but not with which values."""
    return [step async for step in _steps(await store.load(execution))]


async def recall_outline(store: Store, execution: str) -> Execution:
    """The state of an execution with payloads that are not loaded: where it stands, but not with which values."""
    return await _folded(await store.load(execution))


async def _folded(log: Log) -> Execution:
    state = Execution()
    async for step in _steps(log):
        for event in step.events:
            evolve(state, event)
    state.take_journal()
    return state


async def _steps(log: Log) -> AsyncIterator[Step]:
    """The steps of a log, which may be long: others get their turn meanwhile."""
    read = 0
    for step in decode_log((segment.after, segment.control) for segment in log.segments):
        yield step
        read += len(step.events)
        if read >= TURN_EVENTS:
            read = 0
            await asyncio.sleep(0)


async def load_payloads(store: Store, execution: str, payloads: list[Payload]) -> None:
    """Give stored payloads their values."""
    segments, digests = missing_payloads(payloads)
    texts = await store.payloads(execution, segments) if segments else {}
    blobs = await store.blobs(execution, digests) if digests else {}
    fill_payloads(payloads, texts, blobs)
