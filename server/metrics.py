"""Measurements for Prometheus, under the names that AWS gives to its own, in Prometheus' spelling."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST as MEDIA_TYPE
from prometheus_client.exposition import generate_latest

from detent.core.codec import Step
from detent.core.events import (
    ExecutionEnded,
    ExecutionRedriven,
    ExecutionStarted,
    StateEntered,
    TaskFailed,
    TaskScheduled,
    TaskSucceeded,
)
from detent.core.execution import ABORTED, FAILED, SUCCEEDED, TIMED_OUT, Execution
from detent.runtime.engine import Engine
from detent.store.base import StoreError

__all__ = ["MEDIA_TYPE", "Metrics"]

#: How long the store may take to answer, in seconds.
STORE_SECONDS = 5.0
#: Machines that are told apart; those that come later are counted together.
MACHINES_MAX = 1000
#: The label of those.
OTHERS = "(others)"

_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800, 3600, 86_400)
_COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_LAG_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """What happens in one engine, counted since the process began; what is at hand is looked at when somebody asks.

    In a fleet every process counts what it did: a sum over all of them is the whole.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._registry = CollectorRegistry()
        self._machines: set[str] = set()
        self._started = self._counter("executions_started", "ExecutionsStarted: executions that began.")
        self._redriven = self._counter("executions_redriven", "RedrivenExecutions: executions that went on.")
        self._ended = {
            SUCCEEDED: self._counter("executions_succeeded", "ExecutionsSucceeded."),
            FAILED: self._counter("executions_failed", "ExecutionsFailed."),
            ABORTED: self._counter("executions_aborted", "ExecutionsAborted: stopped by somebody."),
            TIMED_OUT: self._counter("executions_timed_out", "ExecutionsTimedOut."),
        }
        self._time = self._histogram(
            "execution_time_seconds",
            "ExecutionTime: from the start to the end.",
            _SECONDS,
            labels=("state_machine",),
        )
        self._entered = self._counter(
            "state_transitions", "ConsumedCapacity of StateTransition: states entered."
        )
        self._tasks = {
            TaskScheduled: self._counter("tasks_scheduled", "TasksScheduled: attempts of tasks."),
            TaskSucceeded: self._counter("tasks_succeeded", "TasksSucceeded."),
            TaskFailed: self._counter("tasks_failed", "TasksFailed: among them those that timed out."),
        }
        self._timed_out = self._counter(
            "tasks_timed_out", "TasksTimedOut: also by a heartbeat that was missed."
        )
        self._commit = self._histogram(
            "commit_seconds", "How long a transaction took, retries included.", _COMMIT_SECONDS
        )
        self._batch = self._histogram("commit_batch_size", "Executions written in one transaction.", _BATCHES)
        self._lag = self._histogram("timer_lag_seconds", "How late a timer fired.", _LAG_SECONDS)
        self._ready = self._gauge(
            "queue_depth", "Executions here that are ready to go on and wait for their turn."
        )
        self._live = self._gauge("executions_live", "Executions in the memory of this process.")
        self._running = self._gauge("tasks_running", "Tasks that run here or wait for their turn.")
        self._wanted = self._gauge(
            "wanted_executions", "Executions in the store that wait for a worker that does their task."
        )
        self._size = self._gauge("store_bytes", "Bytes that the store takes; 0 for one in memory.")
        self._reachable = self._gauge("store_up", "1 if the store answered, otherwise 0.")
        engine.observe(self.observe)
        engine.measure(self)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"detent_{name}", text, ("state_machine",), registry=self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"detent_{name}", text, registry=self._registry)

    def _histogram(
        self, name: str, text: str, buckets: Sequence[float], labels: Sequence[str] = ()
    ) -> Histogram:
        return Histogram(f"detent_{name}", text, labels, buckets=buckets, registry=self._registry)

    def observe(self, execution: Execution, steps: Sequence[Step]) -> None:
        """Count what has become durable."""
        machine = self._label(execution.machine_name)
        for step in steps:
            for event in step.events:
                self._count(machine, execution, event)

    def _count(self, machine: str, execution: Execution, event: Any) -> None:
        match event:
            case StateEntered():
                self._entered.labels(machine).inc()
            case ExecutionStarted():
                self._started.labels(machine).inc()
            case ExecutionRedriven():
                self._redriven.labels(machine).inc()
            case ExecutionEnded():
                self._ended[event.status].labels(machine).inc()
                self._time.labels(machine).observe(max(0, event.at - execution.started_at) / 1000)
            case TaskFailed(timed_out=str()):
                self._tasks[TaskFailed].labels(machine).inc()
                self._timed_out.labels(machine).inc()
            case TaskScheduled() | TaskSucceeded() | TaskFailed():
                self._tasks[type(event)].labels(machine).inc()

    def _label(self, machine: str) -> str:
        """A machine's name; those of distributed Maps are counted as the machine."""
        name = machine.rpartition(":")[2].partition("/")[0]
        if name not in self._machines:
            if len(self._machines) >= MACHINES_MAX:
                return OTHERS
            self._machines.add(name)
        return name

    def committed(self, batches: int, seconds: float) -> None:
        """See :class:`~detent.runtime.meters.Meter`."""
        self._commit.observe(seconds)
        self._batch.observe(batches)

    def fired(self, late: int) -> None:
        """See :class:`~detent.runtime.meters.Meter`."""
        self._lag.observe(late / 1000)

    async def text(self) -> bytes:
        """Everything as Prometheus reads it."""
        load = self._engine.load
        self._ready.set(load.ready)
        self._live.set(load.live)
        self._running.set(load.tasks)
        try:
            async with asyncio.timeout(STORE_SECONDS):
                self._size.set(await self._engine.store.size() or 0)
                self._wanted.set(sum(want.executions for want in await self._engine.store.wanted()))
        except (StoreError, TimeoutError):
            self._reachable.set(0)
        else:
            self._reachable.set(1)
        return generate_latest(self._registry)
