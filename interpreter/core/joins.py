"""Parallel and Map: open frames, gather what they answer.

A branch and an iteration are one thing: a frame with a parent and an index. The parent's join opens as
many as may be open at once, keeps the results by index, and is done when all have one.
"""

from __future__ import annotations

from .errors import RUNTIME, StateFailure
from .events import Forked, FrameClosed, FrameOpened, Joined
from .execution import Frame, Join
from .machine import Map, Parallel
from .turn import Turn
from .values import JSON, Payload


def fork_branches(turn: Turn, frame: Frame, state: Parallel) -> None:
    """Open every branch with the state's effective input."""
    bindings = turn.bindings(frame)
    arguments = bindings.input if state.flow is None else state.flow.arguments(bindings)
    payload = turn.payload(arguments, frame, frame.input)
    scopes = tuple(branch.path for branch in state.branches)
    turn.show(Forked(frame.id, len(scopes), len(scopes), scopes, None, turn.execution.shown + 1, frame.last))
    for index in range(len(scopes)):
        child = turn.execution.next_frame
        turn.emit(FrameOpened(frame.id, index, payload, 0, 0))
        turn.ready.append((child, state.branches[index].start))


def fork_items(turn: Turn, frame: Frame, state: Map) -> Payload | None:
    """Open as many iterations as may run at once; the result if there are no items at all."""
    bindings = turn.bindings(frame)
    items: list[JSON] = state.items(bindings.input, bindings)
    if len(items) > turn.limits.map_items:
        raise StateFailure(
            RUNTIME, f"The Map has {len(items)} items; an inline Map may have {turn.limits.map_items}."
        )
    limit = 0 if state.concurrency is None else state.concurrency(bindings.input, bindings)
    most = turn.limits.map_concurrency
    payload = turn.payload(items, frame, frame.input)
    turn.show(
        Forked(
            frame.id,
            len(items),
            min(limit, most) if limit else most,
            (state.body.path,),
            payload,
            turn.execution.shown + 1,
            frame.last,
        )
    )
    if not items:
        return _complete(turn, frame)
    _fill(turn, frame, state, frame.last)
    return None


def _fill(turn: Turn, frame: Frame, state: Map, previous: int) -> None:
    """Open iterations while there are items and room."""
    join = _join(frame)
    while join.cursor < join.width and len(join.live) < join.limit:
        index = join.cursor
        payload = _iteration_input(turn, frame, state, join, index)
        child = turn.execution.next_frame
        turn.show(FrameOpened(frame.id, index, payload, turn.execution.shown + 1, previous))
        turn.ready.append((child, state.body.start))


def _iteration_input(turn: Turn, frame: Frame, state: Map, join: Join, index: int) -> Payload:
    assert join.items is not None
    item = join.items.value[index]
    if state.selector is None:
        return turn.payload(item, frame)
    bindings = turn.bindings(frame, item=(index, item))
    return turn.payload(state.selector(bindings.input, bindings), frame, frame.input)


def close(turn: Turn, frame: Frame, output: Payload) -> Payload | None:
    """A branch or iteration has come to its end: keep its output and open the next.

    Answers the parent's result if this was the last. What fails here fails the parent's state, not the
    one that has just succeeded.
    """
    assert frame.parent is not None
    parent = turn.execution.frames[frame.parent]
    join = _join(parent)
    if join.kind == "Map":
        shown = turn.execution.shown + 1
        turn.show(FrameClosed(frame.id, output, shown, shown, frame.last))
    else:
        turn.emit(FrameClosed(frame.id, output, frame.last, 0, 0))
    return further(turn, parent, frame.last)


def further(turn: Turn, frame: Frame, previous: int) -> Payload | None:
    """Open what there is room for; the result of the frame's state if nothing is left to do."""
    join = _join(frame)
    if join.done == join.width:
        return _complete(turn, frame)
    if join.cursor < join.width:
        state = turn.state(frame)
        assert isinstance(state, Map)
        _fill(turn, frame, state, previous)
    return None


def _complete(turn: Turn, frame: Frame) -> Payload:
    results = [result.value for result in _join(frame).results if result is not None]
    payload = turn.payload(results, frame)
    turn.show(Joined(frame.id, turn.execution.shown + 1, frame.last))
    return payload


def _join(frame: Frame) -> Join:
    assert frame.join is not None
    return frame.join
