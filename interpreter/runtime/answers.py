"""Answers to tasks from outside: by token, through the execution's inbox.

An answer is stored before it is acknowledged, and the first one wins: it has one dedupe id per attempt. No
engine is needed. A process that opened the store as a guest answers as well as the engine's own, whose
running executions only hear of it sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hmac import compare_digest
from typing import NamedTuple

from ..core.codec import Step, decode_log, encode_signal
from ..core.events import TaskScheduled
from ..core.evolve import evolve
from ..core.execution import Execution, Pending
from ..core.signals import Failed, Signal, Succeeded
from ..core.tokens import InvalidToken, hash_token, read_token
from ..core.values import JSON, Payload
from ..store.base import Beat, Letter, NotFound, Outcome, Store
from .clock import Clock
from .errors import InvalidOutput, TaskClosed
from .handlers.payloads import NotJSON, plain

#: The longest token that is looked at (api, section 11).
TOKEN_CHARACTERS_MAX = 2048


class Live(NamedTuple):
    """The executions at work in this process: what one waits for under an id, whom to tell of an answer that
    was stored, and of a sign of life that was."""

    pending: Callable[[str, int], Pending | None]
    written: Callable[[], None]
    beat: Callable[[str, int], None]


class Answers:
    """``live`` is the engine of this process, None for a guest."""

    def __init__(self, store: Store, clock: Clock, live: Live | None = None) -> None:
        self._store = store
        self._clock = clock
        self._live = live

    async def send_task_success(self, token: str, output: JSON) -> None:
        """The task succeeded with ``output``; stored when this returns.

        Raises InvalidToken, TaskClosed if the task waits no longer, InvalidOutput for what JSON cannot hold,
        StoreUnavailable.
        """
        try:
            payload = Payload(plain(output))
        except NotJSON as error:
            raise InvalidOutput(f"the output of a task must be JSON: {error}") from None
        execution, pending = await self._waiting(token)
        await self._send(execution, pending, Succeeded(pending.id, payload))

    async def send_task_failure(self, token: str, error: str | None = None, cause: str | None = None) -> None:
        """The task failed; stored when this returns. Raises InvalidToken, TaskClosed, StoreUnavailable."""
        execution, pending = await self._waiting(token)
        await self._send(execution, pending, Failed(pending.id, error, cause))

    async def send_task_heartbeat(self, token: str) -> None:
        """The task is alive: HeartbeatSeconds starts anew, TimeoutSeconds does not.

        Raises InvalidToken, TaskClosed, StoreUnavailable.
        """
        execution, pending = await self._waiting(token)
        if pending.heartbeat is None:
            return
        due = self._clock.now() + pending.heartbeat * 1000
        (outcome,) = await self._store.beat([Beat(execution, pending.id, due)])
        if outcome is Outcome.MISSING:
            raise _unknown()
        if self._live is not None:
            self._live.beat(execution, pending.id)

    async def _send(self, execution: str, pending: Pending, signal: Signal) -> None:
        letter = Letter(execution, f"answer-{pending.id}", encode_signal(signal))
        (outcome,) = await self._store.send([letter])
        if outcome is Outcome.EXISTS:
            raise _closed("it has been answered already")
        if outcome is Outcome.MISSING:
            raise _unknown()
        if self._live is not None:
            self._live.written()

    async def _waiting(self, token: str) -> tuple[str, Pending]:
        """The execution and the pending of a token that was given out and still waits."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise _unknown()
        execution, id = read_token(token)
        live = None if self._live is None else self._live.pending(execution, id)
        if live is not None and _fits(token, live.token):
            return execution, live
        try:
            log = await self._store.load(execution)
        except NotFound:
            raise _unknown() from None
        steps = decode_log((segment.after, segment.control) for segment in log.segments)
        return execution, _search(steps, id, token)


def _search(steps: Iterator[Step], id: int, token: str) -> Pending:
    """Fold a log and find what a token stands for. Raises InvalidToken, TaskClosed."""
    state = Execution()
    known = False
    for step in steps:
        for event in step.events:
            evolve(state, event)
            if state.seq == id:
                known = isinstance(event, TaskScheduled) and _fits(token, event.token)
    if not known:
        raise _unknown()
    if id not in state.pending:
        raise _closed("it was answered, ran out of time, or its execution has moved on or ended")
    return state.pending[id]


def _fits(token: str, hash: str | None) -> bool:
    return hash is not None and compare_digest(hash_token(token), hash)


def _unknown() -> InvalidToken:
    return InvalidToken("no task waits or has ever waited for this token")


def _closed(why: str) -> TaskClosed:
    return TaskClosed(f"the task of this token waits no longer: {why}")
