"""What becomes due at live executions, brought to them as signals: timers, time-outs, missed heartbeats.

Signs of life move a heartbeat's deadline without an event. Where somebody outside may have answered or
given one, the store is asked before a task is taken for late: what was acknowledged counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from ..core.execution import Execution, Pending
from ..core.signals import Fired, TimedOut
from ..store.base import Beat, StoreError
from .actor import Actors
from .clock import Clock
from .jumps import Jumps
from .meters import Meters
from .timers import Due, Timers

#: Timers that one round may fire: overdue ones are worked off in bounded batches.
FIRED_MAX = 256


class Post(Protocol):
    """Brings a signal to a live execution; ``at`` is the instant it counts from, in milliseconds."""

    def __call__(self, execution: str, signal: Fired | TimedOut, *, at: int) -> None: ...


class Deadlines:
    """``actors`` are the live executions, kept by the engine. ``note`` stores a sign of life sooner or later.

    ``catch_up`` delivers what has arrived for an execution from outside, and answers the heartbeat
    deadlines that are stored for it; it raises StoreError where that is not possible any more. ``wake`` tells
    the engine's loop that there is something new to await, ``meters`` are told how late timers fire.
    """

    def __init__(
        self,
        clock: Clock,
        jumps: Jumps,
        actors: Actors,
        post: Post,
        note: Callable[[Beat], None],
        catch_up: Callable[[str], Awaitable[Mapping[int, int]]],
        wake: Callable[[], None],
        meters: Meters,
    ) -> None:
        self._clock = clock
        self._jumps = jumps
        self._timers = Timers(clock, self._matters)
        self._actors = actors
        self._post = post
        self._note = note
        self._catch_up = catch_up
        self._wake = wake
        self._meters = meters
        self._looking: set[asyncio.Task[None]] = set()

    # What is awaited

    def arm_execution(self, state: Execution) -> None:
        """The end of the execution's own time, if it has one."""
        if state.ends_at is not None:
            self._add(state.id, None, state.ends_at)

    def arm(self, execution: str, pending: Pending, began: int | None = None) -> None:
        """The instant of a timer, or when a task runs out of time; ``began`` is when it began to count, if known."""
        if pending.due is not None:
            task = pending.kind == "task"
            if pending.absolute:
                self._timers.add_absolute(execution, pending.id, pending.due, task=task)
            else:
                self._add(execution, pending.id, pending.due, task=task, began=began)

    def arm_heartbeat(self, execution: str, pending: Pending) -> None:
        """When a task that began is taken for dead."""
        if pending.beat_due is not None:
            self._add(execution, pending.id, pending.beat_due, task=True, beat=True)

    def arm_begun(self, execution: str, pending: Pending, began: int | None = None) -> None:
        """Everything that a task which began, or a timer, waits for."""
        self.arm(execution, pending, began)
        self.arm_heartbeat(execution, pending)

    def beat(self, execution: str, id: int) -> None:
        """A task gave a sign of life."""
        actor = self._actors.get(execution)
        pending = actor.execution.pending.get(id) if actor is not None else None
        if actor is not None and pending is not None and pending.heartbeat is not None:
            now = self._clock.now()
            beat_due = now + pending.heartbeat * 1000
            if self._behind(execution, now) and pending.beat_due is not None:
                beat_due = max(beat_due, pending.beat_due + 1)  # later than before, whatever the clock says
            actor.execution.set_clocks(pending, pending.due, beat_due)
            self._note(Beat(execution, id, beat_due, actor.fence))

    def _add(
        self,
        execution: str,
        pending: int | None,
        due: int,
        *,
        task: bool = False,
        beat: bool = False,
        began: int | None = None,
    ) -> None:
        # The clock may have been set since the instant was decided, and may be set at the next reading.
        now = self._jumps.look()
        ahead = self._ahead(execution, pending, beat, began) - self._behind(execution, now)
        self._timers.add(due - now + ahead, execution, pending, due, task=task, beat=beat)

    def _behind(self, execution: str, now: int) -> int:
        """How far the wall clock lies before the execution's own time, in milliseconds: its time never goes back."""
        actor = self._actors.get(execution)
        return 0 if actor is None else max(0, actor.execution.now - now)

    def _ahead(self, execution: str, id: int | None, beat: bool, began: int | None) -> int:
        """How far the wall clock was set forward while something waited, or since it began to, in milliseconds."""
        actor = self._actors.get(execution)
        if actor is None:
            return 0
        state = actor.execution
        pending = None if id is None else state.pending.get(id)
        if began is None and pending is not None:
            return self._jumps.shift(state, pending, beat=beat)
        return self._jumps.forward_since(state.started_at if began is None else began)

    def wait(self) -> float | None:
        """Seconds until it is worth looking again; None if nothing is awaited."""
        return self._timers.wait()

    # What has come

    def fire(self) -> None:
        """Bring the signals of what is due now, a bounded number of them."""
        self._jumps.look()
        for entry in self._timers.take(FIRED_MAX):
            # The wall clock may have been set back while the time that was to pass has passed.
            at = max(self._clock.now(), entry.due)
            pending = self._pending(entry)
            if entry.pending is None:
                self._post(entry.execution, TimedOut(None), at=at)
            elif pending is None:
                continue
            elif not entry.task:
                self._meters.fired(max(0, at - entry.due))
                self._post(entry.execution, Fired(pending.id), at=at)
            elif (pending.token is None and pending.mode != "signal") or self._is_early(entry, pending):
                self._time_out(entry, pending, at)
            else:
                self._look_first(entry, at)

    def close(self) -> None:
        """Nobody is taken for late any more."""
        for task in self._looking:
            task.cancel()

    def _pending(self, entry: Due) -> Pending | None:
        return None if entry.pending is None else self._actors.pending(entry.execution, entry.pending)

    def _matters(self, entry: Due) -> bool:
        actor = self._actors.get(entry.execution)
        return actor is not None and (entry.pending is None or actor.waits_for(entry.pending))

    @staticmethod
    def _is_early(entry: Due, pending: Pending) -> bool:
        """The deadline has moved since the entry was made: by a sign of life, or because the task began."""
        deadline = pending.beat_due if entry.beat else pending.due
        return deadline is not None and deadline > entry.due

    def _time_out(self, entry: Due, pending: Pending, at: int) -> None:
        if self._is_early(entry, pending):
            if entry.beat:
                self.arm_heartbeat(entry.execution, pending)
            return
        self._post(entry.execution, TimedOut(pending.id, entry.beat), at=at)
        if entry.beat and pending.heartbeat is not None:
            # A sign of life may still overtake the signal, which then changes nothing: look again.
            again = at + pending.heartbeat * 1000
            self._add(entry.execution, pending.id, again, task=True, beat=True)

    def _look_first(self, entry: Due, at: int) -> None:
        task = asyncio.get_running_loop().create_task(self._time_out_unless_answered(entry, at))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _time_out_unless_answered(self, entry: Due, at: int) -> None:
        try:
            beats = await self._catch_up(entry.execution)
        except StoreError:
            return  # the engine is closing, or the execution was deleted
        actor, pending = self._actors.get(entry.execution), self._pending(entry)
        if actor is None or pending is None:
            return
        if entry.beat and pending.beat_due is not None:
            beat_due = max(pending.beat_due, beats.get(pending.id, 0))
            actor.execution.set_clocks(pending, pending.due, beat_due)
        self._time_out(entry, pending, at)
        self._wake()
