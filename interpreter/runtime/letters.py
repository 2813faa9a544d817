"""What executions tell each other of their ends, their pauses, and that nobody waits any more.

A letter goes out in the transaction of what it tells of, and reaches whatever is stored by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..core.children import describe_end
from ..core.codec import Step, encode_signal
from ..core.decide_runs import describe_run_end
from ..core.execution import Execution
from ..core.signals import ChildEnded, Paused, Resumed, Stopped, Withdrawn
from ..core.values import JSON, Payload
from ..store.base import ExecutionRecord, Letter
from .nested import Parent


def letters_at_end(record: ExecutionRecord, ended: Execution) -> Iterator[Letter]:
    """What an execution that has ended tells who waits for it."""
    parent = Parent.read(record.parent)
    if ended.child_of is not None:
        description = {"Status": ended.status, "RedriveCount": ended.redrive_count}
        yield _letter_of_end(ended, ended.child_of.run, ended.child_of.pending, description)
    elif parent is not None and parent.waits:
        description = describe_end(ended) if ended.run is None else describe_run_end(ended)
        yield _letter_of_end(ended, parent.execution, parent.pending, description)


def _letter_of_end(ended: Execution, waiting: str, pending: int, description: JSON) -> Letter:
    again = f"-{ended.redrive_count}" if ended.redrive_count else ""
    signal = ChildEnded(pending, Payload(description))
    return Letter(waiting, f"child-{pending}{again}", encode_signal(signal))


def letter_of_stop(child: str) -> Letter:
    """What a parent that waits no longer tells its child."""
    return Letter(child, "parent", encode_signal(Stopped()))


def letter_of_withdrawal(child: str, redrives: int) -> Letter:
    """What tells an execution of a distributed Map, redriven so often, that nobody waits for it any more."""
    return Letter(child, f"withdrawn-{redrives}", encode_signal(Withdrawn(redrives)))


def pauses_for_items(execution: Execution, steps: Iterable[Step]) -> Iterator[Paused | Resumed]:
    """The pauses and resumptions among steps that Map Runs share, and the executions of their items.

    EXPRESS items are written nowhere while they run, and soon over: those at work go on.
    """
    if execution.run is None or not execution.run.express:
        for step in steps:
            if isinstance(step.signal, (Paused, Resumed)) and step.events:
                yield step.signal


def letter_of_pause(child: str, signal: Paused | Resumed) -> Letter:
    """What an execution of a distributed Map hears of a pause of who waits for it, or of the end of that pause."""
    return Letter(child, f"above-{signal.key}", encode_signal(signal))
