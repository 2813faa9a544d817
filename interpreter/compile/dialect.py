"""What the compiler asks of a query language: closures and flows for the fields of one state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from ..core.bindings import Bindings, Evaluate
from ..core.machine import DataFlow, Rule
from ..core.values import JSON

Fields: TypeAlias = Mapping[str, JSON]

#: As in ``core.machine.Wait``.
Until: TypeAlias = Callable[[JSON, Bindings, int], tuple[int, bool]]


def storage_call(part: Fields, arguments: JSON, config: JSON) -> JSON:
    """What an ItemReader or a ResultWriter asks for, its fields evaluated."""
    return {"resource": part.get("Resource"), "arguments": arguments, "config": config}


class Dialect(Protocol):
    """The fields of one state in its query language. None stands for a field, or a stage, it has not."""

    def flow(self) -> DataFlow | None:
        """How data passes through the state."""

    def catch_flow(self, catcher: Fields, place: str) -> DataFlow:
        """How the error output passes through a catcher; ``place`` is where in the state it stands."""

    def rule(self, rule: Fields, flow: DataFlow | None, place: str) -> Rule:
        """A choice; ``flow`` is the state's, ``place`` is where in it the rule stands."""

    def until(self) -> Until:
        """When a Wait is over."""

    def seconds(self, field: str) -> Evaluate | None:
        """TimeoutSeconds or HeartbeatSeconds."""

    def credentials(self) -> Evaluate | None:
        """Credentials of a Task."""

    def items(self) -> Evaluate:
        """What a Map iterates over."""

    def selector(self) -> Evaluate | None:
        """What makes the input of an iteration."""

    def concurrency(self) -> Evaluate | None:
        """How many iterations of a Map may be open."""

    def distributed_items(self) -> Evaluate | None:
        """What a distributed Map iterates over: a list or an object. None if an ItemReader reads it."""

    def tolerated_count(self) -> Evaluate | None:
        """How many items of a distributed Map may fail."""

    def tolerated_percentage(self) -> Evaluate | None:
        """Which share of them may."""

    def reader(self) -> Evaluate | None:
        """ItemReader: an object of ``resource``, ``arguments`` and ``config``."""

    def batcher(self) -> Evaluate | None:
        """ItemBatcher: an object of ``items`` and ``bytes``, the most in a batch, and ``input``."""

    def writer(self) -> Evaluate | None:
        """ResultWriter: an object as that of the reader."""

    def failure_text(self, field: str) -> Evaluate | None:
        """Error or Cause of a Fail state."""
