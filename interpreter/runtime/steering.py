"""What people outside do to an execution that runs: named signals, pauses, resumptions, values for what waits.

A wish is stored before it is acknowledged, through the execution's inbox, and carries a key that counts once. No
engine is needed: a process that opened the store as a guest steers as well as the engine's own, whose running
executions only hear of it sooner.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from ..core.codec import encode_signal
from ..core.execution import Execution, Pending
from ..core.limits import KEPT_SIGNALS_MAX, PROFILES
from ..core.resources import signal_name
from ..core.signals import Amended, Paused, Resumed, Signal, Signalled
from ..core.values import JSON, Payload, decode
from ..store.base import Letter, Log, NotFound, Outcome, Store
from .errors import AmbiguousState, EngineError, InvalidOutput, NotPaused, NotRunning, TooMany, UnknownSignal
from .handlers.payloads import NotJSON, plain
from .recall import recall, recall_outline


class Given(NamedTuple):
    """A value that stands in for the result of the state that waits; ``state`` names it where several wait."""

    value: JSON
    state: str | None = None


class Steering:
    """``written`` tells the engine of this process that there is mail; None for a guest."""

    def __init__(self, store: Store, written: Callable[[], None] | None = None) -> None:
        self._store = store
        self._written = written

    async def signal(self, execution: str, name: str, value: JSON = None, *, key: str | None = None) -> str:
        """Send a named signal; stored when this returns. Its key: sent again with the same one it counts once.

        The task that waits longest for the name takes it; where none does yet it is kept. Raises NotFound,
        NotRunning, UnknownSignal for a name that no state of the definition waits for, InvalidOutput for a value
        that JSON cannot hold or that is too large, TooMany, StoreUnavailable.
        """
        wish = _wish("signal", key)
        log = await self._running(execution, wish)
        if log is None:
            return wish
        machine = await self._store.machine(log.record.digest)
        names = sorted(set(_names(decode(machine.definition))))
        if name not in names:
            raise UnknownSignal(_unknown(log.record.name, name, names))
        payload = _payload(value, log.record.profile)
        await self._require_room(log, name, wish)
        await self._send(execution, wish, Signalled(wish, name, payload))
        return wish

    async def pause(self, execution: str, *, key: str | None = None) -> str:
        """Have an execution begin nothing new: answers and due timers are recorded, deadlines run on.

        Stored when this returns; the key of the wish, see :meth:`signal`. Raises NotFound, NotRunning,
        StoreUnavailable.
        """
        wish = _wish("pause", key)
        if await self._running(execution, wish) is not None:
            await self._send(execution, wish, Paused(wish))
        return wish

    async def resume(self, execution: str, given: Given | None = None, *, key: str | None = None) -> str:
        """Have a paused execution go on; what is ``given`` is the result of the state that waits.

        Stored when this returns; the key of the wish, see :meth:`signal`. Raises NotFound, NotRunning, NotPaused,
        AmbiguousState where it is not clear what the value is for, InvalidOutput, StoreUnavailable.
        """
        wish = _wish("resume", key)
        log = await self._running(execution, wish, paused=True)
        if log is None:
            return wish
        if given is None:
            await self._send(execution, wish, Resumed(wish))
            return wish
        payload = _payload(given.value, log.record.profile)
        _, state = await recall(self._store, execution)
        pending = _waiting(state, given.state)
        # The value first, in one transaction: what it is for must not go on without it.
        amended = Amended(pending.id, payload)
        await self._send(execution, f"amend-{pending.id}-{wish}", amended, (wish, Resumed(wish)))
        return wish

    async def _running(self, execution: str, wish: str, *, paused: bool = False) -> Log | None:
        """The log of an execution that can be steered; None if it has taken up this very wish before."""
        log = await self._store.load(execution, limit=0)
        refusal: EngineError | None = None
        if log.head.ended_at is not None:
            refusal = NotRunning(f"the execution {log.record.name} has ended: {log.head.status}")
        elif paused and not log.head.paused:
            refusal = NotPaused(f"the execution {log.record.name} is not paused")
        if refusal is None:
            return log
        _, state = await recall(self._store, execution)
        if wish in state.keys:
            return None
        raise refusal

    async def _require_room(self, log: Log, name: str, key: str) -> None:
        """Raises TooMany if an execution keeps as many signals as it may, and nothing waits for this one.

        Those of several senders in the same moment may exceed it: what was acknowledged is kept.
        """
        coming = await self._store.unread(log.record.id)
        # No log keeps more signals than it has events, so the others need not be folded.
        if log.last + coming < KEPT_SIGNALS_MAX:
            return
        state = await recall_outline(self._store, log.record.id)
        kept = sum(map(len, state.signals.values()))
        waited_for = any(signal_name(pending.resource or "") == name for pending in state.pending.values())
        if coming + (0 if waited_for else kept) >= KEPT_SIGNALS_MAX and key not in state.keys:
            raise TooMany(f"signals that the execution {log.record.name} keeps for later", KEPT_SIGNALS_MAX)

    async def _send(self, execution: str, key: str, signal: Signal, *more: tuple[str, Signal]) -> None:
        letters = [Letter(execution, key, encode_signal(signal)) for key, signal in ((key, signal), *more)]
        outcomes = await self._store.send(letters)
        if Outcome.MISSING in outcomes:
            raise NotFound(f"there is no execution {execution}")
        if self._written is not None:
            self._written()


def _wish(kind: str, key: str | None) -> str:
    return f"{kind}-{secrets.token_hex(8)}" if key is None else f"{kind}-key-{key}"


def _payload(value: JSON, profile: str) -> Payload:
    try:
        payload = Payload(plain(value))
    except NotJSON as error:
        raise InvalidOutput(f"the value must be JSON: {error}") from None
    size, most = len(payload.text), PROFILES[profile].payload_bytes
    if size > most:
        raise InvalidOutput(
            f"the value has {size:,} bytes, and at most {most:,} may pass from state to state"
        )
    return payload


def _names(value: JSON) -> Iterator[str]:
    """The names of the signals that the tasks of a definition wait for."""
    if isinstance(value, Mapping):
        name = signal_name(str(value.get("Resource"))) if value.get("Type") == "Task" else None
        if name is not None:
            yield name
        for part in value.values():
            yield from _names(part)
    elif isinstance(value, list):
        for part in value:
            yield from _names(part)


def _unknown(execution: str, name: str, names: list[str]) -> str:
    said = f"no state of the execution {execution} waits for a signal named {name!r}"
    close = get_close_matches(name, names, n=1)
    if close:
        return f"{said}: did you mean {close[0]!r}?"
    return f"{said}, only for {', '.join(names)}" if names else f"{said}, nor for any other"


def _waiting(execution: Execution, state: str | None) -> Pending:
    """The one thing that a value may be given for. Raises AmbiguousState."""
    waiting = {
        pending.id: execution.frames[pending.frame].state or ""
        for pending in execution.pending.values()
        if pending.kind not in ("more", "child")
    }
    chosen = [id for id, name in waiting.items() if state in (None, name)]
    if len(chosen) == 1:
        return execution.pending[chosen[0]]
    if not waiting:
        raise AmbiguousState(
            f"no state of the execution {execution.name} waits: a value has nothing to stand for"
        )
    names = ", ".join(sorted(set(waiting.values())))
    if not chosen:
        raise AmbiguousState(
            f"the state {state!r} of the execution {execution.name} does not wait: {names} does"
        )
    raise AmbiguousState(
        f"{len(chosen)} states of the execution {execution.name} wait, and the value is for one of them: {names}"
    )
