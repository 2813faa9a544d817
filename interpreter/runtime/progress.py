"""How far an execution has come, as it is told to whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..core.execution import RUNNING, Execution
from ..core.values import Payload


class Progress(NamedTuple):
    """Where an execution stood at one moment: unlike its live state this does not move on.

    ``ended_at`` is in milliseconds, ``states`` are those it was in, by name; none once it has ended.
    """

    status: str
    paused: bool
    ended_at: int | None
    input: Payload | None
    output: Payload | None
    error: str | None
    cause: str | None
    states: Sequence[str]

    @classmethod
    def of(cls, state: Execution) -> Progress:
        """Where a live state stands now."""
        running = state.status == RUNNING
        return cls(
            state.status,
            state.paused and running,
            state.ended_at,
            state.input,
            state.output,
            state.error,
            state.cause,
            sorted({frame.state for frame in state.frames.values() if frame.state is not None})
            if running
            else (),
        )
