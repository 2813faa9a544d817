"""A redrive: whatever ended without success goes on where it stood, and succeeds once its tasks do."""

from __future__ import annotations

from random import Random

from core.building import Play
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detent.core.decide import advance
from detent.core.errors import DATA_LIMIT_EXCEEDED
from detent.core.events import Event, Forked, FrameClosed, FrameOpened
from detent.core.evolve import fold
from detent.core.execution import RUNNING, SUCCEEDED, Execution
from detent.core.machine import Machine
from detent.core.signals import Fired, Redriven, Succeeded
from detent.core.values import Payload

from .driving import ENOUGH, signals
from .machines import machines

seeds = st.integers(0, 2**20)


def fail_somehow(machine: Machine, seed: int) -> Play:
    """An execution that has ended, of a machine in which nothing but tasks can fail."""
    play = Play(machine)
    for signal in signals(play, seed):
        play.send(signal)
    return play


def let_succeed(play: Play) -> None:
    """Let all tasks succeed and all timers fire until the execution ends."""
    for _ in range(ENOUGH):
        if play.execution.status != RUNNING:
            return
        pending = next(iter(play.execution.pending.values()))
        if play.execution.paused:
            play.resume()
        elif pending.mode == "signal":
            play.signal((pending.resource or "").removeprefix("signal:"), {"fine": pending.id})
        elif pending.kind == "task":
            play.send(Succeeded(pending.id, Payload({"fine": pending.id})))
        else:
            play.now = max(play.now, pending.due or 0)
            play.send(Fired(pending.id))
    raise AssertionError("the execution does not come to an end")


@settings(max_examples=12 * settings().max_examples)
@given(machines(sound=True), seeds)
def test_what_failed_succeeds_when_its_tasks_do(machine: Machine, seed: int) -> None:
    play = fail_somehow(machine, seed)
    if play.execution.status == SUCCEEDED:
        return
    before = len(play.events)
    count = play.execution.redrive_count
    done = results(play.execution)
    play.send(Redriven())
    assert play.execution.redrive_count == count + 1
    let_succeed(play)
    # Results that are too large together are nothing that trying again could mend.
    assume(play.execution.error != DATA_LIMIT_EXCEEDED)
    assert play.execution.status == SUCCEEDED
    assert fold(play.events) == play.execution
    assert not done & opened_again(play.events[before:])
    closed = [event for event in play.events[before:] if isinstance(event, FrameClosed)]
    assert len({event.frame for event in closed}) == len(closed)


def results(execution: Execution) -> set[tuple[int, int]]:
    """The branches and iterations that have a result: their parent's frame, and their index."""
    return {
        (frame.id, index)
        for frame in execution.frames.values()
        if frame.join is not None
        for index, result in enumerate(frame.join.results)
        if result is not None
    }


def opened_again(events: list[Event]) -> set[tuple[int, int]]:
    """What is opened in joins that were there before the events."""
    forked: set[int] = set()
    opened = set()
    for event in events:
        if isinstance(event, Forked):
            forked.add(event.frame)
        elif isinstance(event, FrameOpened) and event.frame not in forked:
            opened.add((event.frame, event.index))
    return opened


@settings(max_examples=4 * settings().max_examples)
@given(machines(sound=True), seeds)
def test_a_crash_anywhere_in_a_redriven_execution_is_survived(machine: Machine, seed: int) -> None:
    play = fail_somehow(machine, seed)
    play.send(Redriven())
    let_succeed(play)
    crashes = Random(seed)
    survivor, events = Execution(), []
    for step in play.log:
        if crashes.random() < 0.4:
            survivor = fold(events)
        assert advance(machine, survivor, step.signal, now=step.now, seed=step.seed) == step.events
        events.extend(step.events)
    assert survivor == play.execution


@given(machines(sound=True), seeds)
def test_late_answers_to_what_ran_before_change_nothing(machine: Machine, seed: int) -> None:
    play = fail_somehow(machine, seed)
    if play.execution.status == SUCCEEDED:
        return
    ended = play.execution.seq
    play.send(Redriven())
    for id in range(1, ended + 1):
        assert play.send(Succeeded(id, Payload(None))) == []
        assert play.send(Fired(id)) == []
    let_succeed(play)
