"""What an engine tells of its own work, to those who measure it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Meter(Protocol):
    """Told of measurements while they are made: quick, and does not fail."""

    def committed(self, batches: int, seconds: float) -> None:
        """A transaction with the batches of so many executions has taken so long."""

    def fired(self, late: int) -> None:
        """A timer has fired so many milliseconds after its instant."""


class Meters:
    """Passes measurements on to everybody who wants them."""

    def __init__(self) -> None:
        self._meters: list[Meter] = []

    def add(self, meter: Meter) -> None:
        """Tell a meter from now on."""
        self._meters.append(meter)

    def committed(self, batches: int, seconds: float) -> None:
        """See :meth:`Meter.committed`."""
        for meter in self._meters:
            meter.committed(batches, seconds)

    def fired(self, late: int) -> None:
        """See :meth:`Meter.fired`."""
        for meter in self._meters:
            meter.fired(late)


@dataclass(frozen=True, slots=True)
class Load:
    """What an engine has at hand: executions in memory, those of them that are ready to be decided, and tasks that
    run or wait for their turn."""

    live: int
    ready: int
    tasks: int
