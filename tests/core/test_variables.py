"""How much the variables of an execution may take, one state's and all together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detent.core import decide
from detent.core.execution import FAILED, RUNNING, SUCCEEDED, size_of
from detent.core.limits import AWS

from .building import Flow, Play, catcher, choice, do, each, machine, scope, task


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred bytes for one state, three hundred for all."""
    limits = replace(AWS, variable_bytes=100, all_variables_bytes=300)
    monkeypatch.setattr(decide, "PROFILES", {"aws": limits})


def assign(**values: Any) -> Flow:
    return Flow(assign=lambda bindings: values)


def keep(name: str, size: int) -> Flow:
    return assign(**{name: "x" * (size - 2)})


def played(*states: Any, input: Any = None) -> Play:
    play = Play(machine(*states), "aws")
    play.start(input)
    return play


def test_a_state_may_assign_so_much() -> None:
    assert played(do("A", flow=keep("a", 100))).execution.status == SUCCEEDED
    refused = played(do("A", flow=keep("a", 101))).execution
    assert (refused.status, refused.error) == (FAILED, "States.Runtime")


def test_all_states_together_may_assign_so_much() -> None:
    within = [do("A", "B", flow=keep("a", 100)), do("B", "C", flow=keep("b", 100))]
    assert played(*within, do("C", flow=keep("c", 100))).execution.status == SUCCEEDED
    refused = played(*within, do("C", "D", flow=keep("c", 100)), do("D", flow=keep("d", 2))).execution
    assert refused.error == "States.Runtime"
    assert "take 302 bytes; the maximum is 300" in (refused.cause or "")


def test_what_is_replaced_takes_nothing_any_more() -> None:
    rounds = choice("Again", (lambda document: False, "A"), default="End")
    states = [do(f"A{n}", f"A{n + 1}", flow=keep("a", 100)) for n in range(9)]
    play = played(*states, do("A9", "Again"), rounds, do("End", flow=keep("b", 100)))
    assert play.execution.status == SUCCEEDED
    assert play.execution.count_variables() == 200


def test_variables_end_with_their_iteration() -> None:
    body = scope("/i", do("Keep", flow=keep("mine", 100)))
    play = played(do("A", "Each", flow=keep("a", 100)), each("Each", body, concurrency=2), input=[1] * 9)
    assert play.execution.status == SUCCEEDED
    assert play.execution.count_variables() == 100


def test_iterations_that_are_open_at_once_count_together() -> None:
    body = scope("/i", do("Keep", "Hold", flow=keep("mine", 80)), task("Hold"))
    play = played(
        each("Each", body, concurrency=4, catch=(catcher("Too much"),)), do("Too much"), input=[1] * 4
    )
    assert play.execution.status == FAILED  # States.Runtime is not to be caught
    play = played(each("Each", body, concurrency=3), input=[1] * 4)
    assert play.execution.status == RUNNING
    assert play.execution.count_variables() == 240


def test_what_is_counted_is_what_is_there() -> None:
    body = scope("/i", do("Keep", "Hold", flow=keep("mine", 50)), task("Hold"))
    play = played(do("A", "Each", flow=keep("a", 7)), each("Each", body, concurrency=2), input=[1] * 4)
    play.succeed(play.execution.pending.copy().popitem()[0])
    counted = play.execution.count_variables()
    assert counted == sum(size_of(frame.variables) for frame in play.execution.frames.values())
