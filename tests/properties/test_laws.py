"""What holds for every machine and every order of signals, after every single one of them."""

from __future__ import annotations

from copy import deepcopy

from core.building import Play
from hypothesis import given, settings
from hypothesis import strategies as st

from detent.core.decide import advance, transition
from detent.core.events import (
    Event,
    ExecutionEnded,
    ExecutionPaused,
    ExecutionResumed,
    FrameAborted,
    Halted,
    StateEntered,
    TaskScheduled,
    WaitStarted,
)
from detent.core.evolve import evolve, fold
from detent.core.execution import ROOT, RUNNING, SUCCEEDED, Execution
from detent.core.machine import Machine
from detent.core.resting import rest

from .driving import signals
from .machines import machines

seeds = st.integers(0, 2**20)
MANY = 12 * settings().max_examples


@settings(max_examples=MANY)
@given(machines(), seeds)
def test_the_laws_hold_after_every_signal(machine: Machine, seed: int) -> None:
    play = Play(machine)
    mirror = Execution()
    waiting: set[int] = set()
    for signal in signals(play, seed):
        before = play.execution.seq
        events = play.send(signal)
        for event in events:
            evolve(mirror, event)
        # The live state is the fold of its events.
        assert mirror == play.execution
        assert play.execution.seq == before + len(events)
        # What waits is what was opened and not closed.
        opened, closed = play.execution.take_journal()
        assert not waiting & {pending.id for pending in opened}
        assert set(closed) <= waiting
        waiting = (waiting | {pending.id for pending in opened}) - set(closed)
        assert waiting == play.execution.pending.keys()
        check_shape(play.execution)
    check_history(play.events)
    assert fold(play.events) == play.execution


@settings(max_examples=MANY)
@given(machines(), seeds)
def test_one_that_rests_between_signals_goes_on_as_if_it_had_not(machine: Machine, seed: int) -> None:
    play = Play(machine)
    mirror = Execution()
    for signal in signals(play, seed):
        for event in play.send(signal):
            evolve(mirror, event)
        play.execution.take_journal()
        resting = rest(play.execution)
        if resting is not None:
            (waited_for,) = play.execution.pending
            assert resting.pending == waited_for
            play.execution = resting.wake()
        assert mirror == play.execution
        check_shape(play.execution)


def check_shape(execution: Execution) -> None:
    """A running execution waits for something; frames, joins and pendings name one another."""
    assert (execution.status == RUNNING) == bool(execution.pending)
    held = {
        frame.pending.id: frame.pending for frame in execution.frames.values() if frame.pending is not None
    }
    assert held == execution.pending
    children = {id for frame in execution.frames.values() if frame.join for id in frame.join.live}
    assert children == execution.frames.keys() - {ROOT}
    if execution.status == SUCCEEDED:
        assert execution.frames.keys() == {ROOT}
    for frame in execution.frames.values():
        if frame.join is not None:
            assert frame.join.done + len(frame.join.live) == frame.join.cursor <= frame.join.width
            assert len(frame.join.live) <= frame.join.limit


def check_history(events: list[Event]) -> None:
    """Shown ids are dense from 1, ``previous`` points back, time does not go back, a pause begins nothing."""
    last, now, paused = 0, 0, False
    for event in events:
        paused = isinstance(event, ExecutionPaused) or (
            paused and not isinstance(event, (ExecutionResumed, ExecutionEnded))
        )
        assert not (paused and isinstance(event, (StateEntered, TaskScheduled, WaitStarted)))
        shown = getattr(event, "shown", 0)
        if shown:
            assert shown == last + 1
            assert 0 <= event.previous < shown  # type: ignore[union-attr]  # what is shown has a previous
            last = shown
            if isinstance(event, (FrameAborted, Halted)) and event.iteration and event.state:
                last += 1
        if isinstance(event, StateEntered):
            assert event.at >= now
            now = event.at


@settings(max_examples=MANY // 3)
@given(machines(), seeds)
def test_repeated_and_late_signals_change_nothing(machine: Machine, seed: int) -> None:
    play = Play(machine)
    sent = []
    for signal in signals(play, seed):
        play.send(signal)
        sent.append(signal)
        gone = [s for s in sent if getattr(s, "pending", None) not in play.execution.pending]
        if len(sent) % 5 == 0 or play.execution.status != RUNNING:
            before = deepcopy(play.execution)
            for again in gone[-8:]:
                # Only a stop and the end of the execution's own time answer nothing that waits and have no key.
                if getattr(again, "pending", None) is not None or hasattr(again, "key"):
                    assert play.send(again) == []
            assert play.execution == before


@settings(max_examples=MANY // 3)
@given(machines(), seeds)
def test_deciding_is_a_function_of_its_arguments(machine: Machine, seed: int) -> None:
    play = Play(machine)
    for number, signal in enumerate(signals(play, seed)):
        if number % 3:
            play.send(signal)
            continue
        before = deepcopy(play.execution)
        now, chance = play.now, f"seed-{len(play.log)}"
        first = transition(machine, play.execution, signal, now=now, seed=chance)
        assert play.execution == before
        second = advance(machine, before, signal, now=now, seed=chance)
        assert first.events == second == play.send(signal)
        assert first.execution == before == play.execution
