"""Random definitions: compiled, run with random answers, recovered at every point, and replayed to the same events."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from core.building import Play
from hypothesis import given, settings
from hypothesis import strategies as st

from detent.core.codec import unstored
from detent.core.decide import advance
from detent.core.execution import Execution
from detent.runtime.compose import compile_machine
from detent.schema.diagnostics import Severity
from detent.schema.validate import validate_value

from .definitions import Language, definitions
from .driving import signals
from .shelf import Shelf

#: Of each language: ten thousand definitions in all where ``CI`` is set.
MANY = 17 * settings().max_examples


@pytest.mark.parametrize("language", get_args(Language))
def test_a_definition_runs_recovers_and_replays(language: Language) -> None:
    @settings(max_examples=MANY)
    @given(definitions(language), st.integers(0, 2**20))
    def holds(definition: dict[str, Any], seed: int) -> None:
        assert not [finding for finding in validate_value(definition) if finding.severity is Severity.ERROR]
        machine = compile_machine(definition)
        play, shelf = Play(machine), Shelf()
        survivor = Execution()
        for signal in signals(play, seed):
            after = play.execution.seq
            events = play.send(signal)
            if not events:
                continue
            step = play.log[-1]
            # Who has only the log goes on as if nothing had happened, at every point of it.
            assert advance(machine, survivor, unstored(signal), now=step.now, seed=step.seed) == events
            shelf.write(after, [step])
            survivor = shelf.recall()
            assert survivor == play.execution
        replayed = Execution()
        for step in shelf.read_whole():
            assert (
                advance(machine, replayed, unstored(step.signal), now=step.now, seed=step.seed) == step.events
            )
        assert replayed == play.execution

    holds()
