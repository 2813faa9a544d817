"""Whatever is written can be read again: in any batches, from any point on, and decided once more."""

from __future__ import annotations

from random import Random

from core.building import Play
from hypothesis import given, settings
from hypothesis import strategies as st

from detent.core.codec import (
    Step,
    decode_log,
    decode_signal,
    encode_segment,
    encode_signal,
    fill_payloads,
    missing_payloads,
    unstored,
)
from detent.core.decide import advance
from detent.core.evolve import fold
from detent.core.execution import Execution
from detent.core.machine import Machine
from detent.core.signals import Signal
from detent.core.values import Payload

from .driving import signals
from .machines import machines

seeds = st.integers(0, 2**20)
MANY = 5 * settings().max_examples


class Shelf:
    """Where segments and blobs are kept."""

    def __init__(self) -> None:
        self.segments: list[tuple[int, bytes]] = []
        self.payloads: dict[int, bytes] = {}
        self.blobs: dict[str, bytes] = {}

    def write(self, after: int, steps: list[Step]) -> None:
        encoded = encode_segment(after, "1.0", steps)
        self.segments.append((after, encoded.control))
        self.payloads[after] = encoded.payloads
        self.blobs.update(encoded.blobs)

    def read(self) -> list[Step]:
        return list(decode_log(self.segments))

    def fill(self, payloads: list[Payload]) -> None:
        segments, digests = missing_payloads(payloads)
        fill_payloads(
            payloads, {after: self.payloads[after] for after in segments}, {d: self.blobs[d] for d in digests}
        )

    def recall(self) -> Execution:
        execution = fold(event for step in self.read() for event in step.events)
        self.fill(list(execution.payloads()))
        return execution


def payloads_of(item: object) -> list[Payload]:
    found = []
    for name in item.__struct_fields__:  # type: ignore[attr-defined]  # signals and events are structs
        value = getattr(item, name)
        found += [value] if isinstance(value, Payload) else []
        found += list(value.values()) if isinstance(value, dict) else []
    return found


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
    read = shelf.read()
    shelf.fill(
        [payload for step in read for item in (step.signal, *step.events) for payload in payloads_of(item)]
    )
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
