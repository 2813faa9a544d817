"""An execution at rest: one that waits for a single thing, in the least memory.

An execution, its frame and its pending have four times as many fields as say anything while they wait. Of one at
rest those are left that do, in one tuple; which they are is told once for all that wait alike.
"""

from __future__ import annotations

from dataclasses import fields
from itertools import compress
from operator import attrgetter, is_not
from typing import Any

from .execution import ROOT, Execution, Frame, Pending
from .rows import Record
from .values import Payload

_NOTHING = Payload(None)


def _blank() -> tuple[Execution, Frame, Pending]:
    """What a waking execution begins as; what is the same in one that comes to rest says nothing."""
    return Execution(), Frame(ROOT, None, 0, "", _NOTHING, 0), Pending(0, "timer", ROOT)


_OF_EXECUTION = [field.name for field in fields(Execution) if field.name not in ("frames", "pending")]
_OF_FRAME = [field.name for field in fields(Frame) if field.name != "pending"]
_OF_PENDING = list(Pending.__struct_fields__)

#: The fields of the three, with the place of their owner among them.
_FIELDS = [
    (owner, name) for owner, names in enumerate((_OF_EXECUTION, _OF_FRAME, _OF_PENDING)) for name in names
]
_read_execution = attrgetter(*_OF_EXECUTION)
_read_frame = attrgetter(*_OF_FRAME)
_read_pending = attrgetter(*_OF_PENDING)


def _read(execution: Execution, frame: Frame, pending: Pending) -> tuple[Any, ...]:
    return *_read_execution(execution), *_read_frame(frame), *_read_pending(pending)


_BLANKS = _read(*_blank())
#: Which fields say something, as a value for each. There are as many as there are ways to wait: a handful.
_SHAPES: dict[tuple[bool, ...], tuple[bool, ...]] = {}


class Resting(Record):
    """``pending`` is the id of what is waited for."""

    pending: int
    shape: tuple[bool, ...]
    values: tuple[Any, ...]

    def wake(self) -> Execution:
        """The execution, equal to what it was."""
        owners = execution, frame, pending = _blank()
        for (owner, name), value in zip(compress(_FIELDS, self.shape), self.values, strict=True):
            setattr(owners[owner], name, value)
        frame.pending = pending
        execution.frames[frame.id] = frame
        execution.pending[pending.id] = pending
        return execution


def rest(execution: Execution) -> Resting | None:
    """An execution at rest; None if it is not one frame that waits for one thing, or its journal is not taken.

    What it refers to is kept as it is. The execution itself must not be used any more.
    """
    if len(execution.frames) != 1 or len(execution.pending) != 1 or execution.opened:
        return None
    (frame,), (pending,) = execution.frames.values(), execution.pending.values()
    if frame.pending is not pending:
        return None
    values = _read(execution, frame, pending)
    shape = tuple(map(is_not, values, _BLANKS))
    return Resting(pending.id, _SHAPES.setdefault(shape, shape), tuple(compress(values, shape)))
