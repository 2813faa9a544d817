"""Random signals for a machine: answers, repetitions, late and early ones, now and then a stop, and redrives."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from core.building import Play, started

from detent.core.execution import RUNNING, SUCCEEDED, Pending
from detent.core.signals import (
    Amended,
    Began,
    ChildEnded,
    Failed,
    Fired,
    Paused,
    Redriven,
    Resumed,
    Signal,
    Signalled,
    Stopped,
    Submitted,
    Succeeded,
    TimedOut,
)
from detent.core.values import Payload

from .machines import ERRORS, SIGNALS

#: Signals that any run must have ended after; machines of these sizes need a few hundred.
ENOUGH = 5_000
#: How the Map Run of a distributed Map may end, as it is told.
CHILD_ENDS = (
    {"Status": "SUCCEEDED", "Output": [1, {"n": 2}]},
    {"Status": "FAILED", "Error": "E1", "Cause": "a cause", "RedriveCount": 0},
    {"Status": "ABORTED"},
)
#: How often an execution that ended without success may be asked to go on.
REDRIVES_MAX = 3


def signals(play: Play, seed: int, *, stops: bool = True) -> Iterator[Signal]:
    """Signals until the execution ends, chosen for where it stands. Moves the play's clock."""
    random = Random(seed)
    sent: list[Signal] = []
    first: Signal = started({"n": seed}, profile=random.choice(("aws", "detent")))
    yield first
    sent.append(first)
    redrives = random.choice((0, 0, 1, REDRIVES_MAX))
    for _ in range(ENOUGH):
        if play.execution.status != RUNNING:
            if play.execution.status == SUCCEEDED or not redrives:
                return
            redrives -= 1
            play.now += random.choice((0, 1_000, -700))
            yield Redriven(random.choice((None, "a", "b")))
            continue
        signal = _next(play, random, sent, stops)
        sent.append(signal)
        yield signal
    raise AssertionError("the execution does not come to an end")


def _next(play: Play, random: Random, sent: list[Signal], stops: bool) -> Signal:
    play.now += random.choice((0, 1, 500, 2_000, -700))
    draw = random.random()
    if draw < 0.12:
        return random.choice(sent)
    if draw < 0.17:
        return _nonsense(play, random)
    if draw < 0.18 and stops:
        return Stopped("Why")
    if draw < 0.21:
        return TimedOut(None)
    if draw < 0.24:
        return Paused(f"pause-{len(sent)}")
    if draw < 0.25:
        return Signalled(f"signal-{len(sent)}", random.choice((*SIGNALS, "c")), Payload(len(sent)))
    if play.execution.paused and draw < 0.35:
        return Resumed(f"resume-{len(sent)}")
    pendings = list(play.execution.pending.values())
    assert pendings, "a running execution waits for nothing"
    return _answer(play, random, random.choice(pendings))


def _nonsense(play: Play, random: Random) -> Signal:
    """An answer to what does not wait: an id from the past, the future or never."""
    id = random.randrange(play.execution.seq + 5)
    if id in play.execution.pending:
        return Fired(id) if play.execution.pending[id].kind == "task" else Succeeded(id, Payload(None))
    return random.choice(
        (Began(id), Succeeded(id, Payload(1)), Failed(id, "E1", None), Fired(id), TimedOut(id))
    )


def _answer(play: Play, random: Random, pending: Pending) -> Signal:
    if pending.kind != "more" and random.random() < 0.03:
        return Amended(pending.id, Payload({"given": pending.id}))
    if pending.kind == "child":
        return ChildEnded(pending.id, Payload(random.choice(CHILD_ENDS)))
    if pending.kind != "task":
        if random.random() < 0.7 and pending.due is not None:
            play.now = max(play.now, pending.due)
        return Fired(pending.id)
    draw = random.random()
    if pending.mode == "signal" and draw < 0.4:
        _, _, name = (pending.resource or "").partition(":")
        return Signalled(f"signal-{pending.id}", name, Payload({"for": pending.id}))
    if draw < 0.2:
        return Began(pending.id)
    if draw < 0.3:
        return Submitted(pending.id, Payload({"job": pending.id}))
    if draw < 0.4 and pending.due is not None:
        play.now = max(play.now, pending.due - random.randrange(2))
        return TimedOut(pending.id)
    if draw < 0.5 and pending.beat_due is not None:
        play.now = max(play.now, pending.beat_due - random.randrange(2))
        return TimedOut(pending.id, heartbeat=True)
    if draw < 0.65:
        return Failed(pending.id, random.choice(ERRORS), random.choice((None, "cause")))
    return Succeeded(pending.id, Payload(random.choice((None, [1, 2], {"big": "z" * 17_000}, "ü"))))
