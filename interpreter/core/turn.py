"""A turn: one signal being decided, and what every decision needs at hand.

Owns emitting (an event is folded the moment it is decided, because the next decision depends on it),
numbering the shown history, bindings for expressions, and the checks that every value passes before it
may enter the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from random import Random

from .bindings import Bindings
from .context import context_object
from .errors import DATA_LIMIT_EXCEEDED, RUNTIME, StateFailure
from .evaluation import Evaluator
from .events import Event
from .evolve import FILE
from .execution import Execution, Frame, size_of
from .limits import Limits
from .machine import Machine, State
from .rows import Record
from .tokens import make_token
from .values import JSON, MISSING, Payload, Written, encode

#: No activity is missing.
NOTHING: Set[str] = frozenset()


class HistoryFull(Exception):
    """The next event would be the last that the history may hold."""


class Turn(Record):
    """``now`` is milliseconds since the epoch, never before the last event; ``seed`` feeds all chance.

    ``missing`` are the activities that do not exist, of those that the machine names. ``ready`` are frames that go on
    in this turn, and the state each enters next; ``closing`` branches and iterations that came to their end in it, with
    their outputs: first in, first out. Its values have ``made_bytes``.
    """

    machine: Machine
    execution: Execution
    now: int
    seed: str
    limits: Limits
    evaluator: Evaluator | None
    context: JSON
    missing: Set[str]
    events: list[Event]
    ready: list[tuple[int, str]]
    closing: list[tuple[int, Payload]]
    made_bytes: int = 0

    def emit(self, event: Event) -> None:
        """Record an event and fold it, as :func:`~.evolve.evolve` does: this is where the time of a decision goes."""
        self.events.append(event)
        execution = self.execution
        execution.seq += 1
        FILE[event.__class__](execution, event)

    def show(self, event: Event, count: int = 1) -> None:
        """Emit an event that the history shows, as ``count`` events.

        Raises HistoryFull where only the event that ends the execution still fits.
        """
        execution, most = self.execution, self.limits.history_events
        if most is not None and execution.shown + 1 + count > most:
            raise HistoryFull
        # What emit does; nearly all events come this way, and a call more would cost as much as all of it.
        self.events.append(event)
        execution.seq += 1
        FILE[event.__class__](execution, event)

    def state(self, frame: Frame) -> State:
        """The state a frame is in."""
        assert frame.state is not None
        return self.machine.scopes[frame.scope].states[frame.state]

    def bindings(
        self,
        frame: Frame,
        result: JSON = None,
        *,
        error: JSON = None,
        token: str | None = None,
        item: tuple[int, JSON] | None = None,
    ) -> Bindings:
        """What the expressions of the frame's state may see."""
        input = frame.input.held
        return Bindings(
            frame.input.value if input is MISSING else input,
            self.execution.variables(frame),
            _Sight(self, frame, token, item),
            result,
            error,
            self.now,
            self.evaluator,
        )

    def ends_at(self, *, child: bool = False) -> int | None:
        """When the time of an execution that begins now, or goes on now after its end, is over.

        The machine's own limit is not for a ``child`` of a Map Run.
        """
        allowed = []
        if self.machine.timeout is not None and not child and self.execution.child_of is None:
            allowed.append(self.machine.timeout * 1000)
        if self.limits.execution_seconds is not None:
            allowed.append(self.limits.execution_seconds * 1000 - self.execution.open_for)
        return self.now + min(allowed) if allowed else None

    def token(self) -> str:
        """The task token of the attempt that the next event opens."""
        return make_token(self.seed, self.execution.id, self.execution.seq + 1)

    def payload(
        self, value: JSON, frame: Frame, known: Payload | None = None, other: Payload | None = None
    ) -> Payload:
        """A payload for a value that the frame's state makes, or the one of two that is this value's already.

        Raises StateFailure for a value beyond the limits (States.DataLimitExceeded) or nested too deeply.
        """
        if known is not None and known.held is value:
            return known
        if other is not None and other.held is value:
            return other
        try:
            text = value.text if value.__class__ is Written else encode(value)
        except (TypeError, ValueError) as error:
            raise _unfit(error) from None
        size = len(text)
        if size > self.limits.payload_bytes:
            raise too_large(frame.state or "")
        self.made_bytes += size
        return (
            Payload(value, text)
            if self.evaluator is None or not self.evaluator.passes_on
            else Payload(text=text)
        )

    def assigned(self, frame: Frame, values: Mapping[str, JSON] | None) -> dict[str, Payload] | None:
        """Payloads for what a frame's state assigns; None if it assigns nothing.

        Raises StateFailure as :meth:`payload`.
        """
        if not values:
            return None
        payloads = {name: written(value) for name, value in values.items()}
        if self.evaluator is not None and self.evaluator.passes_on:
            payloads = {name: Payload(text=payload.text) for name, payload in payloads.items()}
        made_bytes = sum(len(payload.text) for payload in payloads.values())
        self.made_bytes += made_bytes
        if made_bytes > self.limits.variable_bytes:
            raise StateFailure(
                RUNTIME,
                f"The variables {', '.join(payloads)} exceed the maximum of {self.limits.variable_bytes} bytes "
                "that a state may assign.",
            )
        known = frame.variables or {}
        replaced = {name: known[name] for name in payloads if name in known}
        total = self.execution.count_variables() - size_of(replaced) + size_of(payloads)
        if total > self.limits.all_variables_bytes:
            raise StateFailure(
                RUNTIME,
                f"With the variables {', '.join(payloads)} those of the execution take {total} bytes; the maximum is "
                f"{self.limits.all_variables_bytes}.",
            )
        return payloads


class _Sight(Record):
    """What the expressions of a frame's state see when they ask for it: the source of their bindings."""

    turn: Turn
    frame: Frame
    token: str | None
    item: tuple[int, JSON] | None

    def context(self) -> JSON:
        turn = self.turn
        if turn.context is not None:
            return turn.context
        return context_object(turn.execution, self.frame, token=self.token, item=self.item)

    def chance(self) -> Random:
        execution = self.turn.execution
        return Random(f"{self.turn.seed}/{execution.id}/{execution.seq}")


def too_large(producer: str) -> StateFailure:
    """The failure of a value beyond the payload limit; ``producer`` is a state's name or a task's resource."""
    return StateFailure(
        DATA_LIMIT_EXCEEDED,
        f"The state/task '{producer}' returned a result with a size exceeding the maximum number of bytes "
        "service limit.",
        prefixed=False,
    )


def written(value: JSON) -> Payload:
    """A payload for a value, whatever its size. Raises StateFailure for what is not JSON."""
    try:
        return Payload(value, encode(value))
    except (TypeError, ValueError) as error:
        raise _unfit(error) from None


def _unfit(error: Exception) -> StateFailure:
    return StateFailure(RUNTIME, f"The value is not JSON that can be stored: {error}")
