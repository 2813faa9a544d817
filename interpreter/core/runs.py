"""Map Runs: their state, their names, and when too many items have failed (language, section 2.7).

A Map Run is an execution of its own: it has a log and a mailbox, waits for its children, and tells the state
that started it how it has ended. What it decides is in :mod:`detent.core.decide_runs`.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from uuid import NAMESPACE_OID, uuid5

from .values import Payload

#: Who does the work of a Map Run that is not a child: reading items, gathering results.
READING = "detent:items"
GATHERING = "detent:results"

#: The longest label of a Map Run, and what none may contain.
LABEL_MAX = 40
NOT_IN_LABELS = re.compile(r"""[\s?*<>{}\[\]:;,\\|^~$#%&`"'\x00-\x1f\x7f-\x9f]+""")

_STATUSES = {"SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED_OUT": "timed_out", "ABORTED": "aborted"}


@dataclass(slots=True)
class Counts:
    """How many have ended how; ``running`` have begun and not ended."""

    running: int = 0
    succeeded: int = 0
    failed: int = 0
    timed_out: int = 0
    aborted: int = 0

    def end(self, status: str, count: int) -> None:
        """So many that were running have ended."""
        self.running -= count
        name = _STATUSES[status]
        setattr(self, name, getattr(self, name) + count)

    @property
    def unsuccessful(self) -> int:
        return self.failed + self.timed_out + self.aborted

    @property
    def begun(self) -> int:
        return self.running + self.succeeded + self.unsuccessful


@dataclass(frozen=True, slots=True)
class Item:
    """One item that was read and that no child has yet; ``key`` is its name where it is an object's member."""

    index: int
    key: str | None
    value: Payload


@dataclass(frozen=True, slots=True)
class Ended:
    """A child that has ended without success."""

    pending: int
    child: str
    number: int
    count: int
    redrives: int
    input: Payload


@dataclass(slots=True)
class MapRun:
    """What a Map Run keeps. ``concurrency`` is as it was set, 0 for no limit of its own.

    ``read`` counts the items that are known, ``queue`` holds those read ahead of the children that take them.
    Without a reader they are all known from the start: ``items`` and how many of them were ``taken``.
    """

    items: Payload | None
    express: bool
    settings: Payload
    concurrency: int
    tolerated_count: int | None
    tolerated_percentage: float | None
    read: int = 0
    taken: int = 0
    exhausted: bool = False
    cursor: Payload | None = None
    source: str = "STATE_DATA"
    queue: deque[Item] = field(default_factory=deque)
    opened: int = 0
    item_counts: Counts = field(default_factory=Counts)
    child_counts: Counts = field(default_factory=Counts)
    #: Status, error and cause with which the run ends once its children have.
    closing: tuple[str, str | None, str | None] | None = None
    results: Payload | None = None
    #: Children that a redrive has to do again, and after a redrive those that still wait for it.
    unsuccessful: list[Ended] = field(default_factory=list)
    again: deque[Ended] = field(default_factory=deque)
    #: A redrive was asked for while the run was closing.
    reopens: bool = False
    #: Children that were begun anew have other names than their numbers say.
    renamed: dict[int, str] = field(default_factory=dict)
    written: int = 0

    @property
    def all_taken(self) -> bool:
        """Whether every item is in some child."""
        return self.exhausted and self.taken == self.read and not self.again

    def reopen(self) -> None:
        """Everything that did not succeed is to be done again."""
        self.again.extend(self.unsuccessful)
        self.unsuccessful = []
        for counts in (self.item_counts, self.child_counts):
            counts.failed = counts.timed_out = counts.aborted = 0
        self.closing = self.results = None
        self.written = 0
        self.reopens = False

    def is_beyond_tolerance(self) -> bool:
        """Whether more items have failed than may. A share is known once all items are; by default none may fail."""
        failed = self.item_counts.unsuccessful
        if self.tolerated_count is None and self.tolerated_percentage is None:
            return failed > 0
        if self.tolerated_count is not None and failed > self.tolerated_count:
            return True
        share = self.tolerated_percentage
        if share is None or not failed:
            return False
        return share == 0 or (self.exhausted and failed * 100 > share * self.read)


def machine_label(machine_name: str, label: str) -> str:
    """The ARN of the machine of a Map Run's children. The children of children belong to the same machine."""
    return f"{machine_name.partition('/')[0]}/{label}"


def run_arn(machine_name: str, label: str, execution: str, pending: int) -> str:
    """The ARN of the Map Run that event ``pending`` of an execution starts."""
    return f"{_of_kind(machine_label(machine_name, label), 'mapRun')}:{_uuid(f'{execution}/{pending}')}"


def child_name(run: str, number: int, redrive: int = 0) -> str:
    """The name of a Map Run's child; one that begins anew after a redrive has another."""
    return _uuid(f"{run}/{number}/{redrive}" if redrive else f"{run}/{number}")


def child_arn(machine_name: str, name: str, *, express: bool) -> str:
    """The ARN of a child of the machine that :func:`machine_label` names."""
    if express:
        return f"{_of_kind(machine_name, 'express')}:{name}:{_uuid(name)}"
    return f"{_of_kind(machine_name, 'execution')}:{name}"


def _of_kind(machine_name: str, kind: str) -> str:
    return machine_name.replace(":stateMachine:", f":{kind}:", 1)


def _uuid(text: str) -> str:
    return str(uuid5(NAMESPACE_OID, text))
