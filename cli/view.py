"""What shows executions while they run: the seam between driving them and drawing them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Self

from .progress import Change, Progress


class View:
    """Shows nothing. Views that do override what they need; one is entered while executions run."""

    #: Seconds between calls of :meth:`refresh`; None if it need not be called.
    interval: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """The last look at what is shown."""

    def watch(self, progress: Progress) -> None:
        """Show one more execution."""

    def changed(self, progress: Progress, changes: Sequence[Change]) -> None:
        """Something became durable; ``progress`` holds it already."""

    def refresh(self, now: int) -> None:
        """Time has passed."""

    def restore(self) -> None:
        """Give the terminal back at once: the process is about to end."""


def view_for(log: bool) -> View:
    """The live view where stderr is a terminal that can draw it, otherwise lines."""
    from .plain import PlainView

    if log or not sys.stderr.isatty():
        return PlainView()
    from .live import LiveView, able

    return LiveView() if able() else PlainView()
