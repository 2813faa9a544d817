"""The timeline of an execution as spans: flat, in reading order, each with its depth."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from detent.visits import Path, Visit

from .operation import Shape
from .shapes import Instant, instant

#: Spans of one answer.
SPANS_MAX = 10_000


class AttemptSpan(Shape):
    """One try of a state's work."""

    number: int
    status: str
    from_: Instant
    to: Instant | None
    began_at: Annotated[Instant | None, Meta(description="When somebody took the task.")]
    retry_at: Annotated[Instant | None, Meta(description="When the next try begins.")]
    error: str | None
    cause: str | None


class Span(Shape):
    """A visit of a state. `index` counts branches or iterations of the state around it."""

    state: str
    type: str
    scope: str
    depth: int
    index: int
    event: Annotated[int, Meta(description="The number of the event that entered the state.")]
    status: str
    from_: Instant
    to: Instant | None
    error: str | None
    cause: str | None
    attempts: list[AttemptSpan]


def spans(root: Path | None) -> tuple[list[Span], bool]:
    """Every visit of an execution, and whether there are more than are shown."""
    found: list[Span] = []
    whole = root is None or _walk(root, 0, found)
    return found, not whole


def _walk(path: Path, depth: int, found: list[Span]) -> bool:
    """Add the visits of a path and below it; False if there is no room for all."""
    for visit in path.visits:
        if len(found) >= SPANS_MAX:
            return False
        found.append(_span(visit, path, depth))
        for attempt in visit.attempts:
            for below in attempt.paths:
                if not _walk(below, depth + 1, found):
                    return False
    return True


def _span(visit: Visit, path: Path, depth: int) -> Span:
    return Span(
        state=visit.state,
        type=visit.kind,
        scope=visit.scope,
        depth=depth,
        index=path.index,
        event=visit.event,
        status=visit.status.value,
        from_=instant(visit.entered_at),
        to=_instant(visit.left_at),
        error=visit.error,
        cause=visit.cause,
        attempts=[
            AttemptSpan(
                number=attempt.number,
                status=attempt.status.value,
                from_=instant(attempt.started_at),
                to=_instant(attempt.ended_at),
                began_at=_instant(attempt.began_at),
                retry_at=_instant(attempt.retry_at),
                error=attempt.error,
                cause=attempt.cause,
            )
            for attempt in visit.attempts
        ],
    )


def _instant(at: int | None) -> str | None:
    return None if at is None else instant(at)
