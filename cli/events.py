"""Events and signals of our own log, spelled for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from detent.core.values import Payload

from .outcome import instant
from .words import printable, short

if TYPE_CHECKING:
    from detent.core.codec import Step
    from detent.core.events import Event
    from detent.core.signals import Signal
    from detent.core.values import JSON

#: Fields that hold an instant in milliseconds.
_INSTANTS = frozenset({"at", "due", "beat_due", "started_at", "ends_at"})
#: Columns of one value in a line.
VALUE_MAX = 48
#: Left out of lines for people: the numbers of the shown history, and what every event of a log would repeat.
_TACIT = frozenset({"shown", "previous", "last", "execution", "machine_name", "role", "digest"})


def name_of(item: Event | Signal) -> str:
    """``StateEntered``, ``Succeeded``: the name of its class."""
    return type(item).__name__


def told(item: Event | Signal, *, only: frozenset[str] | None = None) -> str:
    """``name=value`` for each field that says something, values of the workflow last; or for ``only`` some fields."""
    shown = [
        (name, value)
        for name, value in _fields(item)
        if (name in only if only is not None else name not in _TACIT and value is not None)
    ]
    shown.sort(key=lambda pair: isinstance(pair[1], (Payload, dict)))
    return "  ".join(f"{name}={_spelled(name, value)}" for name, value in shown)


def differing(one: Event, other: Event) -> frozenset[str]:
    """The names of the fields in which two events of a kind differ."""
    return frozenset(name for name, value in _fields(one) if getattr(other, name) != value)


def step_as_json(step: Step, first: int) -> dict[str, JSON]:
    """A step of the log; ``first`` is the number of its first event."""
    return {
        "signal": _as_json(step.signal),
        "now": instant(step.now),
        "seed": step.seed,
        "events": [
            {"number": number, **event_as_json(event)} for number, event in enumerate(step.events, first)
        ],
    }


def event_as_json(event: Event) -> dict[str, JSON]:
    """An event with every field, values in place."""
    return _as_json(event)


def _as_json(item: Event | Signal) -> dict[str, JSON]:
    return {"kind": name_of(item), **{name: _value(value) for name, value in _fields(item)}}


def _fields(item: Event | Signal) -> Iterator[tuple[str, Any]]:
    for name in item.__struct_fields__:
        yield name, getattr(item, name)


def _value(value: Any) -> JSON:
    if isinstance(value, Payload):
        return value.value
    if isinstance(value, dict):
        return {name: _value(part) for name, part in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _spelled(name: str, value: Any) -> str:
    if name in _INSTANTS and isinstance(value, int):
        return instant(value)
    if isinstance(value, (Payload, dict, tuple)):
        return short(_value(value), VALUE_MAX)
    return printable(str(value)) if value is not None else "-"
