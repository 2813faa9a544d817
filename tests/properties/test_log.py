"""Whatever is written can be read again: in any batches, from any point on, and decided once more."""

from __future__ import annotations

from random import Random

from core.building import Play
from hypothesis import given, settings
from hypothesis import strategies as st

from detent.core.codec import Step, decode_signal, encode_signal, unstored
from detent.core.decide import advance
from detent.core.execution import Execution
from detent.core.machine import Machine
from detent.core.signals import Signal

from .driving import signals
from .machines import machines
from .shelf import Shelf

seeds = st.integers(0, 2**20)
MANY = 5 * settings().max_examples


@settings(max_examples=MANY)
@given(machines(), seeds)
def test_a_log_written_in_any_batches_is_read_as_it_was(machine: Machine, seed: int) -> None:
    cuts = Random(seed)
    play, shelf = Play(machine), Shelf()
    open_steps: list[Step] = []
    after = 0
    for signal in signals(play, seed):
        if play.send(signal):
            open_steps.append(play.log[-1])
        if open_steps and cuts.random() < 0.4:
            shelf.write(after, open_steps)
            open_steps, after = [], play.execution.seq
    if open_steps:
        shelf.write(after, open_steps)
    assert shelf.recall() == play.execution
    read = shelf.read_whole()
    assert read == play.log

    again = Execution()
    for step in read:
        assert advance(machine, again, unstored(step.signal), now=step.now, seed=step.seed) == step.events
    assert again == play.execution


@settings(max_examples=MANY)
@given(machines(depth=2, width=3), seeds)
def test_a_crash_at_any_point_leads_to_the_same_end(machine: Machine, seed: int) -> None:
    play, shelf = Play(machine), Shelf()
    crashes = Random(seed)
    survivor = Execution()
    for signal in signals(play, seed):
        before = len(play.log)
        after = play.execution.seq
        play.send(signal)
        if len(play.log) == before:
            continue
        step = play.log[-1]
        # What waits after the crash is read from the log alone, and decides the same.
        events = advance(machine, survivor, unstored(step.signal), now=step.now, seed=step.seed)
        assert events == step.events
        shelf.write(after, [step])
        if crashes.random() < 0.5:
            survivor = shelf.recall()
        assert survivor == play.execution
    assert survivor.output == play.execution.output


@given(machines(depth=1), seeds)
def test_a_signal_can_travel_alone(machine: Machine, seed: int) -> None:
    play = Play(machine)

    def travelled(signal: Signal) -> Signal:
        return decode_signal(encode_signal(signal))

    for signal in signals(play, seed):
        assert travelled(signal) == signal
        play.send(signal)
