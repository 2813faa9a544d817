"""What a handler may know of the attempt it runs for."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from .base import Beat, TaskCall

LOGGER = logging.getLogger("detent.task")


class TaskContext:
    """Given to a handler that asks for it: by a parameter of this type, or by one named ``context``.

    ``idempotency_key`` is the same whenever this very attempt is run again (after a crash, say) and
    differs from every other attempt's: hand it to whoever must not do the thing twice. ``attempt`` counts
    from 1. ``cancelled`` turns true when nobody waits for the result any more; an async handler is
    cancelled besides.
    """

    def __init__(self, task: TaskCall, beat: Beat) -> None:
        self._task = task
        self._beat = beat
        self.cancelled = False

    @property
    def execution(self) -> str:
        """The execution's id."""
        return self._task.execution

    @property
    def execution_name(self) -> str:
        """The execution's name."""
        return self._task.execution_name

    @property
    def machine_name(self) -> str:
        """The machine's name."""
        return self._task.machine_name

    @property
    def state(self) -> str:
        """The state's name."""
        return self._task.state

    @property
    def attempt(self) -> int:
        """The number of the attempt, from 1."""
        return self._task.attempt

    @property
    def idempotency_key(self) -> str:
        """The same whenever this attempt is run again, and another one for every other attempt."""
        return self._task.key

    @property
    def deadline(self) -> datetime | None:
        """When the attempt runs out of time, in UTC; None if never."""
        deadline = self._task.deadline
        return None if deadline is None else datetime.fromtimestamp(deadline / 1000, UTC)

    def heartbeat(self) -> None:
        """Say that the task is alive (HeartbeatSeconds starts anew). From any thread, as often as one likes."""
        self._beat()

    @cached_property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose records carry ``execution``, ``state`` and ``attempt``."""
        task = self._task
        return _TaskLogger(
            LOGGER, {"execution": task.execution, "state": task.state, "attempt": task.attempt}
        )


class _TaskLogger(logging.LoggerAdapter[logging.Logger]):
    """The standard adapter forgets the ``extra`` of a call; this one adds its own to it."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        kwargs["extra"] = {**kwargs.get("extra", {}), **(self.extra or {})}
        return msg, kwargs
