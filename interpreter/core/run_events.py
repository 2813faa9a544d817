"""Events of distributed Maps: in the log of who waits for a Map Run, in the run's own, in its children's.

Fields mean what they mean in :mod:`detent.core.events`. Nothing of a Map Run's own log is shown in a history.
"""

from __future__ import annotations

from .rows import Row
from .values import Payload

# The state that waits


class MapRunStarted(Row, tag="Cs"):
    """Opens a pending of kind child. ``run`` is the Map Run's ARN, ``arguments`` what it is told (core.runs)."""

    frame: int
    run: str
    arguments: Payload
    shown: int
    previous: int


class MapRunEnded(Row, tag="Ce"):
    """Closes the pending. ``status`` is the Map Run's."""

    frame: int
    pending: int
    status: str
    error: str | None
    cause: str | None
    shown: int
    previous: int


class MapRunRedriven(Row, tag="Cr"):
    """Opens the pending of a Map Run that has ended once more, under its own number; ``count`` is how often."""

    frame: int
    pending: int
    run: str
    count: int
    shown: int
    previous: int


# The Map Run


class RunBegan(Row, tag="Mr"):
    """The first event of a Map Run. ``scope`` and ``state`` are the place of the Map state in the machine.

    ``items`` are given unless a reader reads them; ``width`` says how many they are. ``settings`` is the rest
    of what the run was told. A limit of None is not set.
    """

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


class ItemsRead(Row, tag="Mi"):
    """Closes the reading pending: the next items, by their index. ``cursor`` is where to read on, None at the end."""

    pending: int
    items: dict[str, Payload]
    keys: tuple[str, ...]
    cursor: Payload | None
    source: str


class ChildOpened(Row, tag="Mo"):
    """Opens a pending of kind child: the execution ``child`` begins with ``input``, made of ``count`` items."""

    child: str
    number: int
    count: int
    input: Payload
    at: int


class ChildClosed(Row, tag="Me"):
    """Closes the pending: the child has ended as ``status``."""

    pending: int
    status: str
    redrives: int


class ChildReopened(Row, tag="Mb"):
    """Opens a pending of kind child again: a child that did not succeed goes on, or ``child`` does its work anew.

    It goes on under the number ``pending`` that its first attempt had.
    """

    pending: int
    child: str
    at: int


class RunRedriveNoted(Row, tag="Mv"):
    """A redrive was asked for while the run was closing: it takes place when the children have ended."""

    at: int


class RunUpdated(Row, tag="Mu"):
    """Somebody has changed the limits of the run; these hold from now on."""

    concurrency: int
    tolerated_count: int | None
    tolerated_percentage: float | None


class RunYielded(Row, tag="My"):
    """Opens a pending of kind more, due at once: more children are opened in another turn."""

    due: int


class RunResumed(Row, tag="Mn"):
    """Closes a pending of kind more."""

    pending: int


class RunClosing(Row, tag="Mx"):
    """No further child is opened, those that run are stopped; then the run ends as ``status``."""

    status: str
    error: str | None
    cause: str | None


class ResultsGathered(Row, tag="Mw"):
    """Closes the gathering pending: the results are in ``output``, ``written`` of them elsewhere."""

    pending: int
    output: Payload
    written: int


# A child


class ChildOf(Row, tag="Co"):
    """The second event of a child: the pending of the Map Run that waits for its end, and its number of items."""

    run: str
    pending: int
    count: int
