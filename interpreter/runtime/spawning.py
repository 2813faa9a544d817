"""Begin the executions of distributed Maps: a Map Run for the state that waits for it, children for the run.

Which execution is to begin, and with what, is in the log of who waits for it. Its id follows from there, so that
beginning it once more, after a crash, finds it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ..core.decide_runs import start_of_child
from ..core.errors import DetentError
from ..core.execution import ABORTED, Execution, Pending
from ..core.machine import DistributedMap, Machine
from ..core.map_runs import start_of_run
from ..core.signals import ChildEnded, Paused, Resumed, StartedChild, StartedRun, Withdrawn
from ..core.values import Payload
from ..store.base import ExecutionRecord, StoreUnavailable
from .actor import Actor, Actors
from .log_facts import about
from .mailboxes import Mailboxes
from .nested import Parent
from .patience import Patience

log = logging.getLogger(__name__)


class Spawning:
    """``actors`` are the live executions, kept by the engine. ``redrive`` has one that has ended go on, if it was
    redriven less often than so many times."""

    def __init__(
        self,
        actors: Actors,
        mailboxes: Mailboxes,
        patience: Patience,
        redrive: Callable[[str, int], Awaitable[None]],
    ) -> None:
        self._actors = actors
        self._mailboxes = mailboxes
        self._patience = patience
        self._redrive = redrive
        self._redriving: set[asyncio.Task[None]] = set()

    def perform(self, execution: Execution, pending: Pending) -> None:
        """Have the execution that a pending waits for begin, or go on, unless it is live already.

        The children of a run that is closing begin as well, to be stopped at once: so all its items are told of.
        """
        assert pending.child is not None
        if pending.again:
            task = asyncio.get_running_loop().create_task(self._go_on(execution.id, pending))
            self._redriving.add(task)
            task.add_done_callback(self._redriving.discard)
        elif pending.child not in self._actors:
            self._begin(execution, pending)
        if execution.run is not None and execution.run.closing is not None:
            self.stop(pending)
        elif execution.paused and not (execution.run is not None and execution.run.express):
            self._mailboxes.post(pending.child, Paused(f"pause-with-{execution.id}"))

    def _begin(self, execution: Execution, pending: Pending) -> None:
        waiting = self._actors[execution.id]
        machine = waiting.machine
        signal, parent = _first_signal(machine, execution, pending)
        record = ExecutionRecord(
            signal.execution,
            signal.name,
            signal.machine_name,
            signal.digest,
            signal.profile,
            pending.began_at,
            parent,
            origin=waiting.record.origin,
        )
        self._actors[record.id] = Actor(record, machine, Execution(), 1, created=False)
        self._mailboxes.post(record.id, signal)

    async def _go_on(self, waiting: str, pending: Pending) -> None:
        child = pending.child or ""
        try:
            await self._patience.insist(lambda: self._redrive(child, pending.redrives))
        except StoreUnavailable:
            return  # the engine is closing: whoever resumes the execution that waits does this again
        except DetentError as error:
            log.error("the execution %s cannot go on: %s", child, error, extra=about(child))
            told = {"Status": ABORTED, "RedriveCount": pending.redrives}
            self._mailboxes.post(waiting, ChildEnded(pending.id, Payload(told)))
            return
        actor = self._actors.get(waiting)
        if actor is not None and actor.execution.run is not None and actor.execution.run.closing is not None:
            self.stop(pending)  # the run has given it up meanwhile

    def close(self) -> None:
        """Nothing more goes on."""
        for task in self._redriving:
            task.cancel()

    def share(self, execution: Execution, signal: Paused | Resumed) -> None:
        """Have the children that are live here, or about to be, share a pause or its end: a letter reaches only what
        is stored. With both of them it counts once."""
        for pending in execution.pending.values():
            if pending.child is not None:
                self._mailboxes.post(pending.child, signal)

    def stop(self, pending: Pending) -> None:
        """Stop a child that is live here, or about to be: a letter reaches only what is stored."""
        assert pending.child is not None
        self._mailboxes.post(pending.child, Withdrawn(pending.redrives))


def _first_signal(
    machine: Machine, execution: Execution, pending: Pending
) -> tuple[StartedRun | StartedChild, str]:
    """The signal that begins what a pending waits for, and what stands as parent in its record."""
    frame = execution.frames[pending.frame]
    state = machine.scopes[frame.scope].states[frame.state or ""]
    assert isinstance(state, DistributedMap)
    if execution.run is not None:
        return start_of_child(execution, pending, state.body.path), execution.id
    parent = Parent(execution.id, pending.id, waits=True)
    return start_of_run(execution, pending, state.label), str(parent)
