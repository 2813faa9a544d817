"""Events of distributed Maps: in the log of who waits for a Map Run, in the run's own, in its children's.

Fields mean what they mean in :mod:`detent.core.events`. Nothing of a Map Run's own log is shown in a history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .values import Payload

# The state that waits


@dataclass(slots=True)
class MapRunStarted:
    """Opens a pending of kind child. ``run`` is the Map Run's ARN, ``arguments`` what it is told (core.runs)."""

    code: ClassVar[str] = "Cs"

    frame: int
    run: str
    arguments: Payload
    shown: int
    previous: int


@dataclass(slots=True)
class MapRunEnded:
    """Closes the pending. ``status`` is the Map Run's."""

    code: ClassVar[str] = "Ce"

    frame: int
    pending: int
    status: str
    error: str | None
    cause: str | None
    shown: int
    previous: int


@dataclass(slots=True)
class MapRunRedriven:
    """Opens the pending of a Map Run that has ended once more, under its own number; ``count`` is how often."""

    code: ClassVar[str] = "Cr"

    frame: int
    pending: int
    run: str
    count: int
    shown: int
    previous: int


# The Map Run


@dataclass(slots=True)
class RunBegan:
    """The first event of a Map Run. ``scope`` and ``state`` are the place of the Map state in the machine.

    ``items`` are given unless a reader reads them; ``width`` says how many they are. ``settings`` is the rest
    of what the run was told. A limit of None is not set.
    """

    code: ClassVar[str] = "Mr"

    execution: str
    name: str
    machine_name: str
    digest: str
    profile: str
    role: str
    scope: str
    state: str
    entered: int
    input: Payload
    items: Payload | None
    width: int | None
    express: bool
    settings: Payload
    concurrency: int
    tolerated_count: int | None
    tolerated_percentage: float | None
    started_at: int


@dataclass(slots=True)
class ItemsRead:
    """Closes the reading pending: the next items, by their index. ``cursor`` is where to read on, None at the end."""

    code: ClassVar[str] = "Mi"

    pending: int
    items: dict[str, Payload]
    keys: tuple[str, ...]
    cursor: Payload | None
    source: str


@dataclass(slots=True)
class ChildOpened:
    """Opens a pending of kind child: the execution ``child`` begins with ``input``, made of ``count`` items."""

    code: ClassVar[str] = "Mo"

    child: str
    number: int
    count: int
    input: Payload
    at: int


@dataclass(slots=True)
class ChildClosed:
    """Closes the pending: the child has ended as ``status``."""

    code: ClassVar[str] = "Me"

    pending: int
    status: str
    redrives: int


@dataclass(slots=True)
class ChildReopened:
    """Opens a pending of kind child again: a child that did not succeed goes on, or ``child`` does its work anew.

    It goes on under the number ``pending`` that its first attempt had.
    """

    code: ClassVar[str] = "Mb"

    pending: int
    child: str
    at: int


@dataclass(slots=True)
class RunRedriveNoted:
    """A redrive was asked for while the run was closing: it takes place when the children have ended."""

    code: ClassVar[str] = "Mv"

    at: int


@dataclass(slots=True)
class RunUpdated:
    """Somebody has changed the limits of the run; these hold from now on."""

    code: ClassVar[str] = "Mu"

    concurrency: int
    tolerated_count: int | None
    tolerated_percentage: float | None


@dataclass(slots=True)
class RunYielded:
    """Opens a pending of kind more, due at once: more children are opened in another turn."""

    code: ClassVar[str] = "My"

    due: int


@dataclass(slots=True)
class RunResumed:
    """Closes a pending of kind more."""

    code: ClassVar[str] = "Mn"

    pending: int


@dataclass(slots=True)
class RunClosing:
    """No further child is opened, those that run are stopped; then the run ends as ``status``."""

    code: ClassVar[str] = "Mx"

    status: str
    error: str | None
    cause: str | None


@dataclass(slots=True)
class ResultsGathered:
    """Closes the gathering pending: the results are in ``output``, ``written`` of them elsewhere."""

    code: ClassVar[str] = "Mw"

    pending: int
    output: Payload
    written: int


# A child


@dataclass(slots=True)
class ChildOf:
    """The second event of a child: the pending of the Map Run that waits for its end, and its number of items."""

    code: ClassVar[str] = "Co"

    run: str
    pending: int
    count: int
